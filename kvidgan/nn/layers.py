"""Small pieces of networks shared by the families."""

from typing import Any

from keras import ops

Tensor = Any


def to_signal(frames: Tensor) -> Tensor:
    """Scale uint8 frames 0..255, of any shape, to float32 in [-1, 1] on the device."""
    return ops.cast(frames, "float32") / 127.5 - 1.0


def one_hot_labels(labels: Tensor, classes: int) -> Tensor:
    """Give each class a channel.

    Args:
        labels: (batch, height, width) integers, or any shape.
        classes: How many there are; labels from 0 to classes - 1 are known, others all zeros.

    Returns:
        labels.shape + (classes,), float32.
    """
    labels = ops.expand_dims(ops.cast(labels, "int32"), -1)
    return ops.cast(ops.equal(labels, ops.arange(classes, dtype="int32")), "float32")


def instance_edges(instances: Tensor) -> Tensor:
    """Mark the pixels with a neighbour, left, right, above or below, in another instance.

    Args:
        instances: (batch, height, width) integers, an id an object.

    Returns:
        (batch, height, width, 1), float32: 1 on both sides of an edge, 0 elsewhere.
    """
    down = ops.cast(ops.not_equal(instances[:, 1:], instances[:, :-1]), "float32")
    across = ops.cast(ops.not_equal(instances[:, :, 1:], instances[:, :, :-1]), "float32")
    sides = [
        ops.pad(down, [(0, 0), (1, 0), (0, 0)]),
        ops.pad(down, [(0, 0), (0, 1), (0, 0)]),
        ops.pad(across, [(0, 0), (0, 0), (1, 0)]),
        ops.pad(across, [(0, 0), (0, 0), (0, 1)]),
    ]
    return ops.expand_dims(ops.max(ops.stack(sides), axis=0), -1)
