"""Animations: GIF, WebP, PNG, AVIF and TIFF with several pictures."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ImageFile

from kvidgan.errors import UserError
from kvidgan.media.damage import damaged, decoding, reason
from kvidgan.media.deep import Deep, read_by_opencv, read_deep
from kvidgan.media.levels import Extent, ImageLevels
from kvidgan.media.rate import Timed, VideoFacts, rate_of, resampled, slots
from kvidgan.media.read import open_image, rgb_array, shown
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
        with open_image(path) as image, decoding(path):
            return image.format in _FORMATS and getattr(image, "n_frames", 1) > 1
    except UserError:
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
    animation = _look(path)
    wanted = fps or rate_of(animation.times, 0.0).fps
    levels = levels or ImageLevels.guessed(animation_extents(path))
    return resampled(_frames(path, animation, levels), wanted), wanted


def probe_animation(path: Path, fps: float | None = None) -> VideoFacts:
    """Look into an animation; see `probe_video`."""
    animation = _look(path)
    own = rate_of(animation.times, 0.0)
    wanted = fps or own.fps
    same = own.steady and fps in (None, own.fps)
    length = len(animation.times) - 1 if same else max(1, slots(animation.times[-1], wanted))
    conversions = () if same else (f"brought to {wanted:g} fps",)
    return VideoFacts(wanted, length, *animation.size, conversions, animation.missing)


def animation_extents(path: Path) -> list[Extent]:
    """Return the lowest and highest value of the first, middle and last page of more than 8 bit.

    None where they state which value is white, and none of damaged ones.
    """
    extents = []
    try:
        length = len(_look(path).times) - 1
        for page in _pages(path, sorted({0, length // 2, length - 1})):
            if not isinstance(page, Deep):
                break
            extents += [page.extent] if page.white is None else []
    except UserError:
        pass
    return extents


class _Animation(NamedTuple):
    times: list[float]  # seconds at which pictures begin, and the last one ends
    size: tuple[int, int]  # height and width
    missing: str  # what cannot be found in it


def _look(path: Path) -> _Animation:
    if needs_opencv(path):
        length = len(tiff_pages(path))
        times = [number * _NO_DELAY / 1000 for number in range(length + 1)]
        return _Animation(times, tiff_size(path), "")
    delays, missing = [], ""  # milliseconds
    with open_image(path) as image:
        try:
            count = getattr(image, "n_frames", 1)
            for index in range(count):
                image.seek(index)
                if image.format in ("WEBP", "AVIF"):
                    image.load()  # its delay is known only then
                delays.append(image.info.get("duration") or _NO_DELAY)
        except Exception as error:  # whatever a damaged file makes Pillow raise
            if not delays:
                raise UserError(f"{path} is a damaged animation ({reason(error)}).") from error
            missing = f"it ends after {len(delays)} pictures"
        if image.format == "GIF" and not missing and not _is_closed(path):
            missing = f"it ends after {len(delays)} pictures, without the mark of its end"
        size = image.height, image.width
    times = [sum(delays[:number]) / 1000 for number in range(len(delays) + 1)]
    return _Animation(times, size, missing)


def _is_closed(path: Path) -> bool:
    """Return whether a GIF's end is there; other bytes may follow it."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        return b";" in file.read()


def _frames(path: Path, animation: _Animation, levels: ImageLevels) -> Iterator[Timed]:
    """Decode picture after picture up to the first that is damaged: those behind build on it."""
    missing = animation.missing
    pages = _pages(path, range(len(animation.times) - 1))
    for index, (time, until) in enumerate(pairwise(animation.times)):
        try:
            page = next(pages)
        except UserError:
            if index == 0:
                raise
            missing = f"picture {index + 1} cannot be decoded"
            break
        try:
            yield Timed(shown(path, page, levels) if isinstance(page, Deep) else page, time, until)
        except UserError as error:  # it is whole, but beyond the levels
            damaged(error)
    if missing:
        damaged(UserError(f"{path} is a damaged animation: {missing}; what is before is read."))


def _pages(path: Path, numbers: Iterable[int]) -> Iterator[np.ndarray | Deep]:
    """Read pictures: uint8 (height, width, 3), or the values of those of more than 8 bit."""
    if needs_opencv(path):
        yield from (read_by_opencv(path, number) for number in numbers)
        return
    with open_image(path) as image:
        for number in numbers:
            with decoding(path, "animation"):
                image.seek(number)
                deep = read_deep(path, image, number) if image.format == "TIFF" else None
                if deep is None:
                    _check_depth(path, image)
                page = rgb_array(image) if deep is None else deep
            yield page


def _check_depth(path: Path, image: ImageFile.ImageFile) -> None:
    """Refuse an animated PNG of 16 bit, of which Pillow would show the high bytes alone."""
    mode = str(image.tile[0].args) if image.tile else ""
    if image.format == "PNG" and ";16" in mode:
        raise UserError(
            f"{path} is an animation of 16 bit: expected 8 bit, or single images; save it so."
        )
