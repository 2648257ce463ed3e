"""Predictions without a model, which a model should beat: each goes on for ever from a history."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, repeat

import numpy as np

from kvidgan.data.flow import dis_flow, warp
from kvidgan.evaluation.averages import Averages

Baseline = Callable[[np.ndarray], Iterator[np.ndarray]]


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


# What each baseline does, for reports.
BASELINES: dict[str, str] = {
    "mean image": "the mean of all training frames, over and over",
    "class colours": "the label map, each class in its mean colour over all training frames",
    "copy last": "repeats the last true frame",
    "flow extrapolation": "samples the last true frame at p + k b(p) for the k-th prediction, b the"
    " DIS optical flow from it back to the frame before",
}


def baseline_names(labels: bool, averages: Averages | None) -> list[str]:
    """Return the baselines that go with models that follow labels, or that go on with a clip."""
    if not labels:
        return ["copy last", "flow extrapolation"]
    return [*(["mean image", "class colours"] if averages else []), "copy last"]


def play_baselines(
    names: Sequence[str],
    history: np.ndarray,
    labels: Iterator[np.ndarray],
    averages: Averages | None,
) -> dict[str, Iterator[np.ndarray]]:
    """Return what baselines make for some clips, frame by frame: uint8 (clips, height, ...).

    Args:
        names: Of `BASELINES`.
        history: uint8 (clips, time, height, width, channels): the true frames so far.
        labels: The label maps of the frames to make, (clips, height, width) each.
        averages: For those baselines that need them.
    """
    made: dict[str, Iterator[np.ndarray]] = {
        "copy last": _each(copy_last, history),
        "flow extrapolation": _each(flow_extrapolation, history),
    }
    if averages is not None:
        image, colours = averages.images[history.shape[2:4]], averages.colours
        made["mean image"] = repeat(np.repeat(image[None], len(history), axis=0))
        made["class colours"] = (colours[maps] for maps in labels)
    return {name: made[name] for name in names}


def _each(baseline: Baseline, history: np.ndarray) -> Iterator[np.ndarray]:
    for frames in zip(*(baseline(clip) for clip in history), strict=True):
        yield np.stack(frames)
