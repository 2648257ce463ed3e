import pytest
from PIL import Image

from kvidgan.data.layouts.registry import open_source
from tests.data.conftest import save_strip, video


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "bus"):
        save_strip(tmp_path / name / "a.png", video(0, 4))
    source = open_source(tmp_path)
    assert source.classes == ["bus", "train"]
    assert {v.split for v in source.videos} == {""}


def test_classes_below_splits(tmp_path):
    for name in ("train/run/a.png", "train/walk/a.png", "val/run/b.png"):
        save_strip(tmp_path / name, video(0, 4))
    source = open_source(tmp_path)
    assert source.classes == ["run", "walk"]
    assert [(v.split, v.class_index) for v in source.videos] == [
        ("train", 0),
        ("train", 1),
        ("val", 0),
    ]


def test_other_and_hidden_files(strips):
    (strips / "README.txt").write_text("about")
    (strips / ".DS_Store").write_text("x")
    (strips / ".git").mkdir()
    (strips / ".git" / "x.png").write_text("x")
    source = open_source(strips)
    assert len(source.videos) == 4
    skipped = [(s.name, s.reason, s.damaged) for s in source.skipped]
    assert skipped == [("README.txt", "not an image", False)]


@pytest.mark.parametrize("stray", ["cover.png", "preview.gif", "extras/teaser.png", "notes.txt"])
@pytest.mark.parametrize("name", ["train", "Training"])
@pytest.mark.parametrize("other", ["val", "valid", "validation", "test", "testing", "eval"])
def test_a_stray_picture_beside_splits_makes_no_classes_of_them(tmp_path, stray, name, other):
    for folder in (f"{name}/a", f"{name}/b", f"{other}/c"):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (12, 8)).save(tmp_path / folder / f"{number}.png")
    (tmp_path / stray).parent.mkdir(exist_ok=True)
    if stray.endswith("txt"):
        (tmp_path / stray).write_text("notes")
    else:
        Image.new("RGB", (12, 8)).save(tmp_path / stray)
    source = open_source(tmp_path)
    assert source.classes == []
    splits = {video.name.split("/")[1]: video.split for video in source.videos}
    meant = "test" if other.startswith("test") else "val"
    assert splits == {"a": "train", "b": "train", "c": meant}
    assert len(source.skipped) == 1


def test_a_split_may_be_one_folder_of_frames(tmp_path):
    for folder in ("train", "test"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            Image.new("RGB", (12, 8)).save(tmp_path / folder / f"{number}.png")
    assert {v.name: v.split for v in open_source(tmp_path).videos} == {
        "train": "train",
        "test": "test",
    }
