"""Animations: GIF, WebP, PNG and TIFF with several pictures, read by Pillow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media.rate import rate_of, resampled
from kvidgan.media.read import UNREADABLE, open_image, reason, rgb_array

ANIMATED_SUFFIXES = frozenset({".webp", ".png", ".apng", ".tif", ".tiff"})  # that images have, too
_FORMATS = {"GIF", "WEBP", "PNG", "TIFF"}
_NO_DELAY = 100  # milliseconds that browsers show a picture without a delay


def is_animation(path: Path) -> bool:
    """Return whether a file holds several pictures in a format of images, whatever its name."""
    try:
        with open_image(path) as image:
            return image.format in _FORMATS and getattr(image, "n_frames", 1) > 1
    except (UserError, *UNREADABLE):
        return False


def read_animation(path: Path, fps: float | None = None) -> tuple[Iterator[np.ndarray], float]:
    """Open an animation.

    Args:
        path: A GIF, WebP, PNG or TIFF file.
        fps: Frames per second to return; None for those by the median of the delays: writers merge
            equal neighbours.

    Returns:
        The frames, read as they are asked for, uint8 (height, width, 3), and the frames per second.

    Raises:
        UserError: If the file is no image, at once; if it is damaged, at once or while reading.
    """
    delays = []  # milliseconds
    with open_image(path) as image:
        try:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                if image.format == "WEBP":
                    image.load()  # its delay is known only then
                delays.append(image.info.get("duration") or _NO_DELAY)
        except UNREADABLE as error:
            raise _damaged(path, error) from error
    times = [sum(delays[:number]) / 1000 for number in range(len(delays) + 1)]
    wanted = fps or rate_of(times, 0.0).fps
    return resampled(_frames(path, times), wanted, times[-1]), wanted


def _frames(path: Path, times: list[float]) -> Iterator[tuple[np.ndarray, float]]:
    with open_image(path) as image:
        for index, time in enumerate(times[:-1]):
            try:
                image.seek(index)
                frame = rgb_array(image)
            except UNREADABLE as error:
                raise _damaged(path, error) from error
            yield frame, time


def _damaged(path: Path, error: BaseException) -> UserError:
    return UserError(f"{path} is a damaged animation ({reason(error)}).")
