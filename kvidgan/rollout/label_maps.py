"""Label maps that a model follows: whether they fit it, and how they stream to it."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from kvidgan.contract import Condition, Encoding
from kvidgan.errors import UserError
from kvidgan.rollout.description import Description

T = TypeVar("T")


def expected_encoding(description: Description) -> Encoding:
    """Return how the label maps of a model that follows such become channels."""
    assert description.encoding is not None
    return description.encoding


def check_classes(description: Description, where: str, kind: str, names: Sequence[str]) -> None:
    """Refuse label maps of another kind or of more classes than a model knows.

    Args:
        description: Description of a model that follows label maps.
        where: Place of the maps, for the sentence.
        kind: "ids", "edges" or "foreground".
        names: Names of the classes.

    Raises:
        UserError: If they do not fit.
    """
    known = expected_encoding(description)
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
        description: Description of the model that goes on.
        other: Description of the model that is to begin.
        name: The other's, for the sentence.

    Raises:
        UserError: If it needs frames itself, or other label maps, or makes other frames.
    """
    other.expect_clip_or_labels()
    num_context = other.context_frames
    if num_context or not other.maps:
        raise UserError(
            f"{name}: expected a model that draws frames from label maps alone, found a "
            f"{other.family} model that begins with {num_context} real frames; train one with "
            "family.flow=false."
        )
    known, own = expected_encoding(other), expected_encoding(description)
    for what, found, wanted in (
        ("classes", known.one_hot, own.one_hot),
        ("label maps", _kind(known.found), _kind(own.found)),
        ("maps to follow", other.maps, description.maps),
        ("channels", other.frame.channels, description.frame.channels),
    ):
        if found != wanted:
            raise UserError(
                f"{name}: expected the {what} of the model that goes on, {wanted}, found {found}; "
                "train both on the same data."
            )


def _kind(kind: str) -> str:
    return "class ids that come with the frames" if kind == "ids" else f"{kind} found in frames"


def shared_stream(
    description: Description, labels: Iterable[np.ndarray]
) -> dict[str, Iterator[np.ndarray]]:
    """Return the conditions for `Rollout.start`: one stream of label maps for all of its inputs."""
    names = description.named(Condition)
    return dict(zip(names, split(labels, len(names)), strict=True))


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
