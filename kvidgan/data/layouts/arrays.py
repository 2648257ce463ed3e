"""Layout `arrays`: videos in files of NumPy, MATLAB and HDF5."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from kvidgan.data.layouts.array_choice import Chosen, NoVideosError, choose
from kvidgan.data.layouts.array_files import ARRAY_SUFFIXES, BLOCK, Header, opened
from kvidgan.data.layouts.array_levels import array_extent, find_levels
from kvidgan.data.layouts.axes import Axes, decide, size_text
from kvidgan.data.layouts.files import Tree, gather_several, unused_files
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.store.format import is_store
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import Extent, Levels


class _Looked(NamedTuple):
    """_Looked: what a look into a file found."""

    chosen: Chosen
    axes: Axes | None  # None where it leaves several
    extent: Extent


Files = Mapping[PurePosixPath, _Looked]


def is_arrays(tree: Tree) -> bool:
    """Return whether there are array files."""
    return bool(tree.having(ARRAY_SUFFIXES))


def arrays(
    tree: Tree,
    axes: str | None = None,
    select: str | None = None,
    bit_depth: int | None = None,
) -> Source:
    """List the videos of all array files; folders of splits and classes count.

    Args:
        tree: Listing of the files.
        axes: Letters of the arrays' axes, as NTHWC; None to guess them.
        select: Name of the array in each file; None for the only one that fits.
        bit_depth: Bit depth of the values; None to guess it.

    Raises:
        UserError: If the path is a single file, and that cannot be used; if no axes, or no levels,
            fit the arrays.
    """
    files = tree.having(ARRAY_SUFFIXES)
    skipped = unused_files(tree, files, "an array")
    looked: dict[PurePosixPath, _Looked] = {}
    for file in files:
        try:
            looked[file] = _look(tree.root / file, axes, select, bit_depth)
        except UserError as error:
            if len(files) == 1 or tree.path.is_file():
                raise
            damaged = not isinstance(error, NoVideosError)
            skipped.append(Skipped(str(file), without_path(error, tree.root), damaged))
    _check_stores(tree, files, looked)
    known = _axes_of_all(looked)
    extents = [(one.chosen.path, one.chosen.header, one.extent) for one in looked.values()]
    levels = find_levels(extents, bit_depth)

    def make(file: PurePosixPath) -> list[Video]:
        one = looked[file].chosen
        return _videos(file, one, known[file].letters, levels.of(one.header))

    source = gather_several(tree, "arrays", list(looked), make, skipped)
    notes, guesses = _what_was_understood(looked, known)
    return Source(
        *(source.layout, source.path, source.videos, source.skipped, source.classes),
        note=", ".join([*notes, *levels.notes]),
        guesses=guesses + levels.guesses,
    )


def _check_stores(tree: Tree, files: list[PurePosixPath], looked: Files) -> None:
    """Refuse a folder whose only arrays are those of clip stores."""
    stores = [file for file in files if not looked and is_store(tree.root / file)]
    if stores:
        raise UserError(
            f"{tree.path} holds clip stores such as {stores[0]} instead of videos: open one of"
            " them."
        )


# --- which array, and which axes


def _look(path: Path, axes: str | None, select: str | None, bit_depth: int | None) -> _Looked:
    one = choose(path, axes, select)
    extent = array_extent(path, one.header, bit_depth)
    if axes is not None:
        return _Looked(one, Axes(one.options[0]), extent)
    with opened(path, one.header, path.stat().st_mtime_ns) as array:
        found = decide(one.options, one.header.shape, partial(_part, one.header, array))
    return _Looked(one, found, extent)


def _axes_of_all(looked: Files) -> dict[PurePosixPath, Axes]:
    """Return the axes of each file; what one leaves open, the others may tell.

    Raises:
        UserError: If those of one cannot be told.
    """
    known = {file: one.axes for file, one in looked.items() if one.axes is not None}
    usual = {axes.letters for axes in known.values()}
    for file, one in looked.items():
        if one.axes is None:
            like = [letters for letters in one.chosen.options if letters in usual]
            if len(like) != 1 or len(usual) != 1:
                raise _several(one.chosen)
            known[file] = Axes(like[0], "the other arrays")
    return known


def _several(one: Chosen) -> UserError:
    shown = " or ".join(one.options)
    return UserError(
        f"{one.path} has {len(one.header.shape)} axes of sizes {size_text(one.header.shape)}, which"
        f" may be {shown}: say which with --axes {one.options[0]} (N: videos, T: time, H: height,"
        " W: width, C: colours)."
    )


def _part(header: Header, array: Any, index: tuple[Any, ...]) -> np.ndarray:
    """Read a part of an opened array, with the axes in the order of its header."""
    part = np.asarray(array[index[::-1] if header.is_reversed else index])
    return part.T if header.is_reversed else part


def _what_was_understood(
    looked: Files, known: Mapping[PurePosixPath, Axes]
) -> tuple[list[str], list[str]]:
    """Return notes, and guesses, on the axes of all arrays."""
    groups: dict[Axes, list[Header]] = defaultdict(list)
    for file, axes in known.items():
        groups[axes].append(looked[file].chosen.header)
    notes, guesses = [], []
    for axes, headers in groups.items():
        shapes = sorted({header.shape for header in headers})
        which = size_text(shapes[0]) if len(shapes) == 1 else counted(len(headers), "array")
        names = sorted({header.key for header in headers} - {""})
        named = f" ({', '.join(names)})" if names else ""
        notes.append(f"axes ({', '.join(axes.letters)}) of {which}{named}")
        if axes.guessed_by:
            guesses.append(
                f"axes {axes.letters} of {which} are a guess by {axes.guessed_by}: --axes says"
                " otherwise"
            )
    return notes, guesses


# --- reading


def _videos(file: PurePosixPath, one: Chosen, axes: str, levels: Levels) -> list[Video]:
    sizes = dict(zip(axes, one.header.shape, strict=True))
    stamp = one.path.stat().st_mtime_ns
    return [
        Video(
            f"{file}/{index:06d}" if "N" in axes else str(file),
            partial(_frames, one, stamp, axes, levels, index),
            length=sizes["T"],
            height=sizes["H"],
            width=sizes["W"],
            files=(one.path,),
        )
        for index in range(sizes.get("N", 1))
    ]


def _frames(one: Chosen, stamp: int, axes: str, levels: Levels, index: int) -> Iterator[np.ndarray]:
    """Read the frames of one video, uint8 (height, width, 1 or 3) each."""
    stored = axes[::-1] if one.header.is_reversed else axes
    kept = [letter for letter in stored if letter in "THWC"]
    order = [kept.index(letter) for letter in "THWC" if letter in kept]
    sizes = dict(zip(axes, one.header.shape, strict=True))
    with opened(one.path, one.header, stamp) as array:
        step = _frames_at_once(array, stored, sizes)
        for start in range(0, sizes["T"], step):
            place: dict[str, Any] = {"N": index, "T": slice(start, start + step)}
            part = np.asarray(array[tuple(place.get(letter, slice(None)) for letter in stored)])
            for values in part.transpose(order):
                yield _frame(one.path, values, levels)


def _frames_at_once(array: Any, stored: str, sizes: Mapping[str, int]) -> int:
    """Return how many frames lie in the same chunks of HDF5, of few values; else one."""
    chunks = getattr(array, "chunks", None)
    if not chunks:
        return 1
    values = sizes["H"] * sizes["W"] * sizes.get("C", 1)
    return max(1, min(chunks[stored.index("T")], BLOCK // values))


def _frame(path: Path, values: np.ndarray, levels: Levels) -> np.ndarray:
    try:
        frame = levels.to_uint8(values if values.ndim == 3 else values[..., None])
    except ValueError as error:
        raise UserError(f"{path} has changed since it was looked at: {error}; start again.") from (
            error
        )
    if frame.shape[-1] != 4:
        return frame
    alpha = frame[..., 3:].astype(np.uint16)
    return ((frame[..., :3] * alpha + 127) // 255).astype(np.uint8)
