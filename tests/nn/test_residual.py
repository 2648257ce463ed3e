"""The generator's blocks: mirrored borders, sizes, names, and a model of them exported."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.nn.residual import (
    conv_block,
    down_block,
    normalize,
    reflected_conv,
    residual_block,
    up_block,
)
from kvidgan.rollout.export import stock_copy


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def model_of(block, *arguments, channels=3, **options):
    x = keras.Input((None, None, channels))
    return keras.Model(x, block(x, *arguments, **options))


def output(model, x):
    return ops.convert_to_numpy(model(x))


def convolved(x, kernels, strides=1):
    """Numbers of a convolution of (batch, height, width, channels) without a border."""
    side = kernels.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows[:, ::strides, ::strides], kernels)


@pytest.mark.every_backend
@pytest.mark.parametrize("kernel", [7, 3])
def test_a_reflected_convolution_sees_the_image_mirrored(kernel):
    model = model_of(reflected_conv, 2, kernel, "first")
    x, border = noise(2, 10, 12, 3), (kernel // 2,) * 2
    mirrored = np.pad(x, [(0, 0), border, border, (0, 0)], mode="reflect")
    expected = convolved(mirrored, ops.convert_to_numpy(model.weights[0]))
    np.testing.assert_allclose(output(model, x), expected, atol=1e-5)


@pytest.mark.every_backend
@pytest.mark.parametrize("kernel", [3, 4])
def test_halving_surrounds_the_image_with_zeros(kernel):
    model = model_of(down_block, 2, "down", kernel=kernel)
    x = noise(2, 10, 12, 3)
    expected = convolved(
        np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), ops.convert_to_numpy(model.weights[0]), 2
    )
    layer = keras.Model(model.input, model.get_layer("down_conv").output)
    assert expected.shape == (2, 5, 6, 2)
    np.testing.assert_allclose(output(layer, x), expected, atol=1e-5)


def test_a_mirrored_image_gives_a_mirrored_output_with_mirrored_kernels():
    model = model_of(residual_block, "block", channels=4)
    x = noise(1, 8, 10, 4)
    before = output(model, x)
    weights = [w[:, ::-1] if w.ndim == 4 else w for w in model.get_weights()]
    model.set_weights(weights)
    np.testing.assert_allclose(output(model, x[:, :, ::-1])[:, :, ::-1], before, atol=1e-5)


def test_a_residual_block_adds_nothing_where_its_last_norm_gives_nothing():
    model = model_of(residual_block, "block", channels=4)
    model.get_layer("block_2_norm").gamma.assign(np.zeros(4))
    x = noise(2, 8, 6, 4)
    np.testing.assert_array_equal(output(model, x), x)


@pytest.mark.every_backend
@pytest.mark.parametrize("kernel", [3, 4])
def test_up_sampling_spreads_each_pixel_over_its_kernel(kernel):
    # Row i of the input goes to rows 2i - 1, 2i, 2i + 1 of the output, and 2i + 2.
    model = model_of(up_block, 2, "up", kernel=kernel)
    before_norm = keras.Model(model.input, model.get_layer("up_norm").input)
    x, kernels = noise(1, 3, 4, 3), ops.convert_to_numpy(model.weights[0])
    expected = np.zeros((1, 8, 10, 2), "float32")  # with a border of one
    for row, column in np.ndindex(3, 4):
        spread = np.einsum("c,ijoc->ijo", x[0, row, column], kernels)
        rows, columns = (slice(2 * n, 2 * n + kernel) for n in (row, column))
        expected[0, rows, columns] += spread
    expected = expected[:, 1:-1, 1:-1]
    if keras.backend.backend() == "torch":  # where the mean is taken away before the norm
        expected -= expected.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(output(before_norm, x), expected, atol=1e-5)


@pytest.mark.every_backend
def test_a_flat_bright_area_stays_a_number():
    x = keras.Input((None, None, 1))
    model = keras.Model(x, normalize(x, "instance", "norm"))
    found = output(model, np.full((1, 64, 64, 1), 1234.567, "float32"))
    assert np.abs(found).max() < 1, "not a number is not"


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_blocks_halve_and_double_and_are_normalised(norm):
    down, up = model_of(down_block, 6, "down", norm), model_of(up_block, 5, "up", norm)
    x = 100 * noise(2, 8, 12, 3)
    for model, shape in [(down, (2, 4, 6, 6)), (up, (2, 16, 24, 5))]:
        before_relu = keras.Model(model.input, model.layers[-1].input)
        y = ops.convert_to_numpy(before_relu(x, training=True))
        assert y.shape == shape
        axes = (1, 2) if norm == "instance" else (0, 1, 2)
        np.testing.assert_allclose(y.mean(axes), 0, atol=1e-3)
        np.testing.assert_allclose(y.std(axes), 1, atol=1e-2)
        assert output(model, x).min() == 0


def test_an_unknown_norm_names_the_known_ones():
    with pytest.raises(ValueError, match="instance, batch.*'group'"):
        model_of(down_block, 6, "down", "group")


@pytest.mark.every_backend
def test_a_generator_of_the_blocks_is_exported_and_runs_at_any_size(tmp_path):
    x = image = keras.Input((None, None, 3), name="image")
    x = conv_block(x, 4, 7, "first")
    x = residual_block(down_block(x, 6, "down"), "block")
    x = reflected_conv(up_block(x, 4, "up", "batch"), 3, 7, "last", activation="tanh")
    model = keras.Model(image, x)
    assert [variable.path for variable in model.trainable_variables] == [
        "first_conv/kernel", "first_norm/gamma", "first_norm/beta",
        "down_conv/kernel", "down_norm/gamma", "down_norm/beta",
        "block_1_conv/kernel", "block_1_norm/gamma", "block_1_norm/beta",
        "block_2_conv/kernel", "block_2_norm/gamma", "block_2_norm/beta",
        "up_conv/kernel", "up_norm/gamma", "up_norm/beta",
        "last/kernel", "last/bias",
    ]  # fmt: skip
    model.set_weights([noise(*w.shape, seed=n) ** 2 / 5 for n, w in enumerate(model.weights)])
    stock_copy(model).save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras", safe_mode=True)
    for shape in [(1, 8, 12), (2, 32, 16)]:
        images = noise(*shape, 3)
        expected = model.predict(images, verbose=0)
        assert expected.shape == (*shape, 3)
        np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=1e-4)
