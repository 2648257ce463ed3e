"""Losses shared by the families, each a mean over batch and positions."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any
GAN_LOSSES = ("lsgan", "hinge", "bce")


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


def power_error(truth: Tensor, generated: Tensor, p: int) -> Tensor:
    """Mean of |truth - generated|^p, any equal shapes (Mathieu et al. 2015, eq. 1, as a mean)."""
    difference = ops.abs(truth - generated)
    return ops.mean(difference if p == 1 else difference**p)


def gradient_difference(truth: Tensor, generated: Tensor, alpha: int) -> Tensor:
    """Compare how steep two images are: GDL (Mathieu et al. 2015, eq. 6).

    Differences of neighbours inside the image alone, so the border adds nothing.

    Args:
        truth: True images (batch, height, width, channels), at least 2 pixels high and wide.
        generated: Generated images of the same shape.
        alpha: Power of the difference of the absolute gradients.

    Returns:
        A scalar: the mean over vertical plus the mean over horizontal neighbours.
    """
    down = power_error(
        ops.abs(truth[:, 1:] - truth[:, :-1]), ops.abs(generated[:, 1:] - generated[:, :-1]), alpha
    )
    across = power_error(
        ops.abs(truth[:, :, 1:] - truth[:, :, :-1]),
        ops.abs(generated[:, :, 1:] - generated[:, :, :-1]),
        alpha,
    )
    return down + across


def gan_loss(kind: str, scores: Any, real: bool, generator: bool = False) -> Tensor:
    """Return the adversarial loss of scores that ought to be those of real samples, or not.

    Args:
        kind: "lsgan", (score - 1)^2 or score^2 (Mao et al. 2017, eq. 9); "hinge", relu(1 -+ score)
            and for the generator -+score (Lim and Ye 2017); "bce", cross-entropy of logits.
        scores: A tensor of any shape, or a list of them: one a scale.
        real: What the scores should say: true of real samples, and of generated ones where the
            loss is the generator's.
        generator: Whose loss it is; only "hinge" has two.

    Returns:
        A float32 scalar, the sum over scales of the means over batch and positions.

    Raises:
        ValueError: If there is no such kind.
    """
    if kind not in GAN_LOSSES:
        raise ValueError(f"Expected kind to be one of {', '.join(GAN_LOSSES)}. Received: {kind!r}")
    maps = [ops.cast(score, "float32") for score in keras.tree.flatten(scores)]
    return sum(_gan_loss(kind, score, real, generator) for score in maps)


def _gan_loss(kind: str, scores: Tensor, real: bool, generator: bool) -> Tensor:
    if kind == "bce":
        return binary_cross_entropy(scores, real)
    if kind == "lsgan":
        return ops.mean(ops.square(scores - float(real)))
    wrong = -scores if real else scores
    return ops.mean(wrong if generator else ops.relu(1.0 + wrong))


def feature_matching(
    real_features: Sequence[Sequence[Tensor]], generated_features: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Compare what discriminators see in real and in generated frames (Wang et al. 2018, eq. 4).

    Args:
        real_features: For each scale the feature maps of its layers, as a rule without the scores.
            A fixed aim: no gradient flows into them.
        generated_features: Feature maps of the generated frames, of equal shapes.

    Returns:
        A float32 scalar: 4 times the mean over scales and layers of each map's mean absolute
        difference. The 4 is the authors', who weigh each of n layers by 4 / n.
    """
    real, generated = keras.tree.flatten(real_features), keras.tree.flatten(generated_features)
    pairs = [[ops.cast(x, "float32") for x in pair] for pair in zip(real, generated, strict=True)]
    return 4.0 * sum(power_error(ops.stop_gradient(r), m, 1) for r, m in pairs) / len(pairs)


def masked_l1(truth: Tensor, generated: Tensor, mask: Tensor) -> Tensor:
    """Absolute difference where a mask is 1, as a mean over all positions and channels.

    The mean is over masked-out positions too: a frame with little to judge weighs little.

    Args:
        truth: True values (..., channels).
        generated: Generated values of the same shape.
        mask: Weights (..., 1), between 0 and 1.

    Returns:
        A scalar.
    """
    return ops.mean(ops.abs(truth - generated) * mask)
