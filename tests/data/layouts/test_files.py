import pytest
from PIL import Image

from kvidgan.data.layouts.folder_names import split_of
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
@pytest.mark.parametrize(
    "other",
    ["val", "valid", "Validation_Set", "dev", "test", "testing", "eval", "test-dev", "Hold-Out"],
)
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
    meant = "test" if other.startswith(("test", "Hold")) else "val"
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


STRAYS = ("cover.png", "demo.gif", "README.md", "docs/figure.png", "data/cover.png", "data/READ.me")


def save_pictures(root, *folders):
    for folder in folders:
        for number in range(3):
            (root / folder).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 8), (number, 0, 0)).save(root / folder / f"{number}.png")


@pytest.mark.parametrize("stray", [None, *STRAYS])
@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Valid"), ("train", "dev")])
def test_splits_below_a_folder(tmp_path, names, stray):
    first, second = names
    save_pictures(tmp_path, f"data/{first}/run/a", f"data/{first}/walk/b", f"data/{second}/run/c")
    if stray is not None:
        (tmp_path / stray).parent.mkdir(exist_ok=True)
        (tmp_path / stray).touch()
        if stray.endswith(("png", "gif")):
            Image.new("RGB", (12, 8)).save(tmp_path / stray)
    source = open_source(tmp_path)
    meant = "test" if second == "test" else "val"
    assert source.classes == ["run", "walk"]
    assert {v.name[-1]: (v.split, v.class_index) for v in source.videos} == {
        "a": ("train", 0),
        "b": ("train", 1),
        "c": (meant, 0),
    }
    assert len(source.skipped) == (stray is not None)


def test_splits_in_each_class(tmp_path):
    for label in ("run", "walk"):
        for name in ("train/a", "train/b", "test/c"):
            save_strip(tmp_path / "d" / label / f"{name}.png", video(0, 4))
    source = open_source(tmp_path / "d")
    assert source.classes == ["run", "walk"]
    assert {v.name: (v.split, v.class_index) for v in source.videos} == {
        f"{label}/{name}.png": (name.split("/")[0], index)
        for index, label in enumerate(("run", "walk"))
        for name in ("train/a", "train/b", "test/c")
    }


def test_one_class_with_folders_called_so_keeps_the_others(tmp_path):
    save_pictures(tmp_path, "run/a", "run/b", "walk/c", "station/train", "station/test")
    source = open_source(tmp_path)
    assert source.classes == ["run", "station", "walk"]
    assert {v.split for v in source.videos} == {""}
    assert len(source.videos) == 5


@pytest.mark.parametrize("stray", [None, "cover.avi.png", "UCF-101/cover.png"])
def test_folders_around_all_are_no_classes(tmp_path, stray):
    save_pictures(tmp_path, "UCF-101/run/a", "UCF-101/walk/b", "UCF-101/walk/c")
    if stray:
        Image.new("RGB", (12, 8)).save(tmp_path / stray)
    source = open_source(tmp_path)
    named = {v.name: v.class_index for v in source.videos}
    assert source.classes == ["run", "walk"]
    assert [named[f"UCF-101/{one}"] for one in ("run/a", "walk/b", "walk/c")] == [0, 1, 1]
    assert len(named) == 3 + bool(stray)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("TRAINING", "train"), ("trainval", "train"), ("train_set", "train"),
        ("train-data", "train"), ("val", "val"), ("valid", "val"), ("Validation", "val"),
        ("dev", "val"), ("eval", "val"), ("evaluation", "val"), ("test", "test"),
        ("testing", "test"), ("test-dev", "test"), ("hold_out", "test"), ("holdout", "test"),
        ("Test Set", "test"), ("testament", None), ("trains", None), ("latest", None),
        ("device", None), ("set", None), ("data", None),
    ],
)  # fmt: skip
def test_names_of_splits(name, split):
    assert split_of(name) == split


def test_frame_folders_called_alike_are_no_classes_of_their_own(tmp_path):
    for name in ("train/MOT17-02", "train/MOT17-04", "test/MOT17-01"):
        save_pictures(tmp_path, f"a/{name}/img1")
    save_pictures(tmp_path, "b/run/1/rgb", "b/run/2/rgb", "b/walk/3/rgb")
    save_pictures(tmp_path, "c/1/frames", "c/2/frames")
    save_pictures(tmp_path, "e/images/1", "e/images/2")
    save_pictures(tmp_path, "d/train/frames", "d/test/frames")
    found = {root: open_source(tmp_path / root) for root in "abcde"}
    assert [source.classes for source in found.values()] == [[], ["run", "walk"], [], [], []]
    assert [v.split for v in found["a"].videos] == ["test", "train", "train"]
    assert [v.split for v in found["d"].videos] == ["test", "train"]
