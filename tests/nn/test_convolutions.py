"""The forms for XLA's CPU against the stock layers: outputs and gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.nn import convolutions

pytestmark = pytest.mark.every_backend


def compare(stock, ours, shape):
    """Compare two functions of an input and a kernel, with gradients through a random loss."""
    rng = np.random.default_rng(0)
    x = keras.Variable(rng.standard_normal(shape[0]).astype("float32"))
    kernel = keras.Variable(rng.standard_normal(shape[1]).astype("float32"))
    shape = ops.convert_to_numpy(stock(x.value, kernel.value)).shape
    weights = ops.convert_to_tensor(rng.standard_normal(shape).astype("float32"))
    found = []
    for fn in (stock, ours):

        def loss(fn=fn):
            y = fn(x.value, kernel.value)
            return ops.sum(y * weights), y

        (_, y), gradients = value_and_gradients(loss, [x, kernel])
        found.append([ops.convert_to_numpy(tensor) for tensor in (y, *gradients)])
    for a, b in zip(*found, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(a).max())


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [(1, 1, 1), (1, 2, 2), (2, 2, 2), (3, 1, 1)])
@pytest.mark.parametrize("taps", [3, 4])
def test_conv3d(padding, strides, taps):
    def stock(x, kernel):
        return ops.conv(x, kernel, strides=list(strides), padding=padding)

    def ours(x, kernel):
        return convolutions.conv3d_by_taps(x, kernel, strides, padding)

    compare(stock, ours, [(2, 7, 6, 5, 2), (taps, 4, 3, 2, 3)])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [3, 4, 5, 6])
def test_transposed_convolution(taps, stride):
    def stock(x, kernel):
        return ops.conv_transpose(x, kernel, strides=stride, padding="same")

    def ours(x, kernel):
        return convolutions.transpose_by_subpixels(x, kernel, (stride, stride))

    compare(stock, ours, [(2, 5, 4, 3), (taps, taps, 2, 3)])


@pytest.mark.parametrize(
    ("kind", "options", "shape"),
    [
        ("Conv3D", {"kernel_size": (3, 4, 4), "strides": (1, 2, 2)}, (2, 6, 8, 8, 3)),
        ("Conv3D", {"kernel_size": 3, "groups": 3, "filters": 6}, (2, 5, 5, 5, 3)),
        ("Conv2DTranspose", {"kernel_size": 4, "strides": 2, "padding": "same"}, (2, 4, 4, 3)),
        ("Conv2DTranspose", {"kernel_size": 3, "strides": 2}, (2, 5, 4, 3)),
        ("Conv2DTranspose", {"kernel_size": 4, "activation": "relu"}, (2, 1, 1, 3)),
        ("Conv2DTranspose", {"kernel_size": 4, "strides": 2}, (2, 3, 3, 3)),
    ],
)
@pytest.mark.parametrize("forced", [False, True])
def test_layers_hold_stock_weights_and_give_stock_outputs(
    kind, options, shape, forced, monkeypatch
):
    if forced:
        monkeypatch.setattr(convolutions, "xla_on_cpu", lambda: True)
    options = {"filters": 4, "bias_initializer": "normal", **options}
    if options.get("groups") and keras.backend.backend() == "tensorflow":
        options.pop("groups")  # TensorFlow's CPU has no grouped 3-D convolution
    ours = getattr(convolutions, kind)(**options)
    stock = getattr(keras.layers, kind)(**options)
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    ours(x)
    stock(x)
    assert stock.get_config() == {**ours.get_config(), "name": stock.name}
    stock.set_weights(ours.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours(x)),
        ops.convert_to_numpy(stock(x)),
        atol=1e-5,
    )


def test_the_forms_are_chosen_by_backend_and_device():
    on_cpu = "cpu" in str(ops.convert_to_tensor(0.0).device).lower()
    assert convolutions.xla_on_cpu() == (keras.backend.backend() == "jax" and on_cpu)
