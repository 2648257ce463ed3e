"""From a plan to the moments of a rollout: in the worker process, as it loads Keras."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from kvidgan.evaluation.metrics import psnr, sharpness_difference, ssim
from kvidgan.media import colour_labels, grid
from kvidgan.playback import Given, Where, open_given
from kvidgan.rollout import Rollout, Step
from kvidgan.rollout.comparison import trained_stride
from kvidgan.rollout.extra_outputs import extra_picture
from kvidgan.rollout.generate import between, check_noise
from kvidgan.rollout.label_maps import conditions, of_size, split
from kvidgan_viewer.plans import FromNoise, OnClip, Plan
from kvidgan_viewer.worker.film import Moment
from kvidgan_viewer.worker.messages import Scores

Array = np.ndarray

METRICS = {"psnr": psnr, "ssim": ssim, "sharpness": sharpness_difference}
FPS = 12.5  # of what has no rate, as on the command line
_SSIM_SIDE = 11  # pixels, at least


@dataclass(frozen=True)
class Rolling:
    """A rollout that begins.

    Attributes:
        note: What is given, in one line; may be empty.
        fps: Frames per second.
        given: How many moments come first that the model does not make.
        free: How many moments come before the step is called.
        total: How many moments there can be; None where only reading tells, or there is no end.
        panes: Names of the pictures of each moment, in order.
        shape: What the step is compiled for, as far as it differs between rollouts.
        moments: Made as asked for.
    """

    note: str
    fps: float
    given: int
    free: int
    total: int | None
    panes: tuple[str, ...]
    shape: tuple[int, ...]
    moments: Iterator[Moment]


def begin(rollout: Rollout, plan: Plan) -> Rolling:
    """Begin what was planned.

    Args:
        rollout: An opened model.
        plan: What to play; see `messages`.

    Raises:
        UserError: If it does not fit the model, or cannot be read.
    """
    return _from_noise(rollout, plan) if isinstance(plan, FromNoise) else _on_clip(rollout, plan)


# --- from noise


def _from_noise(rollout: Rollout, plan: FromNoise) -> Rolling:
    check_noise(rollout.description)
    count, start = plan.videos, _seeds(rollout, plan)
    steps = rollout.start(videos=count, choices=plan.choices, **start)
    columns = count if plan.interpolate else None
    moments = (
        Moment({"generated": grid(step.frames[:, None], columns)[0]}, given=False) for step in steps
    )
    return Rolling("", FPS, 0, 0, None, ("generated",), (count,), moments)


def _seeds(rollout: Rollout, plan: FromNoise) -> dict[str, Any]:
    content, motion = ([seed] * plan.videos for seed in (plan.content_seed, plan.motion_seed))
    if plan.interpolate:
        latents = between(rollout, plan.videos, plan.content_seed)
        return {"content_seeds": content, "motion_seeds": motion, "latents": latents}
    content, motion = ([s + i for i, s in enumerate(seeds)] for seeds in (content, motion))
    return {"content_seeds": content, "motion_seeds": motion}


# --- on a clip, or on label maps


def _on_clip(rollout: Rollout, plan: OnClip) -> Rolling:
    description = of_size(rollout.description, plan.size)
    stride = plan.stride or trained_stride(description)
    where = Where(plan.path, plan.video, plan.layout, plan.start, stride)
    given = open_given(description, where, plan.first)
    given.start.update(seed=plan.seed, looks=plan.looks)
    labels, size = _peeked(given)
    before = len(given.frames)
    panes = [name for name in ("labels", "truth") if getattr(given, name) is not None]
    return Rolling(
        given.note,
        given.fps,
        before,
        before + len(given.drawn),
        given.count and given.count + before,
        (*panes, "prediction", *description.extra_outputs),
        (1, *size),
        _moments(rollout, given, labels),
    )


def _peeked(given: Given) -> tuple[Iterator[Array] | None, tuple[int, ...]]:
    """Return the label maps, and the (height, width) of what the step is fed."""
    if given.labels is None:
        return None, np.shape(given.frames)[1:3]
    first = next(given.labels)
    return chain([first], given.labels), first.shape[:2]


def _moments(rollout: Rollout, given: Given, labels: Iterator[Array] | None) -> Iterator[Moment]:
    start, shown = given.start, None
    if labels is not None:
        labels, shown = split(labels, 2)
        start = start | {"conditions": conditions(rollout.description, labels)}
    nothing = dict.fromkeys(rollout.description.extra_outputs)
    last = None
    for last in given.frames:
        known = {} if given.truth is None else {"truth": last}
        yield Moment(_labels(shown) | known | {"prediction": last} | nothing, given=True)
    for step in chain(given.drawn, rollout.start(**start)):
        panes, made = _labels(shown), step.frames[0]
        if given.truth is not None:
            panes["truth"] = next(given.truth, None)
        scores = _scores(panes.get("truth"), made, last)
        extras = nothing | _extras(rollout, step)
        yield Moment(panes | {"prediction": made} | extras, given=False, scores=scores)


def _labels(shown: Iterator[Array] | None) -> dict[str, Array | None]:
    """Return the picture of the next label map."""
    if shown is None:
        return {}
    numbers = next(shown, None)
    if numbers is not None and numbers.ndim == 3:  # with the numbers of objects
        numbers = numbers[..., 0]
    return {"labels": None if numbers is None else colour_labels(numbers)}


def _extras(rollout: Rollout, step: Step) -> dict[str, Array]:
    about = rollout.description
    return {name: extra_picture(about, name, values[0]) for name, values in step.extras.items()}


def _scores(truth: Array | None, made: Array, last: Array | None) -> Scores:
    """Compare a prediction, and the last given frame, with a truth of the same size."""
    if truth is None or truth.shape != made.shape:
        return {}
    copied = last if last is not None and last.shape == truth.shape else None
    return {
        name: (float(of(truth, made)), np.nan if copied is None else float(of(truth, copied)))
        for name, of in METRICS.items()
        if name != "ssim" or min(truth.shape[:2]) >= _SSIM_SIDE
    }
