"""Predictions without a model, which a model should beat: each goes on for ever from a history."""

from collections.abc import Callable, Iterator
from itertools import count, repeat

import numpy as np

from kvidgan.data.flow import dis_flow, warp


def copy_last(history: np.ndarray) -> Iterator[np.ndarray]:
    """Predict that nothing moves.

    Args:
        history: uint8 (time, height, width, channels), the true frames so far.

    Yields:
        uint8 (height, width, channels): the last frame, over and over.
    """
    return repeat(history[-1])


def flow_extrapolation(history: np.ndarray) -> Iterator[np.ndarray]:
    """Predict that everything moves on as it did between the last two frames.

    With b the flow from the last frame back to the one before it, the k-th prediction is the last
    frame sampled at p + k b(p).

    Args:
        history: uint8 (time, height, width, channels), two frames or more of at least 16 pixels a
            side.

    Yields:
        uint8 (height, width, channels).

    Raises:
        UserError: If the frames are too small for optical flow.
    """
    last, before = history[-1], history[-2]
    back = dis_flow(last, before)
    for horizon in count(1):
        yield warp(last, horizon * back)


Baseline = Callable[[np.ndarray], Iterator[np.ndarray]]

# By name: how, and in words for reports.
BASELINES: dict[str, tuple[Baseline, str]] = {
    "copy last": (copy_last, "repeats the last true frame"),
    "flow extrapolation": (
        flow_extrapolation,
        "samples the last true frame at p + k b(p) for the k-th prediction, b the DIS optical flow"
        " from it back to the frame before",
    ),
}
