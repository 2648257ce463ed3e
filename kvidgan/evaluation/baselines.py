"""Baselines: predictions without a model, which a model should beat; each goes on for ever."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, repeat

import numpy as np

from kvidgan.data.flow import dis_flow, warp
from kvidgan.evaluation.averages import Averages

Baseline = Callable[[np.ndarray], Iterator[np.ndarray]]


def copy_last(context: np.ndarray) -> Iterator[np.ndarray]:
    """Predict that nothing moves.

    Args:
        context: Context frames, uint8 (time, height, width, channels).

    Yields:
        The last of them, over and over, uint8 (height, width, channels).
    """
    return repeat(context[-1])


def flow_extrapolation(context: np.ndarray) -> Iterator[np.ndarray]:
    """Predict that everything moves on as it did between the last two frames.

    With b the flow from the last frame back to the one before it, the k-th prediction is the last
    frame sampled at p + k b(p).

    Args:
        context: Context frames, two or more of at least 16 pixels a side, uint8 (time, height,
            width, channels).

    Yields:
        Predicted frames, uint8 (height, width, channels).

    Raises:
        UserError: If the frames are too small for optical flow.
    """
    last, previous = context[-1], context[-2]
    flow = dis_flow(last, previous)
    for horizon in count(1):
        yield warp(last, horizon * flow)


# The baselines by name, and what each does, for reports.
BASELINES: dict[str, str] = {
    "mean image": "the mean of all training frames, over and over",
    "class colours": "the label map, each class in its mean colour over all training frames",
    "copy last": "repeats the last true frame",
    "flow extrapolation": "samples the last true frame at p + k b(p) for the k-th prediction, b the"
    " DIS optical flow from it back to the frame before",
}


def baseline_names(labels: bool, averages: Averages | None) -> list[str]:
    """Return the names of the baselines to score beside models.

    Args:
        labels: Whether some of the models follow label maps.
        averages: Means of frames; None where there are no frames to average.
    """
    if not labels:
        return ["copy last", "flow extrapolation"]
    return [*(["mean image", "class colours"] if averages else []), "copy last"]


def play_baselines(
    names: Sequence[str],
    context: np.ndarray,
    labels: Iterator[np.ndarray],
    averages: Averages | None,
) -> dict[str, Iterator[np.ndarray]]:
    """Play baselines on some clips, frame by frame.

    Args:
        names: Names of the baselines, keys of `BASELINES`.
        context: Context frames, uint8 (clips, time, height, width, channels).
        labels: Label maps of the frames to predict, (clips, height, width) each.
        averages: Means of frames, for the baselines that show them; None without those.

    Returns:
        Iterators of predicted frames by name, uint8 (clips, height, width, channels) each.
    """
    predicted: dict[str, Iterator[np.ndarray]] = {
        "copy last": _clip_by_clip(copy_last, context),
        "flow extrapolation": _clip_by_clip(flow_extrapolation, context),
    }
    if averages is not None:
        image, colours = averages.images[context.shape[2:4]], averages.colours
        predicted["mean image"] = repeat(np.repeat(image[None], len(context), axis=0))
        predicted["class colours"] = (
            colours[np.minimum(maps, len(colours) - 1)] for maps in labels
        )
    return {name: predicted[name] for name in names}


def _clip_by_clip(baseline: Baseline, context: np.ndarray) -> Iterator[np.ndarray]:
    for frames in zip(*(baseline(clip) for clip in context), strict=True):
        yield np.stack(frames)
