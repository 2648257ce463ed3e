"""What a run's samples begin with, and how they are drawn: fixed noise, or held-out clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import bordered, enlarge, grid, strip
from kvidgan.rollout import Description, Rollout
from kvidgan.rollout.comparison import (
    GIVEN,
    NEITHER,
    PREDICTED,
    begin,
    compared,
    history_length,
    needed_maps,
    suited,
    suited_maps,
)
from kvidgan.rollout.description import Condition, History

# Samples of predictors: few, since each stands beside its truth; the middle of large frames.
CLIPS, LARGEST = 4, 256


@dataclass(frozen=True)
class Examples:
    """What samples begin with.

    Attributes:
        start: Arguments of `Rollout.start`.
        truth: uint8 (videos, time, height, width, channels), the given frames and those that
            followed; None for models that start from noise.
        given: How many of the true frames the model is given.
    """

    start: dict[str, Any]
    truth: np.ndarray | None = None
    given: int = 0


def examples(
    description: Description, store: ClipStore, split: str | None, videos: int, frames: int
) -> Examples:
    """Choose what samples begin with.

    Args:
        description: Of the model: whether it starts from noise or goes on with real frames.
        store: Where real frames come from: its test videos if it has such.
        split: The split that is trained on, used if there is no other.
        videos: How many samples; of clips, no more than 4.
        frames: How many frames will be predicted; clips may be shorter if the videos are.

    Raises:
        UserError: If no video is long enough to begin with.
    """
    if not description.named(History) and not description.named(Condition):
        return Examples({"videos": videos, "seed": 1})
    given, names = history_length(description), needed_maps(description)
    truth: list[np.ndarray] = []
    maps: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for number, where in _places(store, split, given, frames):
        truth.append(suited(description, _middle(description, store.read(number, *where))))
        for name in names:
            found = _middle(description, store.read_map(name, number, *where))
            maps[name].append(suited_maps(description, found))
    clips = np.stack(truth)
    stacked = {name: np.stack(found) for name, found in maps.items()}
    return Examples(begin(description, clips, stacked), clips, given)


def _places(store, split, given, frames) -> Iterator[tuple[int, tuple[int, int]]]:
    """Choose (video, (start, stop)) of one size and length, from the middle of held-out videos."""
    index = store.index
    held_out = np.flatnonzero(np.isin(index["split"], ["test", "val"]))
    numbers = held_out if len(held_out) else np.flatnonzero(np.isin(index["split"], ["", split]))
    numbers = numbers[index["length"][numbers] > given]
    if not len(numbers):
        raise UserError(
            f"{store.path.name}: expected a video of more than {given} frames to draw samples "
            f"from, the longest has {index['length'].max()}; use longer videos."
        )
    first = index[numbers[0]]
    alike = (index["height"] == first["height"]) & (index["width"] == first["width"])
    numbers = numbers[alike[numbers]]
    numbers = numbers[np.linspace(0, len(numbers) - 1, min(CLIPS, len(numbers))).astype(int)]
    length = min(given + frames, index["length"][numbers].min())
    for number in numbers:
        start = int(index["length"][number] - length) // 2
        yield int(number), (start, start + int(length))


def _middle(description: Description, frames: np.ndarray) -> np.ndarray:
    """Cut large frames or maps down, unless the model sees them whole at a size of its own."""
    if description.frame.trained:
        return frames
    height, width = frames.shape[1:3]
    top, left = max(0, height - LARGEST) // 2, max(0, width - LARGEST) // 2
    return frames[:, top : top + LARGEST, left : left + LARGEST]


def sample_strip(rollout: Rollout, begin: Examples, frames: int) -> np.ndarray:
    """Draw one picture: a row a video, time to the right.

    Predictions stand below the truth, given frames in green borders, predicted ones in red.
    """
    made = _play(rollout, begin, frames)
    if begin.truth is None:
        return strip(made)
    rows = []
    for truth, video in zip(begin.truth, made, strict=True):
        shown = np.concatenate([truth[: begin.given], video])[: len(truth)]
        rows += [_marked(truth, begin.given, NEITHER), _marked(shown, begin.given, PREDICTED)]
    return strip(rows)


def animation(rollout: Rollout, begin: Examples, frames: int) -> np.ndarray:
    """Return a moving picture of all samples, uint8 (time, height, width, channels)."""
    if begin.truth is None:
        return enlarge(grid(_play(rollout, begin, frames)))
    made = _play(rollout, begin, begin.truth.shape[1] - begin.given)
    pairs = zip(begin.truth, made, strict=True)
    videos = [
        list(compared(truth[: begin.given], truth[begin.given :], video, scale=1))
        for truth, video in pairs
    ]
    return enlarge(grid(np.array(videos)))


def _play(rollout: Rollout, begin: Examples, frames: int) -> np.ndarray:
    steps = islice(rollout.start(**begin.start), frames)
    return np.stack([step.frames for step in steps], axis=1)


def _marked(frames: np.ndarray, given: int, later: tuple[int, ...]) -> list[np.ndarray]:
    return [bordered(frame, GIVEN if t < given else later) for t, frame in enumerate(frames)]
