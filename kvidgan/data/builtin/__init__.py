"""Data sets that are drawn on first use, seeded: nothing to download.

A set is one entry of `SETS`: its size, its classes and splits, and a function that draws clip
`index` of the set with a given seed. A file beside this one draws each.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.sources import Source, Video

from . import maze, moving_shapes


class BuiltIn(NamedTuple):
    """A generated data set.

    Attributes:
        clips: How many.
        shape: (time, height, width) of every clip.
        draw: (seed, index) to uint8 (time, height, width, channels); a pure function.
        classes: Their names; clip i is of class i modulo their number. Empty: without classes.
        test: How many of the last clips are of split "test", the others of "train"; 0: no splits.
    """

    clips: int
    shape: tuple[int, int, int]
    draw: Callable[[int, int], np.ndarray]
    classes: tuple[str, ...] = ()
    test: int = 0


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
            class_index=index % len(made.classes) if made.classes else -1,
            split=_split(made, index),
            length=time,
            height=height,
            width=width,
        )
        for index in range(made.clips)
    ]
    return Source("built-in", Path(name), videos, classes=list(made.classes), note=f"seed {seed}")


def _split(made: BuiltIn, index: int) -> str:
    if not made.test:
        return ""
    return "test" if index >= made.clips - made.test else "train"


def _frames(name: str, seed: int, index: int) -> Iterator[np.ndarray]:
    return iter(SETS[name].draw(seed, index))


SETS = {
    "moving_shapes": BuiltIn(
        clips=2000,
        shape=(moving_shapes.TIME, moving_shapes.SIDE, moving_shapes.SIDE),
        draw=moving_shapes.moving_shape,
        classes=("horizontal", "vertical"),
    ),
    "maze": BuiltIn(
        clips=72,
        shape=(maze.TIME, maze.HEIGHT, maze.WIDTH),
        draw=maze.maze_clip,
        test=12,
    ),
}
NAMES = tuple(SETS)
