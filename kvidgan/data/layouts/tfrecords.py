"""Layout `tfrecords`: TFRecord files whose records are videos, frame by frame, as BAIR's.

One record is one video. Its frames are features whose names differ in one number
(`0/image_main/encoded`, `1/image_main/encoded`, ...), or one feature of several values; each is a
PNG or JPEG, or the raw values of its pixels. BAIR robot pushing (Ebert et al. 2017,
"Self-Supervised Visual Planning with Temporal Skip Connections") has two cameras: `image_aux1`
sees the scene as published models do, `image_main` from another side.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from kvidgan.backends import quiet
from kvidgan.data.layouts.files import Tree, gather_several, list_files, unused_files
from kvidgan.data.layouts.record_frames import Frames, decode_frame, find_frames, frame_size
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError
from kvidgan.media import VideoFacts, damaged

_NAME = re.compile(r"\.tfrecords?(-\d+-of-\d+)?(\.gz)?$", re.IGNORECASE)
_LENGTH = struct.Struct("<QI")  # bytes of a record, and their checksum
_CHECKSUM = 4  # bytes behind a record
_USUAL = "image_aux1"  # of BAIR's two cameras


def is_tfrecords(tree: Tree) -> bool:
    """Return whether there are files that are named as TFRecords are."""
    return bool(_files(tree))


def tfrecords(tree: Tree, select: str | None = None) -> Source:
    """List the records of all files, one video each; folders of splits count.

    Args:
        tree: Listing of the files.
        select: Name of the frames, where records have several of them, as two cameras.

    Raises:
        UserError: If TensorFlow is not installed, or the records hold no frames of this name, or
            of several and none is selected.
    """
    tree = _below_one_folder(tree)
    files = _files(tree)
    skipped = unused_files(tree, files, "a TFRecord file")
    places: dict[PurePosixPath, tuple[int, ...]] = {}
    for file in files:
        try:
            path = tree.root / file
            places[file], whole = record_places(path, path.stat().st_mtime_ns)
            if not whole:
                reason = f"is cut off or damaged behind record {len(places[file])}"
                skipped.append(Skipped(str(file), reason, rest_kept=True))
        except UserError as error:
            if len(files) == 1:
                raise
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
    if not places:
        return Source("tfrecords", tree.path, [], skipped)
    first = tree.root / next(iter(places))
    name, guess = _selected(first, select)

    def make(file: PurePosixPath) -> list[Video]:
        return [_video(tree.root, file, number, name) for number in range(len(places[file]))]

    source = gather_several(tree, "tfrecords", list(places), make, skipped)
    return Source(
        *(source.layout, source.path, source.videos, source.skipped, source.classes),
        note=f"frames of {name}",
        guesses=[guess] if guess else [],
    )


def _files(tree: Tree) -> list[PurePosixPath]:
    return [file for file in tree.files if _NAME.search(file.name)]


def _below_one_folder(tree: Tree) -> Tree:
    """Return the listing of the one folder that all files are in, which is no split then."""
    tops = {file.parts[0] if len(file.parts) > 2 else "" for file in _files(tree)}
    if len(tops) != 1 or "" in tops:
        return tree
    return replace(list_files(tree.root / tops.pop()), path=tree.path)


def _selected(path: Path, select: str | None) -> tuple[str, str]:
    """Return the name of the frames to read, and a guess if it is one."""
    names = sorted(_frames_of(path, path.stat().st_mtime_ns, 0))
    shown = ", ".join(names[:8])
    if not names:
        raise UserError(
            f"{path}: expected records with the frames of a video, as names that differ in a number"
            " or as one list, in PNG, JPEG or raw values, found none in the first record."
        )
    if select is not None:
        if select not in names:
            raise UserError(
                f"{path} has no frames {select!r}: choose others with --select, of {shown}."
            )
        return select, ""
    if len(names) == 1:
        return names[0], ""
    if _USUAL in names and len(names) == 2:
        other = next(name for name in names if name != _USUAL)
        return _USUAL, f"frames of {_USUAL} are a guess: --select {other} says otherwise"
    raise UserError(f"{path} has frames of several kinds ({shown}): choose one with --select.")


# --- reading


def _video(root: Path, file: PurePosixPath, number: int, name: str) -> Video:
    path = root / file
    where = (path, path.stat().st_mtime_ns, number, name)
    return Video(
        f"{file}/{number:06d}",
        partial(_read, *where),
        files=(path,),
        probe=partial(_probe, *where),
    )


def _read(path: Path, stamp: int, number: int, name: str) -> Iterator[np.ndarray]:
    """Read the frames of a record, uint8 (height, width, 1 or 3) each."""
    frames = _named(path, stamp, number, name)
    shape = None
    for place, content in enumerate(frames.contents):
        try:
            frame = decode_frame(content, frames.size)
            shape = shape or frame.shape
            if frame.shape != shape:
                raise ValueError(f"expected {shape}, the shape of the first, found {frame.shape}")
        except (ValueError, OSError, SyntaxError) as error:
            text = f"{path}, record {number}, frame {place} of {name} is damaged ({error})."
            damaged(UserError(text))
        else:
            yield frame


def _probe(path: Path, stamp: int, number: int, name: str) -> VideoFacts:
    frames = _named(path, stamp, number, name)
    return VideoFacts(None, len(frames.contents), *frame_size(frames.contents[0], frames.size))


def _named(path: Path, stamp: int, number: int, name: str) -> Frames:
    found = _frames_of(path, stamp, number)
    if name not in found:
        raise UserError(f"{path}, record {number} has no frames of {name}: expected such in each.")
    return found[name]


def _frames_of(path: Path, stamp: int, number: int) -> dict[str, Frames]:
    """Read a record and return its frames by name."""
    tf = _tensorflow(path)
    places, _ = record_places(path, stamp)
    try:
        content = tf.read(path, places[number])
        return find_frames(tf.parse(content))
    except (OSError, IndexError, ValueError, tf.errors) as error:
        reason = str(error).partition(";")[0].rstrip(".")
        raise UserError(
            f"{path}, record {number} is damaged ({reason}): copy the file again."
        ) from error


class _TensorFlow(NamedTuple):
    """_TensorFlow: the parts of TensorFlow that read records."""

    read: Callable[[Path, int], bytes]
    parse: Callable[[bytes], Any]
    errors: type[Exception]


def _tensorflow(path: Path) -> _TensorFlow:
    """Load TensorFlow's reader of records; it checks checksums, and takes no memory of a GPU."""
    try:
        with quiet():
            import tensorflow as tf
            from tensorflow.python.lib.io import tf_record
    except ImportError as error:
        raise UserError(
            f"{path} is a TFRecord file, which TensorFlow reads: pip install tensorflow, or convert"
            " it where that is installed."
        ) from error
    return _TensorFlow(
        lambda path, place: tf_record.tf_record_random_reader(str(path)).read(place)[0],
        tf.train.SequenceExample.FromString,
        tf.errors.OpError,
    )


@lru_cache(maxsize=4096)
def record_places(path: Path, stamp: int) -> tuple[tuple[int, ...], bool]:
    """Find where each record of a file begins, once; only their lengths are read.

    Args:
        path: The file.
        stamp: Its time of change: with another it is looked at again.

    Returns:
        The places in bytes, and whether the file ends behind the last record.

    Raises:
        UserError: If it is empty, compressed or none.
    """
    places, place, size = [], 0, path.stat().st_size
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            raise UserError(f"{path} is compressed: expected a plain TFRecord file; gunzip it.")
        while place + _LENGTH.size <= size:
            file.seek(place)
            length, _ = _LENGTH.unpack(file.read(_LENGTH.size))
            end = place + _LENGTH.size + length + _CHECKSUM
            if end > size:
                break
            places.append(place)
            place = end
    if not places:
        raise UserError(f"{path} is no TFRecord file, or damaged: copy it again.")
    return tuple(places), place == size
