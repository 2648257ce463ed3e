"""Evaluation: models predict held-out clips, beside the baselines, and every frame is scored."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kvidgan.data.convert import OnProgress
from kvidgan.data.store.reader import ClipStore
from kvidgan.evaluation.averages import Averages, average_frames
from kvidgan.evaluation.baselines import baseline_names
from kvidgan.evaluation.chosen_clips import ChosenClips, choose_clips, trained_on
from kvidgan.evaluation.metrics import (
    THRESHOLD,
    Interval,
    bootstrap,
    psnr,
    sharpness_difference,
    ssim,
    warping_error,
)
from kvidgan.evaluation.rollouts import Truth, play_rows, truths
from kvidgan.rollout import Rollout
from kvidgan.rollout.description import Description

REGIONS = ("all", "moving")
METRICS = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "sharpness": "Sharpness difference (dB)",
    "warping": "Warping error (MSE, [-1, 1])",
}
TRUTH = "true video"  # the row that shows its warping error beside the others'
LEFT_OUT = "mean image and class colours are left out"

Array = np.ndarray

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """Scores: what every predicted frame of every clip scored.

    Attributes:
        clips: Clips that were predicted, and in which shape.
        threshold: Displacement that the flow of moving pixels exceeds, pixels.
        luma: Whether SSIM compared luma.
        models: Descriptions of the models by name.
        trained_on: Names of the models that were trained on videos that they are scored on.
        values: Scores by model or baseline, float64 (regions, metrics, clips, frames) in the order
            of `REGIONS` and `METRICS`; NaN where nothing moves, and for the first frame's warping
            error, since no frame was predicted before it.
        moving: Share of moving pixels, float64 (clips, frames), 0 to 1.
        true_warping: Warping error of the true videos, float64 (regions, clips, frames).
        averages: Means of frames that some baselines show, where models follow labels.
    """

    clips: ChosenClips
    threshold: float
    luma: bool
    models: dict[str, Description]
    trained_on: list[str]
    values: dict[str, Array]
    moving: Array
    true_warping: Array
    averages: Averages | None = None

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines that were scored beside the models."""
        return [row for row in self.values if row not in self.models]

    @cached_property
    def intervals(self) -> dict[tuple[str, str, str], list[Interval]]:
        """Mean and interval of each predicted frame, by (model or baseline, region, metric)."""
        return {
            (row, region, metric): self._over_videos(values[r, m])
            for row, values in self.values.items()
            for r, region in enumerate(REGIONS)
            for m, metric in enumerate(METRICS)
        }

    @cached_property
    def true_warping_intervals(self) -> dict[str, list[Interval]]:
        """Warping error of the true videos by region: mean and interval of each frame."""
        by_region = zip(REGIONS, self.true_warping, strict=True)
        return {region: self._over_videos(values) for region, values in by_region}

    @cached_property
    def moving_intervals(self) -> list[Interval]:
        """Share of moving pixels: mean and interval of each frame."""
        return self._over_videos(self.moving)

    def _over_videos(self, values: Array) -> list[Interval]:
        videos = self.clips.videos
        by_video = [values[videos == video] for video in np.unique(videos)]
        return [bootstrap([one[:, k] for one in by_video]) for k in range(self.clips.num_frames)]


def evaluate(
    models: Mapping[str, Rollout],
    store: ClipStore,
    *,
    split: str | None = None,
    num_frames: int = 8,
    clips: int = 2,
    every: int = 1,
    stride: int | None = None,
    threshold: float = THRESHOLD,
    luma: bool = False,
    on_progress: OnProgress | None = None,
) -> Scores:
    """Score models and baselines on the same clips, frame by frame, whole frames.

    All models begin with the same number of context frames, that of the model that needs most; each
    takes the last ones that it needs, and then its own predictions. Models that follow label maps
    take those of the whole clip. Clips are read as they are played; none is kept.

    Args:
        models: Opened models by name, one or more.
        store: Clip store to predict.
        split: Split to predict; None for "test" if the data has it, else "val", else all videos.
        num_frames: Number of frames to predict.
        clips: Number of clips per video, their starts evenly spaced.
        every: Distance between two videos that are used: 1 uses all; 10 is the protocol of Mathieu
            et al. on UCF101.
        stride: Distance in frames between two frames of a clip; None for the models' own.
        threshold: Displacement that the flow of moving pixels exceeds, pixels.
        luma: Whether SSIM compares luma instead of the channels.
        on_progress: Function that is called with (frames done, frames in all, "frames" or "training
            frames"): the latter are averaged, for baselines, before the former are predicted.

    Raises:
        UserError: If a model makes videos from noise, the models need different frames or other
            label maps than the data's, the split is unknown, or the videos are too short or too
            small.

    Example:
        store = open_data(DataConfig(path="moving_digits"))
        scores = evaluate({"mine": Rollout.open("mine.keras")}, store, num_frames=4)
        print(tables(scores))
    """
    descriptions = {name: rollout.description for name, rollout in models.items()}
    chosen = choose_clips(
        descriptions,
        store,
        split=split,
        num_frames=num_frames,
        clips=clips,
        every=every,
        stride=stride,
    )
    trained = [name for name, model in descriptions.items() if trained_on(chosen, model)]
    for name in trained:
        log.warning("%s was trained on the very videos that it is scored on.", name)
    averages = average_frames(chosen, on_progress) if chosen.maps else None
    if chosen.maps and averages is None:
        log.warning("%s: no video is left to average frames of: %s.", store.path.name, LEFT_OUT)
    baselines = baseline_names(bool(chosen.maps), averages)
    shape = (len(chosen.starts), num_frames)
    values = {
        row: np.full((len(REGIONS), len(METRICS), *shape), np.nan) for row in (*models, *baselines)
    }
    moving, true_warping = np.zeros(shape), np.full((len(REGIONS), *shape), np.nan)
    done = 0
    for numbers, batch in chosen.batches():
        own = slice(numbers.start, numbers.stop)
        rows = play_rows(models, baselines, chosen, numbers, batch, averages)
        previous: dict[str, Array] = {}
        for k, truth in enumerate(truths(chosen, numbers, threshold)):
            predicted = {row: next(frames) for row, frames in rows.items()}
            moving[own, k] = truth.moved.mean((1, 2))
            for row, frames in predicted.items():
                values[row][..., own, k] = _score(truth, frames, previous.get(row), luma)
            if k:
                true_warping[:, own, k] = _warping(truth, truth.frames, truth.before)
            previous, done = predicted, done + len(numbers)
            if on_progress is not None:
                on_progress(done, moving.size, "frames")
    return Scores(
        chosen, threshold, luma, descriptions, trained, values, moving, true_warping, averages
    )


def _score(truth: Truth, predicted: Array, previous: Array | None, luma: bool) -> Array:
    """Return the scores of predicted frames, float64 (regions, metrics, clips).

    Args:
        truth: True frames of the same time.
        predicted: Predicted frames, uint8 (clips, height, width, channels).
        previous: Frames predicted before those; None where these are the first.
        luma: Whether SSIM compares luma.
    """
    warping = np.full((len(REGIONS), len(predicted)), np.nan)
    if previous is not None:
        warping = _warping(truth, predicted, previous)
    scores = [
        [
            psnr(truth.frames, predicted, mask),
            ssim(truth.frames, predicted, mask, luma),
            sharpness_difference(truth.frames, predicted, mask),
            error,
        ]
        for mask, error in zip((None, truth.moved), warping, strict=True)
    ]
    return np.array(scores)


def _warping(truth: Truth, frames: Array, previous: Array) -> Array:
    """Return the warping error of frames that follow others, float64 (regions, clips)."""
    masks = truth.confidence, truth.confidence & truth.moved
    return np.array([warping_error(previous, frames, truth.flow, mask) for mask in masks])
