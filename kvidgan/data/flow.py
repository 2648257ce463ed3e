"""Flow: OpenCV's DIS optical flow between two frames (Kroeger et al. 2016); warping along it."""

from collections.abc import Iterable, Iterator

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import fit_frames

# OpenCV chooses its pyramid by the width alone: it fails or crashes on some smaller shapes.
MIN_SIDE = 16
MAX_CONFIDENT_ERROR = 0.02  # squared difference over all channels, in the [-1, 1] scale


def dis_flow(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Estimate where each pixel of a frame lies in another: frame(p) = other(p + flow(p)).

    Args:
        frame: Frame that the flow starts from, uint8 (height, width, 1 or 3), at least 16 pixels a
            side.
        other: Frame that the flow leads to, uint8 of the same size.

    Returns:
        Displacements in pixels to the right and down, float32 (height, width, 2). Equal frames give
        zeros.

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
    flow: np.ndarray = method.calc(_grey(frame), _grey(other), None)
    return flow


def warp(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Sample a frame at p + flow(p) for every pixel p, bilinearly; the border is continued.

    Args:
        frame: Frame to sample, uint8 or float32 (height, width, 1 or 3).
        flow: Displacements in pixels to the right and down, float32 (height, width, 2).

    Returns:
        The warped frame, of the frame's type and shape.
    """
    import cv2

    height, width = frame.shape[:2]
    places = flow + np.indices((height, width), np.float32)[::-1].transpose(1, 2, 0)
    sampled: np.ndarray = cv2.remap(
        np.ascontiguousarray(frame),
        places.astype(np.float32),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return sampled.reshape(frame.shape)  # OpenCV drops a single channel


def backward_flow(frames: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Estimate for each frame where its pixels were in the frame before.

    Args:
        frames: Frames of one size, uint8 (height, width, 1 or 3) each.

    Yields:
        Flow and its confidence: displacements in pixels to the right and down, float16 (height,
        width, 2), with frame(p) = previous(p + flow(p)), and the mask of `flow_confidence`, bool
        (height, width). For the first frame both are zeros.

    Raises:
        UserError: If there are several frames and a side is shorter than 16 pixels.
    """
    previous = None
    for frame in frames:
        grey = _grey(frame)[..., None]
        if previous is None:
            flow = np.zeros((*frame.shape[:2], 2), np.float32)
            confidence = np.zeros(frame.shape[:2], bool)
        else:
            flow = dis_flow(grey, previous[1])
            confidence = flow_confidence(frame, previous[0], flow)
        yield flow.astype(np.float16), confidence
        previous = frame, grey


def flow_confidence(frame: np.ndarray, previous: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return where flow explains a frame (Wang et al. 2018, section 3.3).

    Args:
        frame: Frame that the flow starts from, uint8 (height, width, 1 or 3).
        previous: Frame that the flow leads to, uint8 of the same shape.
        flow: Displacements in pixels to the right and down, float32 (height, width, 2).

    Returns:
        Mask of the pixels, bool (height, width), where the warped previous frame differs by less
        than 0.02, squared and summed over channels, with values in [-1, 1].
    """
    difference = (frame.astype(np.float32) - warp(previous, flow)) / np.float32(127.5)
    error: np.ndarray = np.einsum("hwc,hwc->hw", difference, difference)
    return error < MAX_CONFIDENT_ERROR


def _grey(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    return np.ascontiguousarray(fit_frames(frame[None], height, width, 1)[0, ..., 0])
