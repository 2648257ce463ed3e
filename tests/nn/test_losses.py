import numpy as np
import pytest
from keras import ops

from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import (
    binary_cross_entropy,
    gradient_difference,
    power_error,
    softmax_cross_entropy,
)

pytestmark = pytest.mark.every_backend


def test_binary_cross_entropy_by_hand():
    logits = ops.convert_to_tensor(np.array([0.0, 2.0], "float32"))
    real = (np.log(2) + np.log(1 + np.exp(-2))) / 2
    assert float(binary_cross_entropy(logits, real=True)) == pytest.approx(real, rel=1e-6)
    assert float(binary_cross_entropy(logits, real=False)) == pytest.approx(real + 1, rel=1e-6)


def test_softmax_cross_entropy_by_hand():
    logits = ops.convert_to_tensor(np.log(np.array([[1.0, 3.0], [1.0, 1.0]], "float32")))
    labels = ops.convert_to_tensor(np.array([1, 0], "int32"))
    expected = -(np.log(3 / 4) + np.log(1 / 2)) / 2
    assert float(softmax_cross_entropy(logits, labels)) == pytest.approx(expected, rel=1e-6)


TRUTH = [[0, 1, 0], [2, 0, 0], [0, 0, 3]]
MADE = [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def image(rows):
    return ops.convert_to_tensor(np.array(rows, "float32")[None, :, :, None])


def test_power_errors_by_hand():
    truth, made = image(TRUTH), image(MADE)
    assert float(power_error(truth, made, 1)) == pytest.approx((1 + 1 + 2) / 9)
    assert float(power_error(truth, made, 2)) == pytest.approx((1 + 1 + 4) / 9)


def test_the_gradient_difference_by_hand_ignores_the_border():
    truth, made = image(TRUTH), image(MADE)
    # |down|   2 1 0 | 2 0 3  against  1 0 0 | 1 0 1: differences 1 1 0 | 1 0 2
    # |across| 1 1 | 2 0 | 0 3  against  0 0 | 1 0 | 0 1: differences 1 1 | 1 0 | 0 2
    assert float(gradient_difference(truth, made, 1)) == pytest.approx(5 / 6 + 5 / 6)
    assert float(gradient_difference(truth, made, 2)) == pytest.approx(7 / 6 + 7 / 6)
    # Equal up to a constant: nothing differs, also not against a border of zeros.
    assert float(gradient_difference(truth, truth + 5, 1)) == 0


def test_frames_become_signals():
    frames = ops.convert_to_tensor(np.array([0, 255], "uint8"))
    np.testing.assert_allclose(ops.convert_to_numpy(to_signal(frames)), [-1, 1])
