"""Reading of images."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from kvidgan.errors import UserError
from kvidgan.media.damage import decoding
from kvidgan.media.deep import Deep, read_by_opencv, read_deep
from kvidgan.media.foreign import check_dynamic_range, foreign_kind
from kvidgan.media.levels import Extent, ImageLevels
from kvidgan.media.tiff import needs_opencv, tiff_size

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"),
        *(".pnm", ".avif", ".jp2", ".j2k", ".j2c", ".jpx", ".jpf"),
    }
)

_QUARTER_TURN = 5  # the first of EXIF's orientations, 1 to 8, that exchanges the sides


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
    if needs_opencv(path):
        return tiff_size(path)
    with open_image(path) as image, decoding(path):
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


def read_image(path: Path, levels: ImageLevels | None = None) -> np.ndarray:
    """Read an image in RGB; its content decides the format, not its suffix.

    Grey becomes RGB, transparency is laid over black, more than 8 bit is scaled to 8; it is turned
    as its EXIF orientation says.

    Args:
        path: File of the image.
        levels: Levels of the images of more than 8 bit of a source; None to go by this image alone:
            the least bit depth that holds its values.

    Returns:
        The image, uint8 (height, width, 3).

    Raises:
        UserError: If the file is missing, no image, truncated, or has values beyond the levels.
    """
    if needs_opencv(path):
        return shown(path, read_by_opencv(path), levels)
    with open_image(path) as image, decoding(path):
        deep = read_deep(path, image)
        if deep is not None:
            return shown(path, deep, levels)
        ImageOps.exif_transpose(image, in_place=True)
        return rgb_array(image)


def shown(path: Path, deep: Deep, levels: ImageLevels | None) -> np.ndarray:
    """Return an image of more than 8 bit as uint8 (height, width, 3).

    Raises:
        UserError: If it has values beyond the levels.
    """
    try:
        return deep.to_rgb(levels)
    except ValueError as error:
        raise UserError(f"{path} has values that do not fit: {error}.") from error


def image_extent(path: Path) -> Extent | None:
    """Return the lowest and highest value of an image of more than 8 bit.

    None for other images, for those that state which value is white, and for damaged ones.
    """
    try:
        if needs_opencv(path):
            return read_by_opencv(path).extent
        with open_image(path) as image, decoding(path):
            deep = read_deep(path, image)
            return None if deep is None or deep.white is not None else deep.extent
    except UserError:
        return None


@contextmanager
def open_image(path: Path) -> Iterator[ImageFile.ImageFile]:
    """Open an image, or an animation, with Pillow.

    Raises:
        UserError: If it is missing or none.
    """
    try:
        image = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except Exception as error:  # whatever a damaged file makes Pillow raise
        kind = foreign_kind(path)
        if kind is not None:
            raise UserError(f"{path} {kind}.") from error
        raise UserError(f"{path} is not a readable image: expected PNG, JPEG or alike.") from error
    with image:
        if image.format == "AVIF":
            check_dynamic_range(path)
        yield image


def rgb_array(image: Image.Image) -> np.ndarray:
    """Decode a Pillow image of 8 bit, or the current frame of an animation, to uint8 (H, W, 3)."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGB", image.size)
        black.paste(image, mask=image.getchannel("A"))
        return np.array(black)
    return np.array(image.convert("RGB"))
