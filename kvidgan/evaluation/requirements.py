"""Requirements: what several models need of the data, which is to be one for all."""

from collections.abc import Mapping
from typing import NamedTuple

from kvidgan.data.label_table import translation
from kvidgan.data.labels import LabelSet
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.rollout.description import Description
from kvidgan.rollout.label_maps import check_classes, expected_encoding

Models = Mapping[str, Description]

_MAPS = {"labels": "label maps", "instances": "instance maps"}


class FrameShape(NamedTuple):
    """The shape of the frames that all models need; a side of None is the data's own."""

    height: int | None
    width: int | None
    channels: int


def shared_context(models: Models) -> int:
    """Return the number of context frames: as many as the model needs that needs most.

    At least two, since a baseline extrapolates the motion between the last two; where label maps
    are followed at least one, since what moves is told by the frame before.

    Raises:
        UserError: If a model makes videos from noise alone.
    """
    for name, model in models.items():
        try:
            model.expect_clip_or_labels()
        except UserError as error:
            raise UserError(f"{name}: {error}") from error
    least = 1 if shared_maps(models) else 2
    return max([least, *(model.context_frames for model in models.values())])


def check_predictors(models: Models, protocol: str) -> None:
    """Refuse models that a protocol of predictions cannot score.

    Args:
        models: Descriptions of the models by name.
        protocol: Name of the protocol, which scores what follows context frames.

    Raises:
        UserError: If a model makes videos from noise or label maps.
    """
    for name, model in models.items():
        if model.maps or not model.context_frames:
            how = "follows label maps" if model.maps else "makes videos from noise"
            raise UserError(
                f"{name}: expected a model that predicts what follows a clip, which --protocol "
                f"{protocol} scores, found a {model.family} model that {how}."
            )


def shared_maps(models: Models) -> tuple[str, ...]:
    """Return the maps that some of the models follow: of "labels" and "instances"."""
    return max((model.maps for model in models.values()), key=len)


def labels_to_find(models: Models) -> str | None:
    """Return the labels, "edges" or "foreground", that models follow and any frames have."""
    kinds = {expected_encoding(model).found for model in models.values() if model.maps}
    return min(kinds - {"ids"}, default=None)


def check_labels(models: Models, store: ClipStore) -> None:
    """Refuse data without the label maps that models follow, or with others.

    Raises:
        UserError: If they do not fit.
    """
    for name, model in models.items():
        if not model.maps:
            continue
        missing = [one for one in model.maps if one not in store.maps]
        if missing or store.labels is None:
            raise UserError(
                f"{store.path.name} has no {' and no '.join(_MAPS[one] for one in missing)}, which "
                f"{name} follows: expected data that come with them, or prepared with --labels."
            )
        check_classes(model, store.path.name, store.labels.kind, store.labels.names)
        translation(store.labels, LabelSet.known_to(expected_encoding(model)), store.path.name)


def known_labels(models: Models) -> LabelSet | None:
    """Return the classes of the first model that follows label maps; None where none does."""
    encodings = (model.encoding for model in models.values())
    return next((LabelSet.known_to(one) for one in encodings if one is not None), None)


def shared_shape(models: Models) -> FrameShape:
    """Return the one shape that fits all models.

    Raises:
        UserError: If there is none.
    """
    channels = {name: model.frame.channels for name, model in models.items()}
    sizes = {name: _size(model) for name, model in models.items()}
    fixed = {name: size for name, size in sizes.items() if size != (None, None)}
    if len(set(channels.values())) > 1:
        raise _differing("channels", {name: str(number) for name, number in channels.items()})
    if len(set(fixed.values())) > 1:
        raise _differing(
            "frame sizes", {n: f"{w or 'any'}x{h or 'any'}" for n, (h, w) in fixed.items()}
        )
    height, width = next(iter(fixed.values()), (None, None))
    return FrameShape(height, width, next(iter(channels.values())))


def _size(model: Description) -> tuple[int | None, int | None]:
    height, width = model.frame.trained or (None, None)
    return model.frame.height or height, model.frame.width or width


def shared_stride(models: Models) -> int:
    """Return the distance between frames that all models learned from.

    Raises:
        UserError: If it is not the same for all.
    """
    strides = {name: model.stride for name, model in models.items()}
    if len(set(strides.values())) > 1:
        raise _differing("strides", {name: str(stride) for name, stride in strides.items()})
    return next(iter(strides.values()))


def _differing(what: str, found: Mapping[str, str]) -> UserError:
    listed = ", ".join(f"{value} ({name})" for name, value in found.items())
    return UserError(
        f"Expected models with equal {what} to compare, found {listed}; evaluate them one by one."
    )
