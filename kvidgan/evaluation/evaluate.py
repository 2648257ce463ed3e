"""Let models predict held-out clips, beside the baselines, and score every frame."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kvidgan.data.store import ClipStore
from kvidgan.rollout import Rollout
from kvidgan.rollout.description import Description

from .baselines import BASELINES
from .clips import Plan, plan, trained_on
from .frames import THRESHOLD, Interval, bootstrap, moving, psnr, sharpness_difference, ssim

REGIONS = ("all", "moving")
METRICS = {"psnr": "PSNR (dB)", "ssim": "SSIM", "sharpness": "Sharpness difference (dB)"}

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
            `REGIONS` and `METRICS`; NaN where nothing moves.
        share: Of moving pixels, float64 (clips, frames), 0 to 1.
    """

    plan: Plan
    threshold: float
    luma: bool
    models: dict[str, Description]
    seen: list[str]
    values: dict[str, Array]
    share: Array

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
    """Score predictors and baselines on the same clips, frame by frame, whole frames.

    A model gets the last frames that it needs of a history as long as the longest among the models,
    and then its own predictions. Clips are read as they are played; none is kept.

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
        progress: Receives (predicted frames done, in all, "frames").

    Raises:
        UserError: If a model does not predict, the models need different frames, the split is
            unknown, or the videos are too short or too small.
    """
    described = {name: rollout.description for name, rollout in models.items()}
    chosen = plan(
        described, store, split=split, frames=frames, clips=clips, every=every, stride=stride
    )
    seen = [name for name, model in described.items() if trained_on(chosen, model)]
    for name in seen:
        log.warning("%s was trained on the very videos that it is scored on.", name)
    shape = (len(REGIONS), len(METRICS), len(chosen.clips), frames)
    values = {row: np.full(shape, np.nan) for row in (*models, *BASELINES)}
    share = np.zeros(shape[2:])
    done = 0
    for numbers, size in chosen.batches():
        place = slice(numbers.start, numbers.stop)
        for k, (truth, moved, made) in enumerate(_play(models, chosen, numbers, size, threshold)):
            share[place, k] = moved.mean((1, 2))
            for row, prediction in made.items():
                values[row][..., place, k] = _score(truth, prediction, moved, luma)
            done += len(numbers)
            if progress is not None:
                progress(done, share.size, "frames")
    return Scores(chosen, threshold, luma, described, seen, values, share)


def _play(
    models: Mapping[str, Rollout], chosen: Plan, numbers: range, size: int, threshold: float
) -> Iterator[tuple[Array, Array, dict[str, Array]]]:
    """Yield for each predicted frame: the truth, which pixels move, and all predictions.

    uint8 (clips, height, width, channels), boolean (clips, height, width), and uint8 by row.
    """
    given, end = chosen.history, chosen.history + chosen.frames
    history = np.stack([chosen.read(number, 0, given) for number in numbers])
    rows = {name: _model(model, history, numbers, size) for name, model in models.items()}
    rows |= {name: _each(baseline, history) for name, (baseline, _) in BASELINES.items()}
    previous = history[:, -1]
    for place in range(given, end):
        truth = np.concatenate([chosen.read(number, place, place + 1) for number in numbers])
        pairs = zip(previous, truth, strict=True)
        moved = np.stack([moving(*pair, threshold=threshold) for pair in pairs])
        yield truth, moved, {name: next(row) for name, row in rows.items()}
        previous = truth


def _model(rollout: Rollout, history: Array, numbers: range, size: int) -> Iterator[Array]:
    # Filled up to the size that the step is compiled for; clip n draws its noise from seed n.
    filled = history[np.arange(size) % len(history)]
    for step in rollout.start(videos=size, seed=numbers.start, history=filled):
        yield step.frames[: len(history)]


def _each(baseline: Callable[[Array], Iterator[Array]], history: Array) -> Iterator[Array]:
    for frames in zip(*(baseline(clip) for clip in history), strict=True):
        yield np.stack(frames)


def _score(truth: Array, made: Array, moved: Array, luma: bool) -> Array:
    """Return float64 (regions, metrics, clips)."""
    scores = [
        [
            psnr(truth, made, mask),
            ssim(truth, made, mask, luma),
            sharpness_difference(truth, made, mask),
        ]
        for mask in (None, moved)
    ]
    return np.array(scores)
