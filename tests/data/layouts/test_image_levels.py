"""Sources of images of more than 8 bit: one scale for all, stated or guessed and said."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kvidgan.data.clips import open_clip
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import frames_of, save_frames, video
from tests.textures import texture

SEEN = texture(24, 32)


def at(depth, seen=SEEN):
    return np.rint(seen * ((2**depth - 1) / 255)).astype(np.uint16)


def save_folder(folder, frames, suffix):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        path = folder / f"{number:03d}{suffix}"
        if suffix == ".tif":
            photometric = "rgb" if frame.ndim == 3 else "minisblack"
            tifffile.imwrite(path, frame, photometric=photometric)
        else:
            cv2.imwrite(str(path), frame[..., ::-1] if frame.ndim == 3 else frame)


def stored(path, reading=Reading()):
    source = open_source(path, reading)
    report = prepare(source, path.with_name("stored.h5"), overwrite=True)
    with ClipStore.open(report.path) as store:
        videos = [store.read(n, 0, int(row["length"])) for n, row in enumerate(store.index)]
    return source, videos, report.skipped


GUESS = (
    "{} bit for images of whole numbers of more than 8 bit is a guess, by the largest value of"
    " those looked at, {}: --bit-depth says otherwise"
)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_dark_frames_have_the_scale_of_the_bright(tmp_path, suffix, grey, depth):
    dark, bright = at(depth) // 8, at(depth)
    for name, frames in (("a", [dark, dark, bright, dark]), ("b", [dark] * 3)):
        save_folder(tmp_path / "src" / name, [f[..., 0] if grey else f for f in frames], suffix)
    source, videos, _ = stored(tmp_path / "src")
    assert source.guesses == [GUESS.format(depth, bright[..., : 1 if grey else 3].max())]
    assert f"values of {depth} bit" in source.describe()
    for frame, values in ((videos[0][0], dark), (videos[0][2], bright), (videos[1][2], dark)):
        expected = np.rint(values * (255 / (2**depth - 1)))
        expected = np.repeat(expected[..., :1], 3, -1) if grey else expected
        np.testing.assert_array_equal(frame, expected)


def test_a_stated_bit_depth_is_another_store(tmp_path):
    save_folder(tmp_path / "src", [at(10)] * 3, ".png")
    source, guessed, _ = stored(tmp_path / "src")
    stated, videos, _ = stored(tmp_path / "src", Reading(bit_depth=12))
    assert (stated.guesses, stated.note) == ([], "values of 12 bit")
    assert source.note != stated.note
    np.testing.assert_array_equal(guessed[0][0], SEEN)
    np.testing.assert_array_equal(videos[0][0], np.rint(at(10) * (255 / 4095)))


def test_a_brighter_frame_that_was_not_looked_at_is_left_out_not_clipped(tmp_path):
    frames = [at(10)] * 7
    frames[2] = at(12)
    save_folder(tmp_path / "src", frames, ".png")
    _, videos, skipped = stored(tmp_path / "src")
    np.testing.assert_array_equal(videos[0], [SEEN] * 6)
    (one,) = skipped
    assert one.reason.endswith("4095 is beyond 10 bit: say --bit-depth 12")
    assert (one.damaged, one.rest_kept) == (True, True)
    with pytest.raises(UserError, match=r"002\.png has values that do not fit: 4095 is beyond 10"):
        list(open_clip(tmp_path / "src").frames)
    _, videos, skipped = stored(tmp_path / "src", Reading(bit_depth=12))
    assert (len(videos[0]), skipped) == (7, [])
    np.testing.assert_array_equal(videos[0][2], SEEN)


@pytest.mark.parametrize("white", [1, 255])
def test_fractions_of_a_source(tmp_path, white):
    bright = SEEN / np.float32(255) * white
    save_folder(tmp_path / "src", [bright / 4, bright, bright / 4], ".tif")
    source, videos, _ = stored(tmp_path / "src")
    assert source.note == f"fractions from 0 to {white}"
    np.testing.assert_array_equal(videos[0][1], SEEN)
    assert np.abs(videos[0][0] - SEEN / 4).max() <= 0.51
    stated, videos, _ = stored(tmp_path / "src", Reading(bit_depth=8))
    assert stated.guesses == []
    np.testing.assert_array_equal(videos[0][1], SEEN if white == 255 else np.rint(bright))


def test_strips_of_more_than_8_bit(tmp_path):
    clips = np.stack([texture(16, 16, seed=n) for n in range(6)])
    for number in range(2):
        strip = np.concatenate(at(10, clips) // (1 + 3 * number), axis=1)
        save_folder(tmp_path / "src" / str(number), [strip], ".png")
    source, videos, _ = stored(tmp_path / "src", Reading(layout="film_strips"))
    assert source.guesses == [GUESS.format(10, 1023)]
    np.testing.assert_array_equal(videos[0], clips)
    np.testing.assert_array_equal(videos[1], np.rint((at(10, clips) // 4) * (255 / 1023)))


def test_pages_of_a_source(tmp_path):
    pages = np.stack([np.roll(SEEN, shift, 1) for shift in range(4)])
    (tmp_path / "src").mkdir()
    for number in range(2):
        values = at(10, pages) // (1 + 3 * number)
        tifffile.imwrite(tmp_path / "src" / f"{number}.tif", values, photometric="rgb")
    source, videos, _ = stored(tmp_path / "src")
    assert source.layout == "videos"
    assert source.guesses == [GUESS.format(10, 1023)]
    np.testing.assert_array_equal(videos[0], pages)
    np.testing.assert_array_equal(videos[1], np.rint((at(10, pages) // 4) * (255 / 1023)))
    stated, videos, _ = stored(tmp_path / "src", Reading(bit_depth=16))
    assert stated.guesses == []
    np.testing.assert_array_equal(videos[0], np.rint(at(10, pages) / 257))


def test_frames_beside_label_maps(tmp_path):
    save_folder(tmp_path / "src" / "train_B" / "s", [at(10) // 4, at(10)], ".png")
    save_folder(tmp_path / "src" / "train_A" / "s", [np.eye(24, 32, dtype=np.uint8)] * 2, ".png")
    source, videos, _ = stored(tmp_path / "src")
    assert source.guesses == [GUESS.format(10, 1023)]
    np.testing.assert_array_equal(videos[0][1], SEEN)
    np.testing.assert_array_equal(videos[0][0], np.rint((at(10) // 4) * (255 / 1023)))


def test_8_bit_has_no_levels_to_state(tmp_path):
    save_frames(tmp_path / "src", video(1, 3))
    assert open_source(tmp_path / "src").note == ""
    with pytest.raises(UserError, match="has 8 bit, or says itself how many: expected no --bit-d"):
        open_source(tmp_path / "src", Reading(bit_depth=10))


def test_values_that_fit_nothing(tmp_path):
    save_folder(tmp_path / "src", [SEEN.astype("f4") - 100] * 3, ".tif")
    with pytest.raises(UserError, match=r"000\.tif has values .* found values from -100 to 15"):
        open_source(tmp_path / "src")


def test_new_kinds_of_images(tmp_path):
    for suffix in (".jp2", ".avif"):
        folder = tmp_path / suffix[1:]
        folder.mkdir()
        for number in range(3):
            options = {"quality": 100, "subsampling": "4:4:4"} if suffix == ".avif" else {}
            Image.fromarray(SEEN).save(folder / f"{number}{suffix}", **options)
        source = open_source(folder)
        assert source.describe() == "frame folders: 1 video, 32x24, 3 frames"
        assert np.abs(frames_of(source.videos[0]).astype(int) - SEEN).max() <= 3


def test_kinds_that_are_not_read(tmp_path):
    exr = b"\x76\x2f\x31\x01\x02\0\0\0" + bytes(400)
    for number in range(3):
        (tmp_path / f"{number}.exr").write_bytes(exr)
    message = r"holds no videos that are read: 0\.exr holds linear light \(OpenEXR\): .*tone-map it"
    with pytest.raises(UserError, match=message):
        open_source(tmp_path)
    save_frames(tmp_path, video(1, 3))
    source = open_source(tmp_path)
    assert "linear light" in source.skipped[0].reason
    assert not source.skipped[0].damaged
