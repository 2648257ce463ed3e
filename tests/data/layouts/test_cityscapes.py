import json

import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.cityscapes import NAMES
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.layouts.trees import SIDE, prepared, save_image, save_text, skipped

ALL_IDS = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE) % 34


AACHEN = "train/aachen/aachen_000000"


def save_scene(root, frames, grey, scene=AACHEN, folder="leftImg8bit_sequence"):
    for frame in frames:
        save_image(root / folder / f"{scene}_{frame:06d}_{folder[:11]}.png", grey + frame % 100)


def save_maps(root, frame, scene=AACHEN, ids=ALL_IDS, kind="gtFine"):
    stem = root / kind / f"{scene}_{frame:06d}_{kind}"
    save_image(stem.with_name(f"{stem.name}_labelIds.png"), ids)
    save_image(stem.with_name(f"{stem.name}_labelTrainIds.png"), ids % 19)
    save_image(stem.with_name(f"{stem.name}_instanceIds.png"), ids.astype(np.uint16) * 1000 + 1)
    save_image(stem.with_name(f"{stem.name}_color.png"), 77)
    save_text(stem.with_name(f"{stem.name}_polygons.json"), json.dumps({"objects": []}))


def test_scenes_are_runs_of_frames(tmp_path):
    root = tmp_path / "d"
    save_scene(root, range(3, 7), 10)
    save_scene(root, range(9, 11), 50)
    save_scene(root, range(2), 90, "val/bad-honnef/bad-honnef_000012")
    assert prepared(root, tmp_path / "a.h5") == {
        "train/aachen/aachen_000000_000003": (None, "train", [13, 14, 15, 16]),
        "train/aachen/aachen_000000_000009": (None, "train", [59, 60]),
        "val/bad-honnef/bad-honnef_000012_000000": (None, "val", [90, 91]),
    }
    with ClipStore.open(tmp_path / "a.h5") as store:
        assert set(store.index["fps"]) == {17.0}


def test_snapshots_of_one_frame(tmp_path):
    for number in range(3):
        scene = f"train/aachen/aachen_{number:06d}"
        save_scene(tmp_path / "d", [19], 10 * number, scene, "leftImg8bit")
    source = open_source(tmp_path / "d")
    assert [v.length for v in source.videos] == [1, 1, 1]
    assert "leftImg8bit, 3 of one frame, as no other follows it" in source.describe()


@pytest.mark.parametrize("kind", ["gtFine", "gtCoarse"])
def test_maps_of_classes_and_objects(tmp_path, kind):
    root = tmp_path / "d"
    save_scene(root, range(5), 10)
    for frame in (1, 2, 3):
        save_maps(root, frame, kind=kind)
    assert prepared(root, tmp_path / "a.h5") == {
        "train/aachen/aachen_000000_000001": (None, "train", [11, 12, 13])
    }
    with ClipStore.open(tmp_path / "a.h5") as store:
        np.testing.assert_array_equal(store.read_map("labels", 0, 0, 3), [ALL_IDS] * 3)
        objects = ALL_IDS.astype(np.uint16) * 1000 + 1
        np.testing.assert_array_equal(store.read_map("instances", 0, 0, 3), [objects] * 3)
        assert store.labels.names == NAMES["labelIds"]
        assert (store.labels.names[7], store.labels.names[33]) == ("road", "bicycle")
    assert "a frame without a map, as 1 more" in skipped(root).values()
    said = skipped(root)[f"{kind}/train/aachen/*_{kind}_color.png"]
    assert said == "not a frame or a map of ids (3 files)"


def test_train_ids(tmp_path):
    root = tmp_path / "d"
    save_scene(root, range(2), 10)
    save_maps(root, 0)
    save_maps(root, 1)
    source = open_source(root, Reading(select="labelTrainIds"))
    assert source.labels.names == NAMES["labelTrainIds"]
    prepare(source, tmp_path / "a.h5")
    with ClipStore.open(tmp_path / "a.h5") as store:
        np.testing.assert_array_equal(store.read_map("labels", 0, 0, 2), [ALL_IDS % 19] * 2)
    assert open_source(root).guesses == [
        "labelIds are read: --select takes labelTrainIds or leftImg8bit_sequence instead"
    ]
    plain = open_source(root, Reading(select="leftImg8bit_sequence"))
    assert (plain.labels, [v.length for v in plain.videos]) == (None, [2])
    with pytest.raises(UserError, match=r"holds labelIds, .*: expected one .* found 'depth'"):
        open_source(root, Reading(select="depth"))


def test_fine_maps_win_over_coarse_ones(tmp_path):
    root = tmp_path / "d"
    save_scene(root, [0], 10)
    save_maps(root, 0, kind="gtCoarse", ids=ALL_IDS * 0)
    save_maps(root, 0)
    maps = next(open_source(root).videos[0].read_maps())
    np.testing.assert_array_equal(maps["labels"], ALL_IDS)


def test_annotations_of_the_test_split_are_withheld(tmp_path):
    root = tmp_path / "d"
    for split in ("train", "test"):
        scene = f"{split}/ulm/ulm_000000"
        save_scene(root, [0, 1], 10, scene)
        for frame in (0, 1):
            save_maps(root, frame, scene, ALL_IDS if split == "train" else ALL_IDS % 4)
    assert [v.split for v in open_source(root).videos] == ["train"]
    assert "its annotation is withheld" in skipped(root).values()


def test_as_unpacked_each_in_a_folder_and_one_city_alone(tmp_path):
    root = tmp_path / "d"
    save_scene(root / "leftImg8bit_trainvaltest", range(2), 10, folder="leftImg8bit")
    save_maps(root / "gtFine_trainvaltest", 0)
    save_maps(root / "gtFine_trainvaltest", 1)
    save_text(root / "gtFine_trainvaltest" / "README", "about")
    source = open_source(root)
    assert (source.layout, source.videos[0].split, source.videos[0].length) == (
        "cityscapes",
        "train",
        2,
    )
    city = root / "leftImg8bit_trainvaltest" / "leftImg8bit" / "train" / "aachen"
    assert [(v.name, v.length) for v in open_source(city).videos] == [("aachen_000000_000000", 2)]


def test_real_streets_in_the_official_tree(real_data, tmp_path):
    """Frames of Cityscapes, and ids of classes that a network found in them."""
    given = real_data / "cityscapes"
    rooms = (("train_B", "leftImg8bit_sequence", ""), ("train_A", "gtFine", "gtFine_labelIds"))
    for room, folder, kind in rooms:
        (tmp_path / folder / "train" / "aachen").mkdir(parents=True)
        for path in (given / room / "aachen").iterdir():
            name = path.name.replace("leftImg8bit", kind) if kind else path.name
            (tmp_path / folder / "train" / "aachen" / name).symlink_to(path)
    (video,) = open_source(tmp_path).videos
    (other,) = open_source(given).videos
    for one, two in zip(video.read_maps(), other.read_maps(), strict=True):
        np.testing.assert_array_equal(one["labels"], two["labels"])
    np.testing.assert_array_equal(next(video.read()), next(other.read()))
