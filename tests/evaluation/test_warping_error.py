import numpy as np
import pytest

from kvidgan.evaluation.metrics import warping_error
from tests.textures import texture


def shifted(x, y, frames=4):
    """Frames of a scene that moves by (x, y) a frame, and the flow from each to the one before."""
    whole = texture(60, 80)
    clip = [whole[15 - y * t : 45 - y * t, 15 - x * t : 55 - x * t] for t in range(frames)]
    flow = np.empty((frames - 1, 30, 40, 2), np.float32)
    flow[:] = (-x, -y)
    return np.stack(clip), flow


@pytest.mark.parametrize(("x", "y"), [(2, 0), (-1, 3), (0, 0)])
def test_what_moves_as_the_truth_is_steady(x, y):
    clip, flow = shifted(x, y)
    inside = np.zeros((3, 30, 40), bool)
    inside[:, 4:-4, 4:-4] = True
    np.testing.assert_allclose(warping_error(clip[:-1], clip[1:], flow, inside), 0, atol=1e-12)
    if x or y:
        everywhere = warping_error(clip[:-1], clip[1:], flow, np.ones_like(inside))
        assert (everywhere > 1e-4).all(), "what comes in at the border is not warped there"


def test_flicker_has_the_known_error():
    """A still scene that is 25.5 levels brighter in every other frame: 0.2 of the [-1, 1] scale."""
    dark = np.clip(texture(20, 30), 0, 229)
    clip = np.stack([dark, dark + 26, dark])
    flow, confidence = np.zeros((2, 20, 30, 2), np.float32), np.ones((2, 20, 30), bool)
    found = warping_error(clip[:-1], clip[1:], flow, confidence)
    np.testing.assert_allclose(found, (26 / 127.5) ** 2, rtol=1e-5)


def test_half_a_pixel_is_interpolated():
    ramp = np.repeat(np.arange(0, 80, 4, dtype=np.uint8)[None, :, None], 6, axis=0)
    flow = np.zeros((1, 6, 20, 2), np.float32)
    flow[..., 0] = 0.5
    inner = np.zeros((1, 6, 20), bool)
    inner[..., 1:-1] = True
    found = warping_error(ramp[None], ramp[None], flow, inner)
    assert found[0] == pytest.approx((2 / 127.5) ** 2, rel=1e-4)


def test_only_where_the_flow_is_right():
    before = np.zeros((2, 4, 4, 1), np.uint8)
    after = before.copy()
    after[:, 0] = 255
    confidence = np.zeros((2, 4, 4), bool)
    confidence[0, :2] = True
    found = warping_error(before, after, np.zeros((2, 4, 4, 2), np.float32), confidence)
    assert found[0] == pytest.approx(2.0), "half of the pixels by 2, squared"
    assert np.isnan(found[1])
