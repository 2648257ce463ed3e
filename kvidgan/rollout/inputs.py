"""Inputs: the arrays that a step is fed, from seeds, choices and frames."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from kvidgan.contract import Choice, Condition, History, Latent, State
from kvidgan.errors import UserError
from kvidgan.media import to_float
from kvidgan.rollout.description import Description

Array = np.ndarray
Size = tuple[int, int]


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the stream of noise of one input of one video."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def draw(kind: str, shape: Sequence[int], rng: np.random.Generator) -> Array:
    """Draw float32 "normal", "uniform" in [-1, 1], or "zeros"."""
    if kind == "zeros":
        return np.zeros(shape, "float32")
    if kind == "uniform":
        return rng.uniform(-1, 1, shape).astype("float32")
    return rng.standard_normal(shape, "float32")


def drawn_once(spec: Any) -> TypeGuard[Latent | State]:
    """Whether an input is drawn when a video starts: a first state, or a latent it keeps."""
    return isinstance(spec, State) or (isinstance(spec, Latent) and spec.per == "video")


class NoiseStreams:
    """All that is drawn in one rollout: a stream for each video and input."""

    def __init__(
        self, description: Description, content_seeds: Sequence[int], motion_seeds: Sequence[int]
    ):
        self.description = description
        self.content_seeds, self.motion_seeds = content_seeds, motion_seeds
        self._streams = {
            name: (spec, [generator(seed, name) for seed in motion_seeds])
            for name, spec in description.named(Latent).items()
            if spec.per == "frame"
        }

    def once(self, choices: Mapping[str, Any], latents: Mapping[str, Array]) -> dict[str, Array]:
        """Return what is drawn or chosen once: latents per video, choices, first states."""
        feed = {}
        for name, spec in self.description.inputs.items():
            seeds = self.motion_seeds if isinstance(spec, State) else self.content_seeds
            if isinstance(spec, Choice):
                feed[name] = _one_hot(name, spec, choices.get(name), seeds)
            elif name in latents:
                feed[name] = _given(name, spec, latents[name], len(seeds))
            elif drawn_once(spec):
                draws = [draw(spec.draw, spec.shape, generator(s, name)) for s in seeds]
                feed[name] = np.stack(draws)
        for name, spec in self.description.named(State).items():
            if spec.same_as is not None and name not in latents:
                feed[name] = feed[spec.same_as]
        return feed

    def each_frame(self) -> dict[str, Array]:
        """Return the latents of the next frame."""
        return {
            name: np.stack([draw(spec.draw, spec.shape, rng) for rng in streams])
            for name, (spec, streams) in self._streams.items()
        }


def first_history(
    name: str, spec: History, description: Description, history: Array | None, videos: int
) -> Array:
    """Return the padded float history (videos, frames, height, width, channels) to begin with."""
    if history is None:
        raise UserError(f"{name}: expected {spec.frames} real frames to begin with, found none.")
    if history.ndim == 4:
        history = np.repeat(history[None], videos, axis=0)
    channels = description.frame.channels
    if history.ndim != 5 or history.shape[0] != videos or history.shape[-1] != channels:
        raise UserError(
            f"{name}: expected {videos} videos of (time, height, width, {channels}), found an "
            f"array of shape {history.shape}."
        )
    if history.shape[1] < spec.frames:
        raise UserError(
            f"{name}: expected at least {spec.frames} frames, found {history.shape[1]}; give a "
            "longer clip."
        )
    check_size(name, description, history.shape[2:4])
    frames = pad(to_float(history[:, -spec.frames :]), description.frame.multiple_of)
    for _ in range(spec.halvings):
        frames = halved(frames)
    return frames


def empty_history(spec: History, description: Description, videos: int, size: Size) -> Array:
    """Return the history of a model that begins by itself: zeros, padded like frames of `size`."""
    multiple = description.frame.multiple_of
    height, width = (-(-side // multiple) * multiple >> spec.halvings for side in size)
    shape = (videos, spec.frames, height, width, description.frame.channels)
    return np.zeros(shape, "float32")


def halved(frames: Array) -> Array:
    """Average 3x3 pixels around every second one of (..., height, width, channels).

    Of those alone that lie inside: what `kvidgan.nn.patches.halved` does on the device.
    """
    border = [(0, 0)] * (frames.ndim - 3) + [(1, 1), (1, 1), (0, 0)]
    total, inside = (_nine(np.pad(x, border)) for x in (frames, np.ones_like(frames)))
    halved: Array = total / inside
    return halved


def _nine(padded: Array) -> Array:
    """Return the sums of 3x3 values, every second one, of (..., height, width, channels)."""
    height, width = padded.shape[-3] - 2, padded.shape[-2] - 2
    windows = [
        padded[..., row : row + height : 2, column : column + width : 2, :]
        for row, column in np.ndindex(3, 3)
    ]
    total: Array = np.sum(windows, axis=0)
    return total


def pad(frames: Array, multiple: int) -> Array:
    """Reflect-pad (..., height, width, channels) at the bottom and right to a multiple."""
    height, width = frames.shape[-3:-1]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return frames
    margins = [(0, 0)] * (frames.ndim - 3) + [(0, below), (0, right), (0, 0)]
    return np.pad(frames, margins, mode="reflect")


def check_names(description: Description, **given: Mapping[str, Any]) -> None:
    """Raise UserError for a choice, latent or condition that the description does not have."""
    fits = {
        "choices": lambda spec: isinstance(spec, Choice),
        "latents": drawn_once,
        "conditions": lambda spec: isinstance(spec, Condition),
    }
    for argument, values in given.items():
        known = [name for name, spec in description.inputs.items() if fits[argument](spec)]
        for name in values:
            if name not in known:
                raise UserError(
                    f"{argument}: expected {' or '.join(known) or 'none'} for this "
                    f"{description.family} model, found {name!r}."
                )
    for name in description.named(Condition):
        if name not in given["conditions"]:
            raise UserError(f"{name}: expected a sequence of frames to follow, found none.")


def _given(name, spec, value, videos):
    value = np.asarray(value, "float32")
    expected = (videos, *spec.shape)
    if value.shape != expected:
        raise UserError(f"{name}: expected values of shape {expected}, found {value.shape}.")
    return value


def _one_hot(name: str, spec: Choice, chosen: Any, seeds: Sequence[int]) -> Array:
    count = len(spec.labels)
    if chosen is None:
        numbers = [int(generator(seed, name).integers(count)) for seed in seeds]
    else:
        values = [chosen] * len(seeds) if isinstance(chosen, str | int) else list(chosen)
        if len(values) != len(seeds):
            raise UserError(f"{name}: expected {len(seeds)} choices, found {len(values)}.")
        numbers = [_number(name, spec, value) for value in values]
    return np.eye(count, dtype="float32")[numbers]


def _number(name: str, spec: Choice, value: str | int) -> int:
    if isinstance(value, str) and value in spec.labels:
        return spec.labels.index(value)
    if isinstance(value, int) and 0 <= value < len(spec.labels):
        return value
    raise UserError(f"{name}: expected one of {', '.join(spec.labels)}, found {value!r}.")


def check_size(name: str, description: Description, size: Size) -> None:
    """Raise UserError for frames of a size that a model does not make."""
    wanted = (description.frame.height, description.frame.width)
    if any(w not in (None, s) for w, s in zip(wanted, size, strict=True)):
        raise UserError(
            f"{name}: expected frames of {wanted[0]}x{wanted[1]} pixels, found {size[0]}x{size[1]}."
        )
