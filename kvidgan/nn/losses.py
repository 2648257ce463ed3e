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
