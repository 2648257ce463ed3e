"""The moments of one rollout, in order: in memory up to a budget, in a temporary file beyond it."""

import errno
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kvidgan.errors import UserError
from kvidgan_viewer.worker.shared_memory import Panes, Shape, unpacked

BUDGET = 512 * 2**20

Scores = Mapping[str, tuple[float, float]]
_NOTHING = (np.nan, np.nan)


@dataclass(frozen=True)
class Moment:
    """What there is to show at one time.

    Attributes:
        panes: Pictures by name, uint8 (height, width, 1 or 3); None for a pane without data.
        given: Whether it was given to the model.
        scores: By metric, those of the prediction and of the copy of the last given frame.
    """

    panes: Panes
    given: bool
    scores: Scores = field(default_factory=dict)


@dataclass(frozen=True)
class _Filed:
    """Where the pictures of a moment lie in the file, one after the other."""

    start: int
    shapes: dict[str, Shape | None]

    @property
    def size(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.shapes.values() if shape)


class Film:
    """The moments of one rollout. One thread may append while others read.

    Args:
        budget: Bytes of pictures to keep in memory.
        folder: Where the file of those beyond it is made; None: the system's for such. The file has
            no name there: it is gone with the process.
    """

    def __init__(self, budget: int = BUDGET, folder: str | None = None):
        self._budget, self._folder = budget, folder
        self._moments: list[tuple[Panes | _Filed, bool, Scores]] = []
        self._names: dict[str, None] = {}
        self._metrics: dict[str, None] = {}
        self._given, self._kept, self._filed = 0, 0, 0
        self._file: int | None = None
        self._closed = False
        # Who appends may wait for the disk: readers must not wait for that.
        self._appending, self._reading = threading.Lock(), threading.Lock()

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def given(self) -> int:
        """How many moments come first that the model did not make."""
        return self._given

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of the pictures, in order."""
        return tuple(self._names)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores, in order."""
        return tuple(self._metrics)

    def append(self, panes: Panes, given: bool = False, scores: Scores | None = None) -> None:
        """Add a moment; a closed film takes none, in silence.

        Args:
            panes: See `Moment`; they are kept, not copied.
            given: Given moments come before all others.
            scores: See `Moment`.

        Raises:
            UserError: If it has to go to the disk, which is full.
        """
        scores = scores or {}
        with self._appending:
            if self._closed:
                return
            size = sum(pane.size for pane in panes.values() if pane is not None)
            kept = self._kept + size <= self._budget
            stored = panes if kept else self._written(panes)
            self._kept += size * kept
            self._names |= dict.fromkeys(panes)
            self._metrics |= dict.fromkeys(scores)
            self._given += given
            self._moments.append((stored, given, scores))

    def __getitem__(self, index: int) -> Moment:
        """Return a moment; a negative index counts from the end."""
        stored, given, scores = self._moments[index]
        panes = self._read(stored) if isinstance(stored, _Filed) else stored
        return Moment(panes, given, scores)

    def scores(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a metric of all moments, of predictions and of copies; NaN where there is none."""
        pairs = [scores.get(name, _NOTHING) for _, _, scores in list(self._moments)]
        made, copied = np.array(pairs, float).reshape(-1, 2).T
        return made, copied

    def close(self) -> None:
        """Forget all moments, and the file."""
        with self._appending, self._reading:
            self._closed = True
            self._moments = []
            self._given = self._kept = 0
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()

    def _written(self, panes: Panes) -> _Filed:
        filed = _Filed(self._filed, {n: None if p is None else p.shape for n, p in panes.items()})
        try:
            if self._file is None:
                self._file = _nameless(self._folder)
            at = filed.start
            for pane in panes.values():
                if pane is not None:
                    at += _write(self._file, np.ascontiguousarray(pane), at)
        except OSError as error:
            raise UserError(_cannot_write(self._folder, error)) from error
        self._filed = at
        return filed

    def _read(self, filed: _Filed) -> Panes:
        with self._reading:  # so that nobody closes it meanwhile
            if self._file is None:
                raise IndexError("the film was closed meanwhile")
            data = os.pread(self._file, filed.size, filed.start)
        if len(data) < filed.size:
            raise OSError(errno.EIO, f"read {len(data)} of {filed.size} bytes of a film")
        return unpacked(data, filed.shapes)


def _nameless(folder: str | None) -> int:
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
