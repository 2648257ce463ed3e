"""Averages: mean frames and colours, which a model that follows labels should at least beat."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kvidgan.data.parts import OnProgress
from kvidgan.evaluation.chosen_clips import ChosenClips, shown_size
from kvidgan.media import fit_frames, fit_maps

_BLOCK = 16  # frames that are read at a time

Array = np.ndarray
Size = tuple[int, int]


@dataclass(frozen=True)
class Averages:
    """Averages: means over the frames of some videos, in the shape that models need.

    Attributes:
        images: Mean frame of each (height, width), uint8 (height, width, channels).
        colours: Mean colour of each class, and last of the pixels of none, uint8 (classes + 1,
            channels); the mean of all pixels for those that are nowhere.
        num_videos: Number of videos that were averaged.
        num_frames: Number of frames that were averaged.
    """

    images: dict[Size, Array]
    colours: Array
    num_videos: int
    num_frames: int


def average_frames(chosen: ChosenClips, on_progress: OnProgress | None = None) -> Averages | None:
    """Average the frames that models may learn from, in one pass.

    Args:
        chosen: Clips that are scored, in the shape to average in.
        on_progress: Function that is called with (frames done, frames in all, "training frames").

    Returns:
        The averages over split "train" if the data has it, else over the videos that are not
        scored; None if no such video is left, or none of a size that is scored.
    """
    store, shape = chosen.store, chosen.shape
    wanted = [n for n in _videos(chosen) if shown_size(store, shape, n) in chosen.sizes]
    total, done = int(store.index["length"][wanted].sum()), 0
    images = {size: _Mean(size) for size in chosen.sizes}
    colours = _Colours(len(store.labels or ()), shape.channels)
    for number in wanted:
        size = shown_size(store, shape, number)
        for frames, labels in _blocks(chosen, number, size):
            images[size].add(frames)
            colours.add(frames, labels)
            done += len(frames)
            if on_progress is not None:
                on_progress(done, total, "training frames")
    if not all(image.count for image in images.values()):
        return None
    finished = {size: image.finished() for size, image in images.items()}
    return Averages(finished, colours.finished(), len(wanted), total)


def _videos(chosen: ChosenClips) -> Array:
    if "train" in chosen.store.splits:
        return chosen.store.videos("train")
    return np.setdiff1d(np.arange(len(chosen.store)), chosen.videos)


def _blocks(chosen: ChosenClips, video: int, size: Size) -> Iterator[tuple[Array, Array]]:
    """Yield frames and their label maps, a few at a time."""
    store, length = chosen.store, int(chosen.store.index["length"][video])
    for start in range(0, length, _BLOCK):
        place = video, start, min(start + _BLOCK, length)
        frames = fit_frames(store.read(*place), *size, chosen.shape.channels)
        yield frames, fit_maps(store.read_map("labels", *place), *size)


class _Mean:
    """The mean frame of one size, summed up block by block."""

    def __init__(self, size: Size):
        self.count, self.total = 0, np.zeros((*size, 1))

    def add(self, frames: Array) -> None:
        self.count += len(frames)
        self.total = self.total + frames.sum(0, dtype=np.float64)

    def finished(self) -> Array:
        return _rounded(self.total / self.count)


class _Colours:
    """The mean colour of each class, summed up block by block."""

    def __init__(self, classes: int, channels: int):
        self.count, self.total = np.zeros(classes + 1), np.zeros((classes + 1, channels))

    def add(self, frames: Array, labels: Array) -> None:
        classes = len(self.count)
        flat = np.minimum(labels.ravel(), classes - 1)
        channels = frames.reshape(-1, frames.shape[-1]).T
        self.count += np.bincount(flat, minlength=classes)
        sums = [np.bincount(flat, weights=one, minlength=classes) for one in channels]
        self.total += np.stack(sums, axis=-1)

    def finished(self) -> Array:
        anywhere = self.total.sum(0) / self.count.sum()
        of_class = self.total / np.maximum(self.count, 1)[:, None]
        return _rounded(np.where(self.count[:, None] > 0, of_class, anywhere))


def _rounded(values: Array) -> Array:
    rounded: Array = np.rint(values)
    return rounded.astype(np.uint8)
