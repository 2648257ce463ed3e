"""Small pieces of networks shared by the families."""

from typing import Any

from keras import ops

Tensor = Any


def to_signal(frames: Tensor) -> Tensor:
    """Scale uint8 frames 0..255, of any shape, to float32 in [-1, 1] on the device."""
    return ops.cast(frames, "float32") / 127.5 - 1.0
