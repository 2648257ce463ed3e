"""Looks of objects: the vector of features that each is painted in, for as long as it is seen."""

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kvidgan.contract import Looks
from kvidgan.errors import UserError
from kvidgan.rollout.description import Description

Array = np.ndarray
Chosen = Mapping[str, int]
# Of all that shows one class and object, from its class, its instance (0: none), to a vector.
_Vectors = dict[tuple[int, int], Array]


def check_looks(description: Description, chosen: Chosen) -> None:
    """Refuse looks that a model does not have.

    Args:
        description: The model's.
        chosen: The number of a look by class, "car", or by class and object, "car:7".

    Raises:
        UserError: If there is no such class, object or look.
    """
    own = description.looks
    if not chosen:
        return
    if own is None:
        raise UserError(
            f"This {description.family} model gives objects no look: leave out the look of "
            f"{next(iter(chosen))!r}, or train one with family.features=3."
        )
    for key, number in chosen.items():
        name, colon, instance = key.partition(":")
        if name not in own.names or (colon and not instance.isdecimal()):
            raise UserError(
                f"look: expected a class, or one of its objects as {own.names[-1]}:7, of the "
                f"classes {', '.join(own.names)}, found {key!r}."
            )
        count = len(own.vectors[own.names.index(name)])
        if not 0 <= number < count:
            there = f"0 to {count - 1}" if count else "none: it was never seen in training"
            raise UserError(f"look: expected a look of {name}, {there}, found {number}.")


def painter(own: Looks, chosen: Chosen, seeds: Sequence[int]) -> Callable[[Array], Array]:
    """Return what paints the moments of some videos.

    Every object of a video has one of its class's looks, and all that is of no object has one for
    each class: the chosen one, else one drawn from the video's seed, however many frames there are.

    Args:
        own: The looks that there are.
        chosen: Chosen looks, as for `check_looks`; an object's own goes before its class's.
        seeds: One a video.

    Returns:
        From class and instance numbers (videos, height, width, 2) to float32 features (videos,
        height, width, features).
    """
    seen: list[_Vectors] = [{} for _ in seeds]

    def paint(moment: Array) -> Array:
        pictures = zip(seen, seeds, moment, strict=True)
        return np.stack([_painted(own, chosen, known, seed, one) for known, seed, one in pictures])

    return paint


def _painted(own: Looks, chosen: Chosen, known: _Vectors, seed: int, moment: Array) -> Array:
    numbers = moment[..., 0].astype(np.int64) << 32 | moment[..., 1].astype(np.int64)
    there, places = np.unique(numbers, return_inverse=True)
    table = []
    for number in there.tolist():
        thing = number >> 32, number & 0xFFFFFFFF
        if thing not in known:
            known[thing] = _vector(own, chosen, seed, *thing)
        table.append(known[thing])
    return np.stack(table)[places.reshape(numbers.shape)]


def _vector(own: Looks, chosen: Chosen, seed: int, label: int, instance: int) -> Array:
    if label >= len(own.names) or not own.vectors[label]:  # no class, or never seen in training
        return np.zeros(own.features, "float32")
    name, vectors = own.names[label], own.vectors[label]
    number = chosen.get(f"{name}:{instance}", chosen.get(name))
    if number is None:
        rng = np.random.default_rng([seed, zlib.crc32(b"look"), label, instance])
        number = int(rng.integers(len(vectors)))
    return np.array(vectors[number], "float32")
