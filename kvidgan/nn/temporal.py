"""Temporal scales: frames some time apart, for discriminators of slower and faster motion."""

from typing import Any

Tensor = Any
_BASE = 3  # a scale's frames are so many times further apart than those of the scale before


def span(scale: int, taps: int = 3) -> int:
    """Return how many successive frames `at_scale` chooses from."""
    return (taps - 1) * _BASE**scale + 1


def at_scale(frames: Tensor, scale: int, taps: int = 3) -> Tensor:
    """Choose frames 1, 3 or 9 apart at scale 0, 1 or 2, the last frame among them.

    The flow from each to the one before is `warp.long_flow` over as many steps.

    Args:
        frames: (batch, time, ...), `span(scale, taps)` of them or more.
        scale: From 0.
        taps: How many frames to choose.

    Returns:
        (batch, taps, ...), the earliest first.

    Raises:
        ValueError: If there are known to be too few frames.
    """
    needed, count = span(scale, taps), frames.shape[1]
    if count is not None and count < needed:
        raise ValueError(
            f"{taps} frames at temporal scale {scale} span {needed} frames. Received: {count}"
        )
    return frames[:, -needed :: _BASE**scale]
