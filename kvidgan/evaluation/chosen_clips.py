"""Chosen clips: those that predictions are scored on, in the shape that the models need."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.evaluation.requirements import (
    FrameShape,
    check_labels,
    shared_context,
    shared_maps,
    shared_shape,
    shared_stride,
)
from kvidgan.media import fit_flow, fit_frames, fit_maps
from kvidgan.rollout.description import Description

BATCH_CLIPS, BATCH_PIXELS = 16, 2**17

log = logging.getLogger(__name__)


class ClipStart(NamedTuple):
    """ClipStart: where a clip begins.

    Attributes:
        video: Number of the video in the store.
        start: Number of the clip's first frame in the video, from 0.
    """

    video: int
    start: int


@dataclass(frozen=True)
class ChosenClips:
    """ChosenClips: the clips to predict, alike for all models, those of one size side by side.

    Attributes:
        store: Clip store that the clips are read from.
        split: Split that the clips are taken from; None for every video.
        every: Distance between two videos that are used: 1 uses all, 2 every other.
        stride: Distance in frames between two frames of a clip.
        num_context: Number of context frames, which models are given.
        num_frames: Number of frames that are predicted after them.
        shape: Shape of the frames that all models need.
        starts: Starts of the clips, in the order of their sizes.
        too_short: Number of videos left out, because they have fewer than `span` frames.
        maps: Names of the maps that models follow, of "labels" and "instances".
    """

    store: ClipStore
    split: str | None
    every: int
    stride: int
    num_context: int
    num_frames: int
    shape: FrameShape
    starts: list[ClipStart]
    too_short: int
    maps: tuple[str, ...] = ()

    @property
    def span(self) -> int:
        """Number of a video's frames from a clip's first to its last, both included."""
        return _span(self.num_context + self.num_frames, self.stride)

    @property
    def videos(self) -> np.ndarray:
        """Number of the video of each clip, int (clips,)."""
        return np.array([clip.video for clip in self.starts])

    @property
    def sizes(self) -> Counter[tuple[int, int]]:
        """Number of clips of each (height, width), as the models see them, smallest first."""
        return Counter(shown_size(self.store, self.shape, clip.video) for clip in self.starts)

    def batches(self) -> Iterator[tuple[range, int]]:
        """Yield the numbers of the clips to play together, and the size to compile a step for."""
        first = 0
        for (height, width), count in self.sizes.items():
            most = max(1, min(BATCH_CLIPS, BATCH_PIXELS // (height * width), count))
            for start in range(first, first + count, most):
                yield range(start, min(start + most, first + count)), most
            first += count

    @property
    def stored_flow(self) -> bool:
        """True if the store holds the flow between a clip's frames, which are neighbours then."""
        return self.stride == 1 and {"flow", "confidence"} <= set(self.store.maps)

    def read(self, number: int, start: int, stop: int) -> np.ndarray:
        """Read frames of a clip in the models' shape.

        Args:
            number: Number of the clip.
            start: First frame to read, counted from the clip's first.
            stop: First frame not to read.

        Returns:
            Frames, uint8 (time, height, width, channels).
        """
        frames = self.store.read(*self._place(number, start, stop))
        return fit_frames(frames, *self._size(number), self.shape.channels)

    def read_map(self, name: str, number: int, start: int, stop: int) -> np.ndarray:
        """Read one of the store's maps in the models' size, for frames as in `read`.

        Returns:
            Maps (time, height, width) of the map's type; flow is float32 (time, height, width, 2),
            in pixels of that size.
        """
        values = self.store.read_map(name, *self._place(number, start, stop))
        if name == "flow":
            return fit_flow(values.astype(np.float32), *self._size(number))
        return fit_maps(values, *self._size(number))

    def _place(self, number: int, start: int, stop: int) -> tuple[int, int, int, int]:
        video, first = self.starts[number]
        return video, first + start * self.stride, first + _span(stop, self.stride), self.stride

    def _size(self, number: int) -> tuple[int, int]:
        return shown_size(self.store, self.shape, self.starts[number].video)


def choose_clips(
    models: Mapping[str, Description],
    store: ClipStore,
    *,
    split: str | None,
    num_frames: int,
    clips: int,
    every: int,
    stride: int | None = None,
) -> ChosenClips:
    """Choose the clips that all of some models are scored on.

    Args:
        models: Descriptions of the models by name.
        store: Clip store to choose from.
        split: Split to choose from; None for "test" if the data has it, else "val", else all.
        num_frames: Number of frames to predict.
        clips: Number of clips per video, their starts evenly spaced over it.
        every: Distance between two videos that are used: 1 uses all, 2 every other.
        stride: Distance in frames between two frames of a clip; None for the models' own.

    Raises:
        UserError: If a model makes videos from noise, the models need different frames or other
            label maps than the data's, the split is unknown, or no video is long enough.
    """
    num_context, maps, shape = shared_context(models), shared_maps(models), shared_shape(models)
    check_labels(models, store)
    split = _split(store, split)
    videos = store.videos(split)[::every]
    stride = stride or shared_stride(models)
    span = _span(num_context + num_frames, stride)
    enough = _long_enough(store, videos, num_context, num_frames, stride)
    starts = [
        ClipStart(int(video), start)
        for video in enough
        for start in _starts(int(store.index["length"][video]) - span, clips)
    ]
    starts.sort(key=lambda clip: shown_size(store, shape, clip.video))
    return ChosenClips(
        store,
        split,
        every=every,
        stride=stride,
        num_context=num_context,
        num_frames=num_frames,
        shape=shape,
        starts=starts,
        too_short=len(videos) - len(enough),
        maps=maps,
    )


def trained_on(chosen: ChosenClips, model: Description) -> bool:
    """Return whether a model was trained on videos that it is scored on, by its file's record."""
    if model.trained_on.get("checksum") != chosen.store.checksum:
        return False
    split = model.config.get("data", {}).get("split")
    return not chosen.store.splits or None in (chosen.split, split) or chosen.split == split


def _split(store: ClipStore, split: str | None) -> str | None:
    if split is None:
        return next((name for name in ("test", "val") if name in store.splits), None)
    if not store.splits:
        raise UserError(f"{store.path.name} has no splits, found {split!r}: leave the split out.")
    return split


def _span(num_frames: int, stride: int) -> int:
    return (num_frames - 1) * stride + 1


def _long_enough(
    store: ClipStore, videos: np.ndarray, num_context: int, num_frames: int, stride: int
) -> np.ndarray:
    """Return the videos that hold the context frames and the frames to predict."""
    lengths, span = store.index["length"][videos], _span(num_context + num_frames, stride)
    enough: np.ndarray = videos[lengths >= span]
    if not len(enough):
        most = (int(lengths.max()) - 1) // stride + 1 - num_context
        hint = f"predict at most {most}" if most > 0 else "use longer videos"
        apart = "" if stride == 1 else f", {stride} apart,"
        raise UserError(
            f"{store.path.name}: {num_context} given and {num_frames} predicted frames{apart} need"
            f" videos of {span} frames, the longest has {lengths.max()}: {hint}."
        )
    if len(enough) < len(videos):
        log.warning(
            "%s: %d of %d videos have fewer than %d frames and are not scored.",
            *(store.path.name, len(videos) - len(enough), len(videos), span),
        )
    return enough


def _starts(last: int, clips: int) -> list[int]:
    """Return the starts of a video's clips; fewer where they would coincide."""
    return sorted({round(start) for start in np.linspace(0, last, clips)})


def shown_size(store: ClipStore, shape: FrameShape, video: int) -> tuple[int, int]:
    """Return the (height, width) in which a video is shown to the models."""
    row = store.index[video]
    return shape.height or int(row["height"]), shape.width or int(row["width"])
