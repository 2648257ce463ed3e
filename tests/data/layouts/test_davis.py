import os

import numpy as np
import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.layouts.trees import SIDE, prepared, save_image, save_text, skipped

PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
GREYS = {"bear": 10, "camel": 60, "dog": 110}


def objects(highest):
    values = np.zeros((SIDE, SIDE), np.uint8)
    for number in range(highest + 1):
        values[2 * number] = number
    return values


def save_sequence(root, name, maps, form="480p", length=4, map_of=None, grey=None):
    """Write a sequence; `map_of` returns the map of a frame, by default objects 0 to 2."""
    grey = GREYS[name] if grey is None else grey
    for time in range(length):
        save_image(root / "JPEGImages" / form / name / f"{time:05d}.png", grey + time)
        if time in maps:
            values = objects(2) if map_of is None else map_of(time)
            path = root / "Annotations" / form / name / f"{time:05d}.png"
            save_image(path, values, None if map_of else PALETTE)


def expected(splits, prefix=""):
    return {
        prefix + name: (None, splits[name], [grey + time for time in range(4)])
        for name, grey in GREYS.items()
    }


@pytest.fixture
def root(tmp_path):
    """DAVIS 2017: names of sequences in the lists, of its own year and of 2016."""
    for name in GREYS:
        save_sequence(tmp_path / "d", name, range(4))
    sets = tmp_path / "d" / "ImageSets"
    save_text(sets / "2017" / "train.txt", "bear", "camel")
    save_text(sets / "2017" / "val.txt", "dog")
    save_text(sets / "2016" / "train.txt", "dog")
    save_text(sets / "2016" / "val.txt", "bear")
    return tmp_path / "d"


def test_2017(root, tmp_path):
    assert prepared(root, tmp_path / "a.h5") == expected(
        {"bear": "train", "camel": "train", "dog": "val"}
    )
    with ClipStore.open(tmp_path / "a.h5") as store:
        np.testing.assert_array_equal(store.read_map("labels", 0, 0, 4), [objects(2)] * 4)
        assert len(store.labels) == 3
    source = open_source(root)
    assert source.describe().endswith("480p, splits of ImageSets/2017")
    assert "splits are those of ImageSets/2017: --select takes 2016 instead" in source.guesses


def test_lists_of_another_year(root):
    source = open_source(root, Reading(select="2016"))
    assert [(v.name, v.split) for v in source.videos] == [("bear", "val"), ("dog", "train")]
    assert skipped(root, select="2016")["camel"] == "in no list of ImageSets/2016"
    with pytest.raises(UserError, match=r"holds 480p, 2016, 2017: expected one as --select, found"):
        open_source(root, Reading(select="2018"))


def test_2016(tmp_path):
    root = tmp_path / "d"
    for form in ("480p", "1080p"):
        for name in GREYS:
            save_sequence(root, name, range(4), form, map_of=lambda time: objects(1) * 255)
        for split, names in (("train", ("bear", "dog")), ("val", ("camel",))):
            files = [f"{form}/{name}/{time:05d}" for name in names for time in range(4)]
            rows = (f"/JPEGImages/{file}.jpg /Annotations/{file}.png " for file in files)
            save_text(root / "ImageSets" / form / f"{split}.txt", *rows)
        save_text(root / "ImageSets" / form / "trainval.txt", f"/JPEGImages/{form}/bear/00000.jpg")
    splits = {"bear": "train", "camel": "val", "dog": "train"}
    for options in ({}, {"select": "1080p"}):
        assert prepared(root, tmp_path / "a.h5", **options) == expected(splits)
    source = open_source(root)
    assert source.labels.names == ("background", "foreground")
    assert source.guesses == ["480p is read: --select takes 1080p instead"]
    assert skipped(root)["JPEGImages/1080p"] == "of another resolution than 480p"
    (video, *_) = open_source(root, Reading(select="1080p")).videos
    assert all("1080p" in path.parts for path in video.files)


def test_full_resolution_alone(tmp_path):
    save_sequence(tmp_path, "bear", range(4), "Full-Resolution")
    source = open_source(tmp_path)
    assert "Full-Resolution" in source.note
    assert not any("--select" in guess for guess in source.guesses)


def test_sequences_of_which_the_first_frame_has_a_map(root, tmp_path):
    save_sequence(root, "fox", [0], grey=160)
    save_text(root / "ImageSets" / "2017" / "test-dev.txt", "fox")
    assert len(prepared(root, tmp_path / "a.h5")) == 3
    assert skipped(root)["fox"] == "1 of 4 frames has a map"


def test_first_maps_alone_leave_plain_videos(tmp_path):
    root = tmp_path / "d"
    for name in GREYS:
        save_sequence(root, name, [0], "")
    save_text(root / "ImageSets" / "2017" / "test-dev.txt", *GREYS)
    assert prepared(root, tmp_path / "a.h5") == expected(dict.fromkeys(GREYS, "test"))
    assert "no maps but of first frames" in open_source(root).note


def test_plain_videos_of_two_folders_are_of_no_class(tmp_path):
    for outer, name in (("a", "bear"), ("b", "dog")):
        save_sequence(tmp_path / "d" / outer, name, [0])
    assert prepared(tmp_path / "d", tmp_path / "a.h5") == {
        "a/bear": (None, "", [10, 11, 12, 13]),
        "b/dog": (None, "", [110, 111, 112, 113]),
    }


def test_youtube_vos(tmp_path):
    """Frames and maps without a resolution; a map for every fifth frame."""
    for split, maps in (("train", range(0, 16, 5)), ("valid", [0])):
        for number, name in enumerate(("003234408d", "0043f083b5")):
            save_sequence(tmp_path / "d" / split, name, maps, "", 16, grey=100 * number)
    found = prepared(tmp_path / "d", tmp_path / "a.h5")
    assert found == {
        "train/003234408d": (None, "train", [0, 5, 10, 15]),
        "train/0043f083b5": (None, "train", [100, 105, 110, 115]),
    }
    assert "frames with maps only, 8 of 32" in open_source(tmp_path / "d").note


def test_what_is_missing(root):
    save_text(root / "ImageSets" / "2017" / "val.txt", "dog", "gone", "lost")
    (root / "JPEGImages" / "480p" / "bear" / "00002.png").unlink()
    save_sequence(root, "fox", range(4), grey=160)
    said = skipped(root)
    assert said["gone"] == "in a list of ImageSets/2017, but missing, as are 1 more"
    assert said["fox"] == "in no list of ImageSets/2017"
    assert said["bear"].startswith("Annotations/480p/bear/00002.png has no picture")
    assert [v.name for v in open_source(root).videos] == ["camel", "dog"]


def test_a_sequence_in_two_lists(root):
    save_text(root / "ImageSets" / "2017" / "trainval.txt", *GREYS)
    assert len(open_source(root).videos) == 3, "trainval is both"
    save_text(root / "ImageSets" / "2017" / "val.txt", "dog", "bear")
    with pytest.raises(UserError, match=r"val\.txt: bear is in the list of train, too"):
        open_source(root)


def test_equal_sequences_in_two_splits_are_said(root, tmp_path, caplog):
    from kvidgan.data.open import prepare_path

    for time in range(4):
        target = root / "JPEGImages" / "480p" / "dog" / f"{time:05d}.png"
        target.write_bytes((root / "JPEGImages/480p/bear" / target.name).read_bytes())
    prepare_path(str(root), tmp_path / "a.h5")
    assert "1 video stands in both train and val, such as bear and dog" in caplog.text


def test_real_sequences_in_the_official_tree(real_data, tmp_path):
    given = real_data / "davis"
    names = sorted(os.listdir(given / "train_A"))
    for room, folder in (("train_A", "Annotations"), ("train_B", "JPEGImages")):
        (tmp_path / folder / "480p").mkdir(parents=True)
        for name in names:
            (tmp_path / folder / "480p" / name).symlink_to(given / room / name)
    save_text(tmp_path / "ImageSets" / "2017" / "train.txt", *names)
    source = open_source(tmp_path)
    for video, other in zip(source.videos, open_source(given).videos, strict=True):
        assert (video.name, video.length, video.split) == (other.name, other.length, "train")
        np.testing.assert_array_equal(next(video.read()), next(other.read()))
        maps = [next(one.read_maps())["labels"] for one in (video, other)]
        np.testing.assert_array_equal(*maps)
