"""What a rollout is given: a clip's first frames, or label maps and what goes before them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.data.clips import Clip, LabelClip, open_clip, open_labels, take
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, fit_frames, read_image
from kvidgan.rollout import Description, Rollout, Step
from kvidgan.rollout.comparison import history_length, needed_maps, suited
from kvidgan.rollout.description import History
from kvidgan.rollout.label_maps import (
    check_alike,
    check_classes,
    conditions,
    encoding,
    follows_labels,
    wanted_size,
)
from kvidgan.runs import exported

Array = np.ndarray


@dataclass(frozen=True)
class Where:
    """Which frames of what are meant: see `data.clips.open_clip` and `take`."""

    path: str
    video: str | None = None
    layout: str = "auto"
    start: int = 0
    stride: int = 1


@dataclass(frozen=True)
class Given:
    """What a rollout is given, and what its frames can be laid beside.

    Attributes:
        note: What was opened, and what of it is given, in one line.
        fps: Frames per second.
        start: Arguments of `Rollout.start`, but the conditions.
        frames: The given frames, uint8 (time, height, width, channels), to be shown.
        drawn: Steps that another model makes before the rollout's own.
        truth: The true frames beside those that are made; None without.
        labels: The label maps of given and made frames, with the numbers of objects where the model
            tells them apart; None where none are followed.
        count: How many frames can be made; None where only reading tells, or there is no end.
    """

    note: str
    fps: float
    start: dict[str, Any]
    frames: Array | tuple[()] = ()
    drawn: list[Step] = field(default_factory=list)
    truth: Iterator[Array] | None = None
    labels: Iterator[Array] | None = None
    count: int | None = None


def open_given(description: Description, where: Where, first: str | None = None) -> Given:
    """Open what a model is to go on with, or to follow.

    Args:
        description: The model's.
        where: The clip, or the label maps.
        first: What a model that follows label maps begins with: an image, a clip, or a model.

    Raises:
        UserError: If it does not fit the model.
    """
    if first is not None and not description.named(History):
        raise UserError(
            f"This {description.family} model looks at no frames: expected no --first, found "
            f"{first}; leave it out."
        )
    if follows_labels(description):
        return _labels(description, where, first)
    if first is not None:
        raise UserError(
            f"This {description.family} model goes on with a clip: expected no --first, found "
            f"{first}; leave it out, the clip's own frames are the first."
        )
    return _frames(description, where)


def _frames(description: Description, where: Where) -> Given:
    clip = open_clip(where.path, where.video, where.layout)
    history, following = take(clip, where.start, history_length(description), where.stride)
    fitted = suited(description, history)
    note = f"{clip.note}: {_places(where, len(history))}."
    if fitted.shape != history.shape:
        note += f" {_shape(history)} converted to the model's {_shape(fitted)}."
    truth = (suited(description, frame[None])[0] for frame in following)
    return Given(note, _fps(clip, where), {"history": fitted}, fitted, truth=truth)


# --- models that follow label maps


@dataclass(frozen=True)
class _Beginning:
    """What comes before the first frame that a model makes of label maps.

    Attributes:
        how: In words.
        lead: How many label maps are taken up by the frames that are given.
        history: Those frames, uint8 (time, height, width, channels), and more before them.
        drawn: What another model makes of the first label maps.
    """

    how: str = ""
    lead: int = 0
    history: Array | None = None
    drawn: list[Step] = field(default_factory=list)


def _labels(description: Description, where: Where, first: str | None) -> Given:
    clip = _open_labels(description, where)
    needed = _needed(description, first)
    ahead, labels = _ahead(clip, where, needed)
    truth = None
    if first is not None:
        begin = _begun_with(description, first, ahead)
    elif needed:
        begin, truth = _own_frames(description, clip, where, needed)
    else:
        begin = _Beginning()
    if truth is None and isinstance(clip, Clip):
        after = 0 if begin.drawn else begin.lead
        truth = islice(clip.frames, where.start + after * where.stride, None, where.stride)
    count = clip.length and -(-(clip.length - where.start) // where.stride)
    return Given(
        f"{clip.note}{begin.how}.",
        _fps(clip, where),
        {"lead": begin.lead, "history": begin.history},
        () if begin.history is None or begin.drawn else begin.history[-begin.lead :],
        begin.drawn,
        truth and (suited(description, frame[None])[0] for frame in truth),
        labels,
        count and count - begin.lead + len(begin.drawn),
    )


def _open_labels(description: Description, where: Where) -> Clip | LabelClip:
    """Open the label maps that come with the data, or find them in its frames."""
    wanted, size = encoding(description).found, wanted_size(description)
    objects = "instances" in needed_maps(description)
    place = (where.path, where.video, where.layout)
    clip: Clip | LabelClip = open_clip(*place, size=size, objects=objects)
    if clip.label_set is None:
        if wanted == "ids":
            clip = open_labels(*place, size=size, objects=objects)
        else:
            clip = open_clip(*place, labels=wanted, size=size)
    assert clip.label_set is not None
    check_classes(description, where.path, clip.label_set.kind, clip.label_set.names)
    return clip


def _needed(description: Description, first: str | None) -> int:
    """Return how many label maps the given frames take up."""
    if first is None:
        return history_length(description)
    if _is_image(first):
        return 1  # shows the first label map, and is repeated before it
    return max(spec.frames for spec in description.named(History).values())


def _ahead(
    clip: Clip | LabelClip, where: Where, needed: int
) -> tuple[list[Array], Iterator[Array]]:
    """Return the first label maps, one more than needed, and all of them."""
    assert clip.labels is not None
    skipped = sum(1 for _ in islice(clip.labels, where.start))
    labels = islice(clip.labels, 0, None, where.stride)
    ahead = list(islice(labels, needed + 1))
    if len(ahead) <= needed:
        found = skipped + max(0, len(ahead) - 1) * where.stride + bool(ahead)
        least = where.start + needed * where.stride + 1
        given = f", {needed} of them for the frames given" if needed else ""
        raise UserError(
            f"{clip.name} has {clip.length or found} label maps: expected at least {least}{given};"
            f" choose a longer clip{' or a smaller --start' if where.start else ''}."
        )
    return ahead, chain(ahead, labels)


def _own_frames(
    description: Description, clip: Clip | LabelClip, where: Where, count: int
) -> tuple[_Beginning, Iterator[Array]]:
    """Begin with the frames that come with the label maps; return the frames after them too."""
    if isinstance(clip, LabelClip):
        raise UserError(
            f"{where.path} holds label maps alone, and this {description.family} model goes on "
            f"with {count} real frames: give them with --first, as an image, a clip, or a model "
            "that draws each frame by itself."
        )
    history, following = take(clip, where.start, count, where.stride)
    how = f": {_places(where, count)}"
    return _Beginning(how, count, suited(description, history)), following


def _begun_with(description: Description, first: str, maps: list[Array]) -> _Beginning:
    """Begin with an image, a clip's first frames, or what another model makes of the labels."""
    count = max(spec.frames for spec in description.named(History).values())
    (height, width), channels = maps[0].shape[:2], description.frame.channels
    if _is_model(first):
        drawn = _drawn(description, first, maps[:count])
        history = np.concatenate([step.frames for step in drawn])
        how = f": the first {count} frames drawn by {first}"
        return _Beginning(how, count, history, drawn)
    if _is_image(first):
        image = fit_frames(read_image(Path(first))[None], height, width, channels)
        return _Beginning(f": begun with {first}", 1, np.repeat(image, count, axis=0))
    frames, _ = take(open_clip(first, size=(height, width)), 0, count)
    how = f": begun with the first {count} frames of {first}"
    return _Beginning(how, count, fit_frames(frames, height, width, channels))


def _drawn(description: Description, first: str, maps: list[Array]) -> list[Step]:
    """Let a model that needs no frames make the first ones."""
    other = Rollout.open(exported(Path(first)))
    check_alike(description, other.description, first)
    return list(other.start(conditions=conditions(other.description, maps)))


def _is_image(first: str) -> bool:
    return Path(first).suffix.lower() in IMAGE_SUFFIXES


def _is_model(first: str) -> bool:
    return Path(first).suffix == ".keras" or (Path(first) / "config.yaml").is_file()


# --- in words


def _places(where: Where, count: int) -> str:
    last = where.start + (count - 1) * where.stride
    apart = f", {where.stride} apart" if where.stride > 1 else ""
    return f"frames {where.start} to {last} given{apart}"


def _fps(clip: Clip | LabelClip, where: Where) -> float:
    """Return the clip's rate, fewer where frames are left out; 12.5 if it says none."""
    own = clip.fps if isinstance(clip, Clip) else None
    return own / where.stride if own else 12.5


def _shape(frames: Array) -> str:
    height, width, channels = frames.shape[1:]
    return f"{width}x{height} {'RGB' if channels == 3 else 'grey'}"
