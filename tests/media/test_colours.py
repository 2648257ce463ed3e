import colorsys

import numpy as np
import pytest

from kvidgan.media import colour_flow, colour_labels, colour_mask, flow_scale


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
