import numpy as np
import pytest

from kvidgan.data.store.reader import ClipStore
from kvidgan.media import write_frames
from tests.data.conftest import save_labelled, save_strip, video
from tests.textures import moving_square


def test_labelled_frames(tmp_path, kvidgan):
    save_labelled(tmp_path / "set", "s", 0, 9, instances=True)
    options = ["--size", "28x20", "--test-frames", 2, "--classes", 30]
    status, out, err = kvidgan("prepare", tmp_path / "set", tmp_path / "s.h5", *options)
    assert status == 0, err
    for line in (
        "layout     labelled frames, with instance maps",
        "frames     9 in a video",
        "labels     ids of 30 classes",
        "cropped    to the shape of 28x20: 1 video loses up to 5% of the picture at the sides",
    ):
        assert line in out
    assert "2 videos written, 0 skipped." in out
    assert "already" in kvidgan("prepare", tmp_path / "set", tmp_path / "s.h5", *options)[1]
    out = kvidgan("info", tmp_path / "s.h5")[1]
    for line in (
        "sizes       28x20x3 (2)",
        "splits      train (1), test (1)",
        "maps        labels, instances, flow, confidence",
        "labels      ids of 30 classes",
    ):
        assert line in out
    assert "ids of 24 classes" in kvidgan("info", tmp_path / "set")[1]


def test_a_sequence_that_does_not_fit_is_told(tmp_path, kvidgan):
    for name in ("a", "b"):
        save_labelled(tmp_path / "set", name, 0, 3)
    (tmp_path / "set" / "train_A" / "b" / "1.png").unlink()
    said = "b: train_B/b/1.png has no label map: expected one with the same name up to the suffix"
    assert said in kvidgan("info", tmp_path / "set")[1]
    assert f"skipped {said}" in kvidgan("prepare", tmp_path / "set", tmp_path / "s.h5")[1]
    status, _, err = kvidgan("prepare", tmp_path / "set", tmp_path / "t.h5", "--strict")
    assert (status, err[:8]) == (1, "error: b")


@pytest.mark.parametrize("labels", ["edges", "foreground"])
def test_labels_of_a_plain_clip(tmp_path, kvidgan, labels):
    write_frames(tmp_path / "clip.mp4", moving_square(12)[0], 25)
    paths = (tmp_path / "clip.mp4", tmp_path / "clip.h5")
    status, _, err = kvidgan("prepare", *paths, "--labels", labels, "--size", 32)
    assert status == 0, err
    with ClipStore.open(paths[1]) as store:
        assert (store.labels.kind, store.maps) == (labels, ("labels", "flow", "confidence"))
        assert set(np.unique(store.read_map("labels", 0, 0, 12))) == {0, 1}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--size", "big"], "--size: expected a side such as 64, or WIDTHxHEIGHT such as 128x96"),
        (["--size", "0"], "found '0'"),
        (["--size", "12x"], "found '12x'"),
        (["--classes", 3], "film strips, which are read as they are: expected no --classes, found"),
        (["--test-frames", 7], "has 7 frames: expected more than the 7 of --test-frames"),
    ],
)
def test_mistakes(tmp_path, kvidgan, options, sentence):
    save_strip(tmp_path / "a.png", video(0, 7))
    status, _, err = kvidgan("prepare", tmp_path / "a.png", tmp_path / "s.h5", *options)
    assert status == 1
    assert sentence in err
    assert not (tmp_path / "s.h5").exists()


def test_labels_where_there_are_some(tmp_path, kvidgan):
    save_labelled(tmp_path / "set", "s", 0, 3)
    paths = (tmp_path / "set", tmp_path / "s.h5")
    status, _, err = kvidgan("prepare", *paths, "--labels", "edges")
    assert status == 1
    assert "brings label maps of its own, ids of 24 classes: expected no labels to be found" in err
    assert kvidgan("prepare", *paths, "--labels", "lines")[0] == 2
