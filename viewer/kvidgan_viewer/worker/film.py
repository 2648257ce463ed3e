"""Film: the frames of one rollout, in memory up to a budget, in a temporary file beyond it."""

import errno
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kvidgan.errors import UserError
from kvidgan_viewer.worker.shared_memory import Panes, Shape, unpack

BUDGET = 512 * 2**20

# By metric: the score of the prediction, and that of the baseline that repeats the last context
# frame (NaN without one).
FrameScores = Mapping[str, tuple[float, float]]
_NO_SCORE = (np.nan, np.nan)


@dataclass(frozen=True)
class FilmFrame:
    """Frame of the film: the pictures of one time.

    Attributes:
        panes: Pictures by name, uint8 (height, width, 1 or 3); None for a pane without data.
        is_context: Whether it is a context frame, rather than made by the model.
        scores: Scores of the prediction; empty without a truth.
    """

    panes: Panes
    is_context: bool
    scores: FrameScores = field(default_factory=dict)


@dataclass(frozen=True)
class _FileLocation:
    """Location of a frame's pictures in the file, where they lie one after the other."""

    start: int
    shapes: dict[str, Shape | None]

    @property
    def size(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.shapes.values() if shape)


class Film:
    """Frames of one rollout. One thread may append while others read.

    Args:
        budget: Bytes of pictures to keep in memory.
        folder: The folder for the file of those beyond; None: the system's temporary folder. The
            file has no name there: it is gone with the process.
    """

    def __init__(self, budget: int = BUDGET, folder: str | None = None):
        self._budget, self._folder = budget, folder
        self._frames: list[tuple[Panes | _FileLocation, bool, FrameScores]] = []
        self._names: dict[str, None] = {}
        self._metrics: dict[str, None] = {}
        self._num_context, self._bytes_in_memory, self._bytes_on_disk = 0, 0, 0
        self._file: int | None = None
        self._closed = False
        # Who appends may wait for the disk: readers must not wait for that.
        self._append_lock, self._read_lock = threading.Lock(), threading.Lock()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def num_context(self) -> int:
        """Number of context frames, which come first."""
        return self._num_context

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of the pictures, in order."""
        return tuple(self._names)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores, in order."""
        return tuple(self._metrics)

    def append(
        self, panes: Panes, is_context: bool = False, scores: FrameScores | None = None
    ) -> None:
        """Append a frame; a closed film takes none, in silence.

        Args:
            panes: Pictures by name, as in `FilmFrame`; they are kept, not copied.
            is_context: Whether it is a context frame; these come before all others.
            scores: Scores of the prediction, if there is a truth.

        Raises:
            UserError: If the frame has to go to the disk, which is full.
        """
        scores = scores or {}
        with self._append_lock:
            if self._closed:
                return
            size = sum(pane.size for pane in panes.values() if pane is not None)
            fits = self._bytes_in_memory + size <= self._budget
            stored = panes if fits else self._write_panes(panes)
            self._bytes_in_memory += size * fits
            self._names |= dict.fromkeys(panes)
            self._metrics |= dict.fromkeys(scores)
            self._num_context += is_context
            self._frames.append((stored, is_context, scores))

    def __getitem__(self, index: int) -> FilmFrame:
        """Return a frame; a negative index counts from the end."""
        stored, is_context, scores = self._frames[index]
        panes = self._read(stored) if isinstance(stored, _FileLocation) else stored
        return FilmFrame(panes, is_context, scores)

    def scores(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a metric of all frames; NaN where there is none.

        Returns:
            The scores of the predictions and those of the baseline, each float (frames,).
        """
        pairs = [scores.get(name, _NO_SCORE) for _, _, scores in list(self._frames)]
        predicted, copied = np.array(pairs, float).reshape(-1, 2).T
        return predicted, copied

    def close(self) -> None:
        """Forget all frames, and the file."""
        with self._append_lock, self._read_lock:
            self._closed = True
            self._frames = []
            self._num_context = self._bytes_in_memory = 0
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()

    def _write_panes(self, panes: Panes) -> _FileLocation:
        location = _FileLocation(
            self._bytes_on_disk, {n: None if p is None else p.shape for n, p in panes.items()}
        )
        try:
            if self._file is None:
                self._file = _unnamed_file(self._folder)
            at = location.start
            for pane in panes.values():
                if pane is not None:
                    at += _write(self._file, np.ascontiguousarray(pane), at)
        except OSError as error:
            raise UserError(_cannot_write(self._folder, error)) from error
        self._bytes_on_disk = at
        return location

    def _read(self, location: _FileLocation) -> Panes:
        with self._read_lock:  # so that nobody closes it meanwhile
            if self._file is None:
                raise IndexError("the film was closed meanwhile")
            data = os.pread(self._file, location.size, location.start)
        if len(data) < location.size:
            raise OSError(errno.EIO, f"read {len(data)} of {location.size} bytes of a film")
        return unpack(data, location.shapes)


def _unnamed_file(folder: str | None) -> int:
    """Make a file that is gone with its last user."""
    fd, name = tempfile.mkstemp(prefix="kvidgan-viewer-", dir=folder)
    os.unlink(name)
    return fd


def _write(fd: int, pane: np.ndarray, at: int) -> int:
    """Write all of a picture, however little the system takes at a time; return its size."""
    data = pane.data.cast("B")
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], at + done)
    return done


def _cannot_write(folder: str | None, error: OSError) -> str:
    where = folder or tempfile.gettempdir()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"Cannot keep more frames in {where}: the disk is full; free some space, play fewer "
            "frames, or set TMPDIR to a folder on a larger disk."
        )
    return f"Cannot keep more frames in {where}: {error.strerror}; set TMPDIR to another folder."
