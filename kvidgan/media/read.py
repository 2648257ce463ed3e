"""Reading of images."""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from kvidgan.errors import UserError

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
)

_QUARTER_TURN = 5  # the first of EXIF's orientations, 1 to 8, that exchanges the sides
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def natural_key(path: str | PurePath) -> tuple[Any, ...]:
    """Return a sort key under which frame2 comes before frame10, folder by folder.

    Example:
        sorted(["frame10.png", "frame2.png"], key=natural_key)  # ["frame2.png", "frame10.png"]
    """
    return tuple(_natural_part(part) for part in PurePath(path).parts)


def _natural_part(name: str) -> tuple[Any, ...]:
    # The pattern's group makes text and numbers alternate, so equal places compare equal types.
    pieces = re.split(r"(\d+)", name.lower())
    return tuple(int(p) if place % 2 else p for place, p in enumerate(pieces)), name


# --- images


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) from an image's header, without decoding it.

    Raises:
        UserError: If the file is not an image.
    """
    with open_image(path) as image:
        height, width = image.height, image.width
        return (width, height) if _orientation(image) >= _QUARTER_TURN else (height, width)


def _orientation(image: Image.Image) -> int:
    """Return how an image is to be turned, without decoding it; Pillow turns TIFF by itself."""
    exif = Image.Exif()
    if image.format == "PNG":  # of which getexif() would decode all
        exif.load(image.info.get("exif", b""))
    elif image.format != "TIFF":
        exif = image.getexif()
    return int(exif.get(ExifTags.Base.Orientation, 1))


def read_image(path: Path) -> np.ndarray:
    """Read an image in RGB; its content decides the format, not its suffix.

    Grey becomes RGB, transparency is laid over black, 16 bit is scaled to 8; it is turned as its
    EXIF orientation says.

    Returns:
        The image, uint8 (height, width, 3).

    Raises:
        UserError: If the file is missing, no image, or truncated.
    """
    with open_image(path) as image:
        try:
            ImageOps.exif_transpose(image, in_place=True)
            return rgb_array(image)
        except UNREADABLE as error:
            raise UserError(f"{path} is a damaged image ({reason(error)}): replace it.") from error


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image, or an animation, with Pillow.

    Raises:
        UserError: If it is missing or none.
    """
    try:
        image = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        raise UserError(f"{path} is not a readable image: expected PNG, JPEG or alike.") from error
    with image:
        yield image


def rgb_array(image: Image.Image) -> np.ndarray:
    """Decode one Pillow image (or the current frame of an animation) to uint8 (H, W, 3)."""
    if image.mode.startswith("I"):  # 16 bit grey; 65535 / 255 = 257
        grey = np.rint(np.clip(np.asarray(image), 0, 65535) / 257.0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode == "F":
        raise ValueError("expected 8 or 16 bit, found floating point")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGB", image.size)
        black.paste(image, mask=image.getchannel("A"))
        return np.array(black)
    return np.array(image.convert("RGB"))


def reason(error: BaseException) -> str:
    """Return a library's reason for not reading or writing, in a few words."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # libraries add paragraphs of their own
    return str(error).strip().rstrip(".") or type(error).__name__
