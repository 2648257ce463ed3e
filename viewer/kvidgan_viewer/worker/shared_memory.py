"""Frames from one process to another: a few slots of shared memory, each for one moment.

The memory has no name, so nobody has to clean it up: the system frees it when the last of the two
processes is gone, however they end. A slot is used again only after the reader let it go, so a slow
reader slows the writer, nothing is lost, and memory is bounded.
"""

import errno
import mmap
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np

from kvidgan.errors import UserError

Panes = Mapping[str, np.ndarray | None]
Shape = tuple[int, ...]

SLOTS = 4


@dataclass(frozen=True)
class Parcel:
    """Where a moment lies in the memory.

    Attributes:
        slot: Its number, to let it go.
        start: Its first byte.
        shapes: Of each pane, in the order in which they lie there; None for a pane without data.
    """

    slot: int
    start: int
    shapes: dict[str, Shape | None]

    @property
    def end(self) -> int:
        """The byte after its last."""
        return self.start + sum(np.prod(s, dtype=int) for s in self.shapes.values() if s)


class Memory:
    """Memory without a name, which grows and which a spawned process is given as an argument."""

    def __init__(self, inherited: int | None = None):
        self._fd = _nameless() if inherited is None else inherited

    def __reduce__(self):
        return _inherited, (DupFd(self._fd),)

    def grow(self, size: int) -> None:
        """Have at least `size` bytes.

        Raises:
            UserError: If there is not so much memory.
        """
        reserve = getattr(os, "posix_fallocate", lambda fd, _, end: os.ftruncate(fd, end))
        try:
            reserve(self._fd, 0, size)  # else a lack of memory shows as a fatal signal on writing
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG):
                raise
            raise UserError(
                f"Expected {size / 2**20:.0f} MiB of free memory for frames of this size, found "
                "less; close other programs or choose smaller frames."
            ) from error

    def mapped(self) -> mmap.mmap:
        """Return a view of all of it, in its present size."""
        return mmap.mmap(self._fd, 0)

    def close(self) -> None:
        """Give it back, as far as this process is concerned; views stay."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("kvidgan-viewer")
    with tempfile.TemporaryFile() as file:  # its name is gone at once
        return os.dup(file.fileno())


def _inherited(duplicate: Any) -> Memory:
    return Memory(duplicate.detach())


class Writer:
    """The writing end. Not for several threads."""

    def __init__(self, memory: Memory, slots: int = SLOTS):
        self._memory, self._slots = memory, slots
        self._free = set(range(slots))
        self._size = 0  # of a slot, bytes
        self._map: mmap.mmap | None = None

    def has_room(self, panes: Panes) -> bool:
        """Whether a moment can be written now: a larger one than any before needs all slots."""
        if _bytes(panes) > self._size:
            return len(self._free) == self._slots
        return bool(self._free)

    def write(self, panes: Panes) -> Parcel:
        """Write a moment that there is room for.

        Args:
            panes: By name, uint8 (height, width, channels), None for a pane without data.

        Returns:
            What the reader has to be told.

        Raises:
            UserError: If it needs more memory than there is.
        """
        if not self.has_room(panes):
            raise ValueError("expected room for a moment: wait until the reader lets slots go")
        view = self._fitting(_bytes(panes))
        slot = self._free.pop()
        at = start = slot * self._size
        for pane in panes.values():
            if pane is not None:
                target = np.frombuffer(view, np.uint8, pane.size, at)
                np.copyto(target.reshape(pane.shape), pane)
                at += pane.size
        return Parcel(slot, start, {n: None if p is None else p.shape for n, p in panes.items()})

    def let_go(self, slot: int) -> None:
        """Use a slot again: the reader has read it."""
        self._free.add(slot)

    def _fitting(self, size: int) -> mmap.mmap:
        """Return the memory, with slots of `size` bytes at least."""
        if self._map is None or size > self._size:
            whole = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
            self._memory.grow(self._slots * whole)
            self._size, self._map = whole, self._memory.mapped()
        return self._map


class Reader:
    """The reading end. Not for several threads."""

    def __init__(self, memory: Memory):
        self._memory = memory
        self._map: mmap.mmap | None = None

    def read(self, parcel: Parcel) -> dict[str, np.ndarray | None]:
        """Return a copy of a moment; its slot can be let go then."""
        if self._map is None or len(self._map) < parcel.end:
            self._map = self._memory.mapped()
        with memoryview(self._map) as view:
            return unpacked(view[parcel.start : parcel.end].tobytes(), parcel.shapes)


def unpacked(data: bytes, shapes: Mapping[str, Shape | None]) -> dict[str, np.ndarray | None]:
    """Return panes that lie one after the other, as read-only views of the bytes."""
    panes: dict[str, np.ndarray | None] = {}
    at = 0
    for name, shape in shapes.items():
        panes[name] = None
        if shape is not None:
            count = int(np.prod(shape))
            panes[name] = np.frombuffer(data, np.uint8, count, at).reshape(shape)
            at += count
    return panes


def _bytes(panes: Panes) -> int:
    return sum(pane.size for pane in panes.values() if pane is not None)
