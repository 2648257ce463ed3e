import pickle
from dataclasses import astuple

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.convert import prepare
from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import ROWS, damage, placed, save_labelled


@pytest.fixture
def root(tmp_path):
    """Sequences s2 and s10, of 11 and 3 frames: frame 10 comes after frame 9."""
    save_labelled(tmp_path / "set", "s2", 0, 11)
    save_labelled(tmp_path / "set", "s10", 1, 3)
    return tmp_path / "set"


def read(video):
    return np.stack(list(video.read())), list(video.read_maps())


def reason(root):
    """Why the one sequence that does not fit is skipped."""
    (skipped,) = open_source(root).skipped
    assert skipped.damaged
    return skipped.reason


def test_sequences_with_their_label_maps(root):
    source = open_source(root)
    said = "labelled frames: 2 videos, 32x24, 3 to 11 frames, labels: ids of 24 classes"
    assert (source.describe(), source.labels) == (said, ROWS)
    assert [(v.name, v.split, v.length) for v in source.videos] == [("s2", "", 11), ("s10", "", 3)]
    for video, (number, length) in zip(source.videos, ((0, 11), (1, 3)), strict=True):
        frames, maps = read(pickle.loads(pickle.dumps(video)))
        expected, labels = placed(number, length)
        np.testing.assert_array_equal(frames, expected)
        assert {tuple(one) for one in maps} == {("labels",)}
        np.testing.assert_array_equal([one["labels"] for one in maps], labels["labels"])
        assert maps[0]["labels"].dtype == np.uint8


def test_images_of_another_format(tmp_path):
    save_labelled(tmp_path, "s", 0, 3, form="jpg")
    video = open_source(tmp_path).videos[0]
    assert abs(read(video)[0][..., 0].astype(int) - placed(0, 3)[0][..., 0]).max() < 20
    assert sorted(path.suffix for path in video.files) == [".jpg"] * 3 + [".png"] * 3


def test_splits_and_instances(tmp_path):
    for split, name, length in (("train", "a", 2), ("test", "a", 3), ("val", "b", 4)):
        save_labelled(tmp_path, name, 1, length, split=split, instances=True)
    source = open_source(tmp_path)
    assert source.describe() == (
        "labelled frames: 3 videos, 1 to test, 1 to train, 1 to val, 32x24, 2 to 4 frames,"
        " labels: ids of 24 classes, with instance maps"
    )
    assert [(v.name, v.split) for v in source.videos] == [
        ("test/a", "test"),
        ("train/a", "train"),
        ("val/b", "val"),
    ]
    _, maps = read(source.videos[0])
    np.testing.assert_array_equal([m["instances"] for m in maps], placed(1, 3)[1]["instances"])
    assert maps[0]["instances"].dtype == np.uint16, "16 bit are kept"


def test_frames_without_a_folder_of_their_own(tmp_path):
    save_labelled(tmp_path, ".", 0, 4)
    assert [(v.name, v.length) for v in open_source(tmp_path).videos] == [("train", 4)]


def test_images_and_maps_are_also_frame_folders(root):
    assert len(open_source(root, Reading(layout="frame_folders")).videos) == 4
    assert open_source(root / "train_B").layout == "frame_folders"
    assert (
        open_source(root / "train_B" / "s2", Reading(layout="frame_folders")).videos[0].length == 11
    )
    with pytest.raises(UserError, match=r"holds no usable labelled frames: found 14 files such as"):
        open_source(root / "train_B", Reading(layout="labelled_frames"))


def test_other_files_are_strays(root):
    (root / "README.txt").write_text("about")
    (root / "train_B" / "s2" / "notes.txt").write_text("about")
    Image.new("L", (3, 3)).save(root / "legend.png")
    source = open_source(root)
    assert [s.name for s in source.skipped] == [
        "legend.png",
        "README.txt",
        "train_B/s2/notes.txt",
    ]
    assert not any(s.damaged for s in source.skipped)


# --- what does not fit


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("train_A/s10/1.png", r"train_B/s10/1.png has no label map: expected .* in train_A/s10"),
        ("train_B/s10/2.png", r"train_A/s10/2.png has no image: expected .* in train_B/s10"),
    ],
)
def test_a_frame_without_its_partner(root, tmp_path, lost, said):
    (root / lost).unlink()
    source = open_source(root)
    assert [video.name for video in source.videos] == ["s2"]
    assert [(s.name, s.damaged) for s in source.skipped] == [("s10", True)]
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(source.skipped[0].reason)
    with pytest.raises(UserError, match=r"s10: .*; strict stops"):
        prepare(source, tmp_path / "s.h5", strict=True)
    assert prepare(source, tmp_path / "s.h5").skipped == source.skipped


def test_a_frame_of_another_name(root):
    path = root / "train_B" / "s10" / "1.png"
    path.rename(path.with_name("one.png"))
    assert reason(root).startswith("train_A/s10/1.png has no image: expected one with the same")


def test_two_files_for_one_frame(root):
    Image.new("RGB", (32, 24)).save(root / "train_B" / "s10" / "1.jpg")
    assert "1.jpg is one of 2 files with this name" in reason(root)


def test_a_sequence_without_images(root):
    for path in (root / "train_B" / "s10").iterdir():
        path.unlink()
    assert reason(root).startswith("train_A/s10/0.png has no image")


def test_a_sequence_without_instance_maps(root):
    save_labelled(root, "s3", 0, 2, instances=True)
    source = open_source(root)
    assert [video.name for video in source.videos] == ["s3"]
    assert [s.reason.split(":")[0] for s in source.skipped] == [
        "train_A/s2/0.png has no instance map",
        "train_A/s10/0.png has no instance map",
    ]


def test_a_label_map_of_another_size(root):
    Image.new("L", (32, 20)).save(root / "train_A" / "s10" / "1.png")
    assert reason(root) == (
        "train_A/s10/1.png is 32x20, its image train_B/s10/1.png is 32x24: expected one size"
    )


def test_an_instance_map_of_another_size(tmp_path):
    save_labelled(tmp_path / "set", "s", 0, 3, instances=True)
    save_labelled(tmp_path / "set", "t", 0, 3, instances=True)
    Image.new("L", (30, 24)).save(tmp_path / "set" / "train_inst" / "t" / "2.png")
    report = prepare(open_source(tmp_path / "set"), tmp_path / "s.h5")
    assert [s.reason for s in report.skipped] == [
        "train_inst/t/2.png is 30x24, its label map is 32x24: expected one size"
    ]


def test_label_maps_that_are_none(root):
    clear = Image.new("RGBA", (32, 24), (0, 0, 0, 7))
    clear.save(root / "train_A" / "s10" / "1.png")
    assert reason(root).startswith("train_A/s10/1.png is transparent in places: expected a class")


@pytest.mark.parametrize("room", ["A", "B", "inst"])
def test_a_damaged_file_leaves_out_its_frame(tmp_path, room):
    root = tmp_path / "set"
    for name in ("s", "t"):
        save_labelled(root, name, 0, 4, instances=True)
    damage(root / f"train_{room}" / "s" / "1.png")
    report = prepare(open_source(root), tmp_path / "s.h5")
    ((name, why, *flags),) = [astuple(one) for one in report.skipped]
    assert (name, flags) == ("s", [True, True])
    assert why.startswith(f"train_{room}/s/1.png is a damaged image")
    frames, maps = placed(0, 4)
    with ClipStore.open(report.path) as store:
        assert store.index["length"].tolist() == [3, 4]
        for video, kept in ((0, [0, 2, 3]), (1, [0, 1, 2, 3])):
            np.testing.assert_array_equal(store.read(video, 0, len(kept)), frames[kept])
            for one in ("labels", "instances"):
                read = store.read_map(one, video, 0, len(kept))
                np.testing.assert_array_equal(read, maps[one][kept])
    with pytest.raises(UserError, match=r"1\.png is a damaged image .*"):
        prepare(open_source(root), tmp_path / "strict.h5", strict=True)


def test_a_file_that_is_no_image_leaves_out_its_frame(root, tmp_path):
    (root / "train_A" / "s10" / "0.png").write_text("no image")
    (root / "train_B" / "s10" / "2.png").write_bytes(b"")
    source = open_source(root)
    assert [(s.name, s.rest_kept) for s in source.skipped] == [("s10", True)] * 2
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as store:
        np.testing.assert_array_equal(store.read(1, 0, 1), placed(1, 3)[0][1:2])
        assert store.index["length"].tolist() == [11, 1]


def test_an_image_of_another_size_leaves_out_its_frame(root, tmp_path):
    for room in "AB":
        Image.new("L", (30, 20)).save(root / f"train_{room}" / "s10" / "1.png")
    source = open_source(root)
    assert [s.rest_kept for s in source.skipped] == [True]
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as store:
        np.testing.assert_array_equal(store.read(1, 0, 2), placed(1, 3)[0][[0, 2]])


def test_a_sequence_of_which_nothing_can_be_read(root):
    for number in range(3):
        damage(root / "train_A" / "s10" / f"{number}.png")
    assert reason(root).startswith("train_A/s10/0.png is a damaged image")


def test_nothing_left(tmp_path):
    save_labelled(tmp_path, "s", 0, 2)
    (tmp_path / "train_A" / "s" / "1.png").unlink()
    sentence = r"holds no usable labelled frames: s: train_B/s/1\.png has no label map"
    with pytest.raises(UserError, match=sentence):
        open_source(tmp_path)


# --- classes


def test_declared_classes(root):
    assert open_source(root, Reading(classes=30)).labels == LabelSet(
        "ids", tuple(map(str, range(30)))
    )
    sentence = (
        r"train_A/s2/0\.png: expected class ids from 0 to 22, found 23: declare 24 with --classes"
        r" \(data\.classes\), or mend the label maps\.$"
    )
    with pytest.raises(UserError, match=sentence):
        open_source(root, Reading(classes=23))


def test_masks_of_0_and_255(tmp_path):
    save_labelled(tmp_path, "s", 0, 3)
    for time, values in enumerate((0, 255, 0)):
        mask = np.full((24, 32), values, np.uint8)
        mask[5:7] = 255 - values
        Image.fromarray(mask).save(tmp_path / "train_A" / "s" / f"{time}.png")
    for classes in (None, 2):
        source = open_source(tmp_path, Reading(classes=classes))
        names = ("background", "foreground")
        assert source.labels == LabelSet("ids", names, dict(zip(("0", "255"), names, strict=True)))
        labels = [maps["labels"] for maps in read(source.videos[0])[1]]
        assert [int(one[0, 0]) for one in labels] == [0, 1, 0]
        assert [int(one[6, 0]) for one in labels] == [1, 0, 1]
    assert len(open_source(tmp_path, Reading(classes=256)).labels) == 256
    Image.new("L", (32, 24), 7).save(tmp_path / "train_A" / "s" / "1.png")
    names = ("0", "7", "255")
    labels = LabelSet("ids", names, dict(zip(names, names, strict=True)))
    assert open_source(tmp_path).labels == labels, "one other id, and they are ids"


def test_classes_of_data_that_have_none(strips):
    sentence = "holds film strips, which are read as they are: expected no --classes, found 3; leav"
    with pytest.raises(UserError, match=sentence):
        open_source(strips, Reading(classes=3))


# --- prepared


def test_prepared_with_flow(root, tmp_path):
    report = prepare(open_source(root), tmp_path / "s.h5")
    with ClipStore.open(report.path) as store:
        assert (store.maps, store.labels) == (("labels", "flow", "confidence"), ROWS)
        np.testing.assert_array_equal(
            store.read_map("labels", 0, 0, 11), placed(0, 11)[1]["labels"]
        )
        assert store.read_map("confidence", 1, 0, 3).mean((1, 2)).tolist() == [0, 1, 1]
        store.verify()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("camvid", "1 video, 480x360, 70 frames, labels: ids of 12 classes"),
        ("cityscapes", "1 video, 2048x1024, 10 frames, labels: ids of 34 classes"),
        (
            "davis",
            "3 videos, 854x480, 60 to 99 frames, labels: ids of 2 classes (background, foreground)",
        ),
    ],
)
def test_real_labelled_frames(real_data, tmp_path, name, said):
    source = open_source(real_data / name)
    assert source.describe() == f"labelled frames: {said}"
    video = source.videos[0]
    maps = next(video.read_maps())
    assert maps["labels"].shape == next(video.read()).shape[:2]
    assert maps["labels"].max() < len(source.labels)


def test_real_streets_prepared(real_data, tmp_path):
    source = open_source(real_data / "cityscapes")
    with ClipStore.open(prepare(source, tmp_path / "s.h5", size=(128, 256)).path) as store:
        assert store.maps == ("labels", "flow", "confidence")
        given = {
            int(label)
            for maps in source.videos[0].read_maps()
            for label in np.unique(maps["labels"])
        }
        assert set(np.unique(store.read_map("labels", 0, 0, 10))) <= given, "no class is made up"
        assert store.read_map("confidence", 0, 1, 10).mean() > 0.6
