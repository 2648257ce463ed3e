"""Playback: a plan played on a rollout, frame by frame, with what is shown beside each frame.

The one way to play: `kvidgan generate` and `predict` write what `play` yields, the viewer's worker
sends it to the window.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from kvidgan.contract import Choice
from kvidgan.errors import UserError
from kvidgan.media import Sound, grid
from kvidgan.playback.context import Context, open_context
from kvidgan.playback.plan import ClipPlan, NoisePlan, Plan
from kvidgan.rollout import Rollout
from kvidgan.rollout.extra_outputs import extra_picture
from kvidgan.rollout.interpolation import interpolated_latents
from kvidgan.rollout.label_maps import split

Array = np.ndarray

FPS = 12.5  # frames a second of what has no rate of its own


@dataclass(frozen=True)
class PlaybackFrame:
    """One frame of a playback and what is shown beside it.

    Attributes:
        frame: The context frame, or the frame generated or predicted, uint8 (height, width,
            channels); of several videos from noise a grid of all.
        is_context: Whether it is a context frame.
        truth: The true frame, as `frame`; None where there is none or it has ended.
        label_map: Class numbers (height, width); None where no label maps are followed.
        extras: The extra outputs as pictures, uint8 (height, width, 1 or 3); none for context
            frames.
    """

    frame: Array
    is_context: bool = False
    truth: Array | None = None
    label_map: Array | None = None
    extras: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Playback:
    """A rollout that is being played.

    Attributes:
        note: What was opened, and what of it is context, in one line; empty for noise.
        fps: Frames a second.
        num_context: Number of context frames, which come first.
        num_before_step: Number of frames before the step is called for the first time.
        total: Number of frames that there can be, context frames included; None where only
            reading tells, or there is no end.
        has_truth: Whether frames have a truth, at least the first ones.
        has_label_maps: Whether label maps are followed.
        extra_names: Names of the extra outputs.
        step_shape: What the step is compiled for, as far as it differs between playbacks.
        frames: The frames, made as they are asked for.
        sound: What is heard from the first frame on, context frames included; None for nothing.
    """

    note: str
    fps: float
    num_context: int
    num_before_step: int
    total: int | None
    has_truth: bool
    has_label_maps: bool
    extra_names: tuple[str, ...]
    step_shape: tuple[int, ...]
    frames: Iterator[PlaybackFrame]
    sound: Sound | None = None


def play(rollout: Rollout, plan: Plan) -> Playback:
    """Play a plan on an opened model.

    Args:
        rollout: An opened model.
        plan: What to play.

    Raises:
        UserError: If the plan does not fit the model, or what it names cannot be read; also while
            the frames are asked for.

    Example:
        rollout = Rollout.open("models/mocogan/mocogan.keras")
        for frame in itertools.islice(play(rollout, NoisePlan(videos=4)).frames, 32):
            frame.frame  # uint8 (height, width, channels): four videos in a grid
    """
    if isinstance(plan, NoisePlan):
        return _play_noise(rollout, plan)
    return _play_clip(rollout, plan)


# ---- From noise ---------------------------------------------------------------------------------


def _play_noise(rollout: Rollout, plan: NoisePlan) -> Playback:
    rollout.description.expect_noise()
    start, columns = _arranged(rollout, plan)
    steps = rollout.start(choices=plan.choices, **start)
    frames = (PlaybackFrame(grid(step.frames[:, None], columns)[0]) for step in steps)
    shape = (start["videos"],)
    return Playback("", FPS, 0, 0, None, False, False, (), shape, frames)


def _arranged(rollout: Rollout, plan: NoisePlan) -> tuple[dict[str, Any], int | None]:
    """Return the arguments of `Rollout.start`, and the columns of the grid; None for a square."""
    count = plan.videos
    content = [plan.content_seed + number for number in range(count)]
    motion = [plan.motion_seed + number for number in range(count)]
    columns: int | None = None
    latents: dict[str, Array] = {}
    if plan.arrangement == "content-motion":
        _expect_content(rollout)
        content, motion = [c for c in content for _ in motion], motion * count
        columns = count
    elif plan.arrangement == "interpolate":
        latents = interpolated_latents(rollout, count, plan.content_seed)
        content, motion = content[:1] * count, motion[:1] * count
        columns = count
    start = {
        "videos": len(content),
        "content_seeds": content,
        "motion_seeds": motion,
        "latents": latents,
    }
    return start, columns


def _expect_content(rollout: Rollout) -> None:
    if not rollout.description.noise.content:
        raise UserError(
            f"This {rollout.description.family} model draws no content apart from its motion; leave"
            " out --grid."
        )


def category_choice(rollout: Rollout, category: str | None) -> dict[str, str]:
    """Return the choices of a plan in which one category is chosen for all videos.

    Raises:
        UserError: If the model has no categories.
    """
    if category is None:
        return {}
    names = list(rollout.description.named(Choice))
    if not names:
        family = rollout.description.family
        raise UserError(f"This {family} model has no categories; leave out --category.")
    return {names[0]: category}


# ---- On a clip, or along label maps -------------------------------------------------------------


def _play_clip(rollout: Rollout, plan: ClipPlan) -> Playback:
    description = rollout.description.at_size(plan.size)
    if plan.stride is None:
        plan = replace(plan, stride=description.stride)
    context = open_context(description, plan)
    label_maps, size = _peeked(context)
    return Playback(
        note=context.note,
        fps=context.fps or FPS,
        num_context=len(context.frames),
        num_before_step=len(context.frames) + len(context.first_steps),
        total=context.num_predictable and context.num_predictable + len(context.frames),
        has_truth=context.truth is not None,
        has_label_maps=label_maps is not None,
        extra_names=tuple(description.extra_outputs),
        step_shape=(1, *size),
        frames=_frames(rollout, plan, context, label_maps),
        sound=context.sound,
    )


def _peeked(context: Context) -> tuple[Iterator[Array] | None, tuple[int, ...]]:
    """Return the label maps, and the (height, width) of what the step is fed."""
    if context.label_maps is None:
        return None, np.shape(context.frames)[1:3]
    first = next(context.label_maps)
    return chain([first], context.label_maps), first.shape[:2]


def _frames(
    rollout: Rollout, plan: ClipPlan, context: Context, label_maps: Iterator[Array] | None
) -> Iterator[PlaybackFrame]:
    followed, shown = label_maps, None
    if label_maps is not None:
        followed, shown = split(label_maps, 2)
    for frame in context.frames:
        yield PlaybackFrame(frame, True, frame, _next_class_map(shown))
    steps = rollout.continue_from(
        context.fed, followed, num_context=context.num_maps, seed=plan.seed, looks=plan.looks
    )
    for step in chain(context.first_steps, steps):
        truth = None if context.truth is None else next(context.truth, None)
        extras = {
            name: extra_picture(rollout.description, name, values[0])
            for name, values in step.extras.items()
        }
        yield PlaybackFrame(step.frames[0], False, truth, _next_class_map(shown), extras)


def _next_class_map(label_maps: Iterator[Array] | None) -> Array | None:
    """Return the next label map's class numbers (height, width), without those of objects."""
    label_map = None if label_maps is None else next(label_maps, None)
    return label_map[..., 0] if label_map is not None and label_map.ndim == 3 else label_map
