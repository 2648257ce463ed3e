"""Discriminators of patches, at several scales (Isola et al. 2017, Wang et al. 2018)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kvidgan.nn.residual import normalize, weights

Tensor = Any
_WIDEST = 8  # times the first layer's width


def patch_discriminator(
    channels_in: int,
    width: int = 64,
    layers: int = 3,
    norm: str = "instance",
    name: str = "patches",
) -> keras.Model:
    """Return D: images of any size to what each layer sees in them, the scores last.

    Kernels of 4x4 with stride 2 `layers` times, then with stride 1 twice; LeakyReLU 0.2; no norm in
    the first layer and the last. With three layers a score judges 70x70 pixels.

    Args:
        channels_in: Number of channels of the images, for instance labels and frame joined.
        width: Channels of the first layer; they double up to 8 times that.
        layers: How many halve the size, at least 1.
        norm: "instance" or "batch".
        name: Name of the model; its layers' names begin with it.

    Returns:
        A model of (batch, height, width, channels_in) with `layers` + 2 outputs: feature maps of
        1/2, 1/4... of the size and one pixel more, then one of a pixel more, and float32 scores
        (batch, height', width', 1) of one more again, since two pixels of zeros surround all.
    """
    x = images = keras.Input((None, None, channels_in), name=f"{name}_images")
    features = []
    for number in range(layers + 1):
        maps = width * min(2**number, _WIDEST)
        x = _convolved(x, maps, f"{name}_{number}_conv", 2 if number < layers else 1, number == 0)
        if number:
            x = normalize(x, norm, f"{name}_{number}_norm")
        x = keras.layers.LeakyReLU(0.2, name=f"{name}_{number}_relu")(x)
        features.append(x)
    scores = _convolved(x, 1, f"{name}_scores", 1, True, dtype="float32")
    return keras.Model(images, [*features, scores], name=name)


def _convolved(x, filters, name, strides, bias, **options):
    options = {"use_bias": bias, "kernel_initializer": weights(), **options}
    x = keras.layers.ZeroPadding2D(2, name=f"{name}_border")(x)
    return keras.layers.Conv2D(filters, 4, strides, name=name, **options)(x)


def multi_scale(discriminators: Sequence[keras.Model], x: Tensor, **options: Any) -> list:
    """Show an image to the first discriminator, half of it to the second, and so on.

    Args:
        discriminators: From `patch_discriminator`, one a scale, finest first.
        x: (batch, height, width, channels).
        **options: Arguments of the call, for instance `training=True`.

    Returns:
        For each scale the list that its discriminator returns.

    Raises:
        ValueError: If the sides of x, where they are known, are below `smallest_side`.
    """
    halving = len(discriminators[-1].outputs) - 2
    least = smallest_side(halving, len(discriminators))
    sides = x.shape[1:3]
    if any(side is not None and side < least for side in sides):
        raise ValueError(
            f"{len(discriminators)} scales of discriminators with {halving} layers need frames of "
            f"at least {least}x{least} pixels. Received: {sides[1]}x{sides[0]} (width x height)."
        )
    seen = []
    for number, discriminator in enumerate(discriminators):
        x = halved(x) if number else x
        seen.append(discriminator(x, **options))
    return seen


def smallest_side(layers: int, scales: int) -> int:
    """Return the least height and width, pixels, of which the last halving leaves 2x2 pixels.

    With fewer the coarsest discriminator would judge little but the zeros around the image.
    """
    return 2 ** (layers + scales)


def halved(x: Tensor) -> Tensor:
    """Average 3x3 pixels around every second one, of those alone that lie inside.

    Written out: for Keras' "same" pooling the middle of a window depends on the side being odd or
    even, and on PyTorch its border counts as pixels.

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, ceil(height / 2), ceil(width / 2), channels).
    """
    border = [(0, 0), (1, 1), (1, 1), (0, 0)]
    total = ops.average_pool(ops.pad(x, border), 3, 2)
    inside = ops.average_pool(ops.pad(ops.ones_like(x[:1, :, :, :1]), border), 3, 2)
    return total / inside
