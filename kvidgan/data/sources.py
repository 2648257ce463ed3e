"""Folders and files of videos: which layout they have, and how their frames are read.

A layout is one line in `LAYOUTS`: a function that recognises it in a listing and a function that
turns the listing into videos.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from kvidgan.data.arrays import arrays, is_arrays
from kvidgan.data.images import read_frames
from kvidgan.data.labelled import is_labelled_frames, labelled_frames
from kvidgan.data.listing import Source, Tree, Video, gather, list_files, strays
from kvidgan.data.moving_mnist import is_moving_mnist, moving_mnist
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, image_size, read_image, read_video

EXPECTED = (
    "film strips, frame folders, video files, label maps in train_A beside frames in train_B,"
    " .npy/.npz arrays or the images of MNIST"
)


def open_source(
    path: str | Path,
    layout: str = "auto",
    clips: int | None = None,
    classes: int | None = None,
) -> Source:
    """Recognise the layout of a folder or file and list its videos.

    Args:
        path: A folder, a video, an image strip or an array file.
        layout: A key of `LAYOUTS` to force it, or "auto".
        clips: How many to draw, where a layout draws them; None: its default.
        classes: How many classes label maps have, where a layout has them; None: as many as are
            found in them.

    Raises:
        UserError: If the path does not exist, holds no videos, or does not fit the forced layout,
            or if an option is given that the layout does not take.
    """
    tree = list_files(Path(path))
    if layout != "auto" and layout not in LAYOUTS:
        raise UserError(f"Expected a layout of {', '.join(LAYOUTS)} or auto, found {layout!r}.")
    fitting = [n for n, one in LAYOUTS.items() if layout in (n, "auto") and one.recognise(tree)]
    if not fitting and layout == "auto":
        raise UserError(f"{path} holds no videos: expected {EXPECTED}, found {tree.found()}.")
    options = {"clips": clips, "classes": classes}
    source = _read(tree, fitting[0] if layout == "auto" else layout, options)
    if not source.videos:
        damaged = [skipped for skipped in source.skipped if skipped.damaged]
        why = f"{damaged[0].name}: {damaged[0].reason}" if damaged else f"found {tree.found()}"
        raise UserError(f"{path} holds no usable {source.layout.replace('_', ' ')}: {why}.")
    return source


def _read(tree: Tree, layout: str, options: dict[str, int | None]) -> Source:
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name not in LAYOUTS[layout].options:
            raise UserError(
                f"{tree.path} holds {layout.replace('_', ' ')}, which are read as they are:"
                f" expected no --{name}, found {value}; leave it out, it is for the layout"
                f" {takers(name)}."
            )
    return LAYOUTS[layout].read(tree, **given)


def takers(option: str) -> str:
    """Name the layout that takes an option."""
    return next(name for name, one in LAYOUTS.items() if option in one.options)


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
    return gather(
        tree, "film_strips", images, partial(_strip, tree.root), strays(tree, images, "an image")
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
        read = partial(read_frames, paths)
        return Video(name, read, length=len(paths), height=height, width=width, files=paths)

    skipped = strays(tree, images, "an image")
    return gather(tree, "frame_folders", list(frames), make, skipped)


# --- video files


def _is_videos(tree: Tree) -> bool:
    videos = len(tree.having(VIDEO_SUFFIXES))
    return videos > 0 and videos >= len(tree.having(IMAGE_SUFFIXES))


def _videos(tree: Tree) -> Source:
    files = tree.having(VIDEO_SUFFIXES)
    skipped = strays(tree, files, "a video file")
    return gather(tree, "videos", files, partial(_video_file, tree.root), skipped)


def _video_file(root: Path, file: PurePosixPath) -> Video:
    return Video(str(file), partial(_read_video, root / file), files=(root / file,))


def _read_video(path: Path) -> Iterator[np.ndarray]:
    return read_video(path)[0]


class Layout(NamedTuple):
    """How a layout is recognised in a listing, and how its videos are found there.

    Attributes:
        recognise: Tells whether a listing has this layout.
        read: Returns its videos.
        options: What `read` takes besides, by keyword.
    """

    recognise: Callable[[Tree], bool]
    read: Callable[..., Source]
    options: tuple[str, ...] = ()


# In the order in which they are tried: a folder of film strips is a folder of images, too.
LAYOUTS = {
    "labelled_frames": Layout(is_labelled_frames, labelled_frames, ("classes",)),
    "film_strips": Layout(_is_film_strips, _film_strips),
    "videos": Layout(_is_videos, _videos),
    "frame_folders": Layout(_is_frame_folders, _frame_folders),
    "arrays": Layout(is_arrays, arrays),
    "moving_mnist": Layout(is_moving_mnist, moving_mnist, ("clips",)),
}
