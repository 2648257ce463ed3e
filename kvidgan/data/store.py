"""The clip store: one HDF5 file per data set, one frame per chunk.

    /                   attributes: what it was made from, how, and a checksum
    /index              one row per video: where its frames lie, and what it is
    /skipped            what was left out and why, as JSON
    /frames/64x64x3     all frames of one size, uint8 (frames, height, width, channels), lzf

What belongs to single frames lies beside them, under the same names (`/labels/64x64`).
"""

import errno
import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from hashlib import blake2b
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kvidgan import __version__
from kvidgan.data.listing import Skipped, Video
from kvidgan.errors import UserError
from kvidgan.media import replacing

FORMAT = 1
RESERVE = 2**22  # bytes, for what HDF5 writes beside the frames

# One row of the index; text is added at the length that it needs.
_NUMBERS = [
    ("start", "i8"),
    ("length", "i8"),
    ("height", "i4"),
    ("width", "i4"),
    ("channels", "i4"),
    ("class", "i4"),
]
_DIGEST = ("digest", "V16")


class ClipStore:
    """A clip store, open for reading: safe to share between threads, and picklable.

    Attributes:
        path: The file.
        name: Of the data set.
        classes: Class names.
        skipped: What the conversion left out, and why.
        index: One row per video: start, length, height, width, channels, class (-1: none), split
            ("" without one), name (in the source), digest.
        fingerprint: Of the source and the settings that it was made from.
        checksum: Hexadecimal, of all frames.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._file: h5py.File | None = None
        self._process = 0
        self._lock = threading.Lock()
        with _explained(self.path), h5py.File(self.path, "r", locking=False) as file:
            header = _header(self.path, file)
            self.index = _decoded(file["index"][:])
            skipped = file["skipped"][:].tobytes()
        self.name: str = header["name"]
        self.classes: list[str] = json.loads(header["classes"])
        self.skipped = [Skipped(*one) for one in json.loads(skipped)]
        self.settings: dict[str, Any] = json.loads(header["settings"])
        self.source: str = header["source"]
        self.fingerprint: str = header["fingerprint"]
        self.checksum: str = header["checksum"]
        self.version: str = header["kvidgan"]

    @classmethod
    def open(cls, path: str | Path) -> "ClipStore":
        """Open a store.

        Raises:
            UserError: If the file is missing, truncated, no clip store, or of a newer version.
        """
        return cls(path)

    def __len__(self) -> int:
        return len(self.index)

    def read(self, video: int, start: int, stop: int, step: int = 1) -> np.ndarray:
        """Read frames start, start + step, ... before stop of one video.

        Returns:
            uint8 (frames, height, width, channels).

        Raises:
            UserError: If the file is damaged there.
        """
        row = self.index[video]
        if not 0 <= start <= stop <= row["length"]:
            raise IndexError(f"frames {start}:{stop} of a video with {row['length']}")
        first = int(row["start"])
        with self._lock, _explained(self.path):
            frames = self._opened()[_dataset(row)]
            if step == 1:
                return frames[first + start : first + stop]
            # One by one: a strided selection would take HDF5 a hundred times longer. By plain
            # indexing: h5py's direct chunk reads do not hold its lock, and crash between threads.
            wanted = range(first + start, first + stop, step)
            clip = np.empty((len(wanted), *frames.shape[1:]), np.uint8)
            for place, number in enumerate(wanted):
                clip[place] = frames[number]
            return clip

    @property
    def splits(self) -> list[str]:
        """The names of the splits, sorted; none when the data came without."""
        return sorted({str(split) for split in self.index["split"] if split})

    def videos(self, split: str | None) -> np.ndarray:
        """Return the numbers of a split's videos; of all for None, or in a store without splits.

        Raises:
            UserError: If there are splits, and none of this name.
        """
        if split is None or not self.splits:
            return np.arange(len(self))
        chosen = np.flatnonzero(self.index["split"] == split)
        if not len(chosen):
            found = ", ".join(self.splits)
            raise UserError(f"{self.path.name} has no split {split!r}: expected one of {found}.")
        return chosen

    def verify(self) -> None:
        """Read everything and compare with the checksums.

        Raises:
            UserError: If a video's frames are not those that were written.
        """
        for number, row in enumerate(self.index):
            digest = _new_digest()
            for frame in range(row["length"]):
                digest.update(self.read(number, frame, frame + 1).tobytes())
            if digest.digest() != row["digest"].tobytes():
                raise UserError(f"{self.path} is damaged at {row['name']}: convert the data again.")

    def describe(self) -> list[tuple[str, str]]:
        """Return what is worth knowing about the store: (what, value) in the order to show."""
        index, lengths = self.index, self.index["length"]
        sizes = Counter(f"{row['width']}x{row['height']}x{row['channels']}" for row in index)
        numbers = Counter(int(number) for number in index["class"])
        classes = {name: numbers[place] for place, name in enumerate(self.classes)}
        splits = Counter(str(split) for split in index["split"] if split)
        longest = f"{lengths.min()} to {lengths.max()} frames, median {np.median(lengths):g}"
        lines = [
            ("name", self.name),
            ("source", self.source),
            ("videos", str(len(index))),
            ("frames", str(lengths.sum())),
            ("lengths", longest),
            ("sizes", _counts(sizes)),
            ("classes", _counts(classes)),
            ("splits", _counts(splits)),
            *(("skipped", f"{one.name}: {one.reason}") for one in self.skipped),
            ("settings", ", ".join(f"{key} {value}" for key, value in self.settings.items())),
            ("checksum", self.checksum),
            ("written by", f"kvidgan {self.version}"),
        ]
        return [(what, value) for what, value in lines if value]

    def provenance(self) -> dict[str, Any]:
        """Return what a model that was trained on this data should record of it."""
        return {
            "data": self.name,
            "videos": len(self.index),
            "frames": int(self.index["length"].sum()),
            "checksum": self.checksum,
        }

    def _opened(self) -> h5py.File:
        # An HDF5 handle must not cross a fork.
        if self._file is None or self._process != os.getpid():
            self._file = h5py.File(self.path, "r", locking=False)
            self._process = os.getpid()
        return self._file

    def close(self) -> None:
        """Close the file; reading opens it again."""
        with self._lock:
            if self._file is not None and self._process == os.getpid():
                self._file.close()
            self._file = None

    def __enter__(self) -> "ClipStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_file", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _file=None, _lock=threading.Lock())


class StoreWriter:
    """Writes a clip store under a temporary name that becomes `path` when all went well.

    Example:

    ```python
    with StoreWriter(Path("clips.h5"), name="clips", classes=["run", "walk"]) as writer:
        writer.add(video, video.read())
    ```

    Raises:
        UserError: On leaving, if writing failed, as on a full disk; nothing is left behind then.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        source: str = "",
        classes: Iterable[str] = (),
        settings: dict[str, Any] | None = None,
        fingerprint: str = "",
    ):
        self.path = path
        self.skipped: list[Skipped] = []
        self.rows: list[tuple] = []
        self._attributes = {
            "kvidgan_clip_store": FORMAT,
            "kvidgan": __version__,
            "name": name,
            "source": source or name,
            "classes": json.dumps(list(classes)),
            "settings": json.dumps(settings or {}, sort_keys=True),
            "fingerprint": fingerprint,
        }
        self._stack = ExitStack()

    def __enter__(self) -> "StoreWriter":
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            self._file = stack.enter_context(h5py.File(temporary, "w"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:
            self._finish()
        return None

    def add(self, video: Video, frames: Iterable[np.ndarray]) -> int:
        """Append a video; when reading its frames fails, the store stays as it was.

        Args:
            video: Its name, class and split are recorded.
            frames: uint8 (height, width, 1 or 3), all of one size.

        Returns:
            The bytes of its frames.

        Raises:
            UserError: If there is no frame, or reading one failed.
        """
        target: h5py.Dataset | None = None
        start = length = 0
        digest = _new_digest()
        try:
            for block in _blocks(frames):
                if target is None:
                    target = self._frames(block.shape[1:])
                    start = len(target)
                self._need(block.nbytes)
                target.resize(start + length + len(block), axis=0)
                target[start + length :] = block
                digest.update(block.tobytes())
                length += len(block)
        except UserError:
            if target is not None:
                target.resize(start, axis=0)
            raise
        if target is None:
            raise UserError(f"{video.name} holds no frame.")
        self._file.flush()
        text = (video.split, video.name)
        shape = target.shape[1:]
        self.rows.append((start, length, *shape, video.class_index, *text, digest.digest()))
        return length * int(np.prod(shape))

    def append(self, part: ClipStore) -> None:
        """Append all videos of another store, copying compressed frames as they are."""
        self._need(part.path.stat().st_size)
        offsets: dict[str, int] = {}
        with h5py.File(part.path, "r", locking=False) as file:
            for name, frames in file["frames"].items():
                target = self._frames(frames.shape[1:])
                offset = offsets[f"frames/{name}"] = len(target)
                target.resize(offset + len(frames), axis=0)
                for number in range(len(frames)):
                    mask, data = frames.id.read_direct_chunk((number, 0, 0, 0))
                    target.id.write_direct_chunk((offset + number, 0, 0, 0), data, mask)
        self._file.flush()
        for row in part.index:
            start, *others = row.item()
            self.rows.append((start + offsets[_dataset(row)], *others))
        self.skipped += part.skipped

    def _need(self, size: int) -> None:
        """Refuse to write on a disk that is almost full.

        Where HDF5 itself meets the end of the disk it crashes, or loses frames without an error.
        """
        if shutil.disk_usage(self.path.parent).free < size + RESERVE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _frames(self, shape: tuple[int, ...]) -> h5py.Dataset:
        name = "frames/" + "x".join(map(str, shape))
        if name in self._file:
            return self._file[name]
        return self._file.create_dataset(
            name,
            (0, *shape),
            np.uint8,
            maxshape=(None, *shape),
            chunks=(1, *shape),
            compression="lzf",
        )

    def _finish(self) -> None:
        digest = blake2b(digest_size=16)
        for row in self.rows:
            digest.update(row[-1])
        index = _encoded(self.rows)
        self._need(index.nbytes)
        self._file["index"] = index
        self._file.require_group("frames")
        # Not an attribute: HDF5 holds those to 64 KiB, thousands of damaged files need more.
        skipped = json.dumps([astuple(one) for one in self.skipped]).encode()
        self._file["skipped"] = np.frombuffer(skipped, np.uint8)
        self._file.attrs.update(self._attributes, checksum=digest.hexdigest())


def _blocks(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Stack frames to a few megabytes: HDF5 is slow with single ones."""
    block: list[np.ndarray] = []
    for frame in frames:
        block.append(frame)
        if len(block) * frame.nbytes >= 2**22:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({number})" for name, number in numbers.items())


def _new_digest() -> blake2b:
    return blake2b(digest_size=16)


def _dataset(row: Any) -> str:
    return f"frames/{row['height']}x{row['width']}x{row['channels']}"


def _encoded(rows: list[tuple]) -> np.ndarray:
    """Return the index as HDF5 keeps it: text as UTF-8 bytes, as long as the longest."""
    texts = [[text.encode() for text in row[-3:-1]] for row in rows]
    width = [max([1, *(len(text[column]) for text in texts)]) for column in range(2)]
    kind = [*_NUMBERS, ("split", f"S{width[0]}"), ("name", f"S{width[1]}"), _DIGEST]
    return np.array([(*r[:-3], *t, r[-1]) for r, t in zip(rows, texts, strict=True)], kind)


def _decoded(stored: np.ndarray) -> np.ndarray:
    texts = {name: np.char.decode(stored[name], "utf-8") for name in ("split", "name")}
    kind = [*_NUMBERS, *((name, text.dtype) for name, text in texts.items()), _DIGEST]
    index = np.empty(len(stored), kind)
    for name in stored.dtype.names or ():
        index[name] = texts.get(name, stored[name])
    return index


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in one sentence what is wrong with a file that HDF5 cannot read."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: expected a clip store.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder: expected a clip store.") from error
    except PermissionError as error:
        raise UserError(f"{path} may not be read: change its permissions.") from error
    except (OSError, KeyError, RuntimeError) as error:
        if "signature not found" in str(error):
            raise UserError(f"{path} is not an HDF5 file: expected a clip store.") from error
        text = "is truncated or damaged: expected a complete clip store; convert the data again"
        raise UserError(f"{path} {text}.") from error


def _header(path: Path, file: h5py.File) -> dict[str, Any]:
    found = file.attrs.get("kvidgan_clip_store")
    if found is None:
        raise UserError(
            f"{path} is an HDF5 file but not a clip store: make one with kvidgan prepare."
        )
    if found > FORMAT:
        raise UserError(
            f"{path} is a clip store of format {found}, this kvidgan reads up to {FORMAT}:"
            " update kvidgan."
        )
    return dict(file.attrs)
