"""Label table: turns what files of label maps say into class numbers, by the classes' own table."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from kvidgan.contract import NO_CLASS
from kvidgan.data.labels import LabelSet
from kvidgan.data.lossy import nearest, without_loss
from kvidgan.data.palette import colour_text, packed
from kvidgan.errors import UserError
from kvidgan.media import MapImage

_UNKNOWN = -1

_asked: ContextVar[LabelSet | None] = ContextVar("label_set", default=None)


@contextmanager
def read_by(known: LabelSet | None) -> Iterator[None]:
    """Read the label maps of data that are opened in this block by a model's table.

    What stands for a class is not told by these maps then, which may not show all of them.

    Args:
        known: Classes of the model; None, or without a table of values, for the maps' own.
    """
    token = _asked.set(known if known is not None and known.values is not None else None)
    try:
        yield
    finally:
        _asked.reset(token)


def asked_labels() -> LabelSet | None:
    """Return the classes that label maps are to be read by; None for their own."""
    return _asked.get()


class LabelTable:
    """LabelTable: the class numbers of what files say.

    Args:
        labels: Classes, and what stands for them.
        where: Where they are told, for errors, such as "in the palette colours.txt".
        advice: What to do about what stands for none of them.
    """

    def __init__(
        self, labels: LabelSet, where: str = "of the data", advice: str = "mend the label map"
    ):
        self.labels, self.where, self.advice = labels, where, advice
        self.by_colour = labels.by_colour
        places = {name: place for place, name in enumerate(labels.names)}
        found = sorted(
            (_number(value), NO_CLASS if name is None else places[name])
            for value, name in labels.meanings.items()
        )
        self.values = np.array([value for value, _ in found], np.int64)
        self._classes = np.array([number for _, number in found], np.uint8)
        self._by_number = np.full(2**16, _UNKNOWN, np.int16)
        if not self.by_colour:
            self._by_number[self.values] = self._classes

    def read(self, path: Path, image: MapImage) -> np.ndarray:
        """Return a map's class numbers, uint8 (height, width), NO_CLASS for no class.

        Raises:
            UserError: If something in it stands for no class.
        """
        return self._read_colours(path, image) if self.by_colour else self._read_ids(path, image)

    def _read_colours(self, path: Path, image: MapImage) -> np.ndarray:
        if image.numbers is not None and image.numbers.max() > 255:
            raise self.unknown(path, int(image.numbers.max()), coloured=False)
        if image.lossy:
            return self._classes[nearest(path, image.as_colours, self.values)]
        values = packed(image.as_colours)
        places = np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)
        unknown = self.values[places] != values
        if unknown.any():
            first = int(values[unknown][0])
            grey = image.numbers is not None and image.palette is None
            raise self.unknown(path, first & 255 if grey else first, coloured=not grey)
        return self._classes[places]

    def _read_ids(self, path: Path, image: MapImage) -> np.ndarray:
        values = self._numbers(path, without_loss(path, image) if image.lossy else image)
        found = self._by_number[values]
        if found.min() == _UNKNOWN:
            raise self.unknown(path, int(values[found == _UNKNOWN][0]), coloured=False)
        return found.astype(np.uint8)

    def _numbers(self, path: Path, image: MapImage) -> np.ndarray:
        """Return the numbers of a map, which may lie in RGB images in grey."""
        if image.numbers is not None:
            return image.numbers
        assert image.colours is not None
        colours = packed(image.colours)
        coloured = colours != (colours & 255) * 0x010101
        if coloured.any():
            raise self.unknown(path, int(colours[coloured][0]), coloured=True)
        return colours & 255

    def unknown(self, path: Path, value: int, coloured: bool) -> UserError:
        """Return the error of a number, or a packed colour, that stands for no class."""
        what = f"the colour {colour_text(value)}" if coloured else str(value)
        listed = ", ".join(list(self.labels.meanings)[:12])
        more = ", ..." if len(self.labels.meanings) > 12 else ""
        return UserError(
            f"{path}: expected what stands for the classes {self.where}, {listed}{more}, found"
            f" {what}; {self.advice}."
        )


def _number(value: str) -> int:
    return int(value[1:], 16) if value.startswith("#") else int(value)


# --- from one set of classes to another


def translation(own: LabelSet, known: LabelSet, where: str) -> np.ndarray | None:
    """Return the number that each class of some label maps has for a model.

    Classes are the same if their names are, or else what stands for them in files.

    Args:
        own: Classes of the label maps.
        known: Classes of the model.
        where: Place of the label maps, for the sentence.

    Returns:
        For each number from 0 to 255 the model's, int16, -1 for none; None if all stay.

    Raises:
        UserError: If the model does not know a class that is in the maps.
    """
    places = {name: place for place, name in enumerate(known.names)}
    table = np.full(256, _UNKNOWN, np.int16)
    ignored = NO_CLASS if len(known) <= NO_CLASS else _UNKNOWN
    table[NO_CLASS] = ignored
    for value, name in own.meanings.items():
        meant = name if name in places or value not in known.meanings else known.meanings[value]
        number = ignored if meant is None else places.get(meant, _UNKNOWN)
        if number == _UNKNOWN and (own.values is not None or name == own.names[-1]):
            raise _not_known(where, value, known)
        table[NO_CLASS if name is None else own.names.index(name)] = number
    stay = [*range(len(own)), *([NO_CLASS] if None in own.meanings.values() else [])]
    return None if (table[stay] == stay).all() else table


def translated(
    labels: np.ndarray, table: np.ndarray | None, where: str, objects: bool = False
) -> np.ndarray:
    """Return label maps in a model's numbers.

    Args:
        labels: Label maps (..., height, width), with `objects` (..., height, width, 2).
        table: What `translation` returned.
        where: Place of the label maps, for the sentence.
        objects: Whether the maps' last axis holds the numbers of objects, too, which stay.

    Raises:
        UserError: If a number stands for no class of the model.
    """
    if table is None:
        return labels
    if objects:
        classes = translated(labels[..., 0], table, where)
        return np.stack([classes, labels[..., 1]], axis=-1)
    numbers = table[labels]
    if (numbers == _UNKNOWN).any():
        unknown = int(labels[numbers == _UNKNOWN][0])
        raise UserError(
            f"{where}: expected label maps of classes that the model was trained on, found"
            f" {unknown}; use those it knows."
        )
    return numbers.astype(labels.dtype)


def _not_known(where: str, value: str, known: LabelSet) -> UserError:
    listed = ", ".join(known.meanings)
    return UserError(
        f"{where}: expected label maps of what the model was trained on, {listed}, found {value};"
        " use classes that it knows."
    )
