"""Go on with a given clip, and lay what was predicted beside the truth."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import BACKGROUND, bordered, enlarge, fit_frames, grid

from .description import Condition, Description, History
from .player import Rollout

GIVEN, PREDICTED, NEITHER = (40, 200, 80), (225, 50, 50), (BACKGROUND,) * 3


def history_length(description: Description) -> int:
    """Return how many frames a predictor begins with.

    Raises:
        UserError: If the model does not predict from frames alone.
    """
    lengths = [spec.frames for spec in description.named(History).values()]
    if not lengths or description.named(Condition):
        raise UserError(
            f"Expected a model that predicts from a clip's frames, found a {description.family} "
            f"model with the inputs {', '.join(description.inputs)}; make videos with kvidgan "
            "generate."
        )
    return max(lengths)


def trained_stride(description: Description) -> int:
    """Return the distance in frames between two frames of the clips that a model learned from."""
    return int(description.config.get("data", {}).get("stride", 1))


def suited(description: Description, frames: np.ndarray) -> np.ndarray:
    """Convert frames to a model's channels, and to its size where it has a fixed one.

    Args:
        description: The model's.
        frames: uint8 (time, height, width, channels).
    """
    spec = description.frame
    height, width = spec.height or frames.shape[1], spec.width or frames.shape[2]
    return fit_frames(frames, height, width, spec.channels)


def predict(rollout: Rollout, history: np.ndarray, frames: int) -> Iterator[np.ndarray]:
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
    history: np.ndarray,
    truth: Iterable[np.ndarray],
    made: Iterable[np.ndarray],
    scale: int = 0,
) -> Iterator[np.ndarray]:
    """Show truth, prediction and their difference side by side, the given frames first.

    Edges tell what the model saw (green) and what it made (red).

    Args:
        history: uint8 (time, height, width, channels): the given frames, shown in both panes.
        truth: The frames that followed; may end early, its pane is then empty.
        made: The predicted ones.
        scale: Enlargement, as in `media.enlarge`.

    Yields:
        uint8 pictures, one a frame.
    """
    empty, truth = np.full_like(history[0], BACKGROUND), iter(truth)
    given = ((frame, frame, GIVEN, GIVEN) for frame in history)
    predicted = ((next(truth, None), frame, NEITHER, PREDICTED) for frame in made)
    for true, shown, *edges in chain(given, predicted):
        difference = empty if true is None else _difference(true, shown)
        panes = [empty if true is None else true, shown, difference]
        marked = [
            bordered(enlarge(pane, scale), edge)
            for pane, edge in zip(panes, [*edges, NEITHER], strict=True)
        ]
        yield grid(np.stack(marked)[:, None], columns=3)[0]


def _difference(truth: np.ndarray, made: np.ndarray) -> np.ndarray:
    return np.abs(truth.astype(np.int16) - made).astype(np.uint8)
