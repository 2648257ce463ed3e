"""The patch discriminators: sizes, what a score sees, and the halving between scales."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.nn.patches import halved, multi_scale, patch_discriminator, smallest_side


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_layers_halve_and_double_up_to_eight_times_the_width():
    model = patch_discriminator(5, width=2, layers=5, name="judge")
    shapes = [tuple(x.shape) for x in model(noise(2, 64, 96, 5))]
    assert shapes == [
        (2, 33, 49, 2), (2, 17, 25, 4), (2, 9, 13, 8), (2, 5, 7, 16), (2, 3, 4, 16), (2, 4, 5, 16),
        (2, 5, 6, 1),
    ]  # fmt: skip
    maps = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert maps == [2, 4, 8, 16, 16, 16, 1]
    published = patch_discriminator(3)
    assert [x.shape[-1] for x in published.outputs] == [64, 128, 256, 512, 1]
    assert all(path.startswith("judge_") for path in (v.path for v in model.variables))


def test_kernels_begin_narrow_and_the_first_and_last_layers_have_no_norm():
    model = patch_discriminator(3, width=16, layers=2)
    kernels = [np.ravel(ops.convert_to_numpy(v)) for v in model.weights if v.name == "kernel"]
    assert np.std(np.concatenate(kernels)) == pytest.approx(0.02, rel=0.05)
    normed = [layer.name for layer in model.layers if "norm" in layer.name]
    assert normed == ["patches_1_norm", "patches_2_norm"]
    norms = patch_discriminator(3, norm="batch", width=1).layers
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in norms) == 3
    with pytest.raises(ValueError, match="instance, batch.*'layer'"):
        patch_discriminator(3, norm="layer")


@pytest.mark.parametrize(("layers", "side"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_its_patch_and_no_more(layers, side):
    # Without norms, which look at the whole image. A score's window, followed back through kernels
    # of 4 that begin two pixels before theirs.
    model = patch_discriminator(1, width=1, layers=layers, norm="batch")
    first = last = score = 6
    for strides in [1, 1] + [2] * layers:
        first, last = strides * first - 2, strides * last - 2 + 3
    assert last - first + 1 == side
    size = 16 * 2**layers
    still = np.zeros((1, size, size, 1), "float32")
    rows = [row for row in (first - 1, first, last, last + 1) if 0 <= row < size]
    for row in rows:
        moved = still.copy()
        moved[:, row, :] = 1e3
        scores = [ops.convert_to_numpy(model(x)[-1])[0, score] for x in (still, moved)]
        assert np.any(scores[0] != scores[1]) == (first <= row <= last)


def test_instance_norm_forgets_contrast_and_brightness_of_each_image_alone():
    model = patch_discriminator(2, width=4, layers=2, norm="instance")
    x = 50 * noise(2, 32, 32, 2)
    changed = x.copy()
    changed[1] *= 3
    before, after = (ops.convert_to_numpy(model(images)[-1]) for images in (x, changed))
    np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())
    assert np.abs(ops.convert_to_numpy(model(noise(2, 32, 32, 2))[-1]) - before).max() > 1e-3


def average(x):
    """Means of 3x3 windows around pixels 0, 2, 4..., of what lies inside."""
    height, width = x.shape[1:3]
    rows = [slice(max(row - 1, 0), row + 2) for row in range(0, height, 2)]
    columns = [slice(max(column - 1, 0), column + 2) for column in range(0, width, 2)]
    return np.stack(
        [np.stack([x[:, r, c].mean((1, 2)) for c in columns], axis=1) for r in rows], axis=1
    )


@pytest.mark.every_backend
@pytest.mark.parametrize("size", [(8, 6), (7, 8), (5, 7), (1, 2)])
def test_halving_averages_pixels_inside_the_image(size):
    x = noise(2, *size, 3)
    made = ops.convert_to_numpy(halved(ops.convert_to_tensor(x)))
    assert made.shape[1:3] == (-(-size[0] // 2), -(-size[1] // 2))
    np.testing.assert_allclose(made, average(x), atol=1e-6)


def test_each_scale_judges_half_of_the_one_before():
    models = [patch_discriminator(3, 2, 2, name=f"scale_{number}") for number in range(3)]
    x = noise(1, 48, 32, 3)
    seen = multi_scale(models, ops.convert_to_tensor(x), training=True)
    assert [[tuple(f.shape[1:3]) for f in features][-1] for features in seen] == [
        (15, 11), (9, 7), (6, 5),
    ]  # fmt: skip
    for model, features, image in zip(
        models, seen, [x, average(x), average(average(x))], strict=True
    ):
        for found, expected in zip(features, model(image), strict=True):
            np.testing.assert_allclose(
                ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=1e-4
            )


def test_frames_too_small_are_refused():
    models = [patch_discriminator(3, 1, 3, name=f"small_{number}") for number in range(2)]
    least = smallest_side(3, 2)
    assert least == 32
    scores = multi_scale(models, ops.zeros((1, least, least, 3)))[-1][-1]
    assert tuple(scores.shape) == (1, 5, 5, 1)
    with pytest.raises(ValueError, match="at least 32x32 pixels. Received: 64x31"):
        multi_scale(models, ops.zeros((1, 31, 64, 3)))


def convolved(x, kernel, strides, bias=0.0):
    """A convolution of an image with two pixels of zeros around."""
    size = kernel.shape[0]
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows[:, ::strides, ::strides], kernel) + bias


def leaky(x):
    return np.maximum(x, 0.2 * x)


def normal(x, gamma, beta):
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta


@pytest.mark.every_backend
@pytest.mark.parametrize("size", [(16, 8), (13, 9)])
def test_every_backend_gives_the_numbers_of_a_longhand(size):
    model = patch_discriminator(2, width=2, layers=2)
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.3, w.shape) for w in model.weights]
    model.set_weights(weights)
    first, bias, second, *norm_2, third, gamma_3, beta_3, last, last_bias = weights
    x = noise(2, *size, 2, seed=1)
    expected = [leaky(convolved(x, first, 2, bias))]
    expected.append(leaky(normal(convolved(expected[-1], second, 2), *norm_2)))
    expected.append(leaky(normal(convolved(expected[-1], third, 1), gamma_3, beta_3)))
    expected.append(convolved(expected[-1], last, 1, last_bias))
    for found, by_hand in zip(model(x), expected, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(found), by_hand, atol=1e-4)
