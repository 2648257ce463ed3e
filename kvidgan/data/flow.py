"""Optical flow between two frames by OpenCV's DIS (Kroeger et al. 2016), and warping along it."""

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import fit_frames

# Below, OpenCV chooses its pyramid by the width alone: it fails or crashes on some shapes.
MIN_SIDE = 16


def dis_flow(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Estimate where each pixel of a frame lies in another: frame(p) = other(p + flow(p)).

    Args:
        frame: uint8 (height, width, 1 or 3), at least 16 pixels a side.
        other: Likewise, of the same size.

    Returns:
        float32 (height, width, 2): displacements in pixels, to the right and down. Equal frames
        give zeros.

    Raises:
        UserError: If a side is shorter than 16 pixels.
    """
    import cv2  # takes half a second

    height, width = frame.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise UserError(
            f"Optical flow needs frames of at least {MIN_SIDE}x{MIN_SIDE} pixels, found"
            f" {width}x{height}: use larger videos."
        )
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return method.calc(_grey(frame), _grey(other), None)


def warp(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Sample a frame at p + flow(p) for every pixel p, bilinearly; the border is continued.

    Args:
        frame: uint8 (height, width, 1 or 3).
        flow: float32 (height, width, 2): pixels to the right and down.

    Returns:
        uint8 (height, width, channels).
    """
    import cv2

    height, width = frame.shape[:2]
    places = flow + np.indices((height, width), np.float32)[::-1].transpose(1, 2, 0)
    sampled = cv2.remap(
        np.ascontiguousarray(frame),
        places.astype(np.float32),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return sampled.reshape(frame.shape)  # OpenCV drops a single channel


def _grey(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    return np.ascontiguousarray(fit_frames(frame[None], height, width, 1)[0, ..., 0])
