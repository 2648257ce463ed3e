"""Animations: GIF, WebP, PNG and TIFF with several pictures, read by Pillow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media.rate import VideoFacts, rate_of, resampled, slots
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
    times, _ = _times(path)
    wanted = fps or rate_of(times, 0.0).fps
    return resampled(_frames(path, times), wanted, times[-1]), wanted


def probe_animation(path: Path, fps: float | None = None) -> VideoFacts:
    """Look into an animation; see `probe_video`."""
    times, size = _times(path)
    own = rate_of(times, 0.0)
    wanted = fps or own.fps
    same = own.steady and fps in (None, own.fps)
    length = len(times) - 1 if same else max(1, slots(times[-1], wanted))
    return VideoFacts(wanted, length, *size, () if same else (f"brought to {wanted:g} fps",))


def _times(path: Path) -> tuple[list[float], tuple[int, int]]:
    """Return the seconds at which pictures begin and the last one ends, and (height, width)."""
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
        size = image.height, image.width
    return [sum(delays[:number]) / 1000 for number in range(len(delays) + 1)], size


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
