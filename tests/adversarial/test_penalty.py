import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import gradient_penalty, value_and_gradients

pytestmark = pytest.mark.every_backend

rng = np.random.default_rng(0)
REAL, MADE = rng.standard_normal((2, 3, 2, 4, 4, 1)).astype("float32")


def penalty(critic, mix):
    tensors = [ops.convert_to_tensor(np.array(x, "float32")) for x in (REAL, MADE, mix)]
    unused = keras.Variable(0.0)
    return float(value_and_gradients(lambda: gradient_penalty(critic, *tensors), [unused])[0])


def test_of_a_linear_critic():
    weights = rng.standard_normal(REAL.shape[1:]).astype("float32")
    tensor = ops.convert_to_tensor(weights)
    found = penalty(lambda x: ops.sum(x * tensor, axis=(1, 2, 3, 4)), [0.1, 0.5, 0.9])
    assert found == pytest.approx((np.linalg.norm(weights) - 1) ** 2, rel=1e-5)


def test_each_sample_has_its_own_place_between_real_and_generated():
    mix = [0.0, 0.3, 1.0]
    found = penalty(lambda x: ops.sum(x**2, axis=(1, 2, 3, 4)) / 2, mix)
    # The slope of half the squared norm is x itself.
    places = [(1 - m) * real + m * made for m, real, made in zip(mix, REAL, MADE, strict=True)]
    by_hand = np.mean([(np.linalg.norm(place) - 1) ** 2 for place in places])
    assert found == pytest.approx(by_hand, rel=1e-5)
    assert found != pytest.approx(
        penalty(lambda x: ops.sum(x**2, axis=(1, 2, 3, 4)) / 2, [0.3] * 3)
    )


def test_a_flat_critic_has_a_finite_gradient():
    weight = keras.Variable(0.0)
    value, (gradient,) = value_and_gradients(
        lambda: gradient_penalty(
            lambda x: weight * ops.sum(x, axis=(1, 2, 3, 4)),
            *(ops.convert_to_tensor(np.array(x, "float32")) for x in (REAL, MADE, [0, 0, 0])),
        ),
        [weight],
    )
    assert float(value) == pytest.approx(1, abs=1e-5)
    assert np.isfinite(ops.convert_to_numpy(gradient))


def test_its_gradient_against_central_differences():
    critic = keras.Sequential(
        [
            keras.Input(REAL.shape[1:]),
            keras.layers.Conv3D(3, 2, activation="tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    kernel = critic.trainable_variables[0]
    tensors = [ops.convert_to_tensor(np.array(x, "float32")) for x in (REAL, MADE, [0.2, 0.5, 0.8])]
    _, (gradient,) = value_and_gradients(lambda: gradient_penalty(critic, *tensors), [kernel])
    start, direction = ops.convert_to_numpy(kernel.value), rng.standard_normal(kernel.shape)
    values = []
    for sign in (1, -1):
        kernel.assign(start + sign * 1e-2 * direction)
        values.append(penalty(critic, [0.2, 0.5, 0.8]))
    slope = (values[0] - values[1]) / 2e-2
    assert slope == pytest.approx((ops.convert_to_numpy(gradient) * direction).sum(), rel=2e-2)
    assert abs(slope) > 1e-3
