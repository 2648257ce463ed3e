"""Array files: NumPy's, MATLAB's and HDF5's; what arrays are in them, and their values."""

import importlib
import json
import math
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import h5py
import numpy as np

from kvidgan.errors import UserError

ARRAY_SUFFIXES = frozenset({".npy", ".npz", ".mat", ".h5", ".hdf5"})
BLOCK = 2**22  # values that are looked at together
_CHUNKS = {"rdcc_nbytes": 2**27, "rdcc_nslots": 100_003}  # unpacked chunks that HDF5 keeps
_NO_NUMBERS = ("char", "cell", "struct", "function_handle", "object", "opaque", "sparse")
_EXPECTED = {
    ".npy": "a NumPy array file",
    ".npz": "an archive of NumPy arrays",
    ".mat": "a MATLAB file",
    ".h5": "an HDF5 file",
    ".hdf5": "an HDF5 file",
}
# What the classes of a MATLAB file before 7.3 are kept as; it may keep them in smaller numbers.
_MATLAB_TYPES = {"double": "f8", "single": "f4", "logical": "?"}


class Header(NamedTuple):
    """Header: an array in a file, without its values.

    Attributes:
        key: Name of the array in the file; "" in a file of one.
        shape: Sizes of its axes, in the order of the program that wrote it.
        dtype: Type of its values.
        is_reversed: Whether the file keeps the axes in the reverse order, as MATLAB's 7.3 does.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype
    is_reversed: bool = False

    def describe(self) -> str:
        """Return name, type and sizes in one line."""
        return f"{self.key} {self.dtype} {self.shape}".strip()


def read_headers(path: Path) -> list[Header]:
    """Return the arrays that are in a file; objects, which only a pickle holds, are none.

    Raises:
        UserError: If the file is damaged, of another kind, or holds Python objects alone.
    """
    with error_context(path):
        kind = _kind(path)
        if kind == "npy":
            with path.open("rb") as file:
                shape, dtype = _numpy_header(file)
            if dtype.hasobject:
                raise UserError(
                    f"{path} holds Python objects, which may run code when they are read: save it"
                    " again as an array of numbers."
                )
            np.load(path, mmap_mode="r", allow_pickle=False)  # its length is checked
            return [Header("", shape, dtype)]
        if kind == "npz":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".npy")]
                return [_member(archive, name) for name in names]
        return _hdf5_headers(path) if kind == "hdf5" else _matlab_headers(path)


@contextmanager
def opened(path: Path, header: Header, stamp: int) -> Iterator[Any]:
    """Open one array of a file, in the order in which the file keeps its axes.

    Args:
        path: The file.
        header: One of its headers.
        stamp: Time of change of the file: with another, what is kept of it is read again.

    Yields:
        Something that is indexed as an array is.
    """
    with error_context(path):
        if _kind(path) == "hdf5":
            yield _hdf5(path, stamp, os.getpid())[header.key]
        else:
            yield _loaded(path, header.key, stamp)


def blocks(path: Path, header: Header) -> Iterator[np.ndarray]:
    """Yield all values of an array, some at a time, so that not all are in memory."""
    with error_context(path):
        if _kind(path) == "npz":
            with zipfile.ZipFile(path) as archive, archive.open(f"{header.key}.npy") as file:
                _numpy_header(file)
                while content := file.read(BLOCK * header.dtype.itemsize):
                    yield np.frombuffer(content, header.dtype)
            return
    with opened(path, header, path.stat().st_mtime_ns) as array:
        if isinstance(array, np.ndarray):
            flat = array.ravel(order="K")
            yield from (flat[start : start + BLOCK] for start in range(0, len(flat), BLOCK))
            return
        rows = max(1, BLOCK // max(1, math.prod(array.shape[1:])))
        step = math.ceil(rows / array.chunks[0]) * array.chunks[0] if array.chunks else rows
        for start in range(0, len(array), step):
            yield array[start : start + step]


@contextmanager
def error_context(path: Path) -> Iterator[None]:
    """Turn the errors of reading an array file into one sentence."""
    try:
        yield
    except PermissionError as error:
        raise UserError(f"{path} may not be read: change its permissions.") from error
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file makes a library raise
        what = _EXPECTED.get(path.suffix.lower(), "an array file")
        raise UserError(f"{path} is damaged or not {what}: copy it or save it again.") from error


# --- the kinds of files


def _kind(path: Path) -> str:
    """Return the kind of a file, by its content."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\x93NUMPY"):
        return "npy"
    if start.startswith(b"PK"):
        return "npz"
    if h5py.is_hdf5(path):
        return "hdf5"
    if path.suffix.lower() == ".mat":
        return "matlab"
    raise UserError(
        f"{path} is not {_EXPECTED[path.suffix.lower()]}: expected an array of videos; save it"
        " again."
    )


def _numpy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    first = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


@lru_cache(maxsize=1)
def _hdf5(path: Path, stamp: int, process: int) -> h5py.File:
    """Open a file once for all its videos, which may share chunks; in each process anew."""
    return h5py.File(path, "r", locking=False, **_CHUNKS)


def _member(archive: zipfile.ZipFile, name: str) -> Header:
    """Read an array's header inside .npz, where np.load would unpack the whole array."""
    with archive.open(name) as file:
        return Header(name.removesuffix(".npy"), *_numpy_header(file))


def _hdf5_headers(path: Path) -> list[Header]:
    found: list[Header] = []

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.shape is None or name.startswith("#refs#"):
            return
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if kind not in _NO_NUMBERS:
            turned = bool(kind) or path.suffix.lower() == ".mat"
            shape = item.shape[::-1] if turned else item.shape
            found.append(Header(name, shape, item.dtype, turned))

    with h5py.File(path, "r", locking=False) as file:
        file.visititems(visit)
    return found


def _matlab_headers(path: Path) -> list[Header]:
    found = json.loads(_by_scipy(path))
    return [
        Header(name, tuple(shape), np.dtype(_MATLAB_TYPES.get(kind, kind)))
        for name, shape, kind in found
        if kind not in _NO_NUMBERS
    ]


# In a process of its own: SciPy crashes on some damaged files.
_SCIPY = """
import json, sys
import numpy as np
from scipy import io
path, *wanted = sys.argv[1:]
if wanted:
    name, target = wanted
    np.save(target, io.loadmat(path, variable_names=[name])[name])
else:
    print(json.dumps(io.whosmat(path)))
"""


def _by_scipy(path: Path, *wanted: str) -> str:
    """Read a file of MATLAB before 7.3.

    Args:
        path: The file.
        *wanted: Name of an array and file to save it in; none to list all arrays as JSON.

    Returns:
        The list.

    Raises:
        ValueError: If SciPy cannot read it.
    """
    try:
        importlib.import_module("scipy.io")
    except ImportError as error:
        raise UserError(
            f"{path} is a file of MATLAB before 7.3, which SciPy reads: pip install scipy, or save"
            " it in MATLAB with -v7.3."
        ) from error
    command = [sys.executable, "-c", _SCIPY, str(path.absolute()), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip().splitlines()[-1:] or "SciPy crashed")
    return done.stdout


@lru_cache(maxsize=1)
def _loaded(path: Path, key: str, stamp: int) -> np.ndarray:
    """Open an array once for all its videos; a changed time stamp opens it again."""
    if _kind(path) == "matlab":
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "array.npy")
            _by_scipy(path, key, str(file))
            values: np.ndarray = np.load(file, allow_pickle=False)
        return values
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if isinstance(array, np.ndarray):
        return array
    with array:
        member: np.ndarray = array[key]
        return member
