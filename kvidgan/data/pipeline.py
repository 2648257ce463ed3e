"""Batches of clips for Keras: batch i of epoch e is a pure function of (seed, e, i)."""

import logging
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np

from kvidgan.data.crops import motion_crop
from kvidgan.data.store import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import fit_frames

log = logging.getLogger(__name__)

Batch = dict[str, np.ndarray]


@dataclass(frozen=True)
class ClipSpec:
    """One named entry of a batch: clips of this many frames, height, width and channels.

    Attributes:
        crop: Cut clips out at random places, at the videos' own scale, instead of cropping whole
            frames centrally and resizing them.
        motion: How much must move in such a crop: see `crops.motion_crop`.
    """

    frames: int
    height: int
    width: int
    channels: int
    crop: bool = False
    motion: float = 0.0


class ClipBatches(keras.utils.PyDataset):
    """Random clips from a store, read ahead by threads.

    Each entry draws its own videos, uniformly among those that are long enough, and in each a
    start, uniformly. A Philox generator counts by (epoch, batch) and nothing else, so a resumed run
    sees the batches that an uninterrupted one would, with any number of workers and of processes.

    To Keras the data set is endless, so say how long an epoch is, and that it is shuffled already;
    each `fit` starts it anew at `epoch` and `first`:

    ```python
    model.fit(batches, steps_per_epoch=len(batches), shuffle=False, epochs=epochs)
    ```

    To resume within an epoch, fit the rest of it with `first` set, then go on with a new object.

    Args:
        store: An open clip store.
        specs: The entries of a batch by name.
        batch: Clips per batch, over all processes.
        steps: Batches per epoch.
        stride: Distance in frames between two frames of a clip.
        seed: Of the draw.
        split: The split to read when the store has splits; None for every video.
        workers: Threads that read ahead; 0 reads when Keras asks.
        epoch: The number of the first epoch.
        first: Batches of that epoch to leave out.
        shard: (index, count) of this process: it reads its own slice of every batch.

    Attributes:
        too_short: Videos that each entry cannot use, by name.

    Raises:
        UserError: If no video is long enough, the split is unknown, or the batch does not divide.
    """

    def __init__(
        self,
        store: ClipStore,
        specs: Mapping[str, ClipSpec],
        *,
        batch: int,
        steps: int,
        stride: int = 1,
        seed: int = 0,
        split: str | None = "train",
        workers: int = 0,
        epoch: int = 0,
        first: int = 0,
        shard: tuple[int, int] = (0, 1),
    ):
        # Not Keras' own threads: what they had read when Keras looked at the first batch comes out
        # in the wrong order later, and a single one does not start at all.
        super().__init__(workers=0)
        self.store, self.specs = store, dict(specs)
        self.batch, self.steps, self.stride, self.seed = batch, steps, stride, seed
        self.epoch, self.first = epoch, first
        self._own = _own_slice(batch, *shard)
        videos = store.videos(split)
        self._videos = {name: self._long_enough(name, videos) for name in self.specs}
        self.too_short = {name: len(videos) - len(own) for name, own in self._videos.items()}
        self._ahead = _ReadAhead(self._numbered, workers) if workers else None

    @property
    def num_batches(self) -> None:
        """None, which Keras takes as endless.

        Of a data set with an end, Keras would ask for each epoch's batches by the same numbers, in
        an order shuffled by a generator that no seed of ours reaches.
        """

    def __len__(self) -> int:
        """Return the batches left in the first epoch."""
        return self.steps - self.first

    def __getitem__(self, index: int) -> Batch:
        """Return a batch, counted from `first` of `epoch` on, through all epochs."""
        number = self.epoch * self.steps + self.first + index
        return self._ahead.get(number) if self._ahead else self._numbered(number)

    def _numbered(self, number: int) -> Batch:
        return self.batch_at(*divmod(number, self.steps))

    def batch_at(self, epoch: int, index: int) -> Batch:
        """Read one batch, whatever was read before.

        Args:
            epoch: Counted from 0 over the whole run.
            index: Within the epoch, from 0.

        Returns:
            For each entry NAME, NAME: uint8 (batch, time, height, width, channels), and
            NAME_class: int32 (batch,), -1 for videos without a class.
        """
        batch: Batch = {}
        for name in self.specs:
            batch[name], batch[f"{name}_class"] = self._entry(name, epoch, index)
        return batch

    def _entry(self, name: str, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        spec = self.specs[name]
        key = np.array([self.seed, zlib.crc32(name.encode())], np.uint64)
        counter = np.array([0, 0, index, epoch], np.uint64)
        rng = np.random.Generator(np.random.Philox(key=key, counter=counter))
        # All processes draw the whole batch: the draw is cheap, reading is not.
        drawn = rng.choice(self._videos[name], self.batch)
        span = _span(spec, self.stride)
        starts = rng.integers(0, self.store.index["length"][drawn] - span, endpoint=True)
        seeds = rng.integers(2**63, size=self.batch)
        own = (drawn[self._own], starts[self._own], seeds[self._own])
        clips = [
            _cut(self.store.read(video, start, start + span, self.stride), spec, seed)
            for video, start, seed in zip(*own, strict=True)
        ]
        return np.stack(clips), self.store.index["class"][drawn[self._own]].astype(np.int32)

    def _long_enough(self, name: str, videos: np.ndarray) -> np.ndarray:
        """Return the numbers of the videos that an entry's clips fit into."""
        span = _span(self.specs[name], self.stride)
        videos = self._large_enough(name, videos)
        lengths = self.store.index["length"][videos]
        enough = videos[lengths >= span]
        if not len(enough):
            raise UserError(
                f"{self.store.path.name}: {name} needs videos of {span} frames, the longest has"
                f" {lengths.max()}: lower data.stride or the family's number of frames."
            )
        if len(enough) < len(videos):
            short = len(videos) - len(enough)
            log.warning(
                "%s: %d of %d videos have fewer than %d frames and are not used for %s.",
                *(self.store.path.name, short, len(videos), span, name),
            )
        return enough

    def _large_enough(self, name: str, videos: np.ndarray) -> np.ndarray:
        """Return the numbers of the videos that an entry's crops fit into."""
        spec, index = self.specs[name], self.store.index[videos]
        enough = (index["height"] >= spec.height) & (index["width"] >= spec.width)
        if not spec.crop or enough.all():
            return videos
        largest = index[np.argmax(index["height"].astype(np.int64) * index["width"])]
        if not enough.any():
            raise UserError(
                f"{self.store.path.name}: {name} needs frames of at least"
                f" {spec.width}x{spec.height} pixels, the largest are"
                f" {largest['width']}x{largest['height']}: choose a smaller patch or larger videos."
            )
        log.warning(
            "%s: %d of %d videos have frames under %dx%d pixels and are not used for %s.",
            *(self.store.path.name, (~enough).sum(), len(videos), spec.width, spec.height, name),
        )
        return videos[enough]


class _ReadAhead:
    """Calls a pure function of a number for the numbers after the one asked for."""

    def __init__(self, read: Callable[[int], Batch], workers: int):
        self._read = read
        self._depth = workers + 1
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="clips")
        self._pending: dict[int, Future[Batch]] = {}
        self._lock = threading.Lock()

    def get(self, number: int) -> Batch:
        wanted = range(number, number + self._depth)
        with self._lock:
            for other in self._pending.keys() - set(wanted):
                self._pending.pop(other).cancel()
            for other in wanted:
                if other not in self._pending:
                    self._pending[other] = self._pool.submit(self._read, other)
            future = self._pending.pop(number)
        return future.result()


def _cut(frames: np.ndarray, spec: ClipSpec, seed: int) -> np.ndarray:
    """Return a clip in its spec's size: by a random crop with motion, or of the whole frame."""
    if not spec.crop:
        return fit_frames(frames, spec.height, spec.width, spec.channels)
    size = (spec.height, spec.width)
    crop = motion_crop(frames, size, spec.motion, np.random.default_rng(seed))
    return fit_frames(crop, *size, spec.channels)


def _span(spec: ClipSpec, stride: int) -> int:
    """Return the frames from a clip's first to its last, both included."""
    return (spec.frames - 1) * stride + 1


def _own_slice(batch: int, index: int, count: int) -> slice:
    if batch % count:
        raise UserError(f"data.batch={batch} cannot be shared evenly by {count} processes.")
    share = batch // count
    return slice(index * share, (index + 1) * share)
