"""Rate: how often frames follow each other, and frames brought to one rate; facts of a video."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

_STEADY = 0.3  # of the median: neighbours that differ by less are as far apart as the others


class VideoFacts(NamedTuple):
    """VideoFacts: what a look into a file tells, without decoding all of it.

    Attributes:
        fps: Frames per second that are read; None where the file does not say.
        length: Number of frames that are read, if none is damaged.
        height: Height of the frames as read, pixels.
        width: Width of the frames as read, pixels.
        conversions: What is done to the frames on the way, in a few words each.
        missing: What is missing or broken, as far as that is seen without decoding; "" for nothing.
    """

    fps: float | None
    length: int
    height: int
    width: int
    conversions: tuple[str, ...] = ()
    missing: str = ""


class Rate(NamedTuple):
    """How often frames follow each other.

    Attributes:
        fps: Frames per second, the median where they vary.
        steady: Whether all neighbours are equally far apart.
    """

    fps: float
    steady: bool


class Timed(NamedTuple):
    """Timed: a frame and when it is shown.

    Attributes:
        frame: Frame, uint8 (height, width, 3).
        time: Second at which it begins.
        until: Second at which it ends; None where only the next one tells.
    """

    frame: np.ndarray
    time: float
    until: float | None = None


def resampled(
    frames: Iterable[Timed], fps: float, end: float | None = None
) -> Iterator[np.ndarray]:
    """Repeat and leave out frames until one is shown every 1 / fps seconds.

    Args:
        frames: Frames with their seconds.
        fps: Frames per second.
        end: Second at which the last one ends, if it does not say; None for one frame later.
    """
    shown, before, first = 0, None, 0.0
    for one in frames:
        if before is None:
            first = one.time
        else:
            until = slots(one.time - first, fps)
            for _ in range(until - shown):
                yield before.frame
            shown = max(shown, until)
        before = one
    if before is not None:
        end = end if before.until is None else before.until
        left = 1 if end is None else slots(end - first, fps) - shown
        for _ in range(max(left, 0 if shown else 1)):
            yield before.frame


def rate_of(times: list[float], fallback: float) -> Rate:
    """Return the rate of frames that begin at these seconds, in any order."""
    gaps = np.diff(np.sort(np.array(times)))
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return Rate(fallback, True)
    median = float(np.median(gaps))
    steady = bool(np.abs(gaps - median).max() <= _STEADY * median)
    mean = float(gaps.mean()) if steady else median
    # What the file says is exact; its time stamps may be rounded to milliseconds.
    close = fallback > 0 and abs(fallback * mean - 1) < 0.02
    return Rate(fallback if close else 1 / mean, steady)


def slots(seconds: float, fps: float) -> int:
    """Return how many frames begin before, time stamps being exact to a quarter of a frame."""
    return math.ceil(seconds * fps - 0.25)
