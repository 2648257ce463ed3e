"""Rollouts: a plan becomes the frames of a film, in the worker process, as it loads Keras."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kvidgan.evaluation.metrics import psnr, sharpness_difference, ssim
from kvidgan.media import colour_labels
from kvidgan.playback import NoisePlan, Plan
from kvidgan.playback.playback import Playback, PlaybackFrame, play
from kvidgan.rollout import Rollout
from kvidgan_viewer.worker.film import FilmFrame, FrameScores

Array = np.ndarray

METRICS = {"psnr": psnr, "ssim": ssim, "sharpness": sharpness_difference}
_SSIM_SIDE = 11  # pixels, at least


@dataclass(frozen=True)
class FilmRollout:
    """A playback as the frames of a film.

    Attributes:
        playback: What is played.
        panes: Names of the pictures of each frame, in the order to show them.
        frames: The frames of the film, made as they are asked for.
    """

    playback: Playback
    panes: tuple[str, ...]
    frames: Iterator[FilmFrame]


def begin(rollout: Rollout, plan: Plan) -> FilmRollout:
    """Begin to play a plan on an opened model.

    Raises:
        UserError: If the plan does not fit the model, or what it names cannot be read.
    """
    playback = play(rollout, plan)
    if isinstance(plan, NoisePlan):
        frames = (FilmFrame({"generated": one.frame}, is_context=False) for one in playback.frames)
        return FilmRollout(playback, ("generated",), frames)
    first = [("labels", playback.has_label_maps), ("truth", playback.has_truth)]
    panes = [name for name, there in first if there]
    panes += ["prediction", *playback.extra_names]
    return FilmRollout(playback, tuple(panes), _film_frames(playback, panes))


def _film_frames(playback: Playback, panes: list[str]) -> Iterator[FilmFrame]:
    last = None
    for one in playback.frames:
        pictures = _pictures(one)
        shown = {name: pictures.get(name) for name in panes}
        if one.is_context:
            last = one.frame
            yield FilmFrame(shown, is_context=True)
        else:
            yield FilmFrame(shown, is_context=False, scores=_scores(one.truth, one.frame, last))


def _pictures(one: PlaybackFrame) -> dict[str, Array | None]:
    label_map = None if one.label_map is None else colour_labels(one.label_map)
    return {"labels": label_map, "truth": one.truth, "prediction": one.frame, **one.extras}


def _scores(truth: Array | None, prediction: Array, last: Array | None) -> FrameScores:
    """Compare a prediction, and the last context frame, with a truth of the same size."""
    if truth is None or truth.shape != prediction.shape:
        return {}
    copied = last if last is not None and last.shape == truth.shape else None
    return {
        name: (
            float(metric(truth, prediction)),
            np.nan if copied is None else float(metric(truth, copied)),
        )
        for name, metric in METRICS.items()
        if name != "ssim" or min(truth.shape[:2]) >= _SSIM_SIDE
    }
