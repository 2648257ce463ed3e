"""Sheet: pictures of several videos on one page, with captions."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PICTURE = 168  # longest side of a picture, pixels
_GAP = 8
_WIDTH = 3 * (PICTURE + _GAP) - _GAP  # of an entry, pixels
_LINE = 18  # height of a line of text
_TEXT = 13  # size of the letters
_COLUMNS = 2
_PAPER, _INK, _FAINT = (24, 24, 27), (235, 235, 235), (160, 160, 165)


class SheetEntry(NamedTuple):
    """SheetEntry: one video on a sheet.

    Attributes:
        caption: Lines of text; the first is its name.
        rows: Rows of pictures, uint8 (height, width, 1 or 3) each.
    """

    caption: list[str]
    rows: list[list[np.ndarray]]


def contact_sheet(entries: Sequence[SheetEntry]) -> np.ndarray:
    """Draw entries in two columns, each with its caption above its pictures.

    Args:
        entries: What to draw; at least one.

    Returns:
        The sheet, uint8 (height, width, 3).
    """
    cells = [_cell(entry) for entry in entries]
    columns = min(_COLUMNS, len(cells))
    lines = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    widths = [
        max(line[place].width for line in lines if place < len(line)) for place in range(columns)
    ]
    heights = [max(cell.height for cell in line) for line in lines]
    width = sum(widths) + 2 * _GAP * (columns + 1)
    sheet = Image.new("RGB", (width, sum(heights) + 2 * _GAP * (len(lines) + 1)), _PAPER)
    top = 2 * _GAP
    for line, height in zip(lines, heights, strict=True):
        left = 2 * _GAP
        for cell, wide in zip(line, widths, strict=False):
            sheet.paste(cell, (left, top))
            left += wide + 2 * _GAP
        top += height + 2 * _GAP
    return np.array(sheet)


def _cell(entry: SheetEntry) -> Image.Image:
    rows = [[_thumbnail(picture) for picture in row] for row in entry.rows]
    heights = [max(picture.height for picture in row) for row in rows]
    height = _LINE * len(entry.caption) + sum(heights) + _GAP * len(rows)
    cell = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw, top = ImageDraw.Draw(cell), 0
    for number, text in enumerate(entry.caption):
        draw.text((0, top), _fitting(text, _WIDTH), _FAINT if number else _INK, _font())
        top += _LINE
    for row, high in zip(rows, heights, strict=True):
        for place, picture in enumerate(row):
            cell.paste(picture, (place * (PICTURE + _GAP), top))
        top += high + _GAP
    return cell


def _thumbnail(picture: np.ndarray) -> Image.Image:
    """Bring a picture to the size of a sheet: small ones by repeating pixels."""
    image = Image.fromarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))
    longest = max(image.size)
    if longest <= PICTURE:
        times = PICTURE // longest
        return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    size = [max(1, round(side * PICTURE / longest)) for side in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.BOX)


def _fitting(text: str, width: int) -> str:
    """Cut a text off at the front until it fits; the end of a name says more than its beginning."""
    if _font().getlength(text) <= width:
        return text
    while text and _font().getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"


@lru_cache(maxsize=1)
def _font() -> Any:
    from matplotlib import get_data_path  # whose font knows most of the world's letters

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), _TEXT)
