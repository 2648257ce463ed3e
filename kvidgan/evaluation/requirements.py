"""What several models need of the data, which is to be one for all."""

from collections.abc import Mapping
from typing import NamedTuple

from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.rollout.comparison import history_length, needed_maps, trained_stride
from kvidgan.rollout.description import Description
from kvidgan.rollout.label_maps import check_classes, encoding, follows_labels

Models = Mapping[str, Description]

_MAPS = {"labels": "label maps", "instances": "instance maps"}


class Shape(NamedTuple):
    """What all models need of the frames; a height or width of None is the data's own."""

    height: int | None
    width: int | None
    channels: int


def history_of(models: Models) -> int:
    """Return how many true frames are given: as many as the model needs that needs most.

    At least two, since a baseline extrapolates the motion between the last two; where label maps
    are followed at least one, since what moves is told by the frame before.

    Raises:
        UserError: If a model makes videos from noise alone.
    """
    lengths = []
    for name, model in models.items():
        try:
            lengths.append(history_length(model))
        except UserError as error:
            raise UserError(f"{name}: {error}") from error
    return max([1 if maps_of(models) else 2, *lengths])


def maps_of(models: Models) -> tuple[str, ...]:
    """Return the maps that some of the models follow: of "labels" and "instances"."""
    needed = [needed_maps(model) for model in models.values()]
    return max(needed, key=len)


def to_be_found(models: Models) -> str | None:
    """Return the labels, "edges" or "foreground", that models follow and any frames have."""
    kinds = {encoding(m).found for m in models.values() if follows_labels(m)} - {"ids"}
    return min(kinds, default=None)


def check_labels(models: Models, store: ClipStore) -> None:
    """Refuse data without the label maps that models follow, or with others.

    Raises:
        UserError: If they do not fit.
    """
    for name, model in models.items():
        if not follows_labels(model):
            continue
        missing = [one for one in needed_maps(model) if one not in store.maps]
        if missing or store.labels is None:
            raise UserError(
                f"{store.path.name} has no {' and no '.join(_MAPS[one] for one in missing)}, which "
                f"{name} follows: expected data that come with them, or prepared with --labels."
            )
        check_classes(model, store.path.name, store.labels.kind, store.labels.names)


def shape_of(models: Models) -> Shape:
    """Return the one shape that fits all models."""
    channels = {name: model.frame.channels for name, model in models.items()}
    sizes = {name: _size(model) for name, model in models.items()}
    fixed = {name: size for name, size in sizes.items() if size != (None, None)}
    if len(set(channels.values())) > 1:
        raise _apart("channels", {name: str(number) for name, number in channels.items()})
    if len(set(fixed.values())) > 1:
        raise _apart(
            "frame sizes", {n: f"{w or 'any'}x{h or 'any'}" for n, (h, w) in fixed.items()}
        )
    height, width = next(iter(fixed.values()), (None, None))
    return Shape(height, width, next(iter(channels.values())))


def _size(model: Description) -> tuple[int | None, int | None]:
    height, width = model.frame.trained or (None, None)
    return model.frame.height or height, model.frame.width or width


def stride_of(models: Models) -> int:
    """Return the distance between frames that all models learned from."""
    strides = {name: trained_stride(model) for name, model in models.items()}
    if len(set(strides.values())) > 1:
        raise _apart("strides", {name: str(stride) for name, stride in strides.items()})
    return next(iter(strides.values()))


def _apart(what: str, found: Mapping[str, str]) -> UserError:
    listed = ", ".join(f"{value} ({name})" for name, value in found.items())
    return UserError(
        f"Expected models with equal {what} to compare, found {listed}; evaluate them one by one."
    )
