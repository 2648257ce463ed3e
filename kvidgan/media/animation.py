"""Animations: GIF, WebP, PNG, AVIF and TIFF with several pictures."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import ImageFile

from kvidgan.errors import UserError
from kvidgan.media.deep import Deep, read_by_opencv, read_deep
from kvidgan.media.levels import Extent, ImageLevels
from kvidgan.media.rate import VideoFacts, rate_of, resampled, slots
from kvidgan.media.read import UNREADABLE, open_image, reason, rgb_array, shown
from kvidgan.media.tiff import needs_opencv, tiff_pages, tiff_size

# That images have, too.
ANIMATED_SUFFIXES = frozenset({".webp", ".png", ".apng", ".avif", ".tif", ".tiff"})
_FORMATS = {"GIF", "WEBP", "PNG", "AVIF", "TIFF"}
_NO_DELAY = 100  # milliseconds that browsers show a picture without a delay


def is_animation(path: Path) -> bool:
    """Return whether a file holds several pictures in a format of images, whatever its name."""
    if needs_opencv(path):
        return len(tiff_pages(path)) > 1
    try:
        with open_image(path) as image:
            return image.format in _FORMATS and getattr(image, "n_frames", 1) > 1
    except (UserError, *UNREADABLE):
        return False


def read_animation(
    path: Path, fps: float | None = None, levels: ImageLevels | None = None
) -> tuple[Iterator[np.ndarray], float]:
    """Open an animation.

    Args:
        path: A GIF, WebP, PNG, AVIF or TIFF file.
        fps: Frames per second to return; None for those by the median of the delays: writers merge
            equal neighbours.
        levels: Levels of pages of more than 8 bit; None for those of this file.

    Returns:
        The frames, read as they are asked for, uint8 (height, width, 3), and the frames per second.

    Raises:
        UserError: If the file is no image, at once; if it is damaged, at once or while reading.
    """
    times, _ = _times(path)
    wanted = fps or rate_of(times, 0.0).fps
    levels = levels or ImageLevels.guessed(animation_extents(path))
    return resampled(_frames(path, times, levels), wanted, times[-1]), wanted


def probe_animation(path: Path, fps: float | None = None) -> VideoFacts:
    """Look into an animation; see `probe_video`."""
    times, size = _times(path)
    own = rate_of(times, 0.0)
    wanted = fps or own.fps
    same = own.steady and fps in (None, own.fps)
    length = len(times) - 1 if same else max(1, slots(times[-1], wanted))
    return VideoFacts(wanted, length, *size, () if same else (f"brought to {wanted:g} fps",))


def animation_extents(path: Path) -> list[Extent]:
    """Return the lowest and highest value of the first, middle and last page of more than 8 bit.

    None where they state which value is white, and none of damaged ones.
    """
    extents = []
    try:
        length = len(_times(path)[0]) - 1
        for page in _pages(path, sorted({0, length // 2, length - 1})):
            if not isinstance(page, Deep):
                break
            extents += [page.extent] if page.white is None else []
    except UserError:
        pass
    return extents


def _times(path: Path) -> tuple[list[float], tuple[int, int]]:
    """Return the seconds at which pictures begin and the last one ends, and (height, width)."""
    if needs_opencv(path):
        length = len(tiff_pages(path))
        return [number * _NO_DELAY / 1000 for number in range(length + 1)], tiff_size(path)
    delays = []  # milliseconds
    with open_image(path) as image:
        try:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                if image.format in ("WEBP", "AVIF"):
                    image.load()  # its delay is known only then
                delays.append(image.info.get("duration") or _NO_DELAY)
        except UNREADABLE as error:
            raise _damaged(path, error) from error
        size = image.height, image.width
    return [sum(delays[:number]) / 1000 for number in range(len(delays) + 1)], size


def _frames(
    path: Path, times: list[float], levels: ImageLevels
) -> Iterator[tuple[np.ndarray, float]]:
    for page, time in zip(_pages(path, range(len(times) - 1)), times, strict=False):
        yield shown(path, page, levels) if isinstance(page, Deep) else page, time


def _pages(path: Path, numbers: Iterable[int]) -> Iterator[np.ndarray | Deep]:
    """Read pictures: uint8 (height, width, 3), or the values of those of more than 8 bit."""
    if needs_opencv(path):
        yield from (read_by_opencv(path, number) for number in numbers)
        return
    with open_image(path) as image:
        for number in numbers:
            try:
                image.seek(number)
                deep = read_deep(path, image, number) if image.format == "TIFF" else None
                if deep is None:
                    _check_depth(path, image)
                page = rgb_array(image) if deep is None else deep
            except UNREADABLE as error:
                raise _damaged(path, error) from error
            yield page


def _check_depth(path: Path, image: ImageFile.ImageFile) -> None:
    """Refuse an animated PNG of 16 bit, of which Pillow would show the high bytes alone."""
    mode = str(image.tile[0].args) if image.tile else ""
    if image.format == "PNG" and ";16" in mode:
        raise UserError(
            f"{path} is an animation of 16 bit: expected 8 bit, or single images; save it so."
        )


def _damaged(path: Path, error: BaseException) -> UserError:
    return UserError(f"{path} is a damaged animation ({reason(error)}).")
