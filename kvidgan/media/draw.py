"""Drawing: frames laid out side by side; label maps, flow and masks painted in colours."""

import math
from collections.abc import Sequence

import numpy as np

BACKGROUND = 64  # dark grey, in every channel
CONTEXT_COLOUR = (0, 158, 95)  # borders of context frames, green
PREDICTED_COLOUR = (208, 52, 56)  # borders of predicted frames, red


def grid(videos: np.ndarray, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """Lay videos out side by side on dark grey.

    Args:
        videos: Videos of one shape, uint8 (videos, time, height, width, channels).
        columns: Number of videos per row; None for about as many as rows, the rows full if they can
            be.
        gap: Distance between neighbours, pixels.

    Returns:
        One video of them all, uint8 (time, height, width, channels).
    """
    count, time, height, width, channels = videos.shape
    columns = columns or _columns(count)
    rows = math.ceil(count / columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    canvas = np.full((time, *size, channels), BACKGROUND, np.uint8)
    for index, video in enumerate(videos):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[:, top : top + height, left : left + width] = video
    return canvas


def _columns(count: int) -> int:
    """Choose the columns of a grid about as wide as high, its rows full where that can be."""
    square = math.ceil(math.sqrt(count))
    return next((c for c in range(square, square + square // 2 + 1) if count % c == 0), square)


def enlarge(frames: np.ndarray, scale: int = 0) -> np.ndarray:
    """Repeat pixels, so that small frames can be looked at.

    Args:
        frames: Frames to enlarge, uint8 (..., height, width, channels).
        scale: Whole number to multiply both sides by; 0 chooses the largest that keeps them within
            512 pixels.

    Returns:
        Enlarged frames, uint8 (..., height * scale, width * scale, channels).
    """
    scale = scale or max(1, 512 // max(frames.shape[-3:-1]))
    return frames.repeat(scale, axis=-3).repeat(scale, axis=-2)


def bordered(frame: np.ndarray, colour: tuple[int, ...], width: int = 2) -> np.ndarray:
    """Draw a border around a frame.

    Args:
        frame: Frame to draw around, uint8 (height, width, 1 or 3).
        colour: Colour of the border, RGB from 0 to 255.
        width: Width of the border, pixels.

    Returns:
        The larger frame, uint8 (height + 2 * width, width + 2 * width, 3).
    """
    rows, columns = frame.shape[:2]
    with_border = np.empty((rows + 2 * width, columns + 2 * width, 3), np.uint8)
    with_border[...] = colour
    with_border[width:-width, width:-width] = frame
    return with_border


def strip(
    videos: np.ndarray | Sequence[Sequence[np.ndarray]], gap: int = 1, every: int = 1
) -> np.ndarray:
    """Lay every `every`-th frame of each video side by side, one row per video.

    Args:
        videos: Videos of one shape, uint8 (videos, time, height, width, channels), or their frames
            in nested lists.
        gap: Distance between neighbours, pixels.
        every: Distance in frames between two frames that are shown.

    Returns:
        One image, uint8 (height, width, channels).
    """
    shown = np.asarray(videos)[:, ::every]
    frames = shown.reshape(-1, 1, *shown.shape[2:])
    image: np.ndarray = grid(frames, columns=shown.shape[1], gap=gap)[0]
    return image


# --- label maps, flow and masks in colours

# Class 0, mostly the ground, is dark and class 1 white: edges and masks read as such. Then Sasha
# Trubetskoy's list of colours with clearly different names.
_NAMED = bytes.fromhex(
    "202020 ffffff e6194b 3cb44b ffe119 4363d8 f58231 911eb4 42d4f4 f032e6 bfef45 fabed4 469990"
    " dcbeff 9a6324 fffac8 800000 aaffc3 808000 ffd8b1 000075 a9a9a9"
)
_GOLDEN = 0.618034  # part of a turn between the hues of the classes that follow


def colour_labels(labels: np.ndarray) -> np.ndarray:
    """Paint every class in a colour of its own, the same in all pictures.

    Args:
        labels: Class numbers from 0 to 255, (..., height, width).

    Returns:
        Colours, uint8 (..., height, width, 3).
    """
    colours: np.ndarray = _palette()[labels]
    return colours


def _palette() -> np.ndarray:
    named = np.frombuffer(_NAMED, np.uint8).reshape(-1, 3)
    number = np.arange(256 - len(named))
    hues = _hue(number * _GOLDEN % 1.0)
    pale, bright = np.array([0.0, 0.5])[number % 2], np.array([1.0, 0.8, 0.6])[number % 3]
    more = (hues + pale[:, None] * (1 - hues)) * bright[:, None]
    return np.concatenate([named, np.rint(255 * more).astype(np.uint8)])


def flow_scale(height: int, width: int) -> float:
    """Return the displacement, in pixels, that `colour_flow` shows in full colour by default."""
    return max(height, width) / 32


def colour_flow(flow: np.ndarray, full: float | None = None) -> np.ndarray:
    """Paint flow on a colour wheel (after Baker et al. 2011): no motion is white.

    The hue is the direction, red to the right, yellow-green down, cyan to the left, violet up; the
    saturation is the length.

    Args:
        flow: Displacements in pixels to the right and down, (..., height, width, 2).
        full: Length from which on displacements are shown in full colour, pixels; None for
            `flow_scale`.

    Returns:
        Colours, uint8 (..., height, width, 3).
    """
    full = flow_scale(*flow.shape[-3:-1]) if full is None else full
    right, down = flow[..., 0], flow[..., 1]
    hues = _hue(np.arctan2(down, right) / (2 * np.pi) % 1.0)
    length = np.minimum(np.hypot(right, down) / full, 1.0)[..., None]
    colours: np.ndarray = np.rint(255 * (1 - length * (1 - hues)))
    return colours.astype(np.uint8)


def colour_mask(mask: np.ndarray) -> np.ndarray:
    """Paint a mask from 0, black, to 1, white.

    Args:
        mask: Shares from 0 to 1, (..., 1).

    Returns:
        Grey values, uint8 (..., 1).
    """
    grey: np.ndarray = np.rint(255 * np.clip(mask, 0, 1))
    return grey.astype(np.uint8)


def _hue(turn: np.ndarray) -> np.ndarray:
    """Return the pure colour (..., 3), 0 to 1, at a turn from 0 to 1: red, yellow, green, ..."""
    away = abs((turn[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3)
    colour: np.ndarray = np.clip(away - 1, 0, 1)
    return colour
