"""Panes become pictures."""

from pathlib import Path

import numpy as np
import pytest

from kvidgan.media import BACKGROUND, CONTEXT_COLOUR, PREDICTED_COLOUR, write_frames
from kvidgan_viewer.export.composition import (
    Exportable,
    ExportSettings,
    compose,
    picture_size,
    pictures,
    written_fps,
)

GREY = (BACKGROUND,) * 3


def plain(height, width, value, channels=3):
    return np.full((height, width, channels), value, np.uint8)


def test_panes_stand_side_by_side_enlarged():
    left = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    picture = compose({"a": left, "b": plain(2, 3, 200)}, ["b", "a"], scale=2)
    assert picture.shape == (4, 6 + 2 + 6, 3)
    assert (picture[:, :6] == 200).all()
    assert (picture[:, 6:8] == GREY).all()
    np.testing.assert_array_equal(picture[::2, 8::2], left)
    np.testing.assert_array_equal(picture[1::2, 9::2], left)


@pytest.mark.parametrize(
    ("border", "edges"),
    [
        ("context", [CONTEXT_COLOUR, CONTEXT_COLOUR, GREY]),
        ("predicted", [GREY, PREDICTED_COLOUR, GREY]),
    ],
)
def test_edges_tell_context_and_predicted_frames(border, edges):
    names = ["truth", "prediction", "difference"]
    panes = {name: plain(3, 3, 9) for name in names}
    picture = compose(panes, names, border=border)
    assert picture.shape == (7, 3 * 7 + 2 * 2, 3)
    for place, edge in enumerate(edges):
        pane = picture[:, 9 * place : 9 * place + 7]
        assert (pane[:2] == edge).all()
        assert (pane[:, -2:] == edge).all()
        assert (pane[2:-2, 2:-2] == 9).all()


def test_what_is_made_of_noise_counts_as_predicted():
    picture = compose({"generated": plain(2, 2, 0)}, ["generated"], border="predicted")
    assert (picture[0] == PREDICTED_COLOUR).all()


def test_an_absent_pane_is_left_empty():
    picture = compose({"a": plain(2, 2, 9), "b": None}, ["b", "a", "c"])
    assert (picture[:, :2] == GREY).all()
    assert (picture[:, 4:6] == 9).all()
    assert (picture[:, 8:] == GREY).all()
    with pytest.raises(ValueError, match="size of the cells"):
        compose({"b": None}, ["b"])


def test_grey_panes_stand_beside_coloured_ones():
    picture = compose({"mask": plain(2, 2, 7, channels=1), "x": plain(2, 2, 9)}, ["mask", "x"])
    assert (picture[:, :2] == 7).all()


def test_smaller_panes_are_enlarged_by_whole_numbers_to_the_middle():
    small = np.array([[10, 20], [30, 40]], np.uint8)[..., None].repeat(3, -1)
    picture = compose({"large": plain(5, 7, 1), "small": small}, ["large", "small"])[:, 9:]
    assert picture.shape == (5, 7, 3)
    np.testing.assert_array_equal(picture[0:4:2, 1:5:2], small)
    np.testing.assert_array_equal(picture[1:4:2, 2:5:2], small)
    assert (picture[4] == GREY).all()
    assert (picture[:, :1] == GREY).all()
    assert (picture[:, 5:] == GREY).all()


def test_panes_larger_than_their_cell_are_made_to_fit():
    pane = np.arange(8, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, -1)
    picture = compose({"a": pane}, ["a"], cell=(4, 4))
    assert picture[:, :, 0].tolist() == [[64] * 4, [0, 2, 4, 6], [0, 2, 4, 6], [64] * 4]


@pytest.mark.parametrize("format", ["gif", "mp4", "png"])
def test_the_size_told_is_the_size_drawn(format):
    rng = np.random.default_rng(2)
    for _ in range(20):
        sizes = {name: tuple(rng.integers(1, 9, 2).tolist()) for name in "abc"}
        names = tuple(rng.permutation(list("abc"))[: rng.integers(1, 4)].tolist())
        source = Exportable(sizes, num_frames=1)
        settings = ExportSettings(
            Path("x"), format, names, range(1), 10.0, 3, borders=bool(rng.integers(2))
        )
        panes = {name: plain(*size, 5) for name, size in sizes.items()}
        (picture,) = pictures(source, settings, [panes].__getitem__)
        height, width = picture.shape[:2]
        even = (height + height % 2, width + width % 2)
        assert picture_size(source, settings) == (even if format == "mp4" else (height, width))


def test_pictures_follow_the_range_and_know_the_context_frames():
    source = Exportable({"prediction": (2, 2)}, num_frames=6, num_context=3)
    settings = ExportSettings(Path("x"), "png", ("prediction",), range(1, 5), 10.0)
    shown = list(pictures(source, settings, lambda index: {"prediction": plain(2, 2, index)}))
    assert [int(one[2, 2, 0]) for one in shown] == [1, 2, 3, 4]
    assert [tuple(one[0, 0].tolist()) for one in shown] == [
        CONTEXT_COLOUR,
        CONTEXT_COLOUR,
        PREDICTED_COLOUR,
        PREDICTED_COLOUR,
    ]


@pytest.mark.parametrize("fps", [1, 7.3, 12.5, 24, 29.97, 30, 50, 60, 100])
def test_the_rate_told_is_the_rate_written(tmp_path, fps):
    frames = [plain(2, 2, 0)]
    assert written_fps("gif", fps) == write_frames(tmp_path / "x.gif", frames, fps)
    assert written_fps("mp4", fps) == fps
