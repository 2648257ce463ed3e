from itertools import islice

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.evaluation.baselines import copy_last, flow_extrapolation
from kvidgan.evaluation.metrics import psnr
from tests.textures import moving_square, texture


def test_copy_last_repeats_the_last_frame():
    history = np.stack([texture(16, 16, seed=s) for s in range(3)])
    for frame in islice(copy_last(history), 5):
        np.testing.assert_array_equal(frame, history[-1])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("x", "y"), [(2, 0), (-1, 2)])
def test_extrapolation_goes_on_with_a_steady_motion(x, y, channels):
    whole = texture(120, 140, channels)
    clip = np.stack(
        [whole[20 - y * t : 100 - y * t, 20 - x * t : 120 - x * t] for t in range(6)]
    )  # the scene moves by (x, y) a frame
    for horizon, made in enumerate(islice(flow_extrapolation(clip[:2]), 4), start=1):
        assert (made.shape, made.dtype) == (clip[0].shape, np.uint8)
        inner = (slice(14, -14), slice(14, -14))
        truth = clip[1 + horizon]
        better = psnr(truth[inner], made[inner])
        assert better > psnr(truth[inner], clip[1][inner]) + 10, horizon


def test_extrapolation_beats_copying_on_a_moving_square():
    clip, _ = moving_square(4)
    made = list(islice(flow_extrapolation(clip[:2]), 2))
    for truth, frame in zip(clip[2:], made, strict=True):
        assert psnr(truth, frame) > psnr(truth, clip[1]) + 2


def test_a_still_clip_stays_as_it_is():
    history = np.repeat(texture(32, 32)[None], 2, axis=0)
    for frame in islice(flow_extrapolation(history), 3):
        np.testing.assert_array_equal(frame, history[0])


def test_only_the_last_two_frames_count():
    clip, _ = moving_square(4)
    long, short = (next(flow_extrapolation(clip[first:3])) for first in (0, 1))
    np.testing.assert_array_equal(long, short)


def test_too_small_frames():
    with pytest.raises(UserError, match="at least 16x16 pixels, found 8x8"):
        next(flow_extrapolation(np.zeros((2, 8, 8, 3), np.uint8)))
