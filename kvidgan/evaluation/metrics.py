"""Metrics: scores of single frames, over all pixels or those of a mask, and their aggregates.

Frames are uint8 (..., height, width, channels) with values from 0 to 255, one or three channels;
masks are boolean (..., height, width). Every metric returns float64 (...), one value a frame, and
NaN where a mask holds no pixel to score. They are computed with NumPy on the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kvidgan.data.flow import warp
from kvidgan.errors import UserError
from kvidgan.media import fit_frames, to_float

PEAK = 255.0
CAP_DB = 60.0  # equal frames are infinitely alike; libvmaf caps 8-bit PSNR here, too
THRESHOLD = 0.2  # displacement that the flow of moving pixels exceeds, pixels
MEANINGS = {
    "psnr": "Peak signal to noise ratio, dB, at most 60: how small the mean squared error is. "
    "Higher is better.",
    "ssim": "Structural similarity, at most 1: how alike brightness, contrast and structure are in "
    "windows of 11 pixels. Higher is better.",
    "sharpness": "Sharpness difference, dB, peak 255, at most 60: how alike the gradients are. A "
    "blurred prediction scores low. Higher is better.",
}
DRAWS = 2000  # data sets that the bootstrap draws

_WINDOW, _SIGMA = 11, 1.5
_INNER = (..., slice(_WINDOW // 2, -(_WINDOW // 2)), slice(_WINDOW // 2, -(_WINDOW // 2)))


def psnr(truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the peak signal to noise ratio, 10 log10(255^2 / MSE), in dB, at most 60.

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that the mean is over, boolean (..., height, width); None for all.

    Example:
        psnr(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8, 3), np.uint8))  # 48.13...
    """
    _check(truth, predicted, mask)
    squared = (truth.astype(np.float64) - predicted) ** 2
    return _decibel(_mean(squared.mean(-1), mask))


def ssim(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray | None = None, luma: bool = False
) -> np.ndarray:
    """Return the structural similarity, at most 1: Wang et al. 2004, a Gaussian window of 11 px.

    The mean of the similarity's map where the window lies inside the frame, over channels too.
    With a mask, pixels outside are first made equal in both frames (Mathieu et al. 2016), and the
    mean is over the mask's pixels.

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that are scored, boolean (..., height, width); None for all.
        luma: Whether luma (ITU-R BT.601) is compared instead of the channels, as in the paper.

    Raises:
        UserError: If a side is shorter than 11 pixels.

    Example:
        clip = np.zeros((4, 16, 16, 3), np.uint8)
        ssim(clip, clip)  # [1. 1. 1. 1.]
    """
    _check(truth, predicted, mask)
    height, width = truth.shape[-3:-1]
    if min(height, width) < _WINDOW:
        raise UserError(
            f"SSIM needs frames of at least {_WINDOW}x{_WINDOW} pixels, found {width}x{height}: use"
            " larger frames."
        )
    pairs = zip(
        _flat(truth, luma), _flat(_outside_equal(truth, predicted, mask), luma), strict=True
    )
    maps = np.array([_ssim_map(*pair) for pair in pairs]).reshape(truth.shape[:-1])
    return _mean(maps[_INNER], None if mask is None else mask[_INNER])


def sharpness_difference(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray | None = None
) -> np.ndarray:
    """Return how alike the gradients are, in dB, at most 60 (Mathieu et al. 2016).

    10 log10(255^2 / mean |(|dx Y| + |dy Y|) - (|dx Y^| + |dy Y^|)|): over pixels with a neighbour
    above and one to the left, and over channels; the difference is not squared.

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that are scored, boolean (..., height, width); None for all.
    """
    _check(truth, predicted, mask)
    difference = np.abs(_gradient(truth) - _gradient(_outside_equal(truth, predicted, mask)))
    return _decibel(_mean(difference.mean(-1), None if mask is None else mask[..., 1:, 1:]))


def moving(flow: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Return which pixels of a true frame have moved since the one before.

    Args:
        flow: Flow to the frame before in pixels, float32 (..., height, width, 2).
        threshold: Displacement that the flow of moving pixels exceeds, pixels.

    Returns:
        Mask of the moving pixels, boolean (..., height, width).
    """
    mask: np.ndarray = np.hypot(flow[..., 0], flow[..., 1]) > threshold
    return mask


def warping_error(
    previous: np.ndarray, frames: np.ndarray, flow: np.ndarray, confidence: np.ndarray
) -> np.ndarray:
    """Return how far frames are from those before them, warped along the true flow.

    Args:
        previous: Frames before those to score, uint8 (clips, height, width, channels).
        frames: Frames to score, of the same shape.
        flow: Flow of the true frames to the ones before them in pixels, float32 (clips, height,
            width, 2): frames(p) is to be previous(p + flow(p)).
        confidence: Mask of the pixels whose flow is right, boolean (clips, height, width); only
            those are scored.

    Returns:
        The mean square of the difference over those pixels and all channels, values in [-1, 1], so
        4 at most, float64 (clips,); NaN where the flow is right nowhere.
    """
    squares = [
        ((to_float(one) - _warped(before, back)) ** 2).mean(-1)
        for before, one, back in zip(previous, frames, flow, strict=True)
    ]
    count = confidence.sum((-2, -1))
    total = np.where(confidence, np.array(squares), 0.0).sum((-2, -1), dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _warped(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    return warp(to_float(frame), flow)  # in float: rounded, equal frames would differ


@dataclass(frozen=True)
class Interval:
    """Interval: a mean over videos and the bounds that it lies between with 95% probability.

    Attributes:
        mean: Mean over videos; None if nothing was scored.
        low: Lower bound; None with fewer than two videos.
        high: Upper bound; None with fewer than two videos.
        n: Number of values that were scored, those that are not NaN.
        videos: Number of videos that these values are of.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    videos: int


def bootstrap(values_by_video: Sequence[np.ndarray], draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean over videos and its 95% interval by the percentile bootstrap.

    Clips of one video are alike, so a video counts once: by the mean of its values. Videos are
    drawn with replacement.

    Args:
        values_by_video: Values of the clips of each video, NaN where there is none.
        draws: Number of data sets to draw.
        seed: Seed of the draws.
    """
    scored = [values[~np.isnan(values)] for values in values_by_video]
    n = sum(map(len, scored))
    means = np.array([values.mean() for values in scored if len(values)])
    if not len(means):
        return Interval(None, None, None, 0, 0)
    if len(means) < 2:
        return Interval(float(means[0]), None, None, n, 1)
    low, high = np.percentile(_resampled(means, draws, seed), [2.5, 97.5])
    return Interval(float(means.mean()), float(low), float(high), n, len(means))


def _resampled(means: np.ndarray, draws: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    # A few at a time: the square of many videos would not fit into memory.
    most = max(1, 2**22 // len(means))
    counts = [min(most, draws - first) for first in range(0, draws, most)]
    drawn = (rng.integers(len(means), size=(count, len(means))) for count in counts)
    return np.concatenate([means[numbers].mean(-1) for numbers in drawn])


def _check(truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray | None) -> None:
    if truth.dtype != np.uint8 or predicted.dtype != np.uint8 or truth.shape != predicted.shape:
        found = f"{truth.dtype} {truth.shape} and {predicted.dtype} {predicted.shape}"
        raise ValueError(f"expected two uint8 arrays of one shape, found {found}")
    if mask is not None and (mask.dtype != np.bool_ or mask.shape != truth.shape[:-1]):
        found = f"{mask.dtype} {mask.shape}"
        raise ValueError(f"expected a boolean mask of shape {truth.shape[:-1]}, found {found}")


def _mean(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Average (..., height, width) over a mask's pixels, all by default; NaN if there is none."""
    if mask is None:
        mean: np.ndarray = values.mean((-2, -1))
        return mean
    count = mask.sum((-2, -1))
    total = np.where(mask, values, 0.0).sum((-2, -1))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _decibel(error: np.ndarray) -> np.ndarray:
    decibel: np.ndarray = -10.0 * np.log10(np.maximum(error / PEAK**2, 10.0 ** (-CAP_DB / 10.0)))
    return decibel


def _outside_equal(truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return predicted if mask is None else np.where(mask[..., None], predicted, truth)


def _gradient(frames: np.ndarray) -> np.ndarray:
    """Return |dx| + |dy| (..., height - 1, width - 1, channels), by backward differences."""
    frames = frames.astype(np.float64)
    inner = frames[..., 1:, 1:, :]
    left, above = frames[..., 1:, :-1, :], frames[..., :-1, 1:, :]
    gradient: np.ndarray = np.abs(inner - left) + np.abs(inner - above)
    return gradient


def _flat(frames: np.ndarray, luma: bool) -> np.ndarray:
    """Return frames with one axis before height, (frames, height, width, channels)."""
    height, width, channels = frames.shape[-3:]
    flat = frames.reshape(-1, height, width, channels)
    return fit_frames(flat, height, width, 1) if luma else flat


def _ssim_map(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the similarity around each pixel (height, width), averaged over channels."""
    import cv2  # takes half a second

    def blur(image: np.ndarray) -> np.ndarray:
        blurred: np.ndarray = cv2.GaussianBlur(image, (_WINDOW, _WINDOW), _SIGMA)
        return blurred.reshape(truth.shape)  # OpenCV drops a single channel

    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    # In float64: the variances are small differences of large numbers.
    x, y = truth.astype(np.float64, "C"), predicted.astype(np.float64, "C")
    mean_x, mean_y = blur(x), blur(y)
    spread = blur(x * x) - mean_x**2 + blur(y * y) - mean_y**2
    shared = blur(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + c1) * (2 * shared + c2)
    similarity: np.ndarray = alike / ((mean_x**2 + mean_y**2 + c1) * (spread + c2))
    return np.asarray(similarity.mean(-1))
