"""Rollouts of an evaluation: models, baselines and the truth, played on the same clips."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from kvidgan.data.flow import dis_flow, flow_confidence
from kvidgan.data.label_table import translated, translation
from kvidgan.data.labels import LabelSet
from kvidgan.evaluation.averages import Averages
from kvidgan.evaluation.baselines import play_baselines
from kvidgan.evaluation.chosen_clips import ChosenClips
from kvidgan.evaluation.protocol import Protocol, Truth
from kvidgan.rollout import Description, Rollout

Array = np.ndarray


def play_rows(
    models: Mapping[str, Rollout],
    baselines: list[str],
    chosen: ChosenClips,
    numbers: range,
    batch: int,
    averages: Averages | None,
) -> dict[str, Iterator[Array]]:
    """Play models and baselines on some clips, frame by frame.

    Args:
        models: Opened models by name.
        baselines: Names of `BASELINES`.
        chosen: All clips.
        numbers: The numbers of the clips to play.
        batch: Number of clips that the step is compiled for.
        averages: What some baselines are made of.

    Returns:
        By name, iterators of predicted frames, uint8 (clips, height, width, channels).
    """
    context = np.stack([chosen.read(number, 0, chosen.num_context) for number in numbers])
    labels = _maps(chosen, ("labels",), numbers, chosen.num_context)
    rows = {name: _play(model, chosen, context, numbers, batch) for name, model in models.items()}
    return rows | play_baselines(baselines, context, labels, averages)


def _play(
    rollout: Rollout, chosen: ChosenClips, context: Array, numbers: range, batch: int
) -> Iterator[Array]:
    # Filled up to the size that the step is compiled for; clip n draws its noise from seed n.
    filled, description = np.arange(batch) % len(context), rollout.description
    maps = None
    if description.maps:
        maps = _known_maps(chosen, description, numbers, filled)
    steps = rollout.continue_from(
        context[filled] if description.context_frames else None,
        maps,
        num_context=chosen.num_context,
        videos=batch,
        seed=numbers.start,
    )
    for step in steps:
        yield step.frames[: len(context)]


def _known_maps(
    chosen: ChosenClips, description: Description, numbers: range, filled: Array
) -> Iterator[Array]:
    """Yield the maps that a model follows, in its own numbers of classes."""
    assert chosen.store.labels is not None
    assert description.encoding is not None
    known, where = LabelSet.known_to(description.encoding), chosen.store.path.name
    table = translation(chosen.store.labels, known, where)
    for one in _maps(chosen, description.maps, numbers):
        yield translated(one[filled], table, where, objects=one.ndim == 4)


def _maps(
    chosen: ChosenClips, names: tuple[str, ...], numbers: range, first: int = 0
) -> Iterator[Array]:
    """Yield the maps frame by frame, (clips, height, width), those of several in a last axis."""
    for place in range(first, chosen.num_context + chosen.num_frames):
        maps = [_at(partial(chosen.read_map, name), numbers, place) for name in names]
        yield maps[0] if len(maps) == 1 else np.stack(maps, axis=-1)


def _at(read: Callable[[int, int, int], Array], numbers: range, place: int) -> Array:
    return np.concatenate([read(number, place, place + 1) for number in numbers])


def truths(chosen: ChosenClips, numbers: range, protocol: Protocol) -> Iterator[Truth]:
    """Yield the truth of the frames that are predicted, for some clips.

    Args:
        chosen: All clips.
        numbers: The numbers of the clips.
        protocol: Which pixels move.

    Raises:
        UserError: If the frames are too small for optical flow.
    """
    before = _at(chosen.read, numbers, chosen.num_context - 1)
    for place in range(chosen.num_context, chosen.num_context + chosen.num_frames):
        frames = _at(chosen.read, numbers, place)
        found = np.stack([dis_flow(*pair) for pair in zip(frames, before, strict=True)])
        moved = protocol.moved(frames, before, found)
        if chosen.stored_flow:
            flow = _at(partial(chosen.read_map, "flow"), numbers, place)
            confidence = _at(partial(chosen.read_map, "confidence"), numbers, place)
        else:
            flow, three = found, zip(frames, before, found, strict=True)
            confidence = np.stack([flow_confidence(*one) for one in three])
        yield Truth(frames, before, moved, flow, confidence)
        before = frames
