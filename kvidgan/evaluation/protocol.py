"""Which clips predictions are scored on, and in which shape the models need them."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.evaluation.requirements import (
    Shape,
    check_labels,
    history_of,
    maps_of,
    shape_of,
    stride_of,
)
from kvidgan.media import fit_flow, fit_frames, fit_maps
from kvidgan.rollout.description import Description

BATCH_CLIPS, BATCH_PIXELS = 16, 2**17

log = logging.getLogger(__name__)


class Clip(NamedTuple):
    """A stretch of a video: its number in the store, and its first frame's."""

    video: int
    start: int


@dataclass(frozen=True)
class Plan:
    """The clips to predict, alike for all models, those of one size side by side.

    Attributes:
        store: Where they are read from.
        split: The split they are of; None for every video.
        every: Of how many videos of the split one is used.
        stride: Distance in frames between two frames of a clip.
        history: True frames given.
        frames: Frames predicted.
        shape: As the models need them.
        clips: In the order of their sizes.
        too_short: Videos left out, because they have fewer than `span` frames.
        maps: Those that models follow: of "labels" and "instances".
    """

    store: ClipStore
    split: str | None
    every: int
    stride: int
    history: int
    frames: int
    shape: Shape
    clips: list[Clip]
    too_short: int
    maps: tuple[str, ...] = ()

    @property
    def span(self) -> int:
        """Frames from a clip's first to its last, both included."""
        return _span(self.history + self.frames, self.stride)

    @property
    def videos(self) -> np.ndarray:
        """The video of each clip, int (clips,)."""
        return np.array([clip.video for clip in self.clips])

    @property
    def sizes(self) -> Counter[tuple[int, int]]:
        """How many clips have which (height, width), as the models see them, smallest first."""
        return Counter(shown_size(self.store, self.shape, clip.video) for clip in self.clips)

    def batches(self) -> Iterator[tuple[range, int]]:
        """Yield the numbers of clips to play together, and how many to play for one compilation."""
        first = 0
        for (height, width), count in self.sizes.items():
            most = max(1, min(BATCH_CLIPS, BATCH_PIXELS // (height * width), count))
            for start in range(first, first + count, most):
                yield range(start, min(start + most, first + count)), most
            first += count

    @property
    def stored_flow(self) -> bool:
        """Whether the flow to the frame before is stored: it is if they are neighbours."""
        return self.stride == 1 and {"flow", "confidence"} <= set(self.store.maps)

    def read(self, number: int, start: int, stop: int) -> np.ndarray:
        """Read frames of a clip, counted from its first, in the models' shape.

        Returns:
            uint8 (time, height, width, channels).
        """
        frames = self.store.read(*self._place(number, start, stop))
        return fit_frames(frames, *self._size(number), self.shape.channels)

    def read_map(self, name: str, number: int, start: int, stop: int) -> np.ndarray:
        """Read one of the store's maps likewise, in the models' size.

        Returns:
            (time, height, width) of the map's type; of flow float32 (time, height, width, 2), in
            pixels of that size.
        """
        values = self.store.read_map(name, *self._place(number, start, stop))
        if name == "flow":
            return fit_flow(values.astype(np.float32), *self._size(number))
        return fit_maps(values, *self._size(number))

    def _place(self, number: int, start: int, stop: int) -> tuple[int, int, int, int]:
        video, first = self.clips[number]
        return video, first + start * self.stride, first + _span(stop, self.stride), self.stride

    def _size(self, number: int) -> tuple[int, int]:
        return shown_size(self.store, self.shape, self.clips[number].video)


def plan(
    models: Mapping[str, Description],
    store: ClipStore,
    *,
    split: str | None,
    frames: int,
    clips: int,
    every: int,
    stride: int | None = None,
) -> Plan:
    """Choose the clips that all of some models are scored on.

    Args:
        models: Descriptions by name.
        store: The data.
        split: None for "test" if the data has it, else "val", else every video.
        frames: How many frames to predict.
        clips: Clips per video, their starts evenly spaced from its first frame to its last.
        every: Use every so many-th video of the split.
        stride: Distance in frames between two frames of a clip; None for the models' own.

    Raises:
        UserError: If a model makes videos from noise, the models need different frames or other
            label maps than the data's, the split is unknown, or no video is long enough.
    """
    history, maps, shape = history_of(models), maps_of(models), shape_of(models)
    check_labels(models, store)
    split = _split(store, split)
    videos = store.videos(split)[::every]
    stride = stride or stride_of(models)
    span = _span(history + frames, stride)
    enough = _long_enough(store, videos, history, frames, stride)
    chosen = [
        Clip(int(video), start)
        for video in enough
        for start in _starts(int(store.index["length"][video]) - span, clips)
    ]
    chosen.sort(key=lambda clip: shown_size(store, shape, clip.video))
    short = len(videos) - len(enough)
    return Plan(store, split, every, stride, history, frames, shape, chosen, short, maps)


def trained_on(plan: Plan, model: Description) -> bool:
    """Whether a model saw videos in its training that it is scored on, as far as its file tells."""
    if model.trained_on.get("checksum") != plan.store.checksum:
        return False
    split = model.config.get("data", {}).get("split")
    return not plan.store.splits or None in (plan.split, split) or plan.split == split


def _split(store: ClipStore, split: str | None) -> str | None:
    if split is None:
        return next((name for name in ("test", "val") if name in store.splits), None)
    if not store.splits:
        raise UserError(f"{store.path.name} has no splits, found {split!r}: leave the split out.")
    return split


def _span(frames: int, stride: int) -> int:
    return (frames - 1) * stride + 1


def _long_enough(
    store: ClipStore, videos: np.ndarray, history: int, frames: int, stride: int
) -> np.ndarray:
    """Return those videos that a history and the frames after it fit into."""
    lengths, span = store.index["length"][videos], _span(history + frames, stride)
    enough = videos[lengths >= span]
    if not len(enough):
        room = (int(lengths.max()) - 1) // stride + 1 - history
        hint = f"predict at most {room}" if room > 0 else "use longer videos"
        apart = "" if stride == 1 else f", {stride} apart,"
        raise UserError(
            f"{store.path.name}: {history} given and {frames} predicted frames{apart} need videos"
            f" of {span} frames, the longest has {lengths.max()}: {hint}."
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


def shown_size(store: ClipStore, shape: Shape, video: int) -> tuple[int, int]:
    """Return the (height, width) in which a video is shown to the models."""
    row = store.index[video]
    return shape.height or int(row["height"]), shape.width or int(row["width"])
