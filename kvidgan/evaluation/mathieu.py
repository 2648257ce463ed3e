"""The protocol of Mathieu, Couprie and LeCun (ICLR 2016), as their released test program has it.

Frames are uint8 (..., height, width, channels), one or three channels; masks are boolean (...,
height, width). Values are taken in [-1, 1]. With a mask, other pixels are -1 in both frames, and
still count: errors are divided by the number of all pixels. Every score is float64 (...).
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from kvidgan.data.flow import dis_flow
from kvidgan.evaluation.protocol import Protocol, Truth

PEAK, SCALE = 255.0, 128.0  # values in [-1, 1] times 128 are set against a peak of 255
LEAST_ERROR = 1e-4  # of values times 128: 88.13 dB
LEFT_OUT_DB = 50.0  # clips whose masked PSNR reaches this are not scored on moving pixels
FASTEST = 0.8  # share of the largest displacement that that of a moving pixel exceeds

Array = np.ndarray

_LUMA = np.array([0.299, 0.587, 0.114])
_WINDOW, _SIGMA = 11, 1.5


def psnr(truth: Array, predicted: Array, mask: Array | None = None) -> Array:
    """Return 10 log10(255^2 / (128^2 MSE)) of values in [-1, 1], in dB, at most 88.13.

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that are kept; None for all.

    Example:
        psnr(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8, 3), np.uint8))  # 48.10...
    """
    difference = _signal(truth, mask) - _signal(predicted, mask)
    return _decibel((difference**2).mean((-3, -2, -1)))


def sharpness_difference(truth: Array, predicted: Array, mask: Array | None = None) -> Array:
    """Return 10 log10(255^2 / (128^2 E)) of values in [-1, 1], in dB, at most 88.13.

    E is the sum of ||dx Y| - |dx Y^|| + ||dy Y| - |dy Y^|| without the border's pixels, divided by
    the number of all. The differences are not squared, so that it hangs on the scale of the values:
    as if the peak were 255 / 128 = 1.99 of values in [-1, 1].

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that are kept; None for all.
    """
    (down, across), (down_too, across_too) = map(_steepness, (truth, predicted), (mask, mask))
    total = (abs(down - down_too) + abs(across - across_too)).sum((-3, -2, -1))
    return _decibel(total / np.prod(truth.shape[-3:]))


def ssim(truth: Array, predicted: Array, mask: Array | None = None) -> Array:
    """Return the structural similarity of luma from 0 to 255, at most 1.

    Its map goes on 5 pixels beyond the frame, where both frames are black, and all of it counts.

    Args:
        truth: True frames, uint8 (..., height, width, channels).
        predicted: Predicted frames of the same shape.
        mask: Pixels that are kept; None for all.
    """
    pairs = zip(_luma(truth, mask), _luma(predicted, mask), strict=True)
    scores: Array = np.array([_ssim_map(*pair).mean() for pair in pairs])
    return scores.reshape(truth.shape[:-3])


def moving(before: Array, frame: Array) -> Array:
    """Return which pixels move from a true frame to the next.

    The authors draw the flow in Middlebury's colours, white where nothing moves, and keep pixels
    with a colour channel below 0.2 of 1. The colours fade by the share of the picture's largest
    displacement, so that 0.2 is no length: those pixels move by more than 0.8 of the largest.

    Args:
        before: The frame that the flow starts from, uint8 (height, width, channels).
        frame: The frame after it, of the same shape.

    Returns:
        Mask, boolean (height, width); none where nothing moves. The flow is DIS.

    Raises:
        UserError: If a side is shorter than 16 pixels.
    """
    length = np.hypot(*np.moveaxis(dis_flow(before, frame), -1, 0))
    mask: Array = length > FASTEST * length.max()
    return mask


class Mathieu(Protocol):
    """The protocol of Mathieu et al.: three scores of predictions from context frames."""

    name = "mathieu"
    metrics: ClassVar[Mapping[str, str]] = {
        "psnr": "PSNR (dB)",
        "ssim": "SSIM",
        "sharpness": "Sharpness difference (dB, peak 1.99 of [-1, 1])",
    }
    comparable = (
        "Compare these scores with those of this protocol and with the published ones of the same "
        "videos, whose flow is another method's than DIS, not with those of kvidgan's own protocol:"
        " masked pixels count here, and the sharpness difference (peak 1.99 of [-1, 1]) is some 22 "
        "dB lower than with peak 255."
    )

    @property
    def moving_title(self) -> str:
        """Return the share of the largest displacement."""
        return f"over {FASTEST:g} of the largest"

    def moved(self, frames: Array, before: Array, flow: Array) -> Array:
        """Return which pixels move, by the flow from the frame before."""
        del flow  # that leads back
        return np.stack([moving(*pair) for pair in zip(before, frames, strict=True)])

    def score(self, truth: Truth, predicted: Array, previous: Array | None) -> Array:
        """Return PSNR, SSIM and sharpness difference; on moving pixels not where PSNR is 50 dB."""
        del previous
        scores = np.array(
            [
                [
                    metric(truth.frames, predicted, mask)
                    for metric in (psnr, ssim, sharpness_difference)
                ]
                for mask in (None, truth.moved)
            ]
        )
        scores[1] = np.where(scores[1, 0] < LEFT_OUT_DB, scores[1], np.nan)
        return scores

    def definitions(self) -> dict[str, str]:
        """Return what is computed."""
        most = f"at most {float(_decibel(np.array(0.0))):.2f} dB"
        return {
            "values": "8 bit, predictions clipped and rounded; then in [-1, 1]",
            "psnr": f"10 log10(255^2 / (128^2 MSE)), {most}",
            "ssim": "of the luma (0.299, 0.587, 0.114) from 0 to 255, Gaussian window of 11 px, "
            "sigma 1.5, K1 0.01, K2 0.03, over the frame and 5 px beyond it, where both are 0",
            "sharpness": "10 log10(255^2 / (128^2 mean(||dx Y| - |dx Y^|| + ||dy Y| - |dy Y^||))), "
            f"which is peak 1.99 of [-1, 1]; the border's differences count as 0; {most}",
            "moving": "pixels whose DIS optical flow, from the true frame before to the true frame,"
            f" exceeds {FASTEST:g} of the largest in the frame (a colour below 0.2 in Middlebury's "
            "picture of it); others are set to -1 in both frames and count; clips whose PSNR is "
            f"{LEFT_OUT_DB:g} dB or more are left out",
        }


def _signal(frames: Array, mask: Array | None) -> Array:
    """Return frames in [-1, 1], -1 outside a mask."""
    signal: Array = frames / 127.5 - 1.0
    return signal if mask is None else np.where(mask[..., None], signal, -1.0)


def _steepness(frames: Array, mask: Array | None) -> tuple[Array, Array]:
    """Return |dy| and |dx| by backward differences, without the first and last row and column."""
    signal = _signal(frames, mask)
    here = signal[..., 1:-1, 1:-1, :]
    above, left = signal[..., :-2, 1:-1, :], signal[..., 1:-1, :-2, :]
    return abs(here - above), abs(here - left)


def _luma(frames: Array, mask: Array | None) -> Array:
    """Return luma from 0 to 255, with one axis before height, (frames, height, width)."""
    values = (_signal(frames, mask) + 1.0) * 127.5
    luma: Array = values @ _LUMA if frames.shape[-1] == 3 else values[..., 0]
    return luma.reshape(-1, *luma.shape[-2:])


def _ssim_map(truth: Array, predicted: Array) -> Array:
    """Return the similarity around each pixel, (height + 10, width + 10)."""
    import cv2  # takes half a second

    def blur(image: Array) -> Array:
        blurred: Array = cv2.GaussianBlur(
            np.pad(image, _WINDOW // 2),
            (_WINDOW, _WINDOW),
            _SIGMA,
            borderType=cv2.BORDER_CONSTANT,
        )
        return blurred

    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean, mean_too = blur(truth), blur(predicted)
    spread = blur(truth**2) - mean**2 + blur(predicted**2) - mean_too**2
    shared = blur(truth * predicted) - mean * mean_too
    alike = (2 * mean * mean_too + c1) * (2 * shared + c2)
    similarity: Array = alike / ((mean**2 + mean_too**2 + c1) * (spread + c2))
    return similarity


def _decibel(error: Array) -> Array:
    decibel: Array = 10.0 * np.log10(PEAK**2 / np.maximum(SCALE**2 * error, LEAST_ERROR))
    return decibel
