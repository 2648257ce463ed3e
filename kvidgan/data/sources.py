"""Folders and files of videos: which layout they have, and how their frames are read.

A layout is one line in `LAYOUTS`: a function that recognises it in a listing and a function that
turns the listing into videos.
"""

import math
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    image_size,
    natural_key,
    read_image,
    read_video,
)

ARRAY_SUFFIXES = frozenset({".npy", ".npz"})
LOOKED = 2**22  # values, at most, that are looked at to say what is wrong with an array
EXPECTED = "film strips, frame folders, video files or .npy/.npz arrays"
_SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}


@dataclass(frozen=True)
class Video:
    """One video of a source.

    Attributes:
        name: Its path inside the source, with forward slashes.
        read: Opens it: an iterator of uint8 (height, width, 1 or 3) frames. Damage is a UserError,
            when opening or on the way.
        class_index: Place of its class in the source's `classes`; -1 without one.
        split: "train", "test", "val" or "".
        length: Frames, None when only reading tells; likewise `height` and `width` in pixels.
        files: The files that it is made from.
    """

    name: str
    read: Callable[[], Iterator[np.ndarray]]
    class_index: int = -1
    split: str = ""
    length: int | None = None
    height: int | None = None
    width: int | None = None
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """What is not used, and why; a file that is merely of another kind is not damaged."""

    name: str
    reason: str
    damaged: bool = True


@dataclass(frozen=True)
class Source:
    """Videos found in one place, in natural order.

    Attributes:
        layout: A key of `LAYOUTS`, or "built-in".
        path: Where they lie; of a built-in, its name.
        videos: The videos.
        skipped: What was found and is not used.
        classes: Names of the class folders, in natural order.
        note: How the layout was understood, for `describe`.
    """

    layout: str
    path: Path
    videos: list[Video]
    skipped: list[Skipped] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def name(self) -> str:
        """The name of the data set: of its folder, or of its file without the suffix."""
        path = self.path.absolute()
        return path.name if path.is_dir() else path.stem

    def describe(self) -> str:
        """Say in one line what was found."""
        parts = [f"{self.layout.replace('_', ' ')}: {_count(len(self.videos), 'video')}"]
        if self.classes:
            shown = ", ".join(self.classes[:8]) + (", ..." if len(self.classes) > 8 else "")
            parts[0] += f" in {_count(len(self.classes), 'class', 'es')} ({shown})"
        splits = Counter(video.split for video in self.videos if video.split)
        parts += [f"{number} to {split}" for split, number in splits.items()]
        sizes = {(v.width, v.height) for v in self.videos if v.width and v.height}
        if sizes:
            parts.append("{}x{}".format(*min(sizes)) if len(sizes) == 1 else f"{len(sizes)} sizes")
        lengths = [video.length for video in self.videos if video.length]
        if lengths:
            low, high = min(lengths), max(lengths)
            parts.append(f"{low} frames" if low == high else f"{low} to {high} frames")
        parts += [self.note] if self.note else []
        parts += [f"{len(self.skipped)} skipped"] if self.skipped else []
        return ", ".join(parts)


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


class Tree(NamedTuple):
    """The files under a path: relative to it, in natural order, hidden ones left out."""

    path: Path
    root: Path
    files: list[PurePosixPath]

    def having(self, suffixes: frozenset[str]) -> list[PurePosixPath]:
        """Return the files with one of these suffixes."""
        return [file for file in self.files if file.suffix.lower() in suffixes]


def open_source(path: str | Path, layout: str = "auto") -> Source:
    """Recognise the layout of a folder or file and list its videos.

    Args:
        path: A folder, a video, an image strip or an array file.
        layout: A key of `LAYOUTS` to force it, or "auto".

    Raises:
        UserError: If the path does not exist, holds no videos, or does not fit the forced layout.
    """
    tree = _list(Path(path))
    if layout != "auto" and layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)} or auto, found {layout!r}.")
    fitting = [n for n, one in LAYOUTS.items() if layout in (n, "auto") and one.recognise(tree)]
    if not fitting and layout == "auto":
        raise UserError(f"{path} holds no videos: expected {EXPECTED}, found {_found(tree)}.")
    source = LAYOUTS[fitting[0] if layout == "auto" else layout].read(tree)
    if not source.videos:
        damaged = [skipped for skipped in source.skipped if skipped.damaged]
        why = f"{damaged[0].name}: {damaged[0].reason}" if damaged else f"found {_found(tree)}"
        raise UserError(f"{path} holds no usable {source.layout.replace('_', ' ')}: {why}.")
    return source


def _list(path: Path) -> Tree:
    if path.is_file():
        return Tree(path, path.parent, [PurePosixPath(path.name)])
    if not path.is_dir():
        raise UserError(f"{path} does not exist: expected a folder or a file with videos.")
    files = []
    for folder, folders, names in os.walk(path, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        files += [inside / name for name in names if not name.startswith(".")]
    return Tree(path, path, sorted(files, key=natural_key))


def _found(tree: Tree) -> str:
    if not tree.files:
        return "no files"
    return f"{_count(len(tree.files), 'file')} such as {tree.files[0]}"


def _place(files: list[PurePosixPath]) -> tuple[list[str], list[tuple[str, int]]]:
    """Tell split and class from folders: `[split/][class/.../]name`.

    Returns:
        The classes in natural order, and (split, class index) of every file.
    """
    tops = {file.parts[0].lower() if len(file.parts) > 1 else "" for file in files}
    # A class may be called "train": only when all top folders are splits, they are splits.
    depth = 1 if tops and tops <= _SPLITS.keys() else 0
    splits = [_SPLITS[file.parts[0].lower()] if depth else "" for file in files]
    owners = [file.parts[depth] if len(file.parts) > depth + 1 else None for file in files]
    classes = sorted({owner for owner in owners if owner is not None}, key=natural_key)
    index = {name: place for place, name in enumerate(classes)} | {None: -1}
    return classes, [(s, index[o]) for s, o in zip(splits, owners, strict=True)]


def _strays(tree: Tree, used: list[PurePosixPath], kind: str) -> list[Skipped]:
    known = set(used)
    return [Skipped(str(f), f"not {kind}", damaged=False) for f in tree.files if f not in known]


def _sources(
    tree: Tree,
    layout: str,
    files: list[PurePosixPath],
    make: Callable[[PurePosixPath], Video],
    skipped: list[Skipped],
) -> Source:
    """Make a video of each file (or frame folder); what cannot be one is skipped."""
    classes, places = _place(files)
    videos = []
    for file, (split, class_index) in zip(files, places, strict=True):
        try:
            videos.append(replace(make(file), split=split, class_index=class_index))
        except UserError as error:
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
    return Source(layout, tree.path, videos, skipped, classes)


def without_path(error: UserError, root: Path) -> str:
    """Shorten an error's sentence: the file's place under the source is known already."""
    return str(error).replace(f"{root}/", "").rstrip(".")


# --- film strips: square frames side by side, or stacked, in one image


def _is_film_strips(tree: Tree) -> bool:
    images = tree.having(IMAGE_SUFFIXES)
    sizes = [size for file in images[:: len(images) // 24 + 1] if (size := _size(tree, file))]
    return sum(max(size) >= 3 * min(size) for size in sizes) * 2 > len(sizes)


def _size(tree: Tree, file: PurePosixPath) -> tuple[int, int] | None:
    try:
        return image_size(tree.root / file)
    except UserError:
        return None


def _film_strips(tree: Tree) -> Source:
    images = tree.having(IMAGE_SUFFIXES)
    return _sources(
        tree, "film_strips", images, partial(_strip, tree.root), _strays(tree, images, "an image")
    )


def _strip(root: Path, file: PurePosixPath) -> Video:
    height, width = image_size(root / file)
    side, long = min(height, width), max(height, width)
    if long % side or long == side:
        raise UserError(
            f"expected a strip of square frames, found {width}x{height}: "
            f"{long} is no multiple (2 or more) of {side}"
        )
    path = root / file
    read = partial(_read_strip, path)
    return Video(str(file), read, length=long // side, height=side, width=side, files=(path,))


def _read_strip(path: Path) -> Iterator[np.ndarray]:
    image = read_image(path)
    height, width = image.shape[:2]
    yield from np.split(image, max(height, width) // min(height, width), axis=int(width > height))


# --- frame folders: one folder of equally large images per video


def _is_frame_folders(tree: Tree) -> bool:
    return bool(tree.having(IMAGE_SUFFIXES))


def _frame_folders(tree: Tree) -> Source:
    images = tree.having(IMAGE_SUFFIXES)
    frames: dict[PurePosixPath, list[Path]] = {}
    for image in images:
        frames.setdefault(image.parent, []).append(tree.root / image)

    def make(folder: PurePosixPath) -> Video:
        paths = tuple(frames[folder])
        height, width = image_size(paths[0])
        name = str(folder) if folder.parts else tree.root.absolute().name
        read = partial(_read_frames, paths)
        return Video(name, read, length=len(paths), height=height, width=width, files=paths)

    strays = _strays(tree, images, "an image")
    return _sources(tree, "frame_folders", list(frames), make, strays)


def _read_frames(paths: tuple[Path, ...]) -> Iterator[np.ndarray]:
    shape = None
    for path in paths:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise UserError(
                f"{path} is {frame.shape[1]}x{frame.shape[0]}, the frames before it are"
                f" {shape[1]}x{shape[0]}: expected one size in a folder."
            )
        yield frame


# --- video files


def _is_videos(tree: Tree) -> bool:
    videos = len(tree.having(VIDEO_SUFFIXES))
    return videos > 0 and videos >= len(tree.having(IMAGE_SUFFIXES))


def _videos(tree: Tree) -> Source:
    files = tree.having(VIDEO_SUFFIXES)
    strays = _strays(tree, files, "a video file")
    return _sources(tree, "videos", files, partial(_video_file, tree.root), strays)


def _video_file(root: Path, file: PurePosixPath) -> Video:
    return Video(str(file), partial(_read_video, root / file), files=(root / file,))


def _read_video(path: Path) -> Iterator[np.ndarray]:
    return read_video(path)[0]


# --- arrays


def _is_arrays(tree: Tree) -> bool:
    return bool(tree.having(ARRAY_SUFFIXES))


def _arrays(tree: Tree) -> Source:
    files = tree.having(ARRAY_SUFFIXES)
    videos: list[Video] = []
    skipped = _strays(tree, files, "an array")
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


class Layout(NamedTuple):
    """How a layout is recognised in a listing, and how its videos are found there."""

    recognise: Callable[[Tree], bool]
    read: Callable[[Tree], Source]


# In the order in which they are tried: a folder of film strips is a folder of images, too.
LAYOUTS = {
    "film_strips": Layout(_is_film_strips, _film_strips),
    "videos": Layout(_is_videos, _videos),
    "frame_folders": Layout(_is_frame_folders, _frame_folders),
    "arrays": Layout(_is_arrays, _arrays),
}
