"""How steady made frames are: whether each is the one before it, moved as the truth moved."""

import numpy as np

from kvidgan.data.flow import warp
from kvidgan.media import to_float


def warping_error(
    before: np.ndarray, after: np.ndarray, flow: np.ndarray, sure: np.ndarray
) -> np.ndarray:
    """Return how far frames are from those before them, warped along the true flow.

    Args:
        before: uint8 (clips, height, width, channels).
        after: The frames that follow them, likewise.
        flow: Of the true frames, to the ones before, float32 (clips, height, width, 2), in pixels:
            after(p) is to be before(p + flow(p)).
        sure: Where that flow is right, boolean (clips, height, width); only there is measured.

    Returns:
        float64 (clips,): the mean square of the difference over those pixels and all channels,
        values in [-1, 1], so 4 at most; NaN where the flow is right nowhere.
    """
    squares = [
        ((to_float(new) - _warped(old, back)) ** 2).mean(-1)
        for old, new, back in zip(before, after, flow, strict=True)
    ]
    count = sure.sum((-2, -1))
    total = np.where(sure, np.array(squares), 0.0).sum((-2, -1), dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _warped(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    return warp(to_float(frame), flow)  # in float: rounded, equal frames would differ
