"""The layout `arrays`: .npy and .npz files of 8-bit videos."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from kvidgan.data.layouts.files import Tree, strays
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError

ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
LOOKED = 2**22  # values, at most, that are looked at to say what is wrong with an array


def is_arrays(tree: Tree) -> bool:
    """Tell whether there are array files."""
    return bool(tree.having(ARRAY_SUFFIXES))


def arrays(tree: Tree) -> Source:
    """List the videos of all array files.

    Raises:
        UserError: If the path is a single file, and that cannot be used.
    """
    files = tree.having(ARRAY_SUFFIXES)
    videos: list[Video] = []
    skipped = strays(tree, files, "an array")
    notes = set()
    for file in files:
        try:
            axes, found = _array_videos(tree.root, file)
        except UserError as error:
            if tree.path.is_file():
                raise
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
        else:
            notes.add(axes)
            videos += found
    return Source("arrays", tree.path, videos, skipped, note=" and ".join(sorted(notes)))


def _array_videos(root: Path, file: PurePosixPath) -> tuple[str, list[Video]]:
    path = root / file
    key, shape = _array_header(path)
    axes = _axes(shape)
    sizes = dict(zip(axes, shape, strict=True))
    count, stamp = sizes.get("N", 1), path.stat().st_mtime_ns
    videos = [
        Video(
            f"{file}/{index:06d}" if "N" in axes else str(file),
            partial(_read_array, path, key, stamp, axes, index),
            length=sizes["T"],
            height=sizes["H"],
            width=sizes["W"],
            files=(path,),
        )
        for index in range(count)
    ]
    return f"axes ({', '.join(axes)}) of {'x'.join(map(str, shape))}", videos


def _axes(shape: tuple[int, ...]) -> str:
    """Name the axes; the Moving MNIST file has the few frames first, then the many videos."""
    if len(shape) == 5:
        return "NTHWC"
    if shape[-1] in (1, 3):
        return "THWC"
    return "TNHW" if shape[0] < shape[1] else "NTHW"


def _fits(shape: tuple[int, ...]) -> bool:
    return 0 not in shape and (len(shape) == 4 or (len(shape) == 5 and shape[-1] in (1, 3)))


def _array_header(path: Path) -> tuple[str, tuple[int, ...]]:
    """Return the key (of .npz) and shape of the one array that holds videos."""
    headers = _headers(path)
    shaped = [(key, shape, dtype) for key, (shape, dtype) in headers.items() if _fits(shape)]
    fitting = [(key, shape) for key, shape, dtype in shaped if dtype == np.uint8]
    if len(fitting) != 1:
        found = "; ".join(f"{k} {d} {s}".strip() for k, (s, d) in headers.items()) or "none"
        floats = [key for key, _, dtype in shaped if dtype.kind == "f" and not fitting]
        if floats:
            found += f", {_mend(path, floats[0])}"
        raise UserError(
            f"{path}: expected one 8-bit (uint8) array (T, N, H, W), (N, T, H, W) or"
            f" (N, T, H, W, 1 or 3), found {found}."
        )
    return fitting[0]


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    with _explained(path):
        if path.suffix.lower() == ".npy":
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return {"": (array.shape, array.dtype)}
        with zipfile.ZipFile(path) as archive:
            return {n.removesuffix(".npy"): _member(archive, n) for n in archive.namelist()}


def _member(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Read an array's header inside .npz, where np.load would unpack the whole array."""
    with archive.open(name) as file:
        return _header(file)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    first = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _mend(path: Path, key: str) -> str:
    """Say which values an array of floating point holds, and how to make them fit."""
    with _explained(path):
        looked, whole = _some_values(path, key)
    numbers = looked[np.isfinite(looked)]
    said = f"from {numbers.min():.4g} to {numbers.max():.4g}" if len(numbers) else "no number"
    tests = {"NaN": np.isnan, "infinity": np.isinf}
    odd = " and ".join(name for name, test in tests.items() if test(looked).any())
    said += f" with {odd} in it" if odd else ""
    said += "" if whole else " in the part looked at"
    return f"{said}: {f'replace {odd}, ' if odd else ''}scale it to 0..255 and save it as uint8"


def _some_values(path: Path, key: str) -> tuple[np.ndarray, bool]:
    """Return values of an array, flat, and whether they are all.

    Of a large .npy these are blocks spread over the file; .npz can only be read from its start.
    """
    if key:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            shape, dtype = _header(file)
            count = min(LOOKED, math.prod(shape))
            values = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
        return values, count == math.prod(shape)
    flat = np.load(path, mmap_mode="r", allow_pickle=False).ravel(order="K")
    if len(flat) <= LOOKED:
        return flat, True
    block = LOOKED // 64
    starts = np.linspace(0, len(flat) - block, 64).astype(int)
    return np.concatenate([flat[start : start + block] for start in starts]), False


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in one sentence that an array file cannot be read."""
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged or no NumPy array file: save it again.") from error


@lru_cache(maxsize=1)
def _open_array(path: Path, key: str, stamp: int) -> np.ndarray:
    """Open an array once for all its videos; the time stamp tells a replaced file."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not key:
        return array
    with array:
        return array[key]


def _read_array(path: Path, key: str, stamp: int, axes: str, index: int) -> Iterator[np.ndarray]:
    with _explained(path):
        array = _open_array(path, key, stamp)
    frames = array if axes == "THWC" else array[:, index] if axes == "TNHW" else array[index]
    for frame in frames:
        yield np.array(frame if axes.endswith("C") else frame[..., None])
