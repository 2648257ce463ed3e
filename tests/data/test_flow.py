import numpy as np
import pytest

from kvidgan.data.flow import MIN_SIDE, backward_flow, dis_flow, flow_confidence, warp
from kvidgan.errors import UserError
from tests.textures import texture

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


@pytest.mark.parametrize("channels", [1, 3])
def test_backward_flow_leads_to_the_frame_before(channels):
    previous, frame = shifted(-3, 2, channels)  # previous(p) = frame(p + shift)
    (first, nowhere), (flow, right) = backward_flow(iter([previous, frame]))
    assert (first.dtype, first.shape, first.any()) == (np.float16, (100, 140, 2), False)
    assert (nowhere.dtype, nowhere.shape, nowhere.any()) == (bool, (100, 140), False)
    expected = np.broadcast_to((3, -2), flow[INNER].shape)
    np.testing.assert_allclose(flow[INNER].astype(float), expected, atol=0.2)
    assert right[INNER].all()


def test_flow_is_not_trusted_where_ground_comes_into_view():
    ground, square = texture(96, 128), texture(56, 56, seed=1)
    clip = np.repeat(ground[None], 2, axis=0)
    for frame, left in zip(clip, (30, 33), strict=True):
        frame[20:76, left : left + 56] = square
    _, (flow, right) = backward_flow(clip)
    middle, uncovered = (slice(32, 64), slice(45, 77)), (slice(20, 76), slice(30, 33))
    expected = np.broadcast_to((-3, 0), flow[middle].shape)
    np.testing.assert_allclose(flow[middle].astype(float), expected, atol=0.2)
    assert right[middle].all()
    assert right[uncovered].mean() < 0.5
    assert right[:, 95:].mean() > 0.95


def test_confidence_is_a_squared_difference_over_all_channels():
    still = np.zeros((4, 5, 2), np.float32)
    for channels in (1, 3):
        frame = np.full((4, 5, channels), 100, np.uint8)
        most = 127.5 * np.sqrt(0.02 / channels)  # grey levels a channel
        for difference in (int(most), int(most) + 1):
            found = flow_confidence(frame + np.uint8(difference), frame, still)
            assert found.all() == (difference < most)
            assert found.any() == (difference < most)


def test_backward_flow_of_one_small_frame_needs_no_estimate():
    frame = texture(15, 64)
    assert len(list(backward_flow([frame]))) == 1
    with pytest.raises(UserError, match="needs frames of at least 16x16 pixels, found 64x15"):
        list(backward_flow([frame, frame]))
