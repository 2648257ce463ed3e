"""Maps: images whose pixels are numbers or colours with a meaning, such as classes or objects."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from kvidgan.errors import UserError
from kvidgan.media.damage import decoding
from kvidgan.media.read import open_image

_LOSSY = ("JPEG", "MPO", "JPEG2000", "AVIF")
_WITH_ALPHA = ("LA", "PA", "RGBA")
_HEADER = 2**16  # bytes in which a WebP names its codec, unless it has a huge colour profile


class NotAMap(UserError):
    """NotAMap: an image that is whole, but does not hold one number or colour a pixel."""


class MapImage(NamedTuple):
    """MapImage: what a file says of each pixel: a number, a place in a palette, or a colour.

    Attributes:
        numbers: Grey values, or places in the palette, uint8 or uint16 (height, width); None where
            there are colours.
        palette: Colours of the palette, uint8 (256, 3), black where it ends; None without one.
        colours: Colours, uint8 (height, width, 3); None where there are numbers.
        lossy: Whether the format changes values, as JPEG does.
    """

    numbers: np.ndarray | None = None
    palette: np.ndarray | None = None
    colours: np.ndarray | None = None
    lossy: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        values = self.colours if self.numbers is None else self.numbers
        assert values is not None
        return values.shape[0], values.shape[1]

    @property
    def as_colours(self) -> np.ndarray:
        """Colours, uint8 (height, width, 3), also of a palette's places or of 8-bit grey."""
        if self.colours is not None:
            return self.colours
        assert self.numbers is not None
        if self.palette is not None:
            return self.palette[self.numbers]
        return np.repeat(self.numbers.astype(np.uint8)[..., None], 3, axis=-1)


def read_map(path: Path) -> MapImage:
    """Read an image of numbers or colours with a meaning, turned as its EXIF orientation says.

    Raises:
        UserError: If the file is missing, no image, or truncated.
        NotAMap: If it has fractions, negative numbers, numbers beyond 16 bit, 16-bit colours, or is
            transparent.
    """
    with open_image(path) as image:
        _check_depth(path)
        lossy = image.format in _LOSSY or (image.format == "WEBP" and _is_lossy_webp(path))
        with decoding(path):
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            return _decoded(path, image)._replace(lossy=lossy)


def _decoded(path: Path, image: Image.Image) -> MapImage:
    if image.mode in _WITH_ALPHA:
        return _decoded(path, _opaque(path, image))
    if image.mode == "P":
        colours = np.zeros((256, 3), np.uint8)
        given = image.getpalette("RGB") or []
        colours.ravel()[: len(given)] = given
        return MapImage(np.asarray(image), colours)
    if image.mode == "1":  # of which 1 is white
        return MapImage(np.asarray(image).astype(np.uint8) * np.uint8(255))
    if image.mode == "L":
        return MapImage(np.asarray(image))
    if image.mode == "F" or image.mode.startswith("I"):
        return MapImage(_in_16_bit(path, np.asarray(image)))
    return MapImage(colours=np.asarray(image.convert("RGB")))


def _opaque(path: Path, image: Image.Image) -> Image.Image:
    """Return an image without its alpha channel, in which nothing must be transparent."""
    if np.asarray(image.getchannel("A")).min() < 255:
        raise NotAMap(
            f"{path} is transparent in places: expected a class or an object in every pixel; save"
            " it without transparency."
        )
    return image.convert("L" if image.mode == "LA" else "RGB")


def _in_16_bit(path: Path, values: np.ndarray) -> np.ndarray:
    if not (values >= 0).all() or not (values < 2**16).all() or (values % 1).any():
        raise NotAMap(
            f"{path} has fractions or numbers beyond 0 to 65535: expected whole numbers, in 8 or"
            " 16 bit; save the ids themselves."
        )
    return values.astype(np.uint16)


def _check_depth(path: Path) -> None:
    """Refuse PNG of 16-bit colours, of which Pillow drops the last eight."""
    with path.open("rb") as file:
        head = file.read(26)
    if head[1:4] == b"PNG" and len(head) == 26 and head[24] == 16 and head[25] != 0:
        raise NotAMap(
            f"{path} has colours or transparency in 16 bit: expected colours in 8 bit, or numbers"
            " in grey; save it so."
        )


def _is_lossy_webp(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEADER)
    place = 12  # behind RIFF, the length and WEBP
    while place + 8 <= len(head):
        kind, length = (
            head[place : place + 4],
            int.from_bytes(head[place + 4 : place + 8], "little"),
        )
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        place += 8 + length + length % 2
    return True
