"""Deep images: those of more than 8 bit, as the values that they store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps

from kvidgan.errors import UserError
from kvidgan.media.levels import Extent, ImageLevels, Levels, least_depth
from kvidgan.media.tiff import ALPHA, BITS, EXTRA, Tags, check_readable, several, tiff_pages

_SIZ = b"\xff\x4f\xff\x51"  # begins the stream of JPEG 2000
_PRECISION = 42  # bytes behind: bits of the first component, less one


class Deep(NamedTuple):
    """Deep: the values of an image of more than 8 bit.

    Attributes:
        colours: Whole numbers or fractions, (height, width, 1 or 3).
        alpha: Opacity in the colours' range or its own, (height, width, 1); None without.
        white: Value of white that the file states; None where it states none.
    """

    colours: np.ndarray
    alpha: np.ndarray | None = None
    white: float | None = None

    @property
    def extent(self) -> Extent:
        """The lowest and highest of the colours."""
        return Extent.of(self.colours)

    def to_rgb(self, levels: ImageLevels | None = None) -> np.ndarray:
        """Return the image as uint8 (height, width, 3), laid over black where it is transparent.

        Args:
            levels: Levels of all images of a source; None to go by this image alone. What the file
                itself states goes first.

        Raises:
            ValueError: If a value is beyond the levels.
        """
        found = self._levels(levels)
        if not found.hold(self.extent):
            raise ValueError(_beyond(self.extent, found))
        rgb = np.broadcast_to(found.to_uint8(self.colours), (*self.colours.shape[:2], 3))
        if self.alpha is None:
            return rgb.copy()
        depth = least_depth(float(self.alpha.max())) or 16
        opaque = 1.0 if self.alpha.dtype.kind == "f" else max(found.white, 2.0**depth - 1)
        return np.rint(rgb * (self.alpha / opaque)).astype(np.uint8)

    def _levels(self, levels: ImageLevels | None) -> Levels:
        if self.white is not None:
            return Levels(0.0, self.white)
        given = None if levels is None else levels.of(self.extent)
        return given or ImageLevels.guessed([self.extent]).needed(self.extent)


def _beyond(extent: Extent, levels: Levels) -> str:
    depth = least_depth(extent.highest)
    if extent.fractions or extent.lowest < 0 or depth is None:
        return f"expected {levels.describe()}, found {extent.describe()}"
    return f"{extent.highest:g} is beyond {levels.describe()}: say --bit-depth {depth}"


# --- which images are deep


def _bits(image: ImageFile.ImageFile) -> int:
    """Return the bits of a value, by the header alone."""
    if image.format == "TIFF":
        return max(several(getattr(image, "tag_v2", {}).get(BITS, 1)))
    if image.format == "JPEG2000":
        return _jpeg2000_bits(image)
    if image.format == "PPM" and image.mode == "RGB":
        # Binary values up to 65535 alone may be of fewer bits than stated; Pillow would cut them.
        raw = image.tile[0].codec_name == "ppm" and _highest_of_ppm(image) == 65535
        return 16 if raw else 8
    kept = str(image.tile[0].args) if image.tile else ""  # such as RGB;16B
    return 16 if ";16" in kept or image.mode.startswith(("I", "F")) else 8


def _highest_of_ppm(image: ImageFile.ImageFile) -> int:
    """Return which value a PPM or PGM file states as white, by which Pillow brings its values."""
    tile = image.tile[0] if image.tile else None
    if tile is None or tile.codec_name == "raw" or not isinstance(tile.args, tuple):
        return 65535
    return int(tile.args[-1])


def _jpeg2000_bits(image: ImageFile.ImageFile) -> int:
    file = image.fp
    if file is None:
        return 8
    place = file.tell()
    file.seek(0)
    header = file.read(2**16)
    file.seek(place)
    found = header.find(_SIZ)
    kept = header[found + _PRECISION : found + _PRECISION + 1] if found >= 0 else b""
    return (kept[0] & 0x7F) + 1 if kept else 8


# --- reading


def read_deep(path: Path, image: ImageFile.ImageFile, page: int = 0) -> Deep | None:
    """Read the values of an image, or of the current page of several.

    Args:
        path: File of the image.
        image: The same, opened by Pillow.
        page: Number of its current page.

    Returns:
        The values; None if it has 8 bit or less.

    Raises:
        UserError: If its kind is not read.
        OSError: If it is damaged; or another of Pillow's errors.
    """
    bits = _bits(image)
    if bits <= 8 or image.mode == "CMYK":
        return None
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    check_readable(path, tags)
    white = _stated_white(image, bits)
    whole = image.format == "TIFF" and bits % 16 == 0  # of which Pillow turns not all
    if whole or not image.mode.startswith(("I", "F")):
        image.load()  # damage is told as everywhere else
        return _of_opencv(path, page, image, tags, white)
    hidden = image.info.get("transparency")
    values = np.array(ImageOps.exif_transpose(image))[..., None]
    if isinstance(hidden, int):
        values[values == hidden] = 0
    return Deep(values, None, white)


def read_by_opencv(path: Path, page: int = 0) -> Deep:
    """Read the values of a page of a TIFF that Pillow does not open.

    Raises:
        UserError: If OpenCV does not read it either.
    """
    pages = tiff_pages(path)
    tags = pages[page] if page < len(pages) else {}
    check_readable(path, tags)
    return _of_opencv(path, page, None, tags, None)


def _stated_white(image: ImageFile.ImageFile, bits: int) -> float | None:
    """Return the value of white that a file states, in the values that are read of it."""
    if image.format == "PPM":
        return None if _highest_of_ppm(image) == 65535 else 65535.0
    if image.format == "JPEG2000" and bits < 16:
        shift = 16 - bits if image.mode.startswith("I") else 0  # Pillow's
        return float((2**bits - 1) << shift)
    if image.format == "TIFF" and bits in range(9, 16):
        return 2.0**bits - 1
    return None


def _of_opencv(
    path: Path,
    page: int,
    image: ImageFile.ImageFile | None,
    tags: Tags,
    white: float | None,
) -> Deep:
    import cv2  # takes half a second

    with _quiet():
        try:  # of several pages also where there is one: so OpenCV turns TIFF as it says
            _, found = cv2.imreadmulti(str(path), page, 1, flags=cv2.IMREAD_UNCHANGED)
        except cv2.error:
            found = ()
    if not found or found[0].dtype == np.uint8:
        raise UserError(
            f"{path} is damaged, or of a kind that is not read: expected whole numbers of 16 bit or"
            " fractions of 32 or 64; save it again."
        )
    values = found[0][..., None] if found[0].ndim == 2 else found[0]
    if image is not None and image.format == "PNG":
        values = _turned(values, image)
    colours = values[..., [2, 1, 0]] if values.shape[-1] >= 3 else values[..., :1]
    alpha = values[..., 3:] if values.shape[-1] == 4 else None
    stated = several(tags.get(EXTRA, ALPHA))
    return Deep(colours, alpha if ALPHA in stated else None, white)


def _turned(values: np.ndarray, image: ImageFile.ImageFile) -> np.ndarray:
    """Turn values as the EXIF orientation of their image says."""
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    orientation = int(exif.get(ExifTags.Base.Orientation, 1))
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    down, right = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(
        orientation, (1, 1)
    )
    return values[::down, ::right]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV's own messages off the terminal: its errors are told in a sentence."""
    import cv2

    logging = cv2.utils.logging
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
