"""ClipStore: a clip store, open for reading; `format.py` tells what is in the file."""

import json
import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Skipped
from kvidgan.data.store.format import (
    MAPS,
    Digest,
    dataset_name,
    decode_index,
    error_context,
    read_header,
)
from kvidgan.errors import UserError


class ClipStore:
    """ClipStore: a clip store, open for reading, safe to share between threads, and picklable.

    Attributes:
        path: Path of the file.
        name: Name of the data set.
        source: Name of the folder or file that the store was made from.
        classes: Names of the videos' classes.
        maps: Names of the maps of each frame, of "labels", "instances", "flow", "confidence".
        labels: Classes of the label maps; None without label maps.
        skipped: Files and videos that the conversion left out, and why.
        settings: Settings of the conversion by name.
        index: Table with one row per video: start, length, height, width, channels, class (-1
            without one), fps (0 where nothing says), split ("" without one), name (in the
            source), digest.
        fingerprint: Hash of the source and the settings that the store was made from.
        checksum: Hash of all frames, labels and instances, hexadecimal.
        version: Version of kvidgan that wrote the store.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._file: h5py.File | None = None
        self._process = 0
        self._lock = threading.Lock()
        with error_context(self.path), h5py.File(self.path, "r", locking=False) as file:
            attributes = read_header(self.path, file)
            self.index = decode_index(file["index"][:])
            self.maps = tuple(name for name in MAPS if name in file)
            skipped = file["skipped"][:].tobytes()
        self.name: str = attributes["name"]
        self.classes: list[str] = json.loads(attributes["classes"])
        self.labels = _label_set(attributes)
        self.skipped = [Skipped(*one) for one in json.loads(skipped)]
        self.settings: dict[str, Any] = json.loads(attributes["settings"])
        self.source: str = attributes["source"]
        self.fingerprint: str = attributes["fingerprint"]
        self.checksum: str = attributes["checksum"]
        self.version: str = attributes["kvidgan"]

    @classmethod
    def open(cls, path: str | Path) -> "ClipStore":
        """Open a store.

        Raises:
            UserError: If the file is missing, truncated, no clip store, or of a newer version.

        Example:
            with ClipStore.open("clips.h5") as store:
                frames = store.read(0, 0, 8)  # the first 8 frames of video 0
        """
        return cls(path)

    def __len__(self) -> int:
        return len(self.index)

    def read(self, video: int, start: int, stop: int, step: int = 1) -> np.ndarray:
        """Read frames of one video.

        Args:
            video: Number of the video.
            start: Number of the first frame to read.
            stop: Number of the first frame behind those to read.
            step: Distance between two frames to read.

        Returns:
            Frames, uint8 (time, height, width, channels).

        Raises:
            UserError: If the file is damaged there.
        """
        return self._read("frames", video, start, stop, step)

    def read_map(self, name: str, video: int, start: int, stop: int, step: int = 1) -> np.ndarray:
        """Read one of the maps of frames of one video.

        Args:
            name: Name of the map, one of `maps`.
            video: Number of the video.
            start: Number of the first frame to read.
            stop: Number of the first frame behind those to read.
            step: Distance between two frames to read.

        Returns:
            Maps (time, height, width): "labels" uint8, "instances" uint16, "confidence" bool.
            "flow" is float16 (time, height, width, 2), pixels to the right and down, to the frame
            before, whatever the step.

        Raises:
            ValueError: If the store has no such map.
            UserError: If the file is damaged there.
        """
        if name not in self.maps:
            raise ValueError(f"expected one of the maps {self.maps} of {self.path}, found {name!r}")
        return self._read(name, video, start, stop, step)

    def _read(self, group: str, video: int, start: int, stop: int, step: int) -> np.ndarray:
        row = self.index[video]
        if not 0 <= start <= stop <= row["length"]:
            raise IndexError(f"frames {start}:{stop} of a video with {row['length']}")
        first = int(row["start"])
        with self._lock, error_context(self.path):
            values = self._opened()[group][dataset_name(row)]
            if step == 1:
                block: np.ndarray = values[first + start : first + stop]
                return block
            # One by one: a strided selection would take HDF5 a hundred times longer. By plain
            # indexing: h5py's direct chunk reads do not hold its lock, and crash between threads.
            wanted = range(first + start, first + stop, step)
            clip = np.empty((len(wanted), *values.shape[1:]), values.dtype)
            for place, number in enumerate(wanted):
                clip[place] = values[number]
            return clip

    @property
    def splits(self) -> list[str]:
        """Names of the splits, sorted; none when the data came without."""
        return sorted({str(split) for split in self.index["split"] if split})

    def videos(self, split: str | None) -> np.ndarray:
        """Return the numbers of the videos of a split.

        Args:
            split: Name of the split; None for all videos, as in a store without splits.

        Raises:
            UserError: If there are splits, and none of this name.
        """
        if split is None or not self.splits:
            return np.arange(len(self))
        videos = np.flatnonzero(self.index["split"] == split)
        if not len(videos):
            found = ", ".join(self.splits)
            raise UserError(f"{self.path.name} has no split {split!r}: expected one of {found}.")
        return videos

    def verify(self) -> None:
        """Read everything and compare with the checksums.

        Raises:
            UserError: If a video's frames or maps are not those that were written.
        """
        parts = ["frames", *self.maps]  # those without a digest carry HDF5's own checksums
        for number, row in enumerate(self.index):
            digest = Digest()
            for frame in range(row["length"]):
                for part in parts:
                    digest.update(part, self._read(part, number, frame, frame + 1, 1))
            if digest.digest() != row["digest"].tobytes():
                raise UserError(f"{self.path} is damaged at {row['name']}: convert the data again.")

    def describe(self) -> list[tuple[str, str]]:
        """Return the facts worth knowing about the store: (name, value) in the order to show."""
        index, lengths = self.index, self.index["length"]
        sizes = Counter(f"{row['width']}x{row['height']}x{row['channels']}" for row in index)
        numbers = Counter(int(number) for number in index["class"])
        classes = {name: numbers[place] for place, name in enumerate(self.classes)}
        splits = Counter(str(split) for split in index["split"] if split)
        rates = Counter(f"{row['fps']:.4g}" for row in index if row["fps"] > 0)
        longest = f"{lengths.min()} to {lengths.max()} frames, median {np.median(lengths):g}"
        lines = [
            ("name", self.name),
            ("source", self.source),
            ("videos", str(len(index))),
            ("frames", str(lengths.sum())),
            ("lengths", longest),
            ("sizes", _counts(sizes)),
            ("fps", _counts(rates)),
            ("classes", _counts(classes)),
            ("splits", _counts(splits)),
            ("maps", ", ".join(self.maps)),
            ("labels", self.labels.describe() if self.labels else ""),
            *(("skipped", one.describe().removeprefix("skipped ")) for one in self.skipped),
            ("settings", ", ".join(f"{key} {value}" for key, value in self.settings.items())),
            ("checksum", self.checksum),
            ("written by", f"kvidgan {self.version}"),
        ]
        return [(name, value) for name, value in lines if value]

    def provenance(self) -> dict[str, Any]:
        """Return the facts that a model that was trained on this data records of it."""
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


def _label_set(attributes: Mapping[str, Any]) -> LabelSet | None:
    if "labels" not in attributes:
        return None
    return LabelSet.stored(json.loads(attributes["labels"]))


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({number})" for name, number in numbers.items())
