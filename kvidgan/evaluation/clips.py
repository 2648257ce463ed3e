"""Which clips predictions are scored on, and in which shape the models need them."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kvidgan.data.store import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import fit_frames
from kvidgan.rollout.description import Description
from kvidgan.rollout.predict import history_length, trained_stride

BATCH_CLIPS, BATCH_PIXELS = 16, 2**17

log = logging.getLogger(__name__)


class Clip(NamedTuple):
    """A stretch of a video: its number in the store, and its first frame's."""

    video: int
    start: int


class Shape(NamedTuple):
    """What all models need of the frames; a height or width of None is the data's own."""

    height: int | None
    width: int | None
    channels: int


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
        return Counter(_size(self.store, self.shape, clip.video) for clip in self.clips)

    def batches(self) -> Iterator[tuple[range, int]]:
        """Yield the numbers of clips to play together, and how many to play for one compilation."""
        first = 0
        for (height, width), count in self.sizes.items():
            most = max(1, min(BATCH_CLIPS, BATCH_PIXELS // (height * width), count))
            for start in range(first, first + count, most):
                yield range(start, min(start + most, first + count)), most
            first += count

    def read(self, number: int, start: int, stop: int) -> np.ndarray:
        """Read frames of a clip, counted from its first, in the models' shape.

        Returns:
            uint8 (time, height, width, channels).
        """
        video, first = self.clips[number]
        end = first + _span(stop, self.stride)
        frames = self.store.read(video, first + start * self.stride, end, self.stride)
        height, width = _size(self.store, self.shape, video)
        return fit_frames(frames, height, width, self.shape.channels)


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
        UserError: If a model does not predict, the models need different frames, the split is
            unknown, or no video is long enough.
    """
    # Two: a baseline extrapolates the motion between the last two.
    history = max([2, *(_history(name, model) for name, model in models.items())])
    shape = _shape(models)
    split = _split(store, split)
    videos = store.videos(split)[::every]
    stride = stride or _stride(models)
    span = _span(history + frames, stride)
    enough = _long_enough(store, videos, history, frames, stride)
    chosen = [
        Clip(int(video), start)
        for video in enough
        for start in _starts(int(store.index["length"][video]) - span, clips)
    ]
    chosen.sort(key=lambda clip: _size(store, shape, clip.video))
    short = len(videos) - len(enough)
    return Plan(store, split, every, stride, history, frames, shape, chosen, short)


def trained_on(plan: Plan, model: Description) -> bool:
    """Whether a model saw videos in its training that it is scored on, as far as its file tells."""
    if model.trained_on.get("checksum") != plan.store.checksum:
        return False
    split = model.config.get("data", {}).get("split")
    return not plan.store.splits or None in (plan.split, split) or plan.split == split


def _history(name: str, model: Description) -> int:
    try:
        return history_length(model)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def _shape(models: Mapping[str, Description]) -> Shape:
    """Return the one shape that fits all models."""
    channels = {name: model.frame.channels for name, model in models.items()}
    sizes = {name: (model.frame.height, model.frame.width) for name, model in models.items()}
    fixed = {name: size for name, size in sizes.items() if size != (None, None)}
    if len(set(channels.values())) > 1:
        raise _apart("channels", {name: str(number) for name, number in channels.items()})
    if len(set(fixed.values())) > 1:
        raise _apart(
            "frame sizes", {n: f"{w or 'any'}x{h or 'any'}" for n, (h, w) in fixed.items()}
        )
    height, width = next(iter(fixed.values()), (None, None))
    return Shape(height, width, next(iter(channels.values())))


def _apart(what: str, found: Mapping[str, str]) -> UserError:
    listed = ", ".join(f"{value} ({name})" for name, value in found.items())
    return UserError(
        f"Expected models with equal {what} to compare, found {listed}; evaluate them one by one."
    )


def _split(store: ClipStore, split: str | None) -> str | None:
    if split is None:
        return next((name for name in ("test", "val") if name in store.splits), None)
    if not store.splits:
        raise UserError(f"{store.path.name} has no splits, found {split!r}: leave the split out.")
    return split


def _stride(models: Mapping[str, Description]) -> int:
    strides = {name: trained_stride(model) for name, model in models.items()}
    if len(set(strides.values())) > 1:
        raise _apart("strides", {name: str(stride) for name, stride in strides.items()})
    return next(iter(strides.values()))


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


def _size(store: ClipStore, shape: Shape, video: int) -> tuple[int, int]:
    """Return the (height, width) in which a video is shown to the models."""
    row = store.index[video]
    return shape.height or int(row["height"]), shape.width or int(row["width"])
