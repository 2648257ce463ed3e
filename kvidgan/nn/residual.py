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


def weights() -> keras.initializers.Initializer:
    """Return the distribution that kernels begin with: N(0, 0.02)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def normalize(x: Tensor, norm: str, name: str) -> Tensor:
    """Normalise channels over each image ("instance") or over the batch ("batch").

    Epsilon stays Keras' 1e-3: on PyTorch the variance of a large flat area may come out below 0,
    and with 1e-5 its root would not be a number.

    Raises:
        ValueError: If there is no such norm.
    """
    if norm not in NORMS:
        raise ValueError(f"Expected norm to be one of {', '.join(NORMS)}. Received: {norm!r}")
    if norm == "instance":
        return layers.GroupNormalization(groups=-1, name=name)(x)
    return layers.BatchNormalization(momentum=0.9, name=name)(x)


def reflected_conv(
    x: Tensor, filters: int, kernel: int, name: str, strides: int = 1, **options: Any
) -> Tensor:
    """Convolve, the image mirrored at its border (the border pixels themselves not repeated).

    Args:
        x: (batch, height, width, channels); sides of more than kernel // 2 pixels.
        filters: Channels out.
        kernel: Side of the kernel, odd.
        name: Name of the layer.
        strides: In both directions.
        **options: Arguments of `keras.layers.Conv2D`.

    Returns:
        (batch, ceil(height / strides), ceil(width / strides), filters).
    """
    margin = (kernel // 2, kernel // 2)
    x = ops.pad(x, [(0, 0), margin, margin, (0, 0)], mode="reflect")
    options = {"kernel_initializer": weights(), **options}
    return layers.Conv2D(filters, kernel, strides, "valid", name=name, **options)(x)


def conv_block(
    x: Tensor, filters: int, kernel: int, name: str, strides: int = 1, norm: str = "instance"
) -> Tensor:
    """Convolve as `reflected_conv`, normalise, ReLU."""
    x = reflected_conv(x, filters, kernel, f"{name}_conv", strides, use_bias=False)
    return layers.ReLU(name=f"{name}_relu")(normalize(x, norm, f"{name}_norm"))


def residual_block(x: Tensor, name: str, norm: str = "instance") -> Tensor:
    """Add two 3x3 convolutions' correction to x, its shape unchanged."""
    channels = x.shape[-1]
    y = conv_block(x, channels, 3, f"{name}_1", norm=norm)
    y = reflected_conv(y, channels, 3, f"{name}_2_conv", use_bias=False)
    return layers.Add(name=f"{name}_add")([x, normalize(y, norm, f"{name}_2_norm")])


def down_block(x: Tensor, filters: int, name: str, norm: str = "instance") -> Tensor:
    """Halve height and width by a 3x3 convolution, normalise, ReLU."""
    return conv_block(x, filters, 3, name, 2, norm)


def up_block(x: Tensor, filters: int, name: str, norm: str = "instance") -> Tensor:
    """Double height and width by a transposed 3x3 convolution, normalise, ReLU.

    A third of the time of enlarging first and convolving then, which runs over four times as many
    pixels.
    """
    options = {"use_bias": False, "kernel_initializer": weights()}
    x = Conv2DTranspose(filters, 3, 2, "same", name=f"{name}_conv", **options)(x)
    return layers.ReLU(name=f"{name}_relu")(normalize(x, norm, f"{name}_norm"))
