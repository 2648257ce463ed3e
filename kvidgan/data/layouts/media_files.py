"""Layouts `film_strips`, `frame_folders` and `videos`: image and video files."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from kvidgan.data.layouts.files import Tree, gather, unused_files
from kvidgan.data.layouts.images import read_frames
from kvidgan.data.source import Source, Video
from kvidgan.errors import UserError
from kvidgan.media import image_size, read_image, read_video

# --- film strips: square frames side by side, or stacked, in one image


def is_film_strips(tree: Tree) -> bool:
    """Return whether most images are at least three times as long as wide."""
    images = tree.images()
    sizes = [size for file in images[:: len(images) // 24 + 1] if (size := _size(tree, file))]
    return sum(max(size) >= 3 * min(size) for size in sizes) * 2 > len(sizes)


def _size(tree: Tree, file: PurePosixPath) -> tuple[int, int] | None:
    try:
        return image_size(tree.root / file)
    except UserError:
        return None


def film_strips(tree: Tree) -> Source:
    """List the film strips: square frames side by side, or stacked, in one image."""
    images = tree.images()
    return gather(
        tree,
        "film_strips",
        images,
        partial(_strip, tree.root),
        unused_files(tree, images, "an image"),
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


def is_frame_folders(tree: Tree) -> bool:
    """Return whether there are images."""
    return bool(tree.images())


def frame_folders(tree: Tree) -> Source:
    """List the folders of equally large images, one video each."""
    images = tree.images()
    frames: dict[PurePosixPath, list[Path]] = {}
    for image in images:
        frames.setdefault(image.parent, []).append(tree.root / image)

    def make(folder: PurePosixPath) -> Video:
        paths = tuple(frames[folder])
        height, width = image_size(paths[0])
        name = str(folder) if folder.parts else tree.root.absolute().name
        read = partial(read_frames, paths)
        return Video(name, read, length=len(paths), height=height, width=width, files=paths)

    skipped = unused_files(tree, images, "an image")
    return gather(tree, "frame_folders", list(frames), make, skipped)


# --- video files


def is_videos(tree: Tree) -> bool:
    """Return whether there are videos, and no more images than those."""
    videos = len(tree.videos())
    return videos > 0 and videos >= len(tree.images())


def videos(tree: Tree) -> Source:
    """List the video files."""
    files = tree.videos()
    skipped = unused_files(tree, files, "a video file")
    return gather(tree, "videos", files, partial(_video_file, tree.root), skipped)


def _video_file(root: Path, file: PurePosixPath) -> Video:
    return Video(str(file), partial(_read_video, root / file), files=(root / file,))


def _read_video(path: Path) -> Iterator[np.ndarray]:
    return read_video(path)[0]
