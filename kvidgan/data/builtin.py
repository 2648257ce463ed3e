"""Data sets that are drawn on first use, seeded: nothing to download.

A set is one line in `SETS`: its classes, its size, and a function that draws clip `index` of the
set with a given seed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.sources import Source, Video


class BuiltIn(NamedTuple):
    """A generated data set.

    Attributes:
        clips: How many.
        shape: (time, height, width) of every clip.
        classes: Their names; clip i is of class i modulo their number.
        draw: (seed, index) to uint8 (time, height, width, channels); a pure function.
    """

    clips: int
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    draw: Callable[[int, int], np.ndarray]


def open_builtin(name: str, seed: int = 0) -> Source:
    """Return a built-in set as a source of videos; they are drawn when they are read.

    Args:
        name: One of `NAMES`.
        seed: Of all its clips.
    """
    made = SETS[name]
    time, height, width = made.shape
    videos = [
        Video(
            name=f"{index:06d}",
            read=partial(_frames, name, seed, index),
            class_index=index % len(made.classes),
            length=time,
            height=height,
            width=width,
        )
        for index in range(made.clips)
    ]
    return Source("built-in", Path(name), videos, classes=list(made.classes), note=f"seed {seed}")


def _frames(name: str, seed: int, index: int) -> Iterator[np.ndarray]:
    return iter(SETS[name].draw(seed, index))


# --- moving_shapes: a disc or square that swings along one axis

_TIME, _SIDE = 16, 32


def moving_shape(seed: int, index: int) -> np.ndarray:
    """Draw one disc or square that swings along x (even index) or y (odd).

    Args:
        seed: Of the data set.
        index: Of the clip.

    Returns:
        uint8 (16, 32, 32, 3): red, yellow, green, cyan, blue or magenta on black, anti-aliased,
        never touching the edge.
    """
    rng = np.random.default_rng((seed, index))
    radius = rng.uniform(4.0, 6.0)
    margin = radius + 0.5  # half a pixel of anti-aliasing
    amplitude = rng.uniform(3.0, 8.0)
    cycles = _TIME / rng.uniform(10.0, 20.0)
    phase = rng.uniform(0.0, 2.0 * np.pi) + 2.0 * np.pi * cycles * np.arange(_TIME) / _TIME
    centre = rng.uniform(margin + amplitude, _SIDE - 1 - margin - amplitude)
    moving = centre + amplitude * np.sin(phase)  # (time,)
    resting = np.full(_TIME, rng.uniform(margin, _SIDE - 1 - margin))
    x, y = (moving, resting) if index % 2 == 0 else (resting, moving)
    cover = (_disc if rng.random() < 0.5 else _square)(x, y, radius)
    return np.rint(cover[..., None] * _saturated(rng.integers(6) / 6)).astype(np.uint8)


def _distances(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return |dx| (time, 1, width) and |dy| (time, height, 1) of every pixel to the centre."""
    pixels = np.arange(_SIDE)
    return abs(pixels - x[:, None])[:, None, :], abs(pixels - y[:, None])[:, :, None]


def _disc(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.clip(radius + 0.5 - np.hypot(*_distances(x, y)), 0.0, 1.0)


def _square(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    across, down = (np.clip(radius + 0.5 - d, 0.0, 1.0) for d in _distances(x, y))
    return across * down


def _saturated(hue: float) -> np.ndarray:
    """Return the RGB colour, 0 to 255, of a hue in [0, 1) at full saturation and value."""
    ramp = abs((hue * 6.0 + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0
    return np.clip(ramp, 0.0, 1.0) * 255.0


SETS = {
    "moving_shapes": BuiltIn(2000, (_TIME, _SIDE, _SIDE), ("horizontal", "vertical"), moving_shape),
}
NAMES = tuple(SETS)
