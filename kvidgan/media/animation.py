"""Animations: GIF, WebP, PNG and TIFF with several pictures, read by Pillow."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media.damage import damaged
from kvidgan.media.rate import Timed, VideoFacts, rate_of, resampled, slots
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
    animation = _look(path)
    wanted = fps or rate_of(animation.times, 0.0).fps
    return resampled(_frames(path, animation), wanted), wanted


def probe_animation(path: Path, fps: float | None = None) -> VideoFacts:
    """Look into an animation; see `probe_video`."""
    animation = _look(path)
    own = rate_of(animation.times, 0.0)
    wanted = fps or own.fps
    same = own.steady and fps in (None, own.fps)
    length = len(animation.times) - 1 if same else max(1, slots(animation.times[-1], wanted))
    conversions = () if same else (f"brought to {wanted:g} fps",)
    return VideoFacts(wanted, length, *animation.size, conversions, animation.missing)


class _Animation(NamedTuple):
    times: list[float]  # seconds at which pictures begin, and the last one ends
    size: tuple[int, int]  # height and width
    missing: str  # what cannot be found in it


def _look(path: Path) -> _Animation:
    delays, missing = [], ""  # milliseconds
    with open_image(path) as image:
        try:
            count = getattr(image, "n_frames", 1)
            for index in range(count):
                image.seek(index)
                if image.format == "WEBP":
                    image.load()  # its delay is known only then
                delays.append(image.info.get("duration") or _NO_DELAY)
        except UNREADABLE as error:
            if not delays:
                raise _damaged(path, error) from error
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


def _frames(path: Path, animation: _Animation) -> Iterator[Timed]:
    """Decode picture after picture up to the first that is damaged: those behind build on it."""
    missing = animation.missing
    with open_image(path) as image:
        for index, (time, until) in enumerate(pairwise(animation.times)):
            try:
                image.seek(index)
                frame = rgb_array(image)
            except UNREADABLE as error:
                if index == 0:
                    raise _damaged(path, error) from error
                missing = f"picture {index + 1} cannot be decoded"
                break
            yield Timed(frame, time, until)
    if missing:
        damaged(UserError(f"{path} is a damaged animation: {missing}; what is before is read."))


def _damaged(path: Path, error: BaseException) -> UserError:
    return UserError(f"{path} is a damaged animation ({reason(error)}).")
