import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.data.layouts.registry import open_source
from kvidgan.errors import UserError
from tests.data.conftest import frames_of, save_frames, save_strip, video


def test_film_strips(strips):
    source = open_source(strips)
    assert source.describe() == "film strips: 4 videos in 2 classes (0, 1), 8x8, 10 to 13 frames"
    assert [v.name for v in source.videos] == ["0/0.png", "0/2.png", "1/1.png", "1/3.png"]
    assert [v.class_index for v in source.videos] == [0, 0, 1, 1]
    np.testing.assert_array_equal(frames_of(source.videos[1]), video(2, 12))


def test_film_strips_stacked_flat_and_misnamed(tmp_path):
    save_strip(tmp_path / "1.jpg", video(5, 6), axis=0)
    source = open_source(tmp_path)
    assert (source.layout, source.classes, source.videos[0].class_index) == ("film_strips", [], -1)
    np.testing.assert_array_equal(frames_of(source.videos[0]), video(5, 6))


def test_one_strip(strips):
    source = open_source(strips / "0" / "2.png")
    assert (source.name, len(source.videos), source.videos[0].length) == ("2", 1, 12)


def scene(height, width, seed=0):
    """A picture whose neighbouring pixels are alike, as those of a photo are."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(93, 311), (96, 288), (96, 384), (288, 96)])
def test_wide_and_high_frames_are_frames(tmp_path, size):
    for number in range(6):
        (tmp_path / "drive").mkdir(exist_ok=True)
        scene(*size, seed=number).save(tmp_path / "drive" / f"{number:010}.png")
    source = open_source(tmp_path)
    assert source.layout == "frame_folders"
    assert [(v.height, v.width, v.length) for v in source.videos] == [(*size, 6)]


@pytest.mark.parametrize("axis", [0, 1])
def test_strips_of_one_length_are_known_by_what_repeats(tmp_path, axis):
    for number in range(4):
        still = np.asarray(scene(40, 64, seed=number))
        frames = [still[:, 2 * time : 2 * time + 40] for time in range(8)]
        strip = np.concatenate(frames, axis=axis)
        Image.fromarray(strip).save(tmp_path / f"{number}.png")
    source = open_source(tmp_path)
    assert source.layout == "film_strips"
    assert [video.length for video in source.videos] == [8] * 4


def test_strips_of_bad_length_are_skipped(strips):
    Image.new("RGB", (61, 8)).save(strips / "0" / "bad.png")
    source = open_source(strips)
    assert len(source.videos) == 4
    assert [s.name for s in source.skipped] == ["0/bad.png"]
    assert "found 61x8: 61 is no multiple (2 or more) of 8" in source.skipped[0].reason
    assert source.describe().endswith(", 1 skipped")


def test_nothing_but_strips_of_bad_length(tmp_path):
    Image.new("RGB", (61, 8)).save(tmp_path / "bad.png")
    with pytest.raises(UserError, match=r"no usable film strips: bad\.png: expected a strip"):
        open_source(tmp_path)


def test_frame_folders_in_natural_order_with_splits(tmp_path):
    for split, folder, length in [("Train", "v10", 11), ("Train", "v2", 3), ("TEST", "v1", 4)]:
        save_frames(tmp_path / split / folder, video(1, length))
    source = open_source(tmp_path)
    assert source.layout == "frame_folders"
    assert [(v.name, v.split, v.length) for v in source.videos] == [
        ("TEST/v1", "test", 4),
        ("Train/v2", "train", 3),
        ("Train/v10", "train", 11),
    ]
    assert source.classes == []
    np.testing.assert_array_equal(frames_of(source.videos[2]), video(1, 11))


def test_one_folder_of_frames_is_one_video(tmp_path):
    save_frames(tmp_path / "clip", video(3, 5))
    source = open_source(tmp_path / "clip")
    assert [(v.name, v.length) for v in source.videos] == [("clip", 5)]


def test_mixed_sizes_in_a_frame_folder(tmp_path):
    save_frames(tmp_path / "v", video(0, 3))
    Image.new("RGB", (9, 8)).save(tmp_path / "v" / "frame4.png")
    source = open_source(tmp_path)
    np.testing.assert_array_equal(frames_of(source.videos[0]), video(0, 3))
    (skipped,) = source.skipped
    assert skipped.name == "v"
    assert skipped.rest_kept
    assert skipped.reason.startswith("v/frame4.png is 9x8, the other frames are 8x8")


def test_a_folder_of_many_sizes_is_no_video(tmp_path):
    for number in range(5, 9):
        (tmp_path / "v").mkdir(exist_ok=True)
        Image.new("RGB", (number, 8)).save(tmp_path / "v" / f"{number}.png")
    with pytest.raises(UserError, match="v holds images of 4 sizes: expected the frames of a vid"):
        open_source(tmp_path)


def test_videos(tmp_path):
    for name in ("walk/b.gif", "run/c10.gif", "run/c9.gif"):
        media.write_frames(tmp_path / name, video(2, 3), 10)
    source = open_source(tmp_path)
    assert [v.name for v in source.videos] == ["run/c9.gif", "run/c10.gif", "walk/b.gif"]
    assert (source.layout, source.classes) == ("videos", ["run", "walk"])
    assert frames_of(source.videos[0]).shape == (3, 8, 8, 3)
    assert open_source(tmp_path / "walk").classes == []
    assert open_source(tmp_path / "walk" / "b.gif").describe() == "videos: 1 video"
