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
