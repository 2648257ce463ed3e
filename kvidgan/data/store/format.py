"""Format of clip stores: one HDF5 file per data set, one frame per chunk.

    /about              what it was made from, how, and a checksum, as JSON
    /index              one row per video: where its frames lie, and what it is
    /skipped            what was left out and why, as JSON
    /frames/64x64x3     all frames of one size, uint8 (frames, height, width, channels), lzf

What belongs to single frames lies beside them, at the same places under the same names:

    /labels/64x64x3     class numbers, uint8 (frames, height, width); 255 of up to 255: no class
    /instances/64x64x3  ids of objects, uint16 (frames, height, width); 0: none
    /flow/64x64x3       to the frame before, float16 (frames, height, width, 2): pixel p shows what
                        was at p + flow(p), pixels to the right and down; 0 in the first frame
    /confidence/64x64x3 where the flow is right, bool (frames, height, width); not in the first

All videos of a store have the same of these maps.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kvidgan.errors import UserError

# The newest format; those before it have no `fps`, and format 1 has no maps.
FORMAT = 3
MARK = "kvidgan_clip_store"  # the attribute that makes an HDF5 file one, with its format
_SIGNATURE = b"\x89HDF\r\n\x1a\n"

# The type of each map, and its axes beyond (frames, height, width).
MAPS: dict[str, tuple[type, tuple[int, ...]]] = {
    "labels": (np.uint8, ()),
    "instances": (np.uint16, ()),
    "flow": (np.float16, (2,)),
    "confidence": (np.bool_, ()),
}

# The columns of the index; those of text are added at the length that they need.
_NUMBERS = [
    ("start", "i8"),
    ("length", "i8"),
    ("height", "i4"),
    ("width", "i4"),
    ("channels", "i4"),
    ("class", "i4"),
    ("fps", "f4"),  # 0 where nothing says
]
_DIGEST = ("digest", "V16")

Row = tuple[Any, ...]  # of the index


class Digest:
    """Digest: a hash of one video's frames, labels and instances.

    Flow is left out: it follows from the frames, but not to the bit from one machine to another.
    """

    PARTS = ("frames", "labels", "instances")

    def __init__(self) -> None:
        self._hashes: dict[str, blake2b] = {}

    def update(self, part: str, values: np.ndarray) -> None:
        """Add the next values of a part; parts that do not count are ignored."""
        if part in self.PARTS:
            digest = self._hashes.setdefault(part, blake2b(digest_size=16))
            digest.update(np.ascontiguousarray(values).data)

    def digest(self) -> bytes:
        """Return the hash of all values that were added, however they were split."""
        digests = [self._hashes[part].digest() for part in self.PARTS if part in self._hashes]
        if len(digests) == 1:
            return digests[0]
        return blake2b(b"".join(digests), digest_size=16).digest()


def dataset_name(row: Any) -> str:
    """Return the name that the data set of a row's video has in each group."""
    return f"{row['height']}x{row['width']}x{row['channels']}"


def encode_index(rows: list[Row]) -> np.ndarray:
    """Return the index as HDF5 keeps it: text as UTF-8 bytes, as long as the longest."""
    texts = [[text.encode() for text in row[-3:-1]] for row in rows]
    width = [max([1, *(len(text[column]) for text in texts)]) for column in range(2)]
    kind = [*_NUMBERS, ("split", f"S{width[0]}"), ("name", f"S{width[1]}"), _DIGEST]
    return np.array([(*r[:-3], *t, r[-1]) for r, t in zip(rows, texts, strict=True)], kind)


def decode_index(stored: np.ndarray) -> np.ndarray:
    """Return the index with text as text."""
    texts = {name: np.char.decode(stored[name], "utf-8") for name in ("split", "name")}
    kind = [*_NUMBERS, *((name, text.dtype) for name, text in texts.items()), _DIGEST]
    index = np.empty(len(stored), kind)
    index["fps"] = 0
    for name in stored.dtype.names or ():
        index[name] = texts.get(name, stored[name])
    return index


@contextmanager
def error_context(path: Path) -> Iterator[None]:
    """Turn the errors of reading an HDF5 file into one sentence."""
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


def is_store(path: str | Path) -> bool:
    """Return whether a file is a clip store, of whatever version and name, by what is in it."""
    try:
        with open(path, "rb") as start:
            if start.read(len(_SIGNATURE)) != _SIGNATURE:
                return False
        with h5py.File(path, "r", locking=False) as file:
            return MARK in file.attrs
    except OSError:  # a folder, no file, or a damaged one
        return False


def read_header(path: Path, file: h5py.File) -> Mapping[str, Any]:
    """Return the attributes of a clip store.

    Raises:
        UserError: If the file is none, or of a newer version.
    """
    found = file.attrs.get(MARK)
    if found is None:
        raise UserError(
            f"{path} is an HDF5 file but not a clip store: make one with kvidgan prepare."
        )
    if found > FORMAT:
        raise UserError(
            f"{path} is a clip store of format {found}, this kvidgan reads up to {FORMAT}:"
            " update kvidgan."
        )
    if found < 3:
        return dict(file.attrs)
    about: dict[str, Any] = json.loads(file["about"][:].tobytes())
    return about
