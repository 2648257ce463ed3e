"""Go on with a given clip, and lay what was predicted beside the truth."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import (
    BACKGROUND,
    bordered,
    colour_labels,
    enlarge,
    fit_frames,
    fit_maps,
    grid,
)
from kvidgan.rollout.conditions import tells_objects_apart
from kvidgan.rollout.description import Condition, Description, History

if TYPE_CHECKING:  # it imports Keras, and what a model needs is asked where there is none
    from kvidgan.rollout.rollout import Rollout

GIVEN, PREDICTED, NEITHER = (40, 200, 80), (225, 50, 50), (BACKGROUND,) * 3


def history_length(description: Description) -> int:
    """Return how many true frames a model is given before its first own.

    Raises:
        UserError: If it makes videos from noise alone.
    """
    lengths = [spec.frames for spec in description.named(History).values() if not spec.may_be_empty]
    if not description.named(History) and not description.named(Condition):
        raise UserError(
            f"Expected a model that goes on with a clip or follows label maps, found a "
            f"{description.family} model with the inputs {', '.join(description.inputs)}; make "
            "videos with kvidgan generate."
        )
    return max(lengths, default=0)


def needed_maps(description: Description) -> tuple[str, ...]:
    """Return the maps that a model follows: of "labels" and "instances", none without conditions.

    Raises:
        UserError: If it follows something else.
    """
    conditions = description.named(Condition).values()
    if any(spec.encoding is None and spec.looks is None for spec in conditions):
        raise UserError(
            f"Expected a model that follows label maps, found a {description.family} model that "
            "follows frames: such models are played from Python."
        )
    if any(tells_objects_apart(spec) for spec in conditions):
        return "labels", "instances"
    return ("labels",) if conditions else ()


def begin(
    description: Description, frames: np.ndarray, maps: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the arguments of `Rollout.start` for some clips of one size.

    Args:
        description: The model's.
        frames: uint8 (clips, time, height, width, channels): the given frames, and more or none.
        maps: Of `needed_maps`, integers (clips, time, height, width), from the first frame on.
    """
    given = history_length(description)
    start: dict[str, Any] = {"videos": len(frames)}
    if given:
        start["history"] = frames[:, :given]
    conditions = description.named(Condition)
    if conditions:
        stacked = [maps[name] for name in needed_maps(description)]
        moments = stacked[0] if len(stacked) == 1 else np.stack(stacked, axis=-1)
        start |= {"conditions": dict.fromkeys(conditions, moments.swapaxes(0, 1)), "lead": given}
    return start


def trained_stride(description: Description) -> int:
    """Return the distance in frames between two frames of the clips that a model learned from."""
    return int(description.config.get("data", {}).get("stride", 1))


def suited(description: Description, frames: np.ndarray) -> np.ndarray:
    """Convert frames to a model's channels, and to its size where it has one.

    Args:
        description: The model's.
        frames: uint8 (time, height, width, channels).
    """
    return fit_frames(frames, *own_size(description, frames), description.frame.channels)


def suited_maps(description: Description, maps: np.ndarray) -> np.ndarray:
    """Convert maps (time, height, width) likewise to a model's size."""
    return fit_maps(maps, *own_size(description, maps))


def own_size(description: Description, frames: np.ndarray) -> tuple[int, int]:
    """Return the (height, width) in which a model is to see frames or maps (time, height, ...)."""
    spec = description.frame
    height, width = spec.trained or frames.shape[1:3]
    return spec.height or height, spec.width or width


def predict(rollout: "Rollout", history: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    """Predict the frames after a clip's.

    Args:
        rollout: A predictor.
        history: uint8 (time, height, width, channels), at least as long as `history_length`.
        frames: How many to predict.

    Yields:
        uint8 (height, width, channels).
    """
    for step in islice(rollout.start(history=history), frames):
        yield step.frames[0]


def compared(
    history: Iterable[np.ndarray],
    truth: Iterable[np.ndarray] | None,
    made: Iterable[np.ndarray],
    scale: int = 0,
    labels: Iterable[np.ndarray] | None = None,
) -> Iterator[np.ndarray]:
    """Show label maps, truth, prediction and their difference side by side, given frames first.

    Edges tell what the model saw (green) and what it made (red).

    Args:
        history: uint8 (time, height, width, channels): the given frames, shown in both panes.
        truth: The frames that followed; may end early, its pane is then empty. None: no truth and
            no difference are shown.
        made: The predicted ones.
        scale: Enlargement, as in `media.enlarge`.
        labels: Label maps of the given and the predicted frames, (height, width). None: none are
            shown.

    Yields:
        uint8 pictures, one a frame.
    """
    true = iter(()) if truth is None else iter(truth)
    given = ((frame, frame, GIVEN, GIVEN) for frame in history)
    predicted = ((next(true, None), frame, NEITHER, PREDICTED) for frame in made)
    maps = repeat(None) if labels is None else labels
    for moment, numbers in zip(chain(given, predicted), maps, strict=False):
        panes = _panes(*moment) if truth is not None else [(moment[1], moment[3])]
        if numbers is not None:
            panes.insert(0, (colour_labels(numbers), NEITHER))
        marked = [bordered(enlarge(pane, scale), edge) for pane, edge in panes]
        yield grid(np.stack(marked)[:, None], columns=len(marked))[0]


def _panes(true, shown, *edges):
    """Return truth, prediction and difference with their edges; empty ones without a truth."""
    if true is None:
        empty = np.full_like(shown, BACKGROUND)
        return [(empty, edges[0]), (shown, edges[1]), (empty, NEITHER)]
    return [(true, edges[0]), (shown, edges[1]), (_difference(true, shown), NEITHER)]


def _difference(truth: np.ndarray, made: np.ndarray) -> np.ndarray:
    return np.abs(truth.astype(np.int16) - made).astype(np.uint8)
