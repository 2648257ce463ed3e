"""Difference: pictures of how a predicted frame differs from the true one."""

from functools import cache

import numpy as np

MODES = ("absolute", "signed", "heat")
# The mean difference, as a part of the range, that the heat map shows in full: white.
HEAT_FULL = 0.25


def difference(
    truth: np.ndarray | None, prediction: np.ndarray | None, mode: str
) -> np.ndarray | None:
    """Return a picture of the difference between two frames.

    Args:
        truth: True frame, uint8 (height, width, 1 or 3), or None where it is not known.
        prediction: Predicted frame of the same shape, or None.
        mode: "absolute"; "signed": grey where equal, brighter where the prediction is; or "heat":
            black where equal, over red and yellow to white at a mean difference of `HEAT_FULL`.

    Returns:
        Picture, uint8 of the frames' shape, with "heat" (height, width, 3); None where a frame is
        missing or the shapes differ.

    Raises:
        ValueError: If the mode is unknown.
    """
    if mode not in MODES:
        raise ValueError(f"Expected one of {', '.join(MODES)}, received {mode!r}.")
    if truth is None or prediction is None or truth.shape != prediction.shape:
        return None
    if mode == "signed":
        halved: np.ndarray = (prediction.astype(np.int16) - truth) >> 1
        return (halved + 128).astype(np.uint8)
    distance: np.ndarray = np.maximum(truth, prediction) - np.minimum(truth, prediction)
    if mode == "absolute":
        return distance
    total = distance[..., 0].astype(np.uint16)
    for channel in range(1, distance.shape[-1]):
        total += distance[..., channel]
    heat: np.ndarray = np.take(_heat_of_totals(distance.shape[-1]), total, axis=0, mode="clip")
    return heat


@cache
def _heat_of_totals(channels: int) -> np.ndarray:
    """Return the colours of all sums of differences over a number of channels."""
    levels = np.arange(255 * channels + 1) / (HEAT_FULL * channels)
    return heat_colours()[np.minimum(levels, 255).astype(np.uint8)]


def heat_colours(count: int = 256) -> np.ndarray:
    """Return colours from black over red and yellow to white in equal steps of lightness.

    The lightness is that of CIE L*a*b*, so that equal differences look equally far apart.

    Args:
        count: Number of colours.

    Returns:
        Colours, sRGB, uint8 (count, 3).
    """
    corners = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)], np.float64)
    along = np.linspace(0, 3, 3001)
    light = np.stack([np.interp(along, range(4), channel) for channel in corners.T], axis=-1)
    wanted = np.linspace(0, 100, count)
    where = np.interp(wanted, _lightness(light @ (0.2126, 0.7152, 0.0722)), along)
    linear = np.stack([np.interp(where, range(4), channel) for channel in corners.T], axis=-1)
    return np.round(_encode(linear) * 255).astype(np.uint8)


def _lightness(luminance: np.ndarray) -> np.ndarray:
    """Return CIE L*, 0 to 100, of relative luminances, 0 to 1."""
    root = np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), 0)
    line = luminance / (3 * (6 / 29) ** 2) + 4 / 29
    return 116 * np.where(root > 0, root, line) - 16


def _encode(linear: np.ndarray) -> np.ndarray:
    """Return sRGB values, 0 to 1, of linear light, 0 to 1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
