"""Evaluation: models predict held-out clips, beside the baselines, and every frame is scored."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kvidgan.data.parts import OnProgress
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.evaluation.averages import Averages, average_frames
from kvidgan.evaluation.baselines import baseline_names
from kvidgan.evaluation.chosen_clips import ChosenClips, choose_clips, trained_on
from kvidgan.evaluation.mathieu import Mathieu
from kvidgan.evaluation.metrics import THRESHOLD, Interval, bootstrap
from kvidgan.evaluation.protocol import REGIONS, Kvidgan, Protocol, warping_errors
from kvidgan.evaluation.requirements import check_predictors
from kvidgan.evaluation.rollouts import play_rows, truths
from kvidgan.rollout import Rollout
from kvidgan.rollout.description import Description

PROTOCOLS = (Kvidgan.name, Mathieu.name)
TRUTH = "true video"  # the row that shows its warping error beside the others'
LEFT_OUT = "mean image and class colours are left out"

Array = np.ndarray

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """Scores: what every predicted frame of every clip scored.

    Attributes:
        clips: Clips that were predicted, and in which shape.
        protocol: Definition of the scores.
        models: Descriptions of the models by name.
        trained_on: Names of the models that were trained on videos that they are scored on.
        values: Scores by model or baseline, float64 (regions, metrics, clips, frames) in the order
            of `REGIONS` and the protocol's metrics; NaN where nothing moves, and for the first
            frame's warping error, since no frame was predicted before it.
        moving: Share of moving pixels, float64 (clips, frames), 0 to 1.
        true_warping: Warping error of the true videos, float64 (regions, clips, frames); NaN if
            the protocol has none.
        averages: Means of frames that some baselines show, where models follow labels.
    """

    clips: ChosenClips
    protocol: Protocol
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
            for m, metric in enumerate(self.protocol.metrics)
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
    protocol: str = Kvidgan.name,
    threshold: float | None = None,
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
        every: Distance between two videos that are used: 1 uses all; Mathieu et al. use every
            tenth of UCF101.
        stride: Distance in frames between two frames of a clip; None for the models' own.
        protocol: Definition of the scores, one of `PROTOCOLS`.
        threshold: Displacement that the flow of moving pixels exceeds, pixels; None for 0.2. Of
            protocol "kvidgan" alone, as luma.
        luma: Whether SSIM compares luma instead of the channels.
        on_progress: Function that is called with (frames done, frames in all, "frames" or "training
            frames"): the latter are averaged, for baselines, before the former are predicted.

    Raises:
        UserError: If a model makes videos from noise, the models need different frames or other
            label maps than the data's, the split is unknown, the videos are too short or too small,
            the protocol is unknown, or does not fit the models or the options beside it.

    Example:
        store = open_data(DataConfig(path="moving_digits"))
        scores = evaluate({"mine": Rollout.open("mine.keras")}, store, num_frames=4)
        print(tables(scores))
    """
    descriptions = {name: rollout.description for name, rollout in models.items()}
    scoring = _protocol(protocol, threshold, luma)
    if scoring.name != Kvidgan.name:
        check_predictors(descriptions, scoring.name)
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
        row: np.full((len(REGIONS), len(scoring.metrics), *shape), np.nan)
        for row in (*models, *baselines)
    }
    moving, true_warping = np.zeros(shape), np.full((len(REGIONS), *shape), np.nan)
    done = 0
    for numbers, batch in chosen.batches():
        own = slice(numbers.start, numbers.stop)
        rows = play_rows(models, baselines, chosen, numbers, batch, averages)
        previous: dict[str, Array] = {}
        for k, truth in enumerate(truths(chosen, numbers, scoring)):
            predicted = {row: next(frames) for row, frames in rows.items()}
            moving[own, k] = truth.moved.mean((1, 2))
            for row, frames in predicted.items():
                values[row][..., own, k] = scoring.score(truth, frames, previous.get(row))
            if k and "warping" in scoring.metrics:
                true_warping[:, own, k] = warping_errors(truth, truth.frames, truth.before)
            previous, done = predicted, done + len(numbers)
            if on_progress is not None:
                on_progress(done, moving.size, "frames")
    return Scores(chosen, scoring, descriptions, trained, values, moving, true_warping, averages)


def _protocol(name: str, threshold: float | None, luma: bool) -> Protocol:
    """Return a protocol by its name, with kvidgan's own options."""
    if name not in PROTOCOLS:
        raise UserError(f"--protocol: expected one of {', '.join(PROTOCOLS)}, found {name!r}.")
    if name == Mathieu.name:
        if threshold is not None or luma:
            raise UserError(
                "Expected --protocol mathieu without --threshold and --luma: it defines its moving "
                "pixels and its SSIM itself."
            )
        return Mathieu()
    return Kvidgan(THRESHOLD if threshold is None else threshold, luma)
