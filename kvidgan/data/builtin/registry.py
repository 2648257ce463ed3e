"""Data sets that are drawn on first use, seeded: nothing to download.

A set is one entry of `SETS`: its size, its classes and splits, and a function that draws clip
`index` of the set with a given seed. A file beside this one draws each.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.builtin import maze, moving_digits, moving_shapes, streets
from kvidgan.data.labels import LabelSet
from kvidgan.data.schema import DigitsConfig
from kvidgan.data.source import Source, Video


class BuiltIn(NamedTuple):
    """A generated data set.

    Attributes:
        clips: How many.
        shape: (time, height, width) of every clip.
        draw: (seed, index) to uint8 (time, height, width, channels); a pure function.
        classes: Their names; clip i is of class i modulo their number. Empty: without classes.
        test: How many of the last clips are of split "test", the others of "train"; 0: no splits.
        note: What else there is to say of it.
        labels: Names of the classes of its label maps; empty: without.
        maps: With labels, (seed, index) to what belongs to the frames: "labels", uint8 and, where
            there are such, "instances", uint16, both (time, height, width); a pure function.
    """

    clips: int
    shape: tuple[int, int, int]
    draw: Callable[[int, int], np.ndarray]
    classes: tuple[str, ...] = ()
    test: int = 0
    note: str = ""
    labels: tuple[str, ...] = ()
    maps: Callable[[int, int], Mapping[str, np.ndarray]] | None = None


def open_builtin(name: str, seed: int = 0, digits: DigitsConfig | None = None) -> Source:
    """Return a built-in set as a source of videos; they are drawn when they are read.

    Args:
        name: One of `NAMES`.
        seed: Of all its clips.
        digits: Options of moving_digits, the only set that has some; None: their defaults.
    """
    made = _digits(digits) if digits and name == DIGITS else SETS[name]
    time, height, width = made.shape
    videos = [
        Video(
            name=f"{index:06d}",
            read=partial(_frames, made.draw, seed, index),
            class_index=index % len(made.classes) if made.classes else -1,
            split=_split(made, index),
            length=time,
            height=height,
            width=width,
            read_maps=made.maps and partial(_maps, made.maps, seed, index),
        )
        for index in range(made.clips)
    ]
    note = ", ".join(filter(None, [f"seed {seed}", made.note]))
    labels = LabelSet("ids", made.labels) if made.labels else None
    return Source("built-in", Path(name), videos, [], list(made.classes), note, labels)


def _digits(options: DigitsConfig) -> BuiltIn:
    return BuiltIn(
        clips=options.clips,
        shape=(options.frames, options.size, options.size),
        draw=partial(moving_digits.moving_digits, options=options),
        note=f"{options.number} digit{'' if options.number == 1 else 's'}",
    )


def _split(made: BuiltIn, index: int) -> str:
    if not made.test:
        return ""
    return "test" if index >= made.clips - made.test else "train"


def _frames(draw: Callable[[int, int], np.ndarray], seed: int, index: int) -> Iterator[np.ndarray]:
    return iter(draw(seed, index))


def _maps(
    draw: Callable[[int, int], Mapping[str, np.ndarray]], seed: int, index: int
) -> Iterator[dict[str, np.ndarray]]:
    drawn = draw(seed, index)
    for moment in zip(*drawn.values(), strict=True):
        yield dict(zip(drawn, moment, strict=True))


DIGITS = "moving_digits"
SETS = {
    "moving_shapes": BuiltIn(
        clips=2000,
        shape=(moving_shapes.TIME, moving_shapes.SIDE, moving_shapes.SIDE),
        draw=moving_shapes.moving_shape,
        classes=("horizontal", "vertical"),
    ),
    DIGITS: _digits(DigitsConfig()),
    "maze": BuiltIn(
        clips=72,
        shape=(maze.TIME, maze.HEIGHT, maze.WIDTH),
        draw=maze.maze_clip,
        test=12,
    ),
    "streets": BuiltIn(
        clips=120,
        shape=(streets.TIME, streets.HEIGHT, streets.WIDTH),
        draw=streets.frames,
        test=12,
        labels=streets.CLASSES,
        maps=streets.maps,
    ),
}
NAMES = tuple(SETS)
