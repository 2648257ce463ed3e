"""Shared memory: a few slots, each for one frame on its way from one process to another.

The memory has no name, so nobody has to clean it up: the system frees it when the last of the two
processes is gone, however they end. A slot is used again only after the reader released it, so a
slow reader slows the writer, nothing is lost, and memory is bounded.
"""

import errno
import math
import mmap
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import Any

import numpy as np

from kvidgan.errors import UserError

Panes = Mapping[str, np.ndarray | None]
Shape = tuple[int, ...]

SLOTS = 4


@dataclass(frozen=True)
class FrameLocation:
    """Location of a frame in the memory.

    Attributes:
        slot: Number of the slot, to release it.
        start: Index of the first byte.
        shapes: Shapes of the panes, in the order in which they lie there; None for a pane without
            data.
    """

    slot: int
    start: int
    shapes: dict[str, Shape | None]

    @property
    def end(self) -> int:
        """Index of the byte after the last."""
        return self.start + sum(math.prod(s) for s in self.shapes.values() if s)


class SharedMemory:
    """Memory without a name, which can grow, and be passed to a spawned process as an argument."""

    def __init__(self, inherited: int | None = None):
        self._fd = _unnamed_file() if inherited is None else inherited

    def __reduce__(self) -> tuple[Callable[[Any], "SharedMemory"], tuple[Any]]:
        return _from_duplicate, (DupFd(self._fd),)

    def grow(self, size: int) -> None:
        """Grow to at least `size` bytes.

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
        """Return a view of all of the memory, in its present size."""
        return mmap.mmap(self._fd, 0)

    def close(self) -> None:
        """Give the memory back, as far as this process is concerned; views stay."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("kvidgan-viewer")
    with tempfile.TemporaryFile() as file:  # its name is gone at once
        return os.dup(file.fileno())


def _from_duplicate(duplicate: Any) -> SharedMemory:
    return SharedMemory(duplicate.detach())


class Writer:
    """Writing end of the memory. Not for several threads."""

    def __init__(self, memory: SharedMemory, slots: int = SLOTS):
        self._memory, self._slots = memory, slots
        self._free = set(range(slots))
        self._size = 0  # of a slot, bytes
        self._map: mmap.mmap | None = None

    def has_room(self, panes: Panes) -> bool:
        """Whether a frame can be written now: a larger one than any before needs all slots."""
        if _num_bytes(panes) > self._size:
            return len(self._free) == self._slots
        return bool(self._free)

    def write(self, panes: Panes) -> FrameLocation:
        """Write a frame that there is room for.

        Args:
            panes: Pictures by name, uint8 (height, width, channels); None for a pane without data.

        Returns:
            The location, for the reader.

        Raises:
            UserError: If the frame needs more memory than there is.
        """
        if not self.has_room(panes):
            raise ValueError("expected room for a frame: wait until the reader releases slots")
        view = self._ensure_size(_num_bytes(panes))
        slot = self._free.pop()
        at = start = slot * self._size
        for pane in panes.values():
            if pane is not None:
                target = np.frombuffer(view, np.uint8, pane.size, at)
                np.copyto(target.reshape(pane.shape), pane)
                at += pane.size
        return FrameLocation(
            slot, start, {n: None if p is None else p.shape for n, p in panes.items()}
        )

    def release(self, slot: int) -> None:
        """Use a slot again: the reader has read it."""
        self._free.add(slot)

    def _ensure_size(self, size: int) -> mmap.mmap:
        """Return the memory, with slots of `size` bytes at least."""
        if self._map is None or size > self._size:
            whole = max(1, -(-size // mmap.PAGESIZE)) * mmap.PAGESIZE
            self._memory.grow(self._slots * whole)
            self._size, self._map = whole, self._memory.mapped()
        return self._map


class Reader:
    """Reading end of the memory. Not for several threads."""

    def __init__(self, memory: SharedMemory):
        self._memory = memory
        self._map: mmap.mmap | None = None

    def read(self, location: FrameLocation) -> dict[str, np.ndarray | None]:
        """Return a copy of a frame; its slot can be released then."""
        if self._map is None or len(self._map) < location.end:
            self._map = self._memory.mapped()
        with memoryview(self._map) as view:
            return unpack(view[location.start : location.end].tobytes(), location.shapes)


def unpack(data: bytes, shapes: Mapping[str, Shape | None]) -> dict[str, np.ndarray | None]:
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


def _num_bytes(panes: Panes) -> int:
    return sum(pane.size for pane in panes.values() if pane is not None)
