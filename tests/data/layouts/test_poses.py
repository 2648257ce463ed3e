import json

import numpy as np
import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.poses import CLASSES, draw_people, read_people
from kvidgan.data.store.reader import ClipStore
from tests.data.conftest import damage
from tests.data.layouts.trees import SIDE, prepared, save_image, save_text, skipped


def body(shift):
    """Points of COCO on a diagonal, each frame elsewhere."""
    return [value for place in range(18) for value in ((place + shift) % 16, place % 16, 1.0)]


def save_sequence(root, name, split="train", length=3, grey=10):
    for time in range(length):
        save_image(root / f"{split}_img" / name / f"{time:04d}.png", grey + time)
        people = [{"pose_keypoints_2d": body(time)}]
        path = root / f"{split}_openpose" / name / f"{time:04d}_keypoints.json"
        save_text(path, json.dumps({"people": people}))


@pytest.fixture
def root(tmp_path):
    save_sequence(tmp_path / "d", "s2")
    save_sequence(tmp_path / "d", "s10", grey=90)
    save_sequence(tmp_path / "d", "s", split="test", length=2, grey=50)
    return tmp_path / "d"


def test_frames_and_drawn_maps(root, tmp_path):
    assert prepared(root, tmp_path / "a.h5") == {
        "test/s": (None, "test", [50, 51]),
        "train/s2": (None, "train", [10, 11, 12]),
        "train/s10": (None, "train", [90, 91, 92]),
    }
    with ClipStore.open(tmp_path / "a.h5") as store:
        assert store.labels.names == CLASSES
        for time, labels in enumerate(store.read_map("labels", 1, 0, 3)):
            people = read_people(root / "train_openpose" / "s2" / f"{time:04d}_keypoints.json")
            np.testing.assert_array_equal(labels, draw_people(people, (SIDE, SIDE)))
        assert len(np.unique(labels)) > 5


def test_dense_poses_and_other_files_are_left_out(root):
    save_image(root / "train_densepose" / "s2" / "0000.png", 5)
    save_text(root / "README.txt", "about")
    assert skipped(root) == {
        "README.txt": "not a frame or points of one",
        "train_densepose": "DensePose maps are not read (1 file)",
    }


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (
            "train_openpose/s2/0001_keypoints.json",
            "0001.png has no points: expected 0001_",
        ),
        (
            "train_img/s2/0001.png",
            "0001_keypoints.json has no frame: expected an image",
        ),
    ],
)
def test_a_frame_without_its_partner(root, lost, said):
    (root / lost).unlink()
    assert said in skipped(root)["train/s2"]


def test_broken_points_and_frames(root, tmp_path):
    (root / "train_openpose" / "s2" / "0001_keypoints.json").write_text("{")
    damage(root / "train_img" / "s10" / "0001.png")
    assert list(prepared(root, tmp_path / "a.h5")) == ["test/s"]
    assert [v.name for v in open_source(root).videos] == ["test/s", "train/s10"]
