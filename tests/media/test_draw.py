import colorsys

import numpy as np
import pytest

from kvidgan import media
from kvidgan.media import colour_flow, colour_labels, colour_mask, flow_scale

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (7, 3, 3), (8, 4, 2), (9, 3, 3)]
)
def test_grid_prefers_full_rows(count, columns, rows):
    videos = np.zeros((count, 1, 4, 4, 1), np.uint8)
    assert media.grid(videos, gap=0).shape == (1, 4 * rows, 4 * columns, 1)


def test_grid_places_videos_row_by_row():
    videos = np.arange(1, 4, dtype=np.uint8)[:, None, None, None, None] * np.ones(
        (3, 2, 4, 5, 1), np.uint8
    )
    whole = media.grid(videos, columns=2, gap=1)
    assert whole.shape == (2, 9, 11, 1)
    assert [whole[0, y, x, 0] for y, x in [(0, 0), (0, 6), (5, 0), (5, 6), (4, 0)]] == [
        1,
        2,
        3,
        media.BACKGROUND,
        media.BACKGROUND,
    ]
    assert media.grid(videos).shape == (2, 4, 19, 1)


def test_strip_has_a_row_per_video():
    videos = np.arange(12, dtype=np.uint8).reshape(2, 6, 1, 1, 1) * np.ones((1, 1, 3, 4, 3), "u1")
    image = media.strip(videos, gap=0, every=2)
    assert image.shape == (6, 12, 3)
    assert image[::3, ::4, 0].tolist() == [[0, 2, 4], [6, 8, 10]]


def test_strip_takes_lists_of_frames():
    videos = RNG.integers(0, 255, (2, 3, 4, 4, 3), np.uint8)
    np.testing.assert_array_equal(media.strip([list(v) for v in videos]), media.strip(videos))


def test_enlarge_repeats_pixels():
    frames = RNG.integers(0, 255, (2, 3, 4, 3), np.uint8)
    large = media.enlarge(frames, 2)
    assert large.shape == (2, 6, 8, 3)
    for top, left in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        np.testing.assert_array_equal(large[:, top::2, left::2], frames)
    assert media.enlarge(np.zeros((100, 200, 3), np.uint8)).shape == (200, 400, 3)
    assert media.enlarge(np.zeros((600, 200, 3), np.uint8)).shape == (600, 200, 3)


def test_every_class_has_a_colour_of_its_own():
    colours = colour_labels(np.arange(256, dtype=np.uint8)[None])[0]
    assert colours.shape == (256, 3)
    assert colours.dtype == np.uint8
    assert len(np.unique(colours, axis=0)) == 256
    named = colours[:20].astype(int)
    apart = np.abs(named[:, None] - named[None]).sum(-1) + 999 * np.eye(20, dtype=int)
    assert apart.min() > 50, "the first twenty are told apart"
    assert colours[0].max() < 60, "the ground of edges is dark"
    assert colours[1].min() > 240, "and they are bright"


def test_a_class_has_the_same_colour_everywhere():
    labels = np.array([[[2, 0], [1, 2]], [[7, 2], [2, 2]]], np.uint8)
    painted = colour_labels(labels)
    assert painted.shape == (2, 2, 2, 3)
    assert {tuple(colour) for colour in painted[labels == 2]} == {(0xE6, 0x19, 0x4B)}


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, 3), (-2, 0), (0, -4), (1, 1), (-0.5, 2)])
def test_hue_is_direction_and_saturation_length(x, y):
    found = colour_flow(np.full((2, 3, 2), (x, y), np.float32), full=4)
    turn = np.arctan2(y, x) / (2 * np.pi) % 1
    expected = colorsys.hsv_to_rgb(turn, min(1, np.hypot(x, y) / 4), 1)
    np.testing.assert_allclose(found, np.full((2, 3, 3), expected) * 255, atol=0.51)


def test_no_motion_is_white_and_long_ones_are_in_full_colour():
    flow = np.zeros((1, 2, 64, 2), np.float32)
    flow[0, 1, 0] = (100, 0)
    flow[0, 1, 1] = (2, 0)
    painted = colour_flow(flow)
    assert flow_scale(2, 64) == 2
    assert (painted[0, 0] == 255).all()
    assert painted[0, 1, :2].tolist() == [[255, 0, 0]] * 2


def test_masks_are_grey():
    mask = np.array([[[-0.1], [0.0], [0.5], [1.0], [1.2]]], np.float32)
    assert colour_mask(mask).tolist() == [[[0], [0], [128], [255], [255]]]
