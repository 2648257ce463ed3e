"""What plays on some clips side by side: models, baselines, and the truth."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from kvidgan.data.flow import confident, dis_flow
from kvidgan.evaluation.averages import Averages
from kvidgan.evaluation.baselines import play_baselines
from kvidgan.evaluation.metrics import moving
from kvidgan.evaluation.protocol import Plan
from kvidgan.rollout import Rollout
from kvidgan.rollout.comparison import history_length, needed_maps
from kvidgan.rollout.label_maps import conditions, follows_labels

Array = np.ndarray


def rows(
    models: Mapping[str, Rollout],
    baselines: list[str],
    chosen: Plan,
    numbers: range,
    size: int,
    means: Averages | None,
) -> dict[str, Iterator[Array]]:
    """Return what models and baselines make for some clips, frame by frame.

    Args:
        models: By name.
        baselines: Names of `BASELINES`.
        chosen: All clips.
        numbers: Which of them.
        size: How many to play, for one compilation.
        means: What some baselines are made of.

    Returns:
        By name, iterators of uint8 (clips, height, width, channels).
    """
    history = np.stack([chosen.read(number, 0, chosen.history) for number in numbers])
    labels = _maps(chosen, ("labels",), numbers, chosen.history)
    made = {name: _model(model, chosen, history, numbers, size) for name, model in models.items()}
    return made | play_baselines(baselines, history, labels, means)


def _model(
    rollout: Rollout, chosen: Plan, history: Array, numbers: range, size: int
) -> Iterator[Array]:
    # Filled up to the size that the step is compiled for; clip n draws its noise from seed n.
    filled, about = np.arange(size) % len(history), rollout.description
    start: dict[str, Any] = {"videos": size, "seed": numbers.start}
    if history_length(about):
        start["history"] = history[filled]
    if follows_labels(about):
        maps = (one[filled] for one in _maps(chosen, needed_maps(about), numbers))
        start |= {"conditions": conditions(about, maps), "lead": chosen.history}
    for step in rollout.start(**start):
        yield step.frames[: len(history)]


def _maps(chosen: Plan, names: tuple[str, ...], numbers: range, first: int = 0) -> Iterator[Array]:
    """Yield the maps of each moment, (clips, height, width), of several in a last axis."""
    for place in range(first, chosen.history + chosen.frames):
        maps = [_moment(partial(chosen.read_map, name), numbers, place) for name in names]
        yield maps[0] if len(maps) == 1 else np.stack(maps, axis=-1)


def _moment(read: Callable[[int, int, int], Array], numbers: range, place: int) -> Array:
    return np.concatenate([read(number, place, place + 1) for number in numbers])


class Truth(NamedTuple):
    """One moment of some clips.

    Attributes:
        frames: uint8 (clips, height, width, channels).
        before: Those of the moment before.
        moved: Which pixels move, boolean (clips, height, width).
        flow: To the frames before, float32 (clips, height, width, 2).
        sure: Where it is right, boolean (clips, height, width).
    """

    frames: Array
    before: Array
    moved: Array
    flow: Array
    sure: Array


def truths(chosen: Plan, numbers: range, threshold: float) -> Iterator[Truth]:
    """Yield the moments that are predicted, of some clips.

    Args:
        chosen: All clips.
        numbers: Which of them.
        threshold: In pixels: what the flow of moving pixels exceeds.

    Raises:
        UserError: If the frames are too small for optical flow.
    """
    before = _moment(chosen.read, numbers, chosen.history - 1)
    for place in range(chosen.history, chosen.history + chosen.frames):
        frames = _moment(chosen.read, numbers, place)
        found = np.stack([dis_flow(*pair) for pair in zip(frames, before, strict=True)])
        moved = moving(found, threshold)
        if chosen.stored_flow:
            flow = _moment(partial(chosen.read_map, "flow"), numbers, place)
            sure = _moment(partial(chosen.read_map, "confidence"), numbers, place)
        else:
            flow, three = found, zip(frames, before, found, strict=True)
            sure = np.stack([confident(*one) for one in three])
        yield Truth(frames, before, moved, flow, sure)
        before = frames
