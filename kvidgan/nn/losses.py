"""Losses shared by the families, each a mean over batch and positions."""

from typing import Any

from keras import ops

Tensor = Any


def binary_cross_entropy(logits: Tensor, real: bool) -> Tensor:
    """Cross-entropy of logits against "real" or "generated", natural logarithm.

    Args:
        logits: Any shape.
        real: The label that all of them should have.

    Returns:
        A scalar, log(2) for zero logits (Goodfellow et al. 2014, eq. 1, in the stable form).
    """
    return ops.mean(ops.softplus(-logits if real else logits))


def softmax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of class logits (batch, classes) against integer labels (batch,)."""
    log_probabilities = ops.log_softmax(logits, axis=-1)
    chosen = ops.take_along_axis(log_probabilities, ops.expand_dims(labels, -1), axis=-1)
    return -ops.mean(chosen)


def power_error(truth: Tensor, made: Tensor, p: int) -> Tensor:
    """Mean of |truth - made|^p, any equal shapes (Mathieu et al. 2015, eq. 1, as a mean)."""
    difference = ops.abs(truth - made)
    return ops.mean(difference if p == 1 else difference**p)


def gradient_difference(truth: Tensor, made: Tensor, alpha: int) -> Tensor:
    """Compare how steep two images are: GDL (Mathieu et al. 2015, eq. 6).

    Differences of neighbours inside the image alone, so the border adds nothing.

    Args:
        truth: (batch, height, width, channels), at least 2 pixels high and wide.
        made: Likewise.
        alpha: Power of the difference of the absolute gradients.

    Returns:
        A scalar: the mean over vertical plus the mean over horizontal neighbours.
    """
    down = power_error(
        ops.abs(truth[:, 1:] - truth[:, :-1]), ops.abs(made[:, 1:] - made[:, :-1]), alpha
    )
    across = power_error(
        ops.abs(truth[:, :, 1:] - truth[:, :, :-1]),
        ops.abs(made[:, :, 1:] - made[:, :, :-1]),
        alpha,
    )
    return down + across
