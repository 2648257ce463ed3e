"""One entry of a batch: which clips it draws from a store, and how they are cut."""

import logging
import zlib
from dataclasses import dataclass

import numpy as np

from kvidgan.data.crops import Clip, cropped, fitted, mirrored, motion_place
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError

log = logging.getLogger(__name__)

Batch = dict[str, np.ndarray]

_FLOW = "choose data with label maps, which are prepared with flow"
# What a map is for a frame, and how data without it become data with it.
_NEEDED = {
    "labels": (
        "a label map",
        "prepare the videos with --labels edges or --labels foreground, or choose data that come"
        " with label maps",
    ),
    "instances": ("an instance map", "choose data that come with instance maps"),
    "flow": ("optical flow", _FLOW),
    "confidence": ("the flow's confidence", _FLOW),
}


@dataclass(frozen=True)
class ClipSpec:
    """One named entry of a batch: clips of this many frames, height, width and channels.

    With a `sequence`, batches come in runs: each is a window that lies a little later in the same
    clips than the one before it, so that a model can go on with its own past. Runs may grow: in
    epoch e they have min(sequence, first_sequence * 2**(e // grow_every)) windows.

    Attributes:
        crop: Cut clips out at random places, at the videos' own scale, instead of cropping whole
            frames centrally and resizing them.
        motion: How much must move in such a crop: see `crops.motion_place`.
        maps: What comes along for each frame, of "labels", "instances", "flow" and "confidence".
        flip: Mirror every other clip, at random.
        sequence: Windows in a run, at most; fewer if no video is long enough.
        first_sequence: Windows in a run of epoch 0, if runs grow.
        grow_every: Epochs between two doublings; 0: runs are of full length from the start.
        advance: Frames of the clip between the starts of two windows.
        position: Say in the batch which window it is, also without runs.
    """

    frames: int
    height: int
    width: int
    channels: int
    crop: bool = False
    motion: float = 0.0
    maps: tuple[str, ...] = ()
    flip: bool = False
    sequence: int = 1
    first_sequence: int = 1
    grow_every: int = 0
    advance: int = 1
    position: bool = False

    def __post_init__(self) -> None:
        if self.crop and self.sequence > 1:
            raise ValueError("expected crop or sequence: a crop's place hangs on its own window")


class Entry:
    """Draws and reads the clips of one entry.

    Args:
        name: Of the entry.
        spec: What its clips are like.
        store: An open clip store.
        videos: The numbers of those to draw from.
        stride: Distance in frames between two frames of a clip.
        seed: Of the draw.

    Attributes:
        too_short: How many of the videos cannot be used.
        sequence: Windows in the longest run.

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
        """Read one's own slice of a batch: see `ClipBatches.batch_at`."""
        run, position = divmod(index, self._windows(epoch))
        rng = self._rng(epoch, run)
        # All processes draw the whole batch: the draw is cheap, reading is not.
        videos = self._fitting(self._windows(epoch))
        drawn = rng.choice(videos, batch)
        last = self._lengths(drawn) - self._span(self._windows(epoch))
        starts = rng.integers(0, last, endpoint=True) + position * self._step
        seeds = rng.integers(2**63, size=batch)
        flips = rng.random(batch) < 0.5 if self.spec.flip else np.zeros(batch, bool)
        chosen = (drawn[own], starts[own], seeds[own], flips[own])
        clips = [self._clip(*one) for one in zip(*chosen, strict=True)]
        made = {name: np.stack([clip[name] for clip in clips]) for name in clips[0]}
        made = {f"{self.name}_{name}" if name else self.name: made[name] for name in made}
        made[f"{self.name}_class"] = self.store.index["class"][drawn[own]].astype(np.int32)
        if self.spec.sequence > 1 or self.spec.position:
            made[f"{self.name}_position"] = np.full(len(clips), position, np.int32)
        return made

    def _rng(self, epoch: int, run: int) -> np.random.Generator:
        counter = np.array([0, 0, run, epoch], np.uint64)
        return np.random.Generator(np.random.Philox(key=self._key, counter=counter))

    def _clip(self, video: int, start: int, seed: int, flip: bool) -> Clip:
        """Read one clip and bring it to its spec's size."""
        where = (start, start + self._span(), self.stride)
        frames = self.store.read(video, *where)
        maps = {name: self.store.read_map(name, video, *where) for name in self.spec.maps}
        clip, spec = {"": frames, **maps}, self.spec
        if spec.crop:
            rng = np.random.default_rng(seed)
            place = motion_place(frames, (spec.height, spec.width), spec.motion, rng)
            clip = cropped(clip, place, (spec.height, spec.width))
        clip = fitted(clip, spec.height, spec.width, spec.channels)
        return mirrored(clip) if flip else clip

    # --- runs

    @property
    def _step(self) -> int:
        """Frames of the video between the starts of two windows of a run."""
        return self.spec.advance * self.stride

    def _span(self, windows: int = 1) -> int:
        """Return the frames from the first to the last of a run of windows, both included."""
        return (self.spec.frames - 1) * self.stride + 1 + (windows - 1) * self._step

    def _windows(self, epoch: int) -> int:
        """Return how many windows the runs of an epoch have."""
        spec = self.spec
        if not spec.grow_every:
            return self.sequence
        return min(self.sequence, spec.first_sequence * 2 ** (epoch // spec.grow_every))

    def _lengths(self, videos: np.ndarray) -> np.ndarray:
        return self.store.index["length"][videos]

    def _fitting(self, windows: int) -> np.ndarray:
        """Return the numbers of the videos that a run of windows fits into."""
        return self._videos[self._lengths(self._videos) >= self._span(windows)]

    def _longest_run(self) -> int:
        """Return how many windows there can be, at most; warn if that is fewer than asked for."""
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
            what, mend = _NEEDED[missing]
            raise UserError(
                f"{store.path.name} has no {missing}: {self.name} needs {what} for every frame;"
                f" {mend}."
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
        largest = index[np.argmax(index["height"].astype(np.int64) * index["width"])]
        name = self.store.path.name
        if not enough.any():
            raise UserError(
                f"{name}: {self.name} needs frames of at least {spec.width}x{spec.height} pixels,"
                f" the largest are {largest['width']}x{largest['height']}: choose a smaller patch"
                " or larger videos."
            )
        log.warning(
            "%s: %d of %d videos have frames under %dx%d pixels and are not used for %s.",
            *(name, (~enough).sum(), len(videos), spec.width, spec.height, self.name),
        )
        return videos[enough]
