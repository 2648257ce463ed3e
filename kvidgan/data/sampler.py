"""Sampler: draws the clips of one entry of a batch from a store, and cuts them to size."""

import logging
import zlib

import numpy as np

from kvidgan.contract import ClipSpec
from kvidgan.data.crops import FRAMES, ClipArrays, cropped, fitted, mirrored, motion_place
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError

log = logging.getLogger(__name__)

Batch = dict[str, np.ndarray]

_FLOW = "choose data with label maps, which are prepared with flow"
# Each map in words, and how to get data that have it.
_MAPS = {
    "labels": (
        "a label map",
        "prepare the videos with --labels edges or --labels foreground, or choose data that come"
        " with label maps",
    ),
    "instances": ("an instance map", "choose data that come with instance maps"),
    "flow": ("optical flow", _FLOW),
    "confidence": ("the flow's confidence", _FLOW),
}


class Sampler:
    """Sampler: draws and reads the clips of one entry of a batch.

    Args:
        name: Name of the entry.
        spec: Specification of the entry's clips.
        store: Clip store to draw from.
        videos: Numbers of the videos to draw from.
        stride: Distance in frames between two frames of a clip.
        seed: Seed of the draw.

    Attributes:
        too_short: Number of the videos that cannot be used.
        sequence: Number of windows in the longest run.

    Raises:
        UserError: If no video is long or large enough, or the store lacks a map.
    """

    def __init__(
        self,
        name: str,
        spec: ClipSpec,
        store: ClipStore,
        videos: np.ndarray,
        stride: int,
        seed: int,
    ):
        self.name, self.spec, self.store, self.stride = name, spec, store, stride
        self._key = np.array([seed, zlib.crc32(name.encode())], np.uint64)
        self._check_maps()
        self._videos = self._long_enough(self._large_enough(videos))
        self.too_short = len(videos) - len(self._videos)
        self.sequence = self._longest_run()

    def read(self, epoch: int, index: int, batch: int, own: slice) -> Batch:
        """Draw a whole batch and read a slice of it.

        Args:
            epoch: Number of the epoch, from 0.
            index: Number of the batch in the epoch, from 0.
            batch: Number of clips in the batch, over all processes.
            own: Slice of the batch that this process reads.

        Returns:
            Arrays by name, as `ClipBatches.batch_at` names them.
        """
        run, position = divmod(index, self._windows(epoch))
        rng = self._rng(epoch, run)
        # All processes draw the whole batch: the draw is cheap, reading is not.
        drawn = self._draw(rng, self._windows(epoch), batch)
        last = self._lengths(drawn) - self._span(self._windows(epoch))
        starts = rng.integers(0, last, endpoint=True) + position * self._step
        seeds = rng.integers(2**63, size=batch)
        flips = rng.random(batch) < 0.5 if self.spec.flip else np.zeros(batch, bool)
        own_clips = (drawn[own], starts[own], seeds[own], flips[own])
        clips = [self._clip(*one) for one in zip(*own_clips, strict=True)]
        arrays = {
            self.name if name == FRAMES else f"{self.name}_{name}": np.stack(
                [clip[name] for clip in clips]
            )
            for name in clips[0]
        }
        arrays[f"{self.name}_class"] = self.store.index["class"][drawn[own]].astype(np.int32)
        if self.spec.sequence > 1 or self.spec.position:
            arrays[f"{self.name}_position"] = np.full(len(clips), position, np.int32)
        return arrays

    def _rng(self, epoch: int, run: int) -> np.random.Generator:
        counter = np.array([0, 0, run, epoch], np.uint64)
        return np.random.Generator(np.random.Philox(key=self._key, counter=counter))

    def _draw(self, rng: np.random.Generator, windows: int, batch: int) -> np.ndarray:
        """Draw the numbers of a batch's videos, each of which a run of windows fits into."""
        fitting = self._fitting(windows)
        if self.spec.uniform_over == "videos":
            return rng.choice(fitting, batch)
        starts = self._lengths(fitting).astype(np.int64) - self._span(windows) + 1
        return rng.choice(fitting, batch, p=starts / starts.sum())

    def _clip(self, video: int, start: int, seed: int, flip: bool) -> ClipArrays:
        """Read one clip and bring it to the specified size."""
        place, spec = (video, start, start + self._span(), self.stride), self.spec
        frames = self.store.read(*place)
        clip: ClipArrays = {FRAMES: frames}
        clip.update({name: self.store.read_map(name, *place) for name in spec.maps})
        if spec.crop:
            rng = np.random.default_rng(seed)
            size = spec.height, spec.width
            clip = cropped(clip, motion_place(frames, size, spec.motion, rng), size)
        clip = fitted(clip, spec.height, spec.width, spec.channels)
        return mirrored(clip) if flip else clip

    # --- runs

    @property
    def _step(self) -> int:
        """Distance in the video's frames between the starts of two windows of a run."""
        return self.spec.advance * self.stride

    def _span(self, windows: int = 1) -> int:
        """Return the number of frames from a run's first to its last, both included."""
        return (self.spec.num_frames - 1) * self.stride + 1 + (windows - 1) * self._step

    def _windows(self, epoch: int) -> int:
        """Return the number of windows in the runs of an epoch."""
        spec = self.spec
        if not spec.grow_every:
            return self.sequence
        return min(self.sequence, spec.first_sequence << (epoch // spec.grow_every))

    def _lengths(self, videos: np.ndarray) -> np.ndarray:
        lengths: np.ndarray = self.store.index["length"][videos]
        return lengths

    def _fitting(self, windows: int) -> np.ndarray:
        """Return the numbers of the videos that a run of windows fits into."""
        fitting: np.ndarray = self._videos[self._lengths(self._videos) >= self._span(windows)]
        return fitting

    def _longest_run(self) -> int:
        """Return the number of windows in the longest run; warn if that is fewer than asked for."""
        name, wanted = self.store.path.name, self.spec.sequence
        longest = int(self._lengths(self._videos).max())
        windows = min(wanted, (longest - self._span()) // self._step + 1)
        if windows < wanted:
            log.warning(
                "%s: the longest video has %d frames: %s comes in runs of %d windows, not of %d.",
                *(name, longest, self.name, windows, wanted),
            )
        short = len(self._videos) - len(self._fitting(windows))
        if short:
            log.warning(
                "%s: %d of %d videos have fewer than %d frames and are not used for runs of %d"
                " windows of %s.",
                *(name, short, len(self._videos), self._span(windows), windows, self.name),
            )
        return windows

    # --- what can be used

    def _check_maps(self) -> None:
        store, maps = self.store, self.spec.maps
        for missing in (name for name in maps if name not in store.maps):
            noun, remedy = _MAPS[missing]
            raise UserError(
                f"{store.path.name} has no {missing}: {self.name} needs {noun} for every frame;"
                f" {remedy}."
            )
        if self.stride > 1 and {"flow", "confidence"} & set(maps):
            raise UserError(
                f"data.stride: expected 1, found {self.stride}: {self.name} needs optical flow,"
                " which is stored from each frame to the one before it; leave the stride out."
            )

    def _long_enough(self, videos: np.ndarray) -> np.ndarray:
        """Return the numbers of the videos that the clips fit into."""
        span, lengths = self._span(), self._lengths(videos)
        enough = videos[lengths >= span]
        if not len(enough):
            raise UserError(
                f"{self.store.path.name}: {self.name} needs videos of {span} frames, the longest"
                f" has {lengths.max()}: lower data.stride or the family's number of frames."
            )
        if len(enough) < len(videos):
            short = len(videos) - len(enough)
            log.warning(
                "%s: %d of %d videos have fewer than %d frames and are not used for %s.",
                *(self.store.path.name, short, len(videos), span, self.name),
            )
        return enough

    def _large_enough(self, videos: np.ndarray) -> np.ndarray:
        """Return the numbers of the videos that the crops fit into."""
        spec, index = self.spec, self.store.index[videos]
        enough = (index["height"] >= spec.height) & (index["width"] >= spec.width)
        if not spec.crop or enough.all():
            return videos
        large: np.ndarray = videos[enough]
        largest = index[np.argmax(index["height"].astype(np.int64) * index["width"])]
        name = self.store.path.name
        if not len(large):
            raise UserError(
                f"{name}: {self.name} needs frames of at least {spec.width}x{spec.height} pixels,"
                f" the largest are {largest['width']}x{largest['height']}: choose a smaller patch"
                " or larger videos."
            )
        log.warning(
            "%s: %d of %d videos have frames under %dx%d pixels and are not used for %s.",
            *(name, len(videos) - len(large), len(videos), spec.width, spec.height, self.name),
        )
        return large
