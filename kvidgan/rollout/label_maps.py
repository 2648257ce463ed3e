"""Follow label maps, however long: whether they fit a model, in which size, and how they stream."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from kvidgan.errors import UserError
from kvidgan.rollout.comparison import history_length, needed_maps
from kvidgan.rollout.description import Condition, Description, Encoding

Size = tuple[int, int]
T = TypeVar("T")


def follows_labels(description: Description) -> bool:
    """Whether a model follows label maps.

    Raises:
        UserError: If it follows something else.
    """
    return bool(needed_maps(description))


def encoding(description: Description) -> Encoding:
    """Return how the label maps that a model follows become channels."""
    found = (spec.encoding for spec in description.named(Condition).values())
    return next(one for one in found if one is not None)


def check_classes(description: Description, where: str, kind: str, names: Sequence[str]) -> None:
    """Refuse label maps of another kind or of more classes than a model knows.

    Args:
        description: Of a model that follows label maps.
        where: They lie, for the sentence.
        kind: "ids", "edges" or "foreground".
        names: Of the classes.

    Raises:
        UserError: If they do not fit.
    """
    known = encoding(description)
    if kind != known.found:
        raise UserError(
            f"{where}: this {description.family} model follows {_kind(known.found)}, expected "
            f"{'plain frames or such maps' if known.found != 'ids' else 'such maps'}, found "
            f"{_kind(kind)}."
        )
    if len(names) > known.one_hot:
        listed = ", ".join(known.names or map(str, range(known.one_hot)))
        raise UserError(
            f"{where}: expected label maps of at most the {known.one_hot} classes that this "
            f"{description.family} model was trained on ({listed}), found {len(names)} classes; "
            "use those it knows."
        )


def check_alike(description: Description, other: Description, name: str) -> None:
    """Refuse another model that cannot draw the first frames of one that follows label maps.

    Args:
        description: Of the model that goes on.
        other: Of the one that is to begin.
        name: The other's, for the sentence.

    Raises:
        UserError: If it needs frames itself, or other label maps, or makes other frames.
    """
    given = history_length(other)
    if given or not follows_labels(other):
        raise UserError(
            f"{name}: expected a model that draws frames from label maps alone, found a "
            f"{other.family} model that begins with {given} real frames; train one with "
            "family.flow=false."
        )
    known, own = encoding(other), encoding(description)
    for what, found, wanted in (
        ("classes", known.one_hot, own.one_hot),
        ("label maps", _kind(known.found), _kind(own.found)),
        ("maps to follow", needed_maps(other), needed_maps(description)),
        ("channels", other.frame.channels, description.frame.channels),
    ):
        if found != wanted:
            raise UserError(
                f"{name}: expected the {what} of the model that goes on, {wanted}, found {found}; "
                "train both on the same data."
            )


def _kind(kind: str) -> str:
    return "class ids that come with the frames" if kind == "ids" else f"{kind} found in frames"


def of_size(description: Description, size: Size | None) -> Description:
    """Have a model see frames of another (height, width) than it was trained at; None: of that.

    Raises:
        UserError: If it makes frames of one size only.
    """
    if size is None:
        return description
    for given, own in zip(size, (description.frame.height, description.frame.width), strict=True):
        if own not in (None, given):
            spec = description.frame
            raise UserError(
                f"This {description.family} model makes frames of {spec.width or 'any'}x"
                f"{spec.height or 'any'} only, found --size {size[1]}x{size[0]}; leave it out."
            )
    frame = description.frame.model_copy(update={"trained": size})
    return description.model_copy(update={"frame": frame})


def wanted_size(description: Description) -> Size | None:
    """Return the (height, width) to which a model's frames and maps are to be brought, if any."""
    spec = description.frame
    height, width = spec.trained or (None, None)
    height, width = spec.height or height, spec.width or width
    return (height, width) if height and width else None


def conditions(description: Description, labels: Iterable[np.ndarray]) -> dict[str, Any]:
    """Return `Rollout.start`'s conditions: one stream of label maps for all of a model's inputs."""
    inputs = description.named(Condition)
    return dict(zip(inputs, split(labels, len(inputs)), strict=True))


def split(stream: Iterable[T], count: int) -> list[Iterator[T]]:
    """Let several readers pass along a stream; keep only what some have read and others have not.

    `itertools.tee` keeps up to 57 items that all have read: of large frames, gigabytes.
    """
    source, waiting = iter(stream), [deque[T]() for _ in range(count)]

    def fetch() -> None:
        for item in islice(source, 1):
            for queue in waiting:
                queue.append(item)

    def read(own: deque[T]) -> Iterator[T]:
        while True:
            if not own:
                fetch()
            if not own:
                return
            yield own.popleft()

    return [read(own) for own in waiting]
