"""Registry of built-in data sets, which are drawn from a seed on first use.

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
from kvidgan.data.text import counted


class BuiltIn(NamedTuple):
    """BuiltIn: a data set that is drawn.

    Attributes:
        clips: Number of clips.
        shape: Shape of every clip, (time, height, width).
        draw: Pure function of (seed, index) that returns the frames of a clip, uint8 (time, height,
            width, channels).
        classes: Names of the clips' classes; clip i is of class i modulo their number. Empty for
            none.
        test: Number of the last clips that are of split "test", the others being of "train"; 0 for
            no splits.
        note: Remark to add to the source's description.
        labels: Names of the classes of the label maps; empty without label maps.
        maps: Pure function of (seed, index) that returns the maps of a clip: "labels", uint8, and
            where there are some "instances", uint16, both (time, height, width); None without
            label maps.
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
        name: Name of the set, one of `NAMES`.
        seed: Seed of all its clips.
        digits: Options of moving_digits, the only set that has some; None for their defaults.
    """
    built_in = _digits(digits) if digits and name == DIGITS else SETS[name]
    time, height, width = built_in.shape
    videos = [
        Video(
            name=f"{index:06d}",
            read=partial(_frames, built_in.draw, seed, index),
            class_index=index % len(built_in.classes) if built_in.classes else -1,
            split=_split(built_in, index),
            length=time,
            height=height,
            width=width,
            read_maps=built_in.maps and partial(_maps, built_in.maps, seed, index),
        )
        for index in range(built_in.clips)
    ]
    note = ", ".join(filter(None, [f"seed {seed}", built_in.note]))
    labels = LabelSet("ids", built_in.labels) if built_in.labels else None
    return Source("built-in", Path(name), videos, [], list(built_in.classes), note, labels=labels)


def _digits(options: DigitsConfig) -> BuiltIn:
    return BuiltIn(
        clips=options.clips,
        shape=(options.frames, options.size, options.size),
        draw=partial(moving_digits.moving_digits, options=options),
        note=counted(options.number, "digit"),
    )


def _split(built_in: BuiltIn, index: int) -> str:
    if not built_in.test:
        return ""
    return "test" if index >= built_in.clips - built_in.test else "train"


def _frames(draw: Callable[[int, int], np.ndarray], seed: int, index: int) -> Iterator[np.ndarray]:
    return iter(draw(seed, index))


def _maps(
    draw: Callable[[int, int], Mapping[str, np.ndarray]], seed: int, index: int
) -> Iterator[dict[str, np.ndarray]]:
    maps = draw(seed, index)
    for of_frame in zip(*maps.values(), strict=True):
        yield dict(zip(maps, of_frame, strict=True))


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
