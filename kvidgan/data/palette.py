"""Palettes: which colour stands for which class, as a text file says it."""

import re
from pathlib import Path

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.errors import UserError

_HEX = re.compile(r"#([0-9a-fA-F]{6})(?:[\s,;]+(.*))?$")
_NUMBERS = re.compile(r"(\d+)[\s,;]+(\d+)[\s,;]+(\d+)(?:[\s,;]+(.*))?$")
_NO_CLASS = ("ignore", "ignored")
_MOST = 256


def read_palette(path: str | Path) -> LabelSet:
    """Read the classes that colours stand for.

    Each line is `R G B NAME`, numbers from 0 to 255 with blanks or commas between them, or
    `#rrggbb NAME`; without a name the class is called as its colour. The order is that of the
    classes. Colours of one name are one class; those of the name `ignored` are of none. Other
    lines that begin with # are comments.

    Raises:
        UserError: If the file cannot be read, a line is something else, or a colour comes twice.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"palette: expected a text file of lines R G B NAME, found none that can be read at"
            f" {path}; choose another."
        ) from error
    values: dict[str, str | None] = {}
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or (line.startswith("#") and not _HEX.match(line)):
            continue
        colour, name = _entry(line, f"{path}, line {number}")
        if colour in values:
            raise UserError(
                f"{path}, line {number}: expected each colour once, found {colour} again; remove"
                " one."
            )
        values[colour] = None if name.lower() in _NO_CLASS else name
    names = tuple(dict.fromkeys(name for name in values.values() if name is not None))
    if not names or len(names) + (None in values.values()) > _MOST:
        raise UserError(
            f"{path}: expected the colours of 1 to {_MOST} classes, found {len(names)}."
        )
    return LabelSet("ids", names, values)


def _entry(line: str, where: str) -> tuple[str, str]:
    """Return the colour, as "#rrggbb", and the name that a line tells."""
    if found := _HEX.match(line):
        colour, name = f"#{found[1].lower()}", found[2]
    elif (found := _NUMBERS.match(line)) and max(map(int, found.groups()[:3])) < 256:
        colour, name = "#{:02x}{:02x}{:02x}".format(*map(int, found.groups()[:3])), found[4]
    else:
        raise UserError(
            f"{where}: expected R G B NAME, such as 128 64 128 road, or #rrggbb NAME, found"
            f" {line[:40]!r}; mend the palette."
        )
    return colour, (name or "").strip() or colour


def packed(colours: np.ndarray) -> np.ndarray:
    """Return colours, uint8 (..., 3), as one number each: red * 65536 + green * 256 + blue."""
    wide = colours.astype(np.uint32)
    numbers: np.ndarray = wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
    return numbers


def colour_text(number: int) -> str:
    """Return a packed colour as text, such as "#804080"."""
    return f"#{number:06x}"


def is_grey(number: int) -> bool:
    """Return whether red, green and blue of a packed colour are equal."""
    return number == (number & 255) * 0x010101
