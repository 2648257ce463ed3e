import numpy as np
import pytest

from kvidgan.data.store.reader import ClipStore
from kvidgan.media import write_frames
from tests.data.conftest import save_labelled, save_strip, video
from tests.data.layouts.trees import save_image, save_text, save_video
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


# --- data sets by their own trees


def test_an_official_split(tmp_path, kvidgan):
    for number in range(2):
        name = f"v_Archery_g0{number}_c01.avi"
        save_video(tmp_path / "ucf" / "UCF-101" / "Archery" / name, 50 * number, 2)
        other = f"v_Archery_g0{1 - number}_c01.avi"
        save_text(tmp_path / "ucf" / "lists" / f"testlist0{number + 1}.txt", f"Archery/{name}")
        save_text(tmp_path / "ucf" / "lists" / f"trainlist0{number + 1}.txt", f"Archery/{other} 1")
    for options, tested in (([], "g00"), (["--split", 2], "g01")):
        arguments = (tmp_path / "ucf", tmp_path / "s.h5", "--overwrite", *options)
        status, out, err = kvidgan("prepare", *arguments)
        assert status == 0, err
        assert f"layout     ucf101, official split {options[-1] if options else 1}\n" in out
        assert any(f"splits     {s}" in out for s in ("test (1), train (1)", "train (1), test (1)"))
        with ClipStore.open(tmp_path / "s.h5") as store:
            (name,) = store.index["name"][store.index["split"] == "test"]
            assert tested in str(name)
    status, _, err = kvidgan("info", tmp_path / "ucf", "--split", 0)
    assert (status, err) == (1, "error: --split: expected greater than or equal to 1, found 0.\n")
    assert kvidgan("info", tmp_path / "ucf", "--split", 2)[0] == 0


def test_a_list_of_files(tmp_path, kvidgan):
    for number, name in enumerate(("a b.avi", "c.avi", "d.avi")):
        save_video(tmp_path / "set" / name, 40 * number, 2)
    save_text(tmp_path / "list.csv", "path,label,split", "c.avi,run,test", "a b.avi,walk,train")
    arguments = (tmp_path / "set", tmp_path / "s.h5", "--list", tmp_path / "list.csv")
    status, out, err = kvidgan("prepare", *arguments)
    assert status == 0, err
    for line in ("layout     videos, listed by list.csv", "splits     train (1), test (1)"):
        assert line in out
    assert "skipped d.avi: not in the list" in out
    save_text(tmp_path / "list.csv", "path,label,split", "c.avi,run,test", "e.avi,walk,train")
    status, _, err = kvidgan("info", tmp_path / "set", "--list", tmp_path / "list.csv")
    assert status == 1
    assert "names 1 file of 2 that is missing, such as e.avi" in err
    status, _, err = kvidgan("info", tmp_path / "set", "--list", tmp_path / "nothing.csv")
    assert "error: --list: expected a file, found nothing at" in err


def test_a_kind_of_maps(tmp_path, kvidgan):
    for time in range(2):
        stem = f"train/ulm/ulm_000000_{time:06d}"
        save_image(tmp_path / "set" / "leftImg8bit" / f"{stem}_leftImg8bit.png", 10)
        for kind, value in (("labelIds", 7), ("labelTrainIds", 0)):
            ids = np.full((16, 16), value, np.uint8)
            save_image(tmp_path / "set" / "gtFine" / f"{stem}_gtFine_{kind}.png", ids)
    assert "labels  ids of 34 classes" in kvidgan("info", tmp_path / "set")[1]
    out = kvidgan("info", tmp_path / "set", "--select", "labelTrainIds")[1]
    assert "layout  cityscapes, labelTrainIds" in out
    assert "labels  ids of 1 class (road)" in out


def test_options_that_a_command_has_already_go_by_their_own_names(kvidgan):
    out = kvidgan("evaluate", "--help")[1]
    assert ("--official-split" in out, "--list" in out) == (True, True)
    assert "--official-split" not in kvidgan("prepare", "--help")[1]
