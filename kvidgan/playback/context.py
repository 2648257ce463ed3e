"""Context: what a rollout begins with, context frames or label maps, and the truth beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.contract import History
from kvidgan.data.clips import Clip, LabelClip, open_clip, open_labels, take
from kvidgan.data.label_table import read_by, translated, translation
from kvidgan.data.labels import LabelSet
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, Sound, fit_frames, has_sound, read_image
from kvidgan.playback.plan import ClipPlan
from kvidgan.rollout import Description, Rollout, Step
from kvidgan.rollout.label_maps import check_alike, check_classes, expected_encoding, shared_stream
from kvidgan.runs import exported

Array = np.ndarray


@dataclass(frozen=True)
class Context:
    """What a rollout begins with, and what its frames can be laid beside.

    Attributes:
        note: What was opened, and which frames of it are context, in one line.
        fps: Frames a second; None if the clip says none.
        frames: The context frames to show, uint8 (time, height, width, channels).
        fed: The context frames that the model is fed, perhaps more than are shown; None for none.
        num_maps: Number of label maps that belong to context frames.
        first_steps: Steps that another model makes before the rollout's own.
        truth: The true frames beside the predicted ones; None without.
        label_maps: The label maps of context and predicted frames, with the numbers of objects
            where the model tells them apart; None where none are followed.
        num_predictable: Number of frames that can be predicted; None where only reading tells, or
            there is no end.
        sound: The clip's sound from the first frame on, context frames included; None without.
    """

    note: str
    fps: float | None
    frames: Array | tuple[()] = ()
    fed: Array | None = None
    num_maps: int = 0
    first_steps: list[Step] = field(default_factory=list)
    truth: Iterator[Array] | None = None
    label_maps: Iterator[Array] | None = None
    num_predictable: int | None = None
    sound: Sound | None = None


def open_context(description: Description, plan: ClipPlan) -> Context:
    """Open what a model is to go on with, or to follow.

    Args:
        description: Description of the model, at the size that is wanted.
        plan: The clip or the label maps; its stride is known.

    Raises:
        UserError: If it does not fit the model.
    """
    first = plan.first
    if first is not None and not description.named(History):
        raise UserError(
            f"This {description.family} model looks at no frames: expected no --first, found "
            f"{first}; leave it out."
        )
    description.expect_clip_or_labels()
    if description.maps:
        return _open_label_context(description, plan)
    if first is not None:
        raise UserError(
            f"This {description.family} model goes on with a clip: expected no --first, found "
            f"{first}; leave it out, the clip's own frames are the first."
        )
    return _open_clip_context(description, plan)


def _open_clip_context(description: Description, plan: ClipPlan) -> Context:
    clip = open_clip(plan.path, plan.video, plan.reading)
    frames, following = take(clip, plan.start, description.context_frames, _stride(plan))
    fitted = description.fit(frames)
    note = f"{clip.note}: {_places(plan, len(frames))}."
    if fitted.shape != frames.shape:
        note += f" {_shape(frames)} converted to the model's {_shape(fitted)}."
    truth = (description.fit(frame[None])[0] for frame in following)
    return Context(note, _fps(clip, plan), fitted, fitted, truth=truth, sound=_sound(clip, plan))


# ---- Models that follow label maps --------------------------------------------------------------


@dataclass(frozen=True)
class _Start:
    """What comes before the first frame that a model predicts along label maps.

    Attributes:
        note: What it is, in words.
        num_maps: Number of label maps that belong to its frames.
        frames: True or drawn frames, uint8 (time, height, width, channels), and more before them.
        first_steps: What another model makes of the first label maps.
    """

    note: str = ""
    num_maps: int = 0
    frames: Array | None = None
    first_steps: list[Step] = field(default_factory=list)


def _open_label_context(description: Description, plan: ClipPlan) -> Context:
    clip = _open_labels(description, plan)
    num_context = _num_context(description, plan.first)
    first_maps, label_maps = _first_maps(clip, plan, num_context)
    truth: Iterator[Array] | None = None
    if plan.first is not None:
        start = _start_with(description, plan.first, first_maps)
    elif num_context:
        start, truth = _start_with_own_frames(description, clip, plan, num_context)
    else:
        start = _Start()
    if truth is None and isinstance(clip, Clip):
        skipped = 0 if start.first_steps else start.num_maps
        truth = islice(clip.frames, plan.start + skipped * _stride(plan), None, _stride(plan))
    shown: Array | tuple[()] = ()
    if start.frames is not None and not start.first_steps:
        shown = start.frames[-start.num_maps :]
    num_maps = clip.length and -(-(clip.length - plan.start) // _stride(plan))
    return Context(
        note=f"{clip.note}{start.note}.",
        fps=_fps(clip, plan),
        frames=shown,
        fed=start.frames,
        num_maps=start.num_maps,
        first_steps=start.first_steps,
        truth=truth and (description.fit(frame[None])[0] for frame in truth),
        label_maps=label_maps,
        num_predictable=num_maps and num_maps - start.num_maps + len(start.first_steps),
        sound=_sound(clip, plan),
    )


def _open_labels(description: Description, plan: ClipPlan) -> Clip | LabelClip:
    """Open the label maps that come with the data, or find them in its frames."""
    known, size = LabelSet.known_to(expected_encoding(description)), description.size
    options: dict[str, Any] = {"size": size, "objects": "instances" in description.maps}
    place = (plan.path, plan.video, plan.reading)
    with read_by(known):
        clip: Clip | LabelClip = open_clip(*place, **options, may_be_maps=known.kind == "ids")
        if clip.label_set is None:
            if known.kind == "ids":
                clip = open_labels(*place, **options)
            else:
                clip = open_clip(*place, labels=known.kind, size=size)
    assert clip.label_set is not None
    assert clip.labels is not None
    check_classes(description, plan.path, clip.label_set.kind, clip.label_set.names)
    table = translation(clip.label_set, known, plan.path)
    labels = (translated(one, table, plan.path, objects=one.ndim == 3) for one in clip.labels)
    return clip if table is None else replace(clip, labels=labels)


def _num_context(description: Description, first: str | None) -> int:
    """Return how many label maps belong to context frames."""
    if first is None:
        return description.context_frames
    if _is_image(first):
        return 1  # shows the first label map, and is repeated before it
    return description.most_context_frames


def _first_maps(
    clip: Clip | LabelClip, plan: ClipPlan, num_context: int
) -> tuple[list[Array], Iterator[Array]]:
    """Return the first label maps, one more than those of context frames, and all of them."""
    assert clip.labels is not None
    skipped = sum(1 for _ in islice(clip.labels, plan.start))
    label_maps = islice(clip.labels, 0, None, _stride(plan))
    first = list(islice(label_maps, num_context + 1))
    if len(first) <= num_context:
        found = skipped + max(0, len(first) - 1) * _stride(plan) + bool(first)
        least = plan.start + num_context * _stride(plan) + 1
        context = f", {num_context} of them for the frames given" if num_context else ""
        raise UserError(
            f"{clip.name} has {clip.length or found} label maps: expected at least {least}{context}"
            f"; choose a longer clip{' or a smaller --start' if plan.start else ''}."
        )
    return first, chain(first, label_maps)


def _start_with_own_frames(
    description: Description, clip: Clip | LabelClip, plan: ClipPlan, num_context: int
) -> tuple[_Start, Iterator[Array]]:
    """Begin with the frames that come with the label maps; return the frames after them too."""
    if isinstance(clip, LabelClip):
        raise UserError(
            f"{plan.path} holds label maps alone, and this {description.family} model goes on "
            f"with {num_context} real frames: give them with --first, as an image, a clip, or a "
            "model that draws each frame by itself."
        )
    frames, following = take(clip, plan.start, num_context, _stride(plan))
    note = f": {_places(plan, num_context)}"
    return _Start(note, num_context, description.fit(frames)), following


def _start_with(description: Description, first: str, maps: list[Array]) -> _Start:
    """Begin with an image, a clip's first frames, or what another model makes of the labels."""
    count = description.most_context_frames
    (height, width), channels = maps[0].shape[:2], description.frame.channels
    if _is_model(first):
        steps = _steps_of(description, first, maps[:count])
        frames = np.concatenate([step.frames for step in steps])
        note = f": the first {count} frames drawn by {first}"
        return _Start(note, count, frames, steps)
    if _is_image(first):
        image = fit_frames(read_image(Path(first))[None], height, width, channels)
        return _Start(f": begun with {first}", 1, np.repeat(image, count, axis=0))
    frames, _ = take(open_clip(first, size=(height, width)), 0, count)
    note = f": begun with the first {count} frames of {first}"
    return _Start(note, count, fit_frames(frames, height, width, channels))


def _steps_of(description: Description, first: str, maps: list[Array]) -> list[Step]:
    """Let a model that needs no frames make the first ones."""
    other = Rollout.open(exported(Path(first)))
    check_alike(description, other.description, first)
    return list(other.start(conditions=shared_stream(other.description, maps)))


def _is_image(first: str) -> bool:
    return Path(first).suffix.lower() in IMAGE_SUFFIXES


def _is_model(first: str) -> bool:
    return Path(first).suffix == ".keras" or (Path(first) / "config.yaml").is_file()


# ---- In words -----------------------------------------------------------------------------------


def _stride(plan: ClipPlan) -> int:
    return plan.stride or 1


def _places(plan: ClipPlan, count: int) -> str:
    last = plan.start + (count - 1) * _stride(plan)
    apart = f", {plan.stride} apart" if _stride(plan) > 1 else ""
    return f"frames {plan.start} to {last} given{apart}"


def _fps(clip: Clip | LabelClip, plan: ClipPlan) -> float | None:
    """Return the clip's rate, fewer where frames are left out; None if it says none."""
    return clip.fps / _stride(plan) if isinstance(clip, Clip) and clip.fps else None


def _sound(clip: Clip | LabelClip, plan: ClipPlan) -> Sound | None:
    if not isinstance(clip, Clip) or clip.file is None or not clip.fps or not has_sound(clip.file):
        return None
    return Sound(clip.file, plan.start / clip.fps)


def _shape(frames: Array) -> str:
    height, width, channels = frames.shape[1:]
    return f"{width}x{height} {'RGB' if channels == 3 else 'grey'}"
