"""Blocks of image-to-image generators (Johnson et al. 2016, Wang et al. 2018).

Functions on tensors of a functional model, of any batch and frame size; exported, they are stock
layers. Each takes the `name` that its layers, and with them its weights, begin with.
"""

from typing import Any

import keras
from keras import layers, ops

from kvidgan.nn.convolutions import Conv2DTranspose

Tensor = Any
NORMS = ("instance", "batch")
EPSILON = 1e-5  # added to variances, as PyTorch's layers do


def weights() -> keras.initializers.Initializer:
    """Return the distribution that kernels begin with: N(0, 0.02)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def normalize(x: Tensor, norm: str, name: str) -> Tensor:
    """Normalise channels over each image ("instance") or over the batch ("batch").

    Raises:
        ValueError: If there is no such norm.
    """
    if norm not in NORMS:
        raise ValueError(f"Expected norm to be one of {', '.join(NORMS)}. Received: {norm!r}")
    if norm == "batch":
        return layers.BatchNormalization(momentum=0.9, epsilon=EPSILON, name=name)(x)
    if keras.backend.backend() == "torch":
        # Keras takes the variance there as a difference of squares: that of a large flat area may
        # come out below -epsilon, unless its mean is near 0.
        x = x - ops.mean(x, axis=(1, 2), keepdims=True)
    return layers.GroupNormalization(groups=-1, epsilon=EPSILON, name=name)(x)


def reflected_conv(x: Tensor, filters: int, kernel: int, name: str, **options: Any) -> Tensor:
    """Convolve, the image mirrored at its border (the border pixels themselves not repeated).

    Args:
        x: (batch, height, width, channels); sides of more than kernel // 2 pixels.
        filters: Channels out.
        kernel: Side of the kernel, odd.
        name: Name of the layer.
        **options: Arguments of `keras.layers.Conv2D`.

    Returns:
        (batch, height, width, filters).
    """
    margin = (kernel // 2, kernel // 2)
    x = ops.pad(x, [(0, 0), margin, margin, (0, 0)], mode="reflect")
    options = {"kernel_initializer": weights(), **options}
    return layers.Conv2D(filters, kernel, name=name, **options)(x)


def conv_block(x: Tensor, filters: int, kernel: int, name: str, norm: str = "instance") -> Tensor:
    """Convolve as `reflected_conv`, normalise, ReLU."""
    x = reflected_conv(x, filters, kernel, f"{name}_conv", use_bias=False)
    return _activated(x, name, norm)


def residual_block(x: Tensor, name: str, norm: str = "instance") -> Tensor:
    """Add two 3x3 convolutions' correction to x, its shape unchanged."""
    channels = x.shape[-1]
    y = conv_block(x, channels, 3, f"{name}_1", norm=norm)
    y = reflected_conv(y, channels, 3, f"{name}_2_conv", use_bias=False)
    return layers.Add(name=f"{name}_add")([x, normalize(y, norm, f"{name}_2_norm")])


def down_block(
    x: Tensor, filters: int, name: str, norm: str = "instance", kernel: int = 3
) -> Tensor:
    """Halve height and width, both even, by a convolution of zero-padded x; normalise, ReLU.

    A kernel of 3 has its middle on pixels 0, 2, 4... of x, one of 4 between them and the next.
    """
    x = ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    options = {"use_bias": False, "kernel_initializer": weights()}
    x = layers.Conv2D(filters, kernel, 2, name=f"{name}_conv", **options)(x)
    return _activated(x, name, norm)


def up_block(x: Tensor, filters: int, name: str, norm: str = "instance", kernel: int = 3) -> Tensor:
    """Double height and width by a transposed convolution, normalise, ReLU.

    The inverse of `down_block` with the same kernel: what that took from pixel 2i, or from between
    2i and the next, goes back to it. A third of the time of enlarging first and convolving then,
    which runs over four times as many pixels. With a kernel of 4 every pixel of the output has as
    many terms as its neighbours, with one of 3 it has not: a weak checkerboard.
    """
    options = {"use_bias": False, "kernel_initializer": weights(), "name": f"{name}_conv"}
    if kernel == 3:
        # "same" would cut the last row and column: all would lie a pixel too far.
        x = Conv2DTranspose(filters, 3, 2, "valid", **options)(x)[:, 1:, 1:]
    else:
        x = Conv2DTranspose(filters, kernel, 2, "same", **options)(x)
    return _activated(x, name, norm)


def shrunk(
    x: Tensor, width: int, times: int, name: str, norm: str = "instance", kernel: int = 3
) -> Tensor:
    """Convolve to `width` maps by 7x7, then halve the size and double the maps so many times."""
    x = conv_block(x, width, 7, f"{name}_in", norm)
    for step in range(1, times + 1):
        x = down_block(x, width << step, f"{name}_down{step}", norm, kernel)
    return x


def enlarged(
    x: Tensor, width: int, times: int, name: str, norm: str = "instance", kernel: int = 3
) -> Tensor:
    """Double the size so many times, the maps fewer each time, in the end `width`."""
    for step in reversed(range(times)):
        x = up_block(x, width << step, f"{name}_up{step}", norm, kernel)
    return x


def _activated(x: Tensor, name: str, norm: str) -> Tensor:
    return layers.ReLU(name=f"{name}_relu")(normalize(x, norm, f"{name}_norm"))
