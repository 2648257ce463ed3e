import numpy as np
import pytest
from keras import ops

from kvidgan.nn.temporal import at_scale, span

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize(
    ("scale", "taps", "chosen"),
    [
        (0, 3, [27, 28, 29]),
        (1, 3, [23, 26, 29]),
        (2, 3, [11, 20, 29]),
        (1, 2, [26, 29]),
        (2, 1, [29]),
    ],
)
def test_frames_are_chosen_back_from_the_last(scale, taps, chosen):
    clip = np.arange(30, dtype="float32").reshape(1, 30, 1, 1, 1) * np.ones((2, 1, 2, 3, 1))
    frames = ops.convert_to_numpy(at_scale(ops.convert_to_tensor(clip), scale, taps))
    assert frames.shape == (2, taps, 2, 3, 1)
    np.testing.assert_array_equal(frames[1, :, 1, 2, 0], chosen)
    assert span(scale, taps) == chosen[-1] - chosen[0] + 1


def test_the_span_is_enough_and_one_less_is_refused():
    assert [span(scale) for scale in (0, 1, 2)] == [3, 7, 19]
    clip = ops.arange(19)[None]
    np.testing.assert_array_equal(ops.convert_to_numpy(at_scale(clip, 2))[0], [0, 9, 18])
    with pytest.raises(ValueError, match="span 19 frames. Received: 18"):
        at_scale(clip[:, 1:], 2)
