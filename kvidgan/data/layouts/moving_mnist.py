"""Layout `moving_mnist`: MNIST's image files, whose digits are drawn moving.

As in Srivastava et al. 2015, "Unsupervised Learning of Video Representations using LSTMs": two
digits in a frame of 64x64, 20 frames, each from a random place in a random direction, bouncing off
the edges. What the paper leaves open is as in the generators that are in use: a speed of a tenth of
the way from edge to edge, 3.6 pixels a frame; places cut off to whole pixels; the brighter pixel
where digits overlap. One thing differs: where those wait at an edge for the rest of a step that
would cross it, here the digit comes back by that rest.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import numpy as np

from kvidgan.data.layouts.files import Tree, unused_files
from kvidgan.data.source import Source, Video
from kvidgan.errors import UserError

CLIPS = 10000
SEED = 0
DIGITS, TIME, SIDE = 2, 20, 64
SPEED = 3.6  # pixels a frame
FILES = {"train": "train-images", "test": "t10k-images"}  # by split
_ENDINGS = ("-idx3-ubyte", ".idx3-ubyte", "-idx3-ubyte.gz", ".idx3-ubyte.gz")
_HEADER = struct.Struct(">4I")  # magic number, images, height, width
_MAGIC = 0x00000803  # uint8, three axes


def is_moving_mnist(tree: Tree) -> bool:
    """Return whether one of the image files is there."""
    return any(_file(tree, split) for split in FILES)


def moving_mnist(tree: Tree, clips: int = CLIPS) -> Source:
    """List clips that are drawn, as they are read, from MNIST's image files.

    Digits of split "train" come from the training images, those of "test" from the others. The
    clips of a split are the first of those that it has when more are asked for.

    Args:
        tree: Listing with both image files, compressed or not.
        clips: Number of clips in all; a tenth of them, rounded down, is of split "test".

    Raises:
        UserError: If a file is missing or damaged, or holds other than images below 64x64.
    """
    files = {split: _needed(tree, split) for split in FILES}
    numbers = {"train": clips - clips // 10, "test": clips // 10}
    videos, counts = [], []
    for split, file in files.items():
        path = tree.root / file
        stamp = path.stat().st_mtime_ns
        counts.append(f"{len(_images(path, stamp))} images to {split}")
        videos += [_video(split, index, path, stamp) for index in range(numbers[split])]
    note = f"{DIGITS} digits at {SPEED} pixels a frame, of {' and '.join(counts)}"
    skipped = unused_files(tree, list(files.values()), "an image file of MNIST")
    return Source("moving_mnist", tree.path, videos, skipped, note=note)


def _file(tree: Tree, split: str) -> PurePosixPath | None:
    names = (PurePosixPath(FILES[split] + ending) for ending in _ENDINGS)
    return next((name for name in names if name in tree.files), None)


def _needed(tree: Tree, split: str) -> PurePosixPath:
    file = _file(tree, split)
    if file is None:
        raise UserError(
            f"{tree.path}: expected a folder with {FILES['train']}-idx3-ubyte and"
            f" {FILES['test']}-idx3-ubyte, or the same with .gz, found no {FILES[split]} but"
            f" {tree.found()}; put both there."
        )
    return file


# --- drawing


def _video(split: str, index: int, path: Path, stamp: int) -> Video:
    return Video(
        f"{split}/{index:06d}",
        partial(_frames, path, stamp, split, index),
        split=split,
        length=TIME,
        height=SIDE,
        width=SIDE,
        files=(path,),
    )


def _frames(path: Path, stamp: int, split: str, index: int) -> Iterator[np.ndarray]:
    """Draw the frames of one clip, uint8 (64, 64, 1) each."""
    images = _images(path, stamp)
    rng = np.random.default_rng((SEED, list(FILES).index(split), index))
    height, width = images.shape[1:]
    frames = np.zeros((TIME, SIDE, SIDE), np.uint8)
    for _ in range(DIGITS):
        image = images[rng.integers(len(images))]
        for frame, (y, x) in zip(frames, _corners(height, width, rng), strict=True):
            view = frame[y : y + height, x : x + width]
            np.maximum(view, image, out=view)
    yield from frames[..., None]


def _corners(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return the upper left corners of an image, int (time, 2) of (y, x)."""
    space = np.array([SIDE - height, SIDE - width], float)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    velocity = SPEED * np.array([np.sin(angle), np.cos(angle)])
    straight = rng.uniform(0.0, space) + velocity * np.arange(TIME)[:, None]
    # Behind an edge lies the mirror image of the space: there and back is a period.
    bounced: np.ndarray = space - abs(straight % (2.0 * space) - space)
    return bounced.astype(int)


# --- reading


@lru_cache(maxsize=len(FILES))
def _images(path: Path, stamp: int) -> np.ndarray:
    """Read an IDX file once for all its clips; a changed time stamp reads it again.

    Returns:
        The images, uint8 (images, height, width).
    """
    content = _content(path)
    if len(content) < _HEADER.size:
        raise UserError(
            f"{path} is truncated: expected a header of {_HEADER.size} bytes, found"
            f" {len(content)}; copy it again."
        )
    magic, *shape = _HEADER.unpack_from(content)
    _check(path, magic, shape)
    expected, found = math.prod(shape), len(content) - _HEADER.size
    if found != expected:
        size = "x".join(map(str, shape))
        raise UserError(
            f"{path} is damaged: expected {expected} bytes of {size} pixels, found {found}; copy"
            " it again."
        )
    return np.frombuffer(content, np.uint8, offset=_HEADER.size).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{path} is damaged or may not be read: expected MNIST's images; copy it again."
        ) from error


def _check(path: Path, magic: int, shape: list[int]) -> None:
    if magic != _MAGIC:
        raise UserError(
            f"{path} is no IDX file of 8-bit images: expected the magic number {_MAGIC}, found"
            f" {magic}; choose MNIST's image files."
        )
    count, height, width = shape
    if not count or not 0 < height < SIDE or not 0 < width < SIDE:
        raise UserError(
            f"{path}: expected images smaller than the frame of {SIDE}x{SIDE}, found"
            f" {count} of {width}x{height}; choose MNIST's image files."
        )
