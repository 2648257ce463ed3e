"""What frames look like on average: the least that a model that follows labels should beat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kvidgan.evaluation.protocol import Plan, shown_size
from kvidgan.media import fit_frames, fit_maps

_BLOCK = 16  # frames that are read at a time

Array = np.ndarray
Size = tuple[int, int]


@dataclass(frozen=True)
class Averages:
    """Means over the frames of some videos, in the shape that models need.

    Attributes:
        images: The mean frame for each (height, width), uint8 (height, width, channels).
        colours: The mean colour of each class, uint8 (classes, channels); of classes that are
            nowhere, that of all pixels.
        videos: How many videos.
        frames: How many frames.
    """

    images: dict[Size, Array]
    colours: Array
    videos: int
    frames: int


def averages(
    plan: Plan, progress: Callable[[int, int, str], None] | None = None
) -> Averages | None:
    """Average the frames that models may learn from, in one pass.

    Args:
        plan: What is scored.
        progress: Receives (frames done, in all, "training frames").

    Returns:
        The averages over split "train" if the data has it, else over the videos that are not
        scored; None if no such video is left, or none of a size that is scored.
    """
    store, shape = plan.store, plan.shape
    wanted = [n for n in _videos(plan) if shown_size(store, shape, n) in plan.sizes]
    total, done = int(store.index["length"][wanted].sum()), 0
    images = {size: _Mean(size) for size in plan.sizes}
    colours = _Colours(len(store.labels or ()), shape.channels)
    for number in wanted:
        size = shown_size(store, shape, number)
        for frames, labels in _blocks(plan, number, size):
            images[size].add(frames)
            colours.add(frames, labels)
            done += len(frames)
            if progress is not None:
                progress(done, total, "training frames")
    if not all(image.count for image in images.values()):
        return None
    finished = {size: image.finished() for size, image in images.items()}
    return Averages(finished, colours.finished(), len(wanted), total)


def _videos(plan: Plan) -> Array:
    if "train" in plan.store.splits:
        return plan.store.videos("train")
    return np.setdiff1d(np.arange(len(plan.store)), plan.videos)


def _blocks(plan: Plan, video: int, size: Size) -> Iterator[tuple[Array, Array]]:
    """Yield frames and their label maps, some at a time."""
    store, length = plan.store, int(plan.store.index["length"][video])
    for start in range(0, length, _BLOCK):
        place = video, start, min(start + _BLOCK, length)
        frames = fit_frames(store.read(*place), *size, plan.shape.channels)
        yield frames, fit_maps(store.read_map("labels", *place), *size)


class _Mean:
    def __init__(self, size: Size):
        self.count, self.total = 0, np.zeros((*size, 1))

    def add(self, frames: Array) -> None:
        self.count += len(frames)
        self.total = self.total + frames.sum(0, dtype=np.float64)

    def finished(self) -> Array:
        return _rounded(self.total / self.count)


class _Colours:
    def __init__(self, classes: int, channels: int):
        self.count, self.total = np.zeros(classes), np.zeros((classes, channels))

    def add(self, frames: Array, labels: Array) -> None:
        flat, classes = labels.ravel(), len(self.count)
        channels = frames.reshape(-1, frames.shape[-1]).T
        self.count += np.bincount(flat, minlength=classes)
        sums = [np.bincount(flat, weights=one, minlength=classes) for one in channels]
        self.total += np.stack(sums, axis=-1)

    def finished(self) -> Array:
        seen = self.count > 0
        anywhere = self.total.sum(0) / self.count.sum()
        own = self.total / np.maximum(self.count, 1)[:, None]
        return _rounded(np.where(seen[:, None], own, anywhere))


def _rounded(values: Array) -> Array:
    return np.rint(values).astype(np.uint8)
