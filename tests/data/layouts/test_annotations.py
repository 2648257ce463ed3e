import numpy as np
import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from tests.data.layouts.trees import prepared, save_image, save_text, save_video, skipped

NAMES = (
    "masks", "Mask", "labels", "Annotations", "annotations_unsupervised", "gt", "GT", "gtFine",
    "GroundTruth", "ground_truth", "groundtruth", "segmentation", "SegmentationClass", "instances",
    "depth", "depth_maps", "left_depth", "flow", "optical_flow", "OpticalFlow", "pose", "poses",
    "keypoints", "masks_480p", "tvl1_flow", "flow_viz", "train_masks", "disparity",
)  # fmt: skip


def save_frames(folder, grey, length=3):
    for time in range(length):
        save_image(folder / f"{time:03d}.png", grey + time)


@pytest.mark.parametrize("pictures", ["images", "frames", "rgb", "JPEGImages", "input", "image_02"])
@pytest.mark.parametrize("name", NAMES)
def test_no_folder_of_annotations_is_a_video(tmp_path, pictures, name):
    """They are in RGB here, which no label maps are, and of other names than the frames."""
    for sequence in ("s1", "s2"):
        save_frames(tmp_path / "d" / pictures / sequence, 10)
        save_frames(tmp_path / "d" / name / sequence / "x", 90)
    source = open_source(tmp_path / "d")
    assert [(v.name, v.split) for v in source.videos] == [
        (f"{pictures}/s1", ""),
        (f"{pictures}/s2", ""),
    ]
    assert {s.name: s.reason for s in source.skipped} == {
        name: f"looks like annotations of {pictures} (6 files)"
    }


@pytest.mark.parametrize("name", ["masks", "optical_flow", "GroundTruth", "labels"])
def test_beside_videos_and_in_each_folder_of_one(tmp_path, name):
    root = tmp_path / "d"
    for sequence in ("s1", "s2"):
        save_video(root / "clips" / f"{sequence}.avi", 10, 2)
        save_video(root / name / f"{sequence}.avi", 90, 2)
    assert list(prepared(root, tmp_path / "a.h5")) == ["clips/s1.avi", "clips/s2.avi"]
    other = tmp_path / "e"
    for sequence in ("s1", "s2"):
        save_frames(other / "baseline" / sequence / "input", 10)
        save_frames(other / "baseline" / sequence / name / "x", 90)
    found = prepared(other, tmp_path / "b.h5")
    assert [one[2] for one in found.values()] == [[10, 11, 12]] * 2
    assert all(video.endswith("/input") for video in found)


def test_beside_folders_of_videos_without_a_name(tmp_path):
    root = tmp_path / "d"
    for sequence in ("bear", "camel"):
        save_frames(root / sequence, 10)
        save_frames(root / "masks" / sequence, 90)
    assert {name: one[2] for name, one in prepared(root, tmp_path / "a.h5").items()} == {
        "bear": [10, 11, 12],
        "camel": [10, 11, 12],
    }
    assert skipped(root) == {"masks": "looks like annotations of bear (6 files)"}
    assert open_source(root).guesses == [
        "masks looks like annotations of bear (6 files): --list reads what it names"
    ]


def test_mvtec(tmp_path):
    root = tmp_path / "d"
    save_frames(root / "train" / "good", 10)
    save_frames(root / "test" / "broken", 50)
    for time in range(3):
        mask = np.zeros((16, 16), np.uint8)
        save_image(root / "ground_truth" / "broken" / f"{time:03d}_mask.png", mask)
    found = prepared(root, tmp_path / "a.h5")
    assert {name: one[1] for name, one in found.items()} == {
        "train/good": "train",
        "test/broken": "test",
    }


@pytest.mark.parametrize("ending", ["_mask", "-gt", "_labels", "_depth", "_flow"])
def test_annotations_between_the_frames(tmp_path, ending):
    root = tmp_path / "d"
    save_frames(root / "s", 10)
    for time in range(3):
        save_image(root / "s" / f"{time:03d}{ending}.png", 200)
    assert prepared(root, tmp_path / "a.h5") == {"s": (None, "", [10, 11, 12])}
    assert skipped(root) == {
        f"s/*{ending}.png": "looks like annotations of the files beside them (3 files)"
    }


@pytest.mark.parametrize("name", ["pose", "flow", "normal", "edge"])
def test_classes_may_be_called_so(tmp_path, name):
    root = tmp_path / "d"
    save_frames(root / name / "a", 10)
    save_frames(root / "walk" / "b", 50)
    assert sorted(open_source(root).classes) == sorted([name, "walk"])


def test_a_folder_of_annotations_alone_is_read(tmp_path):
    save_frames(tmp_path / "masks" / "s", 10)
    assert [v.length for v in open_source(tmp_path / "masks").videos] == [3]
    assert [v.length for v in open_source(tmp_path).videos] == [3]


def test_a_list_may_ask_for_them(tmp_path):
    root = tmp_path / "d"
    save_frames(root / "images" / "s", 10)
    save_frames(root / "depth" / "s", 90)
    save_text(tmp_path / "l.txt", "depth/s", "images/s")
    found = prepared(root, tmp_path / "a.h5", file_list=str(tmp_path / "l.txt"))
    assert {name: one[2] for name, one in found.items()} == {
        "depth/s": [90, 91, 92],
        "images/s": [10, 11, 12],
    }


def test_other_layouts_of_one_folder_leave_them_out_too(tmp_path):
    save_frames(tmp_path / "images" / "s", 10)
    save_frames(tmp_path / "masks" / "s", 90)
    source = open_source(tmp_path, Reading(layout="frame_folders"))
    assert [v.name for v in source.videos] == ["images/s"]
