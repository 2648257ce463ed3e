"""StoreWriter: writes a clip store, whole or not at all; `format.py` tells what is in the file."""

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import astuple
from hashlib import blake2b
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kvidgan import __version__
from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Skipped, Video
from kvidgan.data.store.format import (
    FORMAT,
    MAPS,
    MARK,
    Digest,
    Row,
    dataset_name,
    encode_index,
)
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.files import replacing

RESERVE = 2**22  # bytes that are left for what HDF5 writes beside the frames
LIBVER = ("v110", "v110")  # of HDF5: since then what is not data carries checksums, too
BLOCK = 2**22  # bytes that are written at a time: HDF5 is slow with single frames

# One frame and its maps, by the names of their groups: "frames", "labels", ...
FrameRecord = Mapping[str, np.ndarray]


class StoreWriter:
    """StoreWriter: writes a clip store, under a temporary name until all went well.

    Args:
        path: Path of the store.
        name: Name of the data set.
        source: Name of the folder or file that it is made from; empty for `name`.
        classes: Names of the videos' classes.
        labels: Classes of the label maps; None without label maps.
        settings: Settings of the conversion by name.
        fingerprint: Hash of the source and the settings.

    Attributes:
        skipped: Files and videos that were left out; the caller adds to it.
        rows: Rows of the index, one for each video that was written.

    Example:

    ```python
    with StoreWriter(Path("clips.h5"), name="clips", classes=["run", "walk"]) as writer:
        writer.add(video, ({"frames": frame} for frame in video.read()))
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
        labels: LabelSet | None = None,
        settings: dict[str, Any] | None = None,
        fingerprint: str = "",
    ):
        self.path = path
        self.skipped: list[Skipped] = []
        self.rows: list[Row] = []
        self._maps: set[str] | None = None  # those of the first video
        self._attributes = {
            "kvidgan": __version__,
            "name": name,
            "source": source or name,
            "classes": json.dumps(list(classes)),
            "settings": json.dumps(settings or {}, sort_keys=True),
            "fingerprint": fingerprint,
        }
        if labels is not None:
            self._attributes["labels"] = json.dumps(labels.facts())
        self._stack = ExitStack()

    def __enter__(self) -> "StoreWriter":
        with ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            self._file = stack.enter_context(h5py.File(temporary, "w", libver=LIBVER))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        with self._stack:
            self._finish()
        return None

    def add(self, video: Video, records: Iterable[FrameRecord]) -> int:
        """Append a video; when reading it fails, the store stays as it was.

        Args:
            video: Video whose name, class, split and fps are recorded.
            records: Records of its frames: under "frames" uint8 (height, width, 1 or 3), all of one
                size; under the names of maps, the frame's maps. All videos need the same maps.

        Returns:
            Number of bytes that were added, uncompressed.

        Raises:
            UserError: If there is no frame, or reading one failed.
        """
        targets: dict[str, h5py.Dataset] = {}
        start = length = size = 0
        digest = Digest()
        try:
            for block in _blocks(records):
                if not targets:
                    targets = self._targets(block)
                    start = len(targets["frames"])
                self._check_space(sum(part.nbytes for part in block.values()))
                for name, target in targets.items():
                    target.resize(start + length + len(block[name]), axis=0)
                    target[start + length :] = block[name]
                    digest.update(name, block[name])
                    size += block[name].nbytes
                length += len(block["frames"])
        except UserError:
            for target in targets.values():
                target.resize(start, axis=0)
            raise
        if not targets:
            raise UserError(f"{video.name} holds no frame.")
        self._file.flush()
        text = (video.split, video.name)
        shape = targets["frames"].shape[1:]
        fps = video.fps or 0.0
        self.rows.append((start, length, *shape, video.class_index, fps, *text, digest.digest()))
        return size

    def append(self, part: ClipStore) -> None:
        """Append all videos of another store, copying compressed frames and maps as they are."""
        self._check_space(part.path.stat().st_size)
        offsets: dict[str, int] = {}
        if len(part):
            self._check_maps(set(part.maps))
        with h5py.File(part.path, "r", locking=False) as file:
            for group in ("frames", *part.maps):
                for name, values in file[group].items():
                    target = self._dataset(group, name, values)
                    offsets[name] = len(target)
                    _copy_chunks(values, target)
        self._file.flush()
        for row in part.index:
            start, *others = row.item()
            self.rows.append((start + offsets[dataset_name(row)], *others))
        self.skipped += part.skipped

    def _check_space(self, size: int) -> None:
        """Refuse to write on a disk that is almost full.

        Where HDF5 itself meets the end of the disk it crashes, or loses frames without an error.
        """
        if shutil.disk_usage(self.path.parent).free < size + RESERVE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _targets(self, block: FrameRecord) -> dict[str, h5py.Dataset]:
        """Return the data sets that the parts of a video are added to, all of equal length."""
        self._check_maps(block.keys() - {"frames"})
        name = "x".join(map(str, block["frames"].shape[1:]))
        return {group: self._dataset(group, name, values) for group, values in block.items()}

    def _check_maps(self, maps: set[str]) -> None:
        if self._maps is None:
            self._maps = maps
        if maps != self._maps:
            raise ValueError(f"expected the maps {sorted(self._maps)}, found {sorted(maps)}")

    def _dataset(self, group: str, name: str, like: np.ndarray) -> h5py.Dataset:
        """Return the data set for such values, (frames, height, width, ...); make it if new."""
        path, shape = f"{group}/{name}", like.shape[1:]
        if path in self._file:
            return self._file[path]
        kind = MAPS[group][0] if group in MAPS else np.uint8
        return self._file.create_dataset(
            path,
            (0, *shape),
            kind,
            maxshape=(None, *shape),
            chunks=(1, *shape),
            compression="lzf",
            fletcher32=True,
        )

    def _finish(self) -> None:
        digest = blake2b(digest_size=16)
        for row in self.rows:
            digest.update(row[-1])
        index = encode_index(self.rows)
        self._check_space(index.nbytes)
        self._file.create_dataset("index", data=index, chunks=True, fletcher32=True)
        self._file.require_group("frames")
        skipped = json.dumps([astuple(one) for one in self.skipped]).encode()
        self._write_text("skipped", skipped)
        about = {**self._attributes, "checksum": digest.hexdigest()}
        self._write_text("about", json.dumps(about).encode())
        self._file.attrs[MARK] = FORMAT

    def _write_text(self, name: str, text: bytes) -> None:
        """Write text as a data set, which unlike an attribute may be long and has a checksum."""
        values = np.frombuffer(text, np.uint8)
        self._file.create_dataset(name, data=values, chunks=True, fletcher32=True)


def _blocks(records: Iterable[FrameRecord]) -> Iterator[dict[str, np.ndarray]]:
    """Stack records into blocks of a few megabytes."""
    block: list[FrameRecord] = []
    for record in records:
        block.append(record)
        if len(block) * sum(part.nbytes for part in record.values()) >= BLOCK:
            yield _stacked(block)
            block = []
    if block:
        yield _stacked(block)


def _stacked(block: list[FrameRecord]) -> dict[str, np.ndarray]:
    return {name: np.stack([record[name] for record in block]) for name in block[0]}


def _copy_chunks(values: h5py.Dataset, target: h5py.Dataset) -> None:
    """Append frames or maps as they are compressed."""
    offset, inner = len(target), (0,) * (values.ndim - 1)
    target.resize(offset + len(values), axis=0)
    for number in range(len(values)):
        mask, data = values.id.read_direct_chunk((number, *inner))
        target.id.write_direct_chunk((offset + number, *inner), data, mask)
