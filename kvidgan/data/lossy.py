"""Lossy label maps: masks and colours in JPEG or lossy WebP, made whole or refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import MapImage

_NEAR = 32  # of 255: what differs by less from a colour, or from 0 or 255, may be it
_CLEAR = 8  # by how much the next colour has to differ more
_NEARLY_ALL = 0.9  # of the pixels
_SIDE = 8  # pixels, of the blocks that JPEG codes on their own
_FLAT = 2  # of 255: what is just black or white differs by no more within a block
_STEADY = 0.95  # of the blocks far from edges


def without_loss(path: Path, image: MapImage) -> MapImage:
    """Return a mask of 0 and 255 as it was before it was coded: what is over the half is 255.

    Raises:
        UserError: If it is no such mask.
    """
    values = image.numbers
    if values is None:
        assert image.colours is not None
        spread = np.ptp(image.colours.astype(np.int16), axis=-1)
        values = image.colours[..., 1] if (spread <= _NEAR).mean() >= _NEARLY_ALL else None
    if values is None or not is_mask(values):
        raise UserError(
            f"{path} is a JPEG or lossy WebP, which changes class numbers and colours: expected a"
            " mask of black and white there; save label maps as PNG, or, if they are in clearly"
            " different colours, name those with --palette FILE (data.palette)."
        )
    return MapImage(np.where(values > 127, 255, 0).astype(np.uint8))


def is_mask(values: np.ndarray) -> bool:
    """Return whether all values were 0 or 255 before they were coded.

    Nearly all are close to one of the two then, and far from edges it is just black or just white,
    where class numbers would be something else.

    Args:
        values: Grey values, uint8 (height, width).
    """
    between = (values > _NEAR) & (values < 255 - _NEAR)
    if between.mean() > 1 - _NEARLY_ALL:
        return False
    lowest, highest = _blocks(values, np.min), _blocks(values, np.max)
    calm = ~_grown(highest.astype(int) - lowest > 127)  # far from edges
    black = (lowest == 0) & (highest <= _FLAT)
    white = (highest == 255) & (lowest >= 255 - _FLAT)
    return not calm.any() or bool((black | white)[calm].mean() >= _STEADY)


def _blocks(values: np.ndarray, reduce: Callable[..., np.ndarray]) -> np.ndarray:
    """Reduce each block of 8x8 pixels, smaller at the end, to one number."""
    high, wide = values.shape
    padded = np.pad(values, ((0, -high % _SIDE), (0, -wide % _SIDE)), mode="edge")
    tiled = padded.reshape(padded.shape[0] // _SIDE, _SIDE, padded.shape[1] // _SIDE, _SIDE)
    return reduce(tiled, axis=(1, 3))


def _grown(blocks: np.ndarray) -> np.ndarray:
    """Mark blocks and the eight around each."""
    padded = np.pad(blocks, 1)
    high, wide = blocks.shape
    shifted = [padded[y : y + high, x : x + wide] for y in range(3) for x in range(3)]
    return np.logical_or.reduce(shifted)


def nearest(path: Path, colours: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which of some colours each pixel was before it was coded.

    Args:
        path: File that the map is of, for errors.
        colours: Colours of the map, uint8 (height, width, 3).
        values: The colours that it may have, packed (colours,).

    Returns:
        Places in `values`, (height, width).

    Raises:
        UserError: If it is not clear which, for more than a few pixels.
    """
    known = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=-1).astype(np.int16)
    best = np.full(colours.shape[:2], 256, np.int16)
    second, places = best.copy(), np.zeros(colours.shape[:2], np.int64)
    for place, colour in enumerate(known):
        distance = np.abs(colours.astype(np.int16) - colour).max(axis=-1)
        closer = distance < best
        second = np.where(closer, best, np.minimum(second, distance))
        best, places = np.where(closer, distance, best), np.where(closer, place, places)
    clear = (best <= _NEAR) & (second - best >= _CLEAR)
    if clear.mean() < _NEARLY_ALL:
        raise UserError(
            f"{path} is a JPEG or lossy WebP, which changes colours: expected nearly all of its"
            f" pixels to be clearly one of the palette, found {clear.mean():.0%}; save label maps"
            " as PNG."
        )
    return places
