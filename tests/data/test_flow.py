import numpy as np
import pytest

from kvidgan.data.flow import MIN_SIDE, dis_flow, warp
from kvidgan.errors import UserError

from ..textures import texture

INNER = (slice(12, -12), slice(12, -12))


def shifted(x, y, channels=3):
    """Two cuts of one texture: frame(p) = other(p + (x, y))."""
    whole = texture(120, 160, channels)
    other = whole[10:-10, 10:-10]
    frame = whole[10 + y : 110 + y, 10 + x : 150 + x]
    return frame, other


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shift", [(3, 0), (-3, 0), (0, 2), (0, -2), (4, -3)])
def test_a_known_shift_is_found(shift, channels):
    flow = dis_flow(*shifted(*shift, channels))
    assert (flow.shape, flow.dtype) == ((100, 140, 2), np.float32)
    np.testing.assert_allclose(flow[INNER], np.broadcast_to(shift, flow[INNER].shape), atol=0.3)


@pytest.mark.parametrize("channels", [1, 3])
def test_warping_along_the_flow_gives_the_frame_back(channels):
    frame, other = shifted(4, -3, channels)
    made = warp(other, dis_flow(frame, other))
    assert (made.shape, made.dtype) == (frame.shape, np.uint8)
    before = np.abs(frame[INNER].astype(int) - other[INNER]).mean()
    after = np.abs(frame[INNER].astype(int) - made[INNER]).mean()
    assert after < 0.05 * before


def test_equal_frames_do_not_move():
    frame = texture(40, 50)
    assert not dis_flow(frame, frame).any()
    np.testing.assert_array_equal(warp(frame, np.zeros((40, 50, 2), np.float32)), frame)


def test_warp_samples_between_pixels_and_continues_the_border():
    ramp = np.tile(np.arange(0, 100, 10, dtype=np.uint8), (4, 1))[..., None]
    flow = np.zeros((4, 10, 2), np.float32)
    flow[..., 0] = 2.5
    expected = [25, 35, 45, 55, 65, 75, 85, 90, 90, 90]
    np.testing.assert_array_equal(warp(ramp, flow)[..., 0], [expected] * 4)
    flow[...] = (0, -7)
    np.testing.assert_array_equal(warp(ramp, flow), ramp)


@pytest.mark.parametrize("size", [(16, 16), (16, 45), (16, 400), (400, 16), (17, 130)])
def test_any_shape_from_the_smallest_side_on(size):
    frame = texture(*size)
    assert np.isfinite(dis_flow(frame, np.roll(frame, 1, axis=1))).all()


@pytest.mark.parametrize("size", [(15, 64), (64, 15)])
def test_frames_too_small_for_flow(size):
    frame = texture(*size)
    sentence = f"at least {MIN_SIDE}x{MIN_SIDE} pixels, found {size[1]}x{size[0]}"
    with pytest.raises(UserError, match=sentence):
        dis_flow(frame, frame)
