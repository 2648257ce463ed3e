"""Batches of clips for Keras, numbered: each is a pure function of (seed, epoch, index)."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import keras

from kvidgan.contract import ClipSpec
from kvidgan.data.sampler import Batch, Sampler
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError


class ClipBatches(keras.utils.PyDataset):
    """ClipBatches: random clips from a store, as a Keras data set, read ahead by threads.

    Each entry draws its own videos, uniformly among those that are long enough or by their numbers
    of frames (`ClipSpec.uniform_over`), and in each a start, uniformly. A Philox generator counts
    by (epoch, batch) and nothing else (by the run where batches come in runs), so a resumed run
    sees the batches that an uninterrupted one would, with any number of workers and of processes.

    To Keras the data set is endless, so say how long an epoch is, and that it is shuffled already;
    each `fit` starts it anew at `epoch` and `first`:

    ```python
    model.fit(batches, steps_per_epoch=len(batches), shuffle=False, epochs=epochs)
    ```

    To resume within an epoch, fit the rest of it with `first` set, then go on with a new object.

    Args:
        store: Clip store to draw from.
        specs: Specifications of the entries of a batch by name.
        batch: Number of clips per batch, over all processes.
        steps: Number of batches per epoch.
        stride: Distance in frames between two frames of a clip.
        seed: Seed of the draw.
        split: Split to draw from when the store has splits; None for every video.
        workers: Number of threads that read ahead; 0 reads when Keras asks.
        epoch: Number of the first epoch.
        first: Number of batches of that epoch to leave out.
        shard: Index of this process and number of processes: it reads its slice of every batch.

    Attributes:
        too_short: Number of videos that each entry cannot use, by name.

    Raises:
        UserError: If no video is long enough, the split is unknown, the store lacks a map, or the
            batch does not divide.

    Example:
        spec = ClipSpec(num_frames=8, height=32, width=32, channels=3)
        batches = ClipBatches(store, {"video": spec}, batch=16, steps=100)
        batches[0]["video"].shape  # (16, 8, 32, 32, 3)
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
        self._samplers = [
            Sampler(name, spec, store, videos, stride, seed) for name, spec in self.specs.items()
        ]
        self.too_short = {sampler.name: sampler.too_short for sampler in self._samplers}
        self._read_ahead = _ReadAhead(self._numbered, workers) if workers else None

    @property
    def num_batches(self) -> None:
        """Number of batches: None, which Keras takes as endless.

        Of a data set with an end, Keras would ask for each epoch's batches by the same numbers, in
        an order shuffled by a generator that no seed of ours reaches.
        """

    def __len__(self) -> int:
        """Return the number of batches left in the first epoch."""
        return self.steps - self.first

    def __getitem__(self, index: int) -> Batch:
        """Return a batch, counted from `first` of `epoch` on, through all epochs."""
        number = self.epoch * self.steps + self.first + index
        return self._read_ahead.get(number) if self._read_ahead else self._numbered(number)

    def _numbered(self, number: int) -> Batch:
        return self.batch_at(*divmod(number, self.steps))

    def batch_at(self, epoch: int, index: int) -> Batch:
        """Read one batch, whatever was read before.

        Args:
            epoch: Number of the epoch, counted from 0 over the whole run.
            index: Number of the batch in the epoch, from 0.

        Returns:
            Arrays of each entry NAME. NAME: uint8 (batch, time, height, width, channels);
            NAME_class: int32 (batch,), -1 for videos without a class; of the maps that it asks for,
            NAME_labels: uint8, NAME_instances: int32 and NAME_confidence: uint8 0 or 1 (batch,
            time, height, width), NAME_flow: float32 (batch, time, height, width, 2) in pixels; and
            with runs NAME_position: int32 (batch,), the place of the batch in its run.
        """
        batch: Batch = {}
        for sampler in self._samplers:
            batch.update(sampler.read(epoch, index, self.batch, self._own))
        return batch


class _ReadAhead:
    """ReadAhead: calls a pure function of a number for the numbers after the one asked for."""

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


def _own_slice(batch: int, index: int, count: int) -> slice:
    if batch % count:
        raise UserError(f"data.batch={batch} cannot be shared evenly by {count} processes.")
    share = batch // count
    return slice(index * share, (index + 1) * share)
