"""Resizing of images by whole factors, where the samples lie told apart.

Two conventions are in use. With half-pixel centres (OpenCV, PyTorch, Keras) a pixel is the square
around its sample, so halving takes the middle of two. In TensorFlow 1 samples lie at the top left
corners of pixels: halving takes every other pixel as it is.
"""

from typing import Any, Literal, get_args

from keras import layers, ops

Tensor = Any
Shrink = Literal["average", "bilinear", "top_left"]
Enlarge = Literal["nearest", "bilinear", "top_left"]


def shrink(images: Tensor, factor: int, how: Shrink) -> Tensor:
    """Make images smaller by a power of two.

    Args:
        images: (batch, height, width, channels); height and width are multiples of the factor.
        factor: 2, 4, 8 and so on.
        how: "average" of each block; "bilinear" with half-pixel centres, which is the mean of a
            block's four middle pixels; "top_left", bilinear as in TensorFlow 1, which reads pixels
            0, factor, 2 * factor and so on.

    Returns:
        (batch, height / factor, width / factor, channels).

    Raises:
        ValueError: If there is no such way.
    """
    _check(how, Shrink)
    if how == "average":
        return ops.average_pool(images, factor, factor)
    if how == "top_left":
        return ops.average_pool(images, 1, factor)
    middle = factor // 2 - 1
    return ops.average_pool(images[:, middle:, middle:], 2, factor)


def enlarge(images: Tensor, how: Enlarge) -> Tensor:
    """Make images twice as large.

    Args:
        images: (batch, height, width, channels).
        how: "nearest" neighbours; "bilinear" with half-pixel centres; "top_left", bilinear as in
            TensorFlow 1: pixel 2i is pixel i, pixel 2i + 1 lies between i and i + 1.

    Returns:
        (batch, 2 * height, 2 * width, channels). Borders are continued.

    Raises:
        ValueError: If there is no such way.
    """
    _check(how, Enlarge)
    if how == "bilinear":
        return layers.UpSampling2D(2, interpolation="bilinear")(images)
    images = layers.UpSampling2D(2)(images)
    # Of a a b b the means of neighbours are a, (a + b) / 2, b, and b at the border.
    return images if how == "nearest" else layers.AveragePooling2D(2, 1, "same")(images)


def _check(how: str, known: Any) -> None:
    if how not in get_args(known):
        raise ValueError(f"Expected how to be one of {', '.join(get_args(known))}. Received: {how}")
