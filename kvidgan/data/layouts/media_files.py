"""Layouts `film_strips`, `frame_folders` and `videos`: image and video files."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from kvidgan.data.layouts.files import Tree, gather, unused_files
from kvidgan.data.layouts.image_levels import find_image_levels, find_page_levels
from kvidgan.data.layouts.images import equally_large, read_frames
from kvidgan.data.layouts.sequences import sequences
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError
from kvidgan.media import ImageLevels, image_size, probe_video, read_image, read_video

# --- film strips: square frames side by side, or stacked, in one image


_LONG = 3  # times as long as wide is what may be a strip
_SMOOTH = 0.5  # of the difference a square away: neighbouring pixels of a picture differ by less
_VISIBLE = 4.0  # of 255: what differs by less shows next to nothing
_ALIKE = 0.85  # of the difference half a frame away: neighbours in a strip differ by less


def is_film_strips(tree: Tree) -> bool:
    """Return whether most images are film strips, not wide frames.

    Strips are at least three times as long as wide. Where a folder holds several of one size, as
    it does frames, what they show has to repeat with every square, too.
    """
    images = tree.images()
    chosen = images[:: len(images) // 24 + 1]
    sizes = {file: size for file in chosen if (size := _size(tree, file))}
    long = [file for file, size in sizes.items() if max(size) >= _LONG * min(size)]
    if len(long) * 2 <= len(sizes):
        return False
    equal = [file for file in long if _has_neighbour(file, sizes)]
    if len(equal) * 2 <= len(long):
        return True
    tried = equal[:: len(equal) // 5 + 1]
    return sum(_repeats(tree.root / file, sizes[file]) for file in tried) * 2 > len(tried)


def _has_neighbour(file: PurePosixPath, sizes: dict[PurePosixPath, tuple[int, int]]) -> bool:
    """Return whether another image of a folder is of the same size."""
    return any(
        other != file and other.parent == file.parent and size == sizes[file]
        for other, size in sizes.items()
    )


def _repeats(path: Path, size: tuple[int, int]) -> bool:
    """Return whether squares side by side are alike, as frames one after the other are.

    Of noise and of what is almost flat, which are no pictures, and of damaged files the size tells.
    """
    side, long = min(size), max(size)
    if long % side:
        return False
    try:
        image = read_image(path).mean(-1)
    except UserError:
        return True
    line = image if size[1] > size[0] else image.T

    def difference(shift: int) -> float:
        return float(np.abs(line[:, shift:] - line[:, :-shift]).mean())

    far = difference(side)
    picture = far > _VISIBLE and difference(1) < _SMOOTH * far
    return not picture or far < _ALIKE * difference(side // 2)


def _size(tree: Tree, file: PurePosixPath) -> tuple[int, int] | None:
    try:
        return image_size(tree.root / file)
    except UserError:
        return None


def film_strips(tree: Tree, bit_depth: int | None = None) -> Source:
    """List the film strips: square frames side by side, or stacked, in one image.

    Args:
        tree: Listing of the files.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.
    """
    images = tree.images()
    levels = find_image_levels([[tree.root / image] for image in images], bit_depth)
    skipped = unused_files(tree, images, "an image")
    make = partial(_strip, tree.root, levels.levels)
    return levels.noted(gather(tree, "film_strips", images, make, skipped))


def _strip(root: Path, levels: ImageLevels | None, file: PurePosixPath) -> Video:
    height, width = image_size(root / file)
    side, long = min(height, width), max(height, width)
    if long % side or long == side:
        raise UserError(
            f"expected a strip of square frames, found {width}x{height}: "
            f"{long} is no multiple (2 or more) of {side}"
        )
    path = root / file
    read = partial(_read_strip, path, levels)
    return Video(str(file), read, length=long // side, height=side, width=side, files=(path,))


def _read_strip(path: Path, levels: ImageLevels | None) -> Iterator[np.ndarray]:
    image = read_image(path, levels)
    height, width = image.shape[:2]
    yield from np.split(image, max(height, width) // min(height, width), axis=int(width > height))


# --- frame folders: one folder of equally large images per video


def is_frame_folders(tree: Tree) -> bool:
    """Return whether there are images."""
    return bool(tree.images())


def frame_folders(tree: Tree, bit_depth: int | None = None) -> Source:
    """List the folders of equally large images: one video each, or one a sequence.

    Args:
        tree: Listing of the files.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.
    """
    images = tree.images()
    folders: dict[PurePosixPath, list[PurePosixPath]] = {}
    for image in images:
        folders.setdefault(image.parent, []).append(image)
    frames: dict[PurePosixPath, list[Path]] = {}
    skipped = unused_files(tree, images, "an image")
    for folder, inside in folders.items():
        found = sequences(inside)
        for name, part in found.named.items():
            frames[folder / name] = [tree.root / image for image in part]
        skipped += [
            Skipped(str(i), "the same frame in another format", False) for i in found.doubled
        ]
        skipped += [Skipped(str(i), "not one of the frames beside it", False) for i in found.others]

    levels = find_image_levels(list(frames.values()), bit_depth)

    def make(place: PurePosixPath) -> Video:
        paths, bad = equally_large(frames[place])
        skipped.extend(_bad_frame(error, place, tree.root) for error in bad)
        height, width = image_size(paths[0])
        name = str(place) if place.parts else tree.root.absolute().name
        read = partial(read_frames, paths, levels.levels)
        return Video(name, read, length=len(paths), height=height, width=width, files=tuple(paths))

    return levels.noted(gather(tree, "frame_folders", list(frames), make, skipped))


def _bad_frame(error: UserError, video: PurePosixPath, root: Path) -> Skipped:
    return Skipped(str(video), without_path(error, root), rest_kept=True)


# --- video files


def is_videos(tree: Tree) -> bool:
    """Return whether there are videos, and no more images than those."""
    videos = len(tree.videos())
    return videos > 0 and videos >= len(tree.images())


def videos(tree: Tree, fps: float | None = None, bit_depth: int | None = None) -> Source:
    """List the video files.

    Args:
        tree: Listing of the files.
        fps: Frames per second that they are brought to; None for each one's own.
        bit_depth: Bit depth of TIFF pages of more than 8 bit; None to guess it.
    """
    files = tree.videos()
    levels = find_page_levels([tree.root / file for file in files], bit_depth)
    skipped = unused_files(tree, files, "a video file")
    make = partial(_video_file, tree.root, fps, levels.levels)
    return levels.noted(gather(tree, "videos", files, make, skipped))


def _video_file(
    root: Path, fps: float | None, levels: ImageLevels | None, file: PurePosixPath
) -> Video:
    path = root / file
    return Video(
        str(file),
        partial(_read_video, path, fps, levels),
        files=(path,),
        fps=fps,
        probe=partial(probe_video, path, fps),
    )


def _read_video(path: Path, fps: float | None, levels: ImageLevels | None) -> Iterator[np.ndarray]:
    return read_video(path, fps, levels)[0]


# --- whichever of the three there is


def moving_pictures(tree: Tree, fps: float | None = None, bit_depth: int | None = None) -> Source:
    """List film strips, video files or frame folders, whichever there are.

    Args:
        tree: Listing of the files.
        fps: Frames per second that videos are brought to, and that images are said to have; None
            for their own.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.
    """
    if is_videos(tree) and not is_film_strips(tree):
        return videos(tree, fps, bit_depth)
    source = (film_strips if is_film_strips(tree) else frame_folders)(tree, bit_depth)
    return replace(source, videos=[replace(video, fps=fps) for video in source.videos])
