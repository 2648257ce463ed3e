"""Layout `arrays`: .npy and .npz files of 8-bit videos."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from kvidgan.data.layouts.files import Tree, unused_files
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError

ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
MAX_INSPECTED = 2**22  # values of an array that are read to say what is wrong with it


def is_arrays(tree: Tree) -> bool:
    """Return whether there are array files."""
    return bool(tree.having(ARRAY_SUFFIXES))


def arrays(tree: Tree) -> Source:
    """List the videos of all array files.

    Raises:
        UserError: If the path is a single file, and that cannot be used.
    """
    files = tree.having(ARRAY_SUFFIXES)
    videos: list[Video] = []
    skipped = unused_files(tree, files, "an array")
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
    """Return the axes' letters; Moving MNIST's file has the few frames before the many videos."""
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
            found += f", {_describe_floats(path, floats[0])}"
        raise UserError(
            f"{path}: expected one 8-bit (uint8) array (T, N, H, W), (N, T, H, W) or"
            f" (N, T, H, W, 1 or 3), found {found}."
        )
    return fitting[0]


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    with _error_context(path):
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


def _describe_floats(path: Path, key: str) -> str:
    """Return in words which values an array of floating point holds, and how to make them fit."""
    with _error_context(path):
        values, complete = _some_values(path, key)
    numbers = values[np.isfinite(values)]
    text = f"from {numbers.min():.4g} to {numbers.max():.4g}" if len(numbers) else "no number"
    tests = {"NaN": np.isnan, "infinity": np.isinf}
    odd = " and ".join(name for name, test in tests.items() if test(values).any())
    text += f" with {odd} in it" if odd else ""
    text += "" if complete else " in the part looked at"
    return f"{text}: {f'replace {odd}, ' if odd else ''}scale it to 0..255 and save it as uint8"


def _some_values(path: Path, key: str) -> tuple[np.ndarray, bool]:
    """Return values of an array, flat, and whether they are all.

    They are blocks spread over a large .npy; a large .npz can only be read from its start.
    """
    if key:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            shape, dtype = _header(file)
            count = min(MAX_INSPECTED, math.prod(shape))
            values = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
        return values, count == math.prod(shape)
    flat = np.load(path, mmap_mode="r", allow_pickle=False).ravel(order="K")
    if len(flat) <= MAX_INSPECTED:
        return flat, True
    block = MAX_INSPECTED // 64
    starts = np.linspace(0, len(flat) - block, 64).astype(int)
    return np.concatenate([flat[start : start + block] for start in starts]), False


@contextmanager
def _error_context(path: Path) -> Iterator[None]:
    """Turn the errors of reading an array file into one sentence."""
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged or no NumPy array file: save it again.") from error


@lru_cache(maxsize=1)
def _open_array(path: Path, key: str, stamp: int) -> np.ndarray:
    """Open an array once for all its videos; a changed time stamp opens it again."""
    opened = np.load(path, mmap_mode="r", allow_pickle=False)
    if not key:
        whole: np.ndarray = opened
        return whole
    with opened:
        member: np.ndarray = opened[key]
        return member


def _read_array(path: Path, key: str, stamp: int, axes: str, index: int) -> Iterator[np.ndarray]:
    with _error_context(path):
        array = _open_array(path, key, stamp)
    frames = array if axes == "THWC" else array[:, index] if axes == "TNHW" else array[index]
    for frame in frames:
        yield np.array(frame if axes.endswith("C") else frame[..., None])
