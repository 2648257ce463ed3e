"""Conditions: the channels that a step follows, made of the maps that a user supplies."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from kvidgan.contract import NO_CLASS, Condition, Encoding
from kvidgan.errors import UserError
from kvidgan.media import to_float
from kvidgan.rollout.description import Description
from kvidgan.rollout.inputs import check_size, pad
from kvidgan.rollout.looks import Chosen, painter

Array = np.ndarray
Size = tuple[int, int]


def windows(
    name: str,
    description: Description,
    frames: Iterable[Array],
    encode: Callable[[Array], Array],
    videos: int,
    offset: int = 0,
) -> Iterator[tuple[Array, Size]]:
    """Yield the padded window of a condition's last frames, and its true size, frame by frame.

    `encode` makes channels of frames; see `encoder`. The first `offset` frames belong to
    context frames: nothing is yielded for them.
    """
    spec = description.named(Condition)[name]
    window: deque[Array] = deque(maxlen=spec.frames)
    for number, frame in enumerate(frames):
        encoded = encode(np.asarray(frame))
        size = encoded.shape[1:3]
        check_size(name, description, size)
        window.extend([encoded] * (1 if window else spec.frames))
        if number >= offset:
            padded = pad(np.stack(window, axis=1), description.frame.multiple_of)
            yield np.repeat(padded, videos // len(padded), axis=0), size


def encoder(
    name: str, description: Description, seeds: Sequence[int], chosen: Chosen
) -> Callable[[Array], Array]:
    """Return what makes the channels of one moment of a condition from what a caller gives.

    Args:
        name: Name of the condition.
        description: The model's.
        seeds: One a video: looks that were not chosen are drawn from it.
        chosen: Looks, see `looks.check_looks`.

    Returns:
        From a frame or map, for all videos or with the videos' axis first, to float32 (videos, or
        1 for all, height, width, channels).
    """
    spec = description.named(Condition)[name]
    looks = spec.looks
    objects = "instances" in description.maps
    paint = None if looks is None else painter(looks, chosen, seeds)

    def encode(frame: Array) -> Array:
        moment = _moment(name, spec, objects, frame, len(seeds))
        if looks is not None and paint is not None:
            _check_labels(name, len(looks.names), moment[..., 0])
            return paint(np.repeat(moment, len(seeds) // len(moment), axis=0))
        if spec.encoding is None:
            return to_float(moment)
        return _channels(name, spec.encoding, moment)

    return encode


def _moment(name: str, spec: Condition, objects: bool, frame: Array, videos: int) -> Array:
    """Return one moment with the videos' axis first, its maps in a last axis."""
    plain = spec.encoding is None and spec.looks is None
    alike = 3 if objects or plain else 2  # axes of a frame for all videos
    if frame.ndim == alike:
        frame = frame[None]
    fits = frame.ndim == alike + 1 and len(frame) in (1, videos)
    if not fits or (objects and not plain and frame.shape[-1] != 2):
        what = (
            "(height, width, 2) array of class and instance" if objects else "(height, width) map"
        )
        what = "(height, width, channels) frame" if plain else f"{what} numbers"
        raise UserError(f"{name}: expected a {what}, found an array of shape {frame.shape}.")
    return frame if objects or plain else frame[..., None]


def _channels(name: str, encoding: Encoding, moment: Array) -> Array:
    classes = encoding.one_hot
    _check_labels(name, classes, moment[..., 0])
    # One row more than classes, all zeros, for pixels of none.
    encoded = np.eye(classes + 1, classes, dtype="float32")[np.minimum(moment[..., 0], classes)]
    if not encoding.instance_edges:
        return encoded
    return np.concatenate([encoded, _edges(moment[..., 1])], axis=-1)


def _check_labels(name: str, classes: int, labels: Array) -> None:
    """Refuse numbers of no class, but for 255 where there are fewer: pixels of none."""
    labels = labels[labels != NO_CLASS]
    if labels.size and (labels.max() >= classes or labels.min() < 0):
        raise UserError(
            f"{name}: expected class numbers 0 to {classes - 1}, found {labels.min()} to "
            f"{labels.max()}; use the classes that the model was trained on."
        )


def _edges(instances: Array) -> Array:
    """Mark pixels of (videos, height, width) with a neighbour of another instance."""
    edges = np.zeros(instances.shape, "float32")
    for axis in (1, 2):
        differ = np.diff(instances.astype(np.int64), axis=axis) != 0
        for side in ((1, 0), (0, 1)):
            margin = [(0, 0), (0, 0), (0, 0)]
            margin[axis] = side
            edges = np.maximum(edges, np.pad(differ, margin))
    return edges[..., None]
