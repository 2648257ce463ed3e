"""Conversions of frames, and of the maps that belong to them: ranges, colours and sizes."""

import re

import numpy as np

from kvidgan.errors import UserError

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def to_uint8(frames: np.ndarray) -> np.ndarray:
    """Convert floats in [-1, 1] to uint8: clipped, then rounded, then cast."""
    rounded: np.ndarray = np.rint((np.clip(frames, -1.0, 1.0) + 1.0) * 127.5)
    return rounded.astype(np.uint8)


def to_float(frames: np.ndarray) -> np.ndarray:
    """Convert uint8 to float32 in [-1, 1]."""
    return frames.astype(np.float32) / np.float32(127.5) - np.float32(1.0)


def fit_frames(frames: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """Crop centrally to an aspect, resize, and convert between grey and RGB.

    Args:
        frames: Frames to convert, uint8 (time, height, width, channels), 1 or 3 channels.
        height: Wanted height in pixels.
        width: Wanted width in pixels.
        channels: Wanted channels: 1 for luma (ITU-R BT.601), 3 for RGB.

    Returns:
        Frames of the wanted shape, uint8 (time, height, width, channels); the argument itself when
        there is nothing to do.
    """
    if channels == 1 and frames.shape[-1] == 3:
        frames = np.rint(frames @ _LUMA).astype(np.uint8)[..., None]
    if frames.shape[1:3] != (height, width):
        frames = _resize(_crop(frames, height, width), height, width)
    if channels == 3 and frames.shape[-1] == 1:
        frames = np.repeat(frames, 3, axis=-1)
    return frames


def fit_maps(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Crop and resize maps as `fit_frames` does frames; no value is new.

    Args:
        maps: Class ids, instance ids or booleans, (time, height, width).
        height: Wanted height in pixels.
        width: Wanted width in pixels.

    Returns:
        Maps of the same type, (time, height, width): the value nearest to each pixel's centre; the
        argument itself when there is nothing to do.
    """
    if maps.shape[1:3] == (height, width):
        return maps
    maps = _crop(maps, height, width)
    return maps[:, _nearest(maps.shape[1], height)][:, :, _nearest(maps.shape[2], width)]


def fit_flow(flow: np.ndarray, height: int, width: int) -> np.ndarray:
    """Crop and resize optical flow as `fit_frames` does frames; displacements scale with them.

    Args:
        flow: Displacements in pixels to the right and down, float32 (time, height, width, 2).
        height: Wanted height in pixels.
        width: Wanted width in pixels.

    Returns:
        Displacements in pixels of the new size, float32 (time, height, width, 2); the argument
        itself when there is nothing to do.
    """
    import cv2

    if flow.shape[1:3] == (height, width):
        return flow
    flow = _crop(flow, height, width)
    factors = np.array([width / flow.shape[2], height / flow.shape[1]], np.float32)
    resized = np.empty((len(flow), height, width, 2), np.float32)
    for target, one in zip(resized, flow, strict=True):
        target[...] = cv2.resize(np.ascontiguousarray(one), (width, height)) * factors
    return resized


def _nearest(before: int, after: int) -> np.ndarray:
    """Return the pixel that each centre falls on when `before` pixels become `after`."""
    return ((np.arange(after) + 0.5) * before / after).astype(int)


def _crop(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    tall, wide = frames.shape[1:3]
    kept_tall = max(1, min(tall, round(wide * height / width)))
    kept_wide = max(1, min(wide, round(tall * width / height)))
    top, left = (tall - kept_tall) // 2, (wide - kept_wide) // 2
    return frames[:, top : top + kept_tall, left : left + kept_wide]


def _resize(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    import cv2

    shrinking = height * width < frames.shape[1] * frames.shape[2]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    resized = np.empty((len(frames), height, width, frames.shape[-1]), np.uint8)
    for target, frame in zip(resized, frames, strict=True):
        image = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=method)
        target[...] = image.reshape(target.shape)  # OpenCV drops a single channel
    return resized


def parse_size(text: str, option: str = "") -> tuple[int, int]:
    """Return the (height, width) in pixels that a text WIDTHxHEIGHT means.

    Args:
        text: Two positive decimal numbers of at most five digits, with an x or X between them.
        option: Name of the option whose value the text is; it begins the error's sentence.

    Raises:
        UserError: If the text is anything else.

    Example:
        parse_size("512x256")  # (256, 512)
    """
    found = re.fullmatch(r"([0-9]{1,5})[xX]([0-9]{1,5})", text.strip())
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not width or not height:
        expected = f"{option}: expected" if option else "Expected"
        raise UserError(f"{expected} WIDTHxHEIGHT in pixels, such as 512x256, found {text!r}.")
    return height, width
