"""TIFF files: the tags of their pages, and which of them Pillow does not show right."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import TiffImagePlugin

from kvidgan.errors import UserError

Tags = Mapping[int, Any]  # of one page, by number

BITS, SAMPLES, EXTRA = 258, 277, 338
ALPHA = 2  # of EXTRA: opacity that the colours are not yet multiplied with
_WIDTH, _HEIGHT, _PHOTOMETRIC, _ORIENTATION, _PLANES, _FORMAT = 256, 257, 262, 274, 284, 339
_SEPARATE, _FLOAT, _WHITE_IS_ZERO = 2, 3, 0
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def needs_opencv(path: Path) -> bool:
    """Return whether a file is a TIFF of fractions that Pillow does not open."""
    pages = tiff_pages(path, 1)
    if not pages or _FLOAT not in several(pages[0].get(_FORMAT, 1)):
        return False
    return int(pages[0].get(SAMPLES, 1)) > 1 or set(several(pages[0].get(BITS, 1))) != {32}


def tiff_pages(path: Path, most: int = 2**16) -> list[Tags]:
    """Return the tags of each page of a TIFF file; none if it is no TIFF, or damaged there.

    Args:
        path: The file.
        most: Number of pages to look at.
    """
    pages: list[Tags] = []
    try:
        with path.open("rb") as file:
            header = file.read(8)
            if header[:4] not in _MAGIC:
                return []
            header += file.read(8) if header[2] == 43 or header[3] == 43 else b""
            tags = TiffImagePlugin.ImageFileDirectory_v2(header)
            while tags.next and len(pages) < most:
                file.seek(tags.next)
                tags = TiffImagePlugin.ImageFileDirectory_v2(header)
                tags.load(file)
                pages.append(tags)
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError):
        return []
    return pages


def tiff_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of a TIFF's first page, as it is to be shown."""
    tags = tiff_pages(path, 1)[0]
    height, width = int(tags[_HEIGHT]), int(tags[_WIDTH])
    return (width, height) if int(tags.get(_ORIENTATION, 1)) >= 5 else (height, width)


def several(value: Any) -> Sequence[int]:
    """Return the numbers of a tag."""
    return value if isinstance(value, tuple) else (int(value),)


def check_readable(path: Path, tags: Tags) -> None:
    """Refuse a page of more than 8 bit that both Pillow and OpenCV show wrong.

    Raises:
        UserError: If it is one.
    """
    if tags.get(_PLANES) == _SEPARATE and int(tags.get(SAMPLES, 1)) > 1:
        raise UserError(
            f"{path} keeps its colours in separate planes of more than 8 bit: expected them side by"
            " side; save it again."
        )
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise UserError(
            f"{path} is a negative of more than 8 bit (0 is white): expected 0 to be black; save it"
            " again."
        )
