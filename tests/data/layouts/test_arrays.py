"""Axes of arrays, stated, guessed and left open."""

import numpy as np
import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.layouts.writing_arrays import FILES, arranged, moving, save, stored


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("axes", ["NTHWC", "TNHWC", "NTHW", "TNHW", "HWCTN", "HWTN", "HWNT"])
def test_many_videos_in_any_file(tmp_path, name, axes):
    clips = moving(channels=3 if "C" in axes else 1)
    path = save(tmp_path / name, arranged(clips, axes))
    source, videos = stored(path)
    assert f"axes ({', '.join(axes)}) of" in source.note
    assert source.guesses == [
        f"axes {axes} of {'x'.join(map(str, arranged(clips, axes).shape))} are a guess by its"
        " sizes and what it shows: --axes says otherwise"
    ]
    np.testing.assert_array_equal(videos, clips)


@pytest.mark.parametrize(
    ("axes", "height", "width", "channels"),
    [
        *[("THWC", 16, 24, channels) for channels in (1, 3)],
        ("THWC", 9, 70, 3),
        ("CTHW", 16, 24, 1),
        ("TCHW", 16, 24, 1),
        ("HWT", 16, 16, 1),
        ("THW", 16, 16, 1),
        ("HWCT", 16, 16, 1),
    ],
)
def test_one_video_whose_sizes_leave_one_reading(tmp_path, axes, height, width, channels):
    clips = moving(1, 10, height, width, channels)
    source, videos = stored(save(tmp_path / "x.npy", arranged(clips, axes)))
    assert "are a guess by its sizes: --axes says otherwise" in source.guesses[0]
    np.testing.assert_array_equal(videos, clips)


ORDERS = ["THW", "WTH", "THWC", "CWHT", "TCHW", "HWCT", "HWTC", "NTHWC", "CNWTH", "WHNCT", "NHWT"]


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("name", ["x.npy", "new.mat"])
def test_stated_axes(tmp_path, axes, name):
    clips = moving(3 if "N" in axes else 1, 4, 5, 6, 3 if "C" in axes else 1)
    source, videos = stored(save(tmp_path / name, arranged(clips, axes)), Reading(axes=axes))
    assert source.guesses == []
    np.testing.assert_array_equal(videos, clips)
    assert len(source.videos) == (3 if "N" in axes else 1)


@pytest.mark.parametrize(
    ("shape", "candidates"),
    [
        ((20, 3, 64, 64), "TCHW or NTHW or TNHW"),
        ((3, 20, 64, 64), "CTHW or NTHW or TNHW"),
        ((64, 64, 3, 20), "HWCT or HWTN or HWNT"),
        ((240, 240, 320, 3), "THWC or HWTN or HWNT"),
        ((30, 48, 64), "THW or HWT"),
        ((64, 64, 64), "THW or HWT"),
        ((6, 10, 16, 16, 3), "NTHWC or TNHWC"),
    ],
)
def test_axes_that_are_left_open(tmp_path, shape, candidates):
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    first = candidates.split()[0]
    message = rf"which may be {candidates}: say which with --axes {first} \(N: videos, T: time"
    with pytest.raises(UserError, match=message):
        open_source(tmp_path / "x.npy")


def test_noise_says_nothing_of_its_axes(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (6, 9, 16, 16), "u1"))
    with pytest.raises(UserError, match="which may be NTHW or TNHW: say which"):
        open_source(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [(64, 64, 3), (3, 64, 64), (2, 5, 4, 4), (10, 9, 3), (7, 7)])
def test_no_reading_is_left(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.ones(shape, np.uint8))
    with pytest.raises(UserError, match=r"x\.npy: expected an array .*; say with --axes what"):
        open_source(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("NTHW", r"expected 4 axes \(NTHW\), found 5 of sizes 2x5x4x3x3; give --axes a letter"),
        ("NCTHW", "expected 1, 3 or 4 colours along C"),
    ],
)
def test_axes_that_an_array_cannot_have(tmp_path, axes, sentence):
    np.save(tmp_path / "x.npy", np.zeros((2, 5, 4, 3, 3), np.uint8))
    with pytest.raises(UserError, match=sentence):
        open_source(tmp_path / "x.npy", Reading(axes=axes))


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("NTHWX", "letters of NTHWC"),
        ("TTHW", "T stands twice"),
        ("NTH", "W lacks"),
        ("", "T lacks"),
    ],
)
def test_axes_that_are_none(axes, sentence):
    with pytest.raises(ValueError, match=sentence):
        Reading(axes=axes)


def test_axes_in_small_letters_and_alpha_over_black(tmp_path):
    clips = moving(1, 4, 8, 9, 4)
    _, videos = stored(save(tmp_path / "x.npy", arranged(clips, "THWC")), Reading(axes="thwc"))
    seen = clips[..., :3] * (clips[..., 3:] / 255.0)
    assert np.abs(videos - seen).max() <= 0.51
