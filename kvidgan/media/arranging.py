"""Arrange frames in pictures to look at."""

import math
from collections.abc import Sequence

import numpy as np

BACKGROUND = 64


def grid(videos: np.ndarray, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """Lay videos out side by side on dark grey.

    Args:
        videos: uint8 (videos, time, height, width, channels).
        columns: Videos per row; by default about as many as rows, the rows full if they can be.
        gap: Pixels between neighbours.

    Returns:
        uint8 (time, height, width, channels) of the whole.
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
        frames: uint8 (..., height, width, channels).
        scale: A whole number; 0 chooses the largest that keeps both sides within 512 pixels.

    Returns:
        uint8 (..., height * scale, width * scale, channels).
    """
    scale = scale or max(1, 512 // max(frames.shape[-3:-1]))
    return frames.repeat(scale, axis=-3).repeat(scale, axis=-2)


def bordered(frame: np.ndarray, colour: tuple[int, ...], width: int = 2) -> np.ndarray:
    """Draw an edge around a frame.

    Args:
        frame: uint8 (height, width, 1 or 3).
        colour: RGB, 0 to 255.
        width: Of the edge, pixels.

    Returns:
        uint8 (height + 2 * width, width + 2 * width, 3).
    """
    height, wide = frame.shape[:2]
    framed = np.empty((height + 2 * width, wide + 2 * width, 3), np.uint8)
    framed[...] = colour
    framed[width:-width, width:-width] = frame
    return framed


def strip(
    videos: np.ndarray | Sequence[Sequence[np.ndarray]], gap: int = 1, every: int = 1
) -> np.ndarray:
    """Lay every `every`-th frame of each video side by side, one row per video.

    Args:
        videos: uint8 (videos, time, height, width, channels), or frames in nested lists.
        gap: Pixels between neighbours.
        every: Distance between the frames shown.

    Returns:
        One image, uint8 (height, width, channels).
    """
    shown = np.asarray(videos)[:, ::every]
    frames = shown.reshape(-1, 1, *shown.shape[2:])
    return grid(frames, columns=shown.shape[1], gap=gap)[0]
