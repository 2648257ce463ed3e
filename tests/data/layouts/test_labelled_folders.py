import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.layouts.trees import SIDE, prepared, save_image

MAPS = ("labels", "masks", "Annotations", "gt", "ground_truth", "segmentation", "SegmentationClass")


def ids(number):
    """Rows of one, `number` and two: dense ids."""
    values = np.ones((SIDE, SIDE), np.uint8)
    values[:4], values[-4:] = number, 0
    return values


def save_pairs(pictures, maps, grey, length=3, ending="", every=1):
    for time in range(length):
        save_image(pictures / f"{time:03d}.png", grey + time)
        if time % every == 0:
            save_image(maps / f"{time:03d}{ending}.png", ids(time % 3))


def labels_of(path, video):
    with ClipStore.open(path) as store:
        return store.read_map("labels", video, 0, int(store.index["length"][video]))[:, 0, 0]


@pytest.mark.parametrize("pictures", ["images", "Frames", "rgb", "jpeg_images", "img", "input"])
@pytest.mark.parametrize("maps", MAPS)
def test_pairs_of_folders(tmp_path, pictures, maps):
    for number, name in enumerate(("s1", "s10", "s2")):
        save_pairs(tmp_path / "d" / pictures / name, tmp_path / "d" / maps / name, 40 * number)
    found = prepared(tmp_path / "d", tmp_path / "a.h5")
    assert [(name, one[2][0]) for name, one in found.items()] == [
        (f"{pictures}/s1", 0),
        (f"{pictures}/s2", 80),
        (f"{pictures}/s10", 40),
    ]
    assert labels_of(tmp_path / "a.h5", 0).tolist() == [0, 1, 2]
    source = open_source(tmp_path / "d")
    assert (source.layout, len(source.labels)) == ("labelled_folders", 3)
    assert source.guesses == [
        f"{maps} are taken for label maps of {pictures}: --layout frame_folders reads the pictures"
        " alone"
    ]
    plain = open_source(tmp_path / "d", Reading(layout="frame_folders"))
    assert [v.name for v in plain.videos] == [f"{pictures}/{s}" for s in ("s1", "s2", "s10")]
    assert plain.labels is None


@pytest.mark.parametrize("above", [True, False])
def test_splits_above_and_below(tmp_path, above):
    for split in ("train", "valid", "Test"):
        rooms = [
            tmp_path / "d" / (f"{split}/{room}" if above else f"{room}/{split}") / "s"
            for room in ("images", "masks")
        ]
        save_pairs(*rooms, 10)
    found = prepared(tmp_path / "d", tmp_path / "a.h5")
    assert sorted(one[1] for one in found.values()) == ["test", "train", "val"]
    assert all(one[1] in name.lower().replace("valid", "val") for name, one in found.items())


def test_one_folder_of_several_sequences(tmp_path):
    for name, grey in (("clipA", 10), ("clipB", 90)):
        for time in range(3):
            save_image(tmp_path / "d" / "images" / f"{name}_{time:03d}.jpg", grey)
            save_image(tmp_path / "d" / "masks" / f"{name}_{time:03d}_mask.png", ids(time))
    source = open_source(tmp_path / "d")
    assert [(v.name, v.length) for v in source.videos] == [
        ("images/clipA", 3),
        ("images/clipB", 3),
    ]
    maps = [int(one["labels"][0, 0]) for one in source.videos[1].read_maps()]
    assert maps == [0, 1, 2]


def test_frames_without_maps_are_left_out(tmp_path):
    save_pairs(tmp_path / "d" / "images" / "s", tmp_path / "d" / "masks" / "s", 10, 11, every=5)
    assert prepared(tmp_path / "d", tmp_path / "a.h5") == {"images/s": (None, "", [10, 15, 20])}
    assert open_source(tmp_path / "d").guesses[1] == (
        "8 frames without a label map left out: --layout frame_folders reads all"
    )


def test_instance_maps(tmp_path):
    root = tmp_path / "d"
    save_pairs(root / "images" / "s", root / "labels" / "s", 10)
    for time in range(3):
        values = np.full((SIDE, SIDE), 1000 + time, np.uint16)
        save_image(root / "instances" / "s" / f"{time:03d}.png", values)
    prepare(open_source(root), tmp_path / "a.h5")
    with ClipStore.open(tmp_path / "a.h5") as store:
        assert store.read_map("instances", 0, 0, 3)[:, 0, 0].tolist() == [1000, 1001, 1002]


def test_several_folders_of_maps(tmp_path):
    root = tmp_path / "d"
    save_pairs(root / "images" / "s", root / "labels" / "s", 10)
    for time in range(3):
        save_image(root / "masks" / "s" / f"{time:03d}.png", 255 * (ids(0) > 0).astype(np.uint8))
    source = open_source(root)
    assert len(source.labels) == 3
    assert source.guesses[1] == "label maps are those in labels: --select takes masks instead"
    chosen = open_source(root, Reading(select="masks"))
    assert chosen.labels.names == ("background", "foreground")
    with pytest.raises(UserError, match=r"expected a folder such as images beside depth, found"):
        open_source(root, Reading(select="depth"))


def test_a_map_without_its_picture(tmp_path):
    root = tmp_path / "d"
    for name in ("s1", "s2"):
        save_pairs(root / "images" / name, root / "masks" / name, 10, 4)
    (root / "images" / "s2" / "002.png").unlink()
    source = open_source(root)
    assert [v.name for v in source.videos] == ["images/s1"]
    assert ("images/s2", True) in {(s.name, s.damaged) for s in source.skipped}


def test_maps_of_another_size(tmp_path):
    root = tmp_path / "d"
    save_pairs(root / "images" / "s", root / "masks" / "s", 10)
    for path in (root / "masks" / "s").iterdir():
        save_image(path, np.zeros((8, 8), np.uint8))
    sentence = r"masks/s/000\.png is 8x8, its image .* is 16x16: .* with --layout frame_folders\.$"
    with pytest.raises(UserError, match=sentence):
        open_source(root)


def test_a_map_of_the_first_frame_alone_leaves_plain_videos(tmp_path):
    for name in ("s1", "s2"):
        save_pairs(tmp_path / "images" / name, tmp_path / "masks" / name, 10, 4, every=9)
    source = open_source(tmp_path)
    assert (source.layout, source.labels) == ("frame_folders", None)
    assert [v.length for v in source.videos] == [4, 4]
    assert [(s.name, s.reason) for s in source.skipped] == [
        ("masks", "looks like annotations of images (2 files)")
    ]


def test_other_annotations_and_strays_are_told_in_one_line_each(tmp_path):
    save_pairs(tmp_path / "images" / "s", tmp_path / "masks" / "s", 10)
    for time in range(3):
        save_image(tmp_path / "depth" / "s" / f"{time:03d}.png", 77)
    (tmp_path / "README").write_text("about")
    reason = "without a partner, or of another kind"
    assert [(s.name, s.reason) for s in open_source(tmp_path).skipped] == [
        ("depth/s/*", f"{reason} (3 files)"),
        ("README", reason),
    ]


@pytest.mark.parametrize(
    ("pictures", "maps"),
    [
        ("data/001/origin", "data/001/mask"),
        ("701_StillsRaw_full/s", "LabeledApproved_full/s"),
        ("bear/img1", "bear/gt"),
    ],
)
def test_names_of_known_data_sets(tmp_path, pictures, maps):
    save_pairs(tmp_path / pictures, tmp_path / maps, 10, ending="_gt")
    (video,) = open_source(tmp_path).videos
    assert (video.name, [int(m["labels"][0, 0]) for m in video.read_maps()]) == (
        pictures,
        [0, 1, 2],
    )
