"""Let models play held-out clips, beside the baselines, and score every frame."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kvidgan.data.store.reader import ClipStore
from kvidgan.evaluation.averages import Averages, averages
from kvidgan.evaluation.baselines import baseline_names
from kvidgan.evaluation.metrics import (
    THRESHOLD,
    Interval,
    bootstrap,
    psnr,
    sharpness_difference,
    ssim,
    warping_error,
)
from kvidgan.evaluation.protocol import Plan, plan, trained_on
from kvidgan.evaluation.rollouts import Truth, rows, truths
from kvidgan.rollout import Rollout
from kvidgan.rollout.description import Description

REGIONS = ("all", "moving")
METRICS = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "sharpness": "Sharpness difference (dB)",
    "warping": "Warping error (MSE, [-1, 1])",
}
TRUTH = "true video"  # whose own warping error stands beside the others'
LEFT_OUT = "mean image and class colours are left out"

Array = np.ndarray
Progress = Callable[[int, int, str], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """What every frame of every clip scored.

    Attributes:
        plan: The clips, and how they were given to the models.
        threshold: Pixels that a moving one moves by, at least.
        luma: Whether SSIM compared luma.
        models: Descriptions by name.
        seen: The models that were trained on videos that they are scored on.
        values: By model or baseline, float64 (regions, metrics, clips, frames) in the order of
            `REGIONS` and `METRICS`; NaN where nothing moves, and for the first frame's warping
            error, since no frame was made before it.
        share: Of moving pixels, float64 (clips, frames), 0 to 1.
        own: The true videos' own warping error, float64 (regions, clips, frames).
        averages: What some baselines were made of, where models follow labels.
    """

    plan: Plan
    threshold: float
    luma: bool
    models: dict[str, Description]
    seen: list[str]
    values: dict[str, Array]
    share: Array
    own: Array
    averages: Averages | None = None

    @property
    def baselines(self) -> list[str]:
        """The rows that are no models."""
        return [row for row in self.values if row not in self.models]

    @cached_property
    def intervals(self) -> dict[tuple[str, str, str], list[Interval]]:
        """By (row, region, metric): the mean and its interval, one for each predicted frame."""
        return {
            (row, region, metric): self._over_videos(values[r, m])
            for row, values in self.values.items()
            for r, region in enumerate(REGIONS)
            for m, metric in enumerate(METRICS)
        }

    @cached_property
    def steadiness(self) -> dict[str, list[Interval]]:
        """The true videos' own warping error by region, for each predicted frame."""
        return {
            region: self._over_videos(own) for region, own in zip(REGIONS, self.own, strict=True)
        }

    @cached_property
    def moving_share(self) -> list[Interval]:
        """The share of moving pixels, for each predicted frame."""
        return self._over_videos(self.share)

    def _over_videos(self, values: Array) -> list[Interval]:
        videos = self.plan.videos
        by_video = [values[videos == video] for video in np.unique(videos)]
        return [bootstrap([one[:, k] for one in by_video]) for k in range(self.plan.frames)]


def evaluate(
    models: Mapping[str, Rollout],
    store: ClipStore,
    *,
    split: str | None = None,
    frames: int = 8,
    clips: int = 2,
    every: int = 1,
    stride: int | None = None,
    threshold: float = THRESHOLD,
    luma: bool = False,
    progress: Progress | None = None,
) -> Scores:
    """Score models and baselines on the same clips, frame by frame, whole frames.

    A model gets the last frames that it needs of a history as long as the longest among the models,
    and then its own predictions; one that follows label maps gets all of these. Clips are read as
    they are played; none is kept.

    Args:
        models: Opened predictors by name, one or more.
        store: The data.
        split: None for "test" if the data has it, else "val", else every video.
        frames: How many frames to predict.
        clips: Clips per video, their starts evenly spaced.
        every: Use every so many-th video of the split; 10 is the protocol of Mathieu et al. on
            UCF101.
        stride: Distance in frames between two frames of a clip; None for the models' own.
        threshold: In pixels: what the flow of moving pixels exceeds.
        luma: Compare luma in SSIM.
        progress: Receives (frames done, in all, "frames" that are predicted or "training frames"
            that are averaged).

    Raises:
        UserError: If a model makes videos from noise, the models need different frames or other
            label maps than the data's, the split is unknown, or the videos are too short or too
            small.
    """
    described = {name: rollout.description for name, rollout in models.items()}
    chosen = plan(
        described, store, split=split, frames=frames, clips=clips, every=every, stride=stride
    )
    seen = [name for name, model in described.items() if trained_on(chosen, model)]
    for name in seen:
        log.warning("%s was trained on the very videos that it is scored on.", name)
    means = averages(chosen, progress) if chosen.maps else None
    if chosen.maps and means is None:
        log.warning("%s: no video is left to average frames of: %s.", store.path.name, LEFT_OUT)
    names = baseline_names(bool(chosen.maps), means)
    shape = (len(REGIONS), len(METRICS), len(chosen.clips), frames)
    values = {row: np.full(shape, np.nan) for row in (*models, *names)}
    own, share, done = np.full((shape[0], *shape[2:]), np.nan), np.zeros(shape[2:]), 0
    for numbers, size in chosen.batches():
        place = slice(numbers.start, numbers.stop)
        playing = rows(models, names, chosen, numbers, size, means)
        before: dict[str, Array] = {}
        for k, truth in enumerate(truths(chosen, numbers, threshold)):
            made = {row: next(frames) for row, frames in playing.items()}
            share[place, k] = truth.moved.mean((1, 2))
            for row, prediction in made.items():
                values[row][..., place, k] = _score(truth, prediction, before.get(row), luma)
            if k:
                own[:, place, k] = _steadiness(truth, truth.frames, truth.before)
            before, done = made, done + len(numbers)
            if progress is not None:
                progress(done, share.size, "frames")
    return Scores(chosen, threshold, luma, described, seen, values, share, own, means)


def _score(truth: Truth, made: Array, before: Array | None, luma: bool) -> Array:
    """Return float64 (regions, metrics, clips); before: what was made for the moment before."""
    steady = np.full((len(REGIONS), len(made)), np.nan)
    if before is not None:
        steady = _steadiness(truth, made, before)
    scores = [
        [
            psnr(truth.frames, made, mask),
            ssim(truth.frames, made, mask, luma),
            sharpness_difference(truth.frames, made, mask),
            error,
        ]
        for mask, error in zip((None, truth.moved), steady, strict=True)
    ]
    return np.array(scores)


def _steadiness(truth: Truth, made: Array, before: Array) -> Array:
    """Return the warping error, float64 (regions, clips)."""
    masks = truth.sure, truth.sure & truth.moved
    return np.array([warping_error(before, made, truth.flow, mask) for mask in masks])
