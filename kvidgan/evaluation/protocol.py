"""Protocol: the definition of the scores, kvidgan's own or that of a paper."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from kvidgan.data.flow import MAX_CONFIDENT_ERROR
from kvidgan.evaluation.metrics import (
    CAP_DB,
    THRESHOLD,
    moving,
    psnr,
    sharpness_difference,
    ssim,
    warping_error,
)

REGIONS = ("all", "moving")

Array = np.ndarray


class Truth(NamedTuple):
    """The true frames of some clips at one place, and what is known of their motion.

    Attributes:
        frames: True frames, uint8 (clips, height, width, channels).
        before: The true frames before those, likewise.
        moved: Which pixels move, boolean (clips, height, width).
        flow: Optical flow to the frames before, float32 (clips, height, width, 2), pixels.
        confidence: Where the flow is right, boolean (clips, height, width).
    """

    frames: Array
    before: Array
    moved: Array
    flow: Array
    confidence: Array


class Protocol:
    """Protocol: which scores a report has, and how each is computed. Figures of one compare.

    Attributes:
        name: Name that a report says.
        metrics: Titles of the scores by name, with their units.
        comparable: Which figures compare with which, in a sentence.
    """

    name: ClassVar[str]
    metrics: ClassVar[Mapping[str, str]]
    comparable: ClassVar[str]

    @property
    def moving_title(self) -> str:
        """Which pixels the protocol calls moving, in a few words."""
        raise NotImplementedError(f"{type(self).__name__} must define moving_title (abstract).")

    def moved(self, frames: Array, before: Array, flow: Array) -> Array:
        """Return which pixels of true frames move, boolean (clips, height, width).

        Args:
            frames: True frames, uint8 (clips, height, width, channels).
            before: The true frames before those, likewise.
            flow: DIS flow of the former to the latter, float32 (clips, height, width, 2), pixels.
        """
        raise NotImplementedError(f"{type(self).__name__} must define moved (abstract).")

    def score(self, truth: Truth, predicted: Array, previous: Array | None) -> Array:
        """Return the scores of predicted frames, float64 (regions, metrics, clips).

        In the order of `REGIONS` and `metrics`; NaN where there is no score.

        Args:
            truth: True frames of the same time.
            predicted: Predicted frames, uint8 (clips, height, width, channels).
            previous: Frames predicted before those; None where these are the first.
        """
        raise NotImplementedError(f"{type(self).__name__} must define score (abstract).")

    def definitions(self) -> dict[str, str]:
        """Return for reports what is computed: of "values", each metric, and "moving"."""
        raise NotImplementedError(f"{type(self).__name__} must define definitions (abstract).")


class Kvidgan(Protocol):
    """The protocol of kvidgan: 8-bit values, means over the pixels that are scored.

    Args:
        threshold: Displacement that the flow of moving pixels exceeds, pixels.
        luma: Whether SSIM compares luma instead of the channels.
    """

    name = "kvidgan"
    metrics: ClassVar[Mapping[str, str]] = {
        "psnr": "PSNR (dB)",
        "ssim": "SSIM",
        "sharpness": "Sharpness difference (dB, peak 255)",
        "warping": "Warping error (MSE, [-1, 1])",
    }
    comparable = (
        "Compare these scores with those of this protocol; PSNR also with any of 8-bit frames, SSIM"
        " with scikit-image's, but the sharpness difference (peak 255) with none of values in "
        "[0, 1] or [-1, 1], which is 22 to 27 dB lower on the same frames."
    )

    def __init__(self, threshold: float = THRESHOLD, luma: bool = False):
        self.threshold, self.luma = threshold, luma

    @property
    def moving_title(self) -> str:
        """Return the threshold."""
        return f"over {self.threshold:g} px"

    def moved(self, frames: Array, before: Array, flow: Array) -> Array:
        """Return where the flow exceeds the threshold."""
        del frames, before
        return moving(flow, self.threshold)

    def score(self, truth: Truth, predicted: Array, previous: Array | None) -> Array:
        """Return PSNR, SSIM, sharpness difference and warping error."""
        warping = np.full((len(REGIONS), len(predicted)), np.nan)
        if previous is not None:
            warping = warping_errors(truth, predicted, previous)
        scores = [
            [
                psnr(truth.frames, predicted, mask),
                ssim(truth.frames, predicted, mask, self.luma),
                sharpness_difference(truth.frames, predicted, mask),
                error,
            ]
            for mask, error in zip((None, truth.moved), warping, strict=True)
        ]
        return np.array(scores)

    def definitions(self) -> dict[str, str]:
        """Return what is computed."""
        return {
            "values": "8 bit, 0 to 255; predictions clipped and rounded",
            "psnr": f"10 log10(255^2 / MSE), capped at {CAP_DB:g} dB",
            "ssim": "Gaussian window of 11 px, sigma 1.5, K1 0.01, K2 0.03, "
            + ("of the luma (ITU-R BT.601)" if self.luma else "averaged over channels"),
            "sharpness": "10 log10(255^2 / mean | |dx Y| + |dy Y| - |dx Y^| - |dy Y^| |), peak 255,"
            f" capped at {CAP_DB:g} dB",
            "moving": "pixels whose DIS optical flow, from the true frame back to the true one "
            f"before it, exceeds {self.threshold:g} px; others are set equal in both frames",
            "warping": "the frame that was made before, warped along the true frames' flow, against"
            " the frame: mean square of the difference in [-1, 1] where the flow is right, that is,"
            f" where the warped true frame differs by less than {MAX_CONFIDENT_ERROR:g}, squared "
            "and summed over channels",
        }


def warping_errors(truth: Truth, frames: Array, previous: Array) -> Array:
    """Return the warping error of frames that follow others, float64 (regions, clips).

    Args:
        truth: True frames of the same time, and their flow.
        frames: Frames to score, uint8 (clips, height, width, channels).
        previous: Frames before those, likewise.
    """
    masks = truth.confidence, truth.confidence & truth.moved
    return np.array([warping_error(previous, frames, truth.flow, mask) for mask in masks])
