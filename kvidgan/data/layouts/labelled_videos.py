"""Labelled videos: sequences of images that each have a label map, whatever layout lists them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.label_table import LabelTable
from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.image_levels import find_image_levels
from kvidgan.data.layouts.images import equally_large, read_frames
from kvidgan.data.layouts.instance_maps import colour_ids, instance_facts, read_instances
from kvidgan.data.layouts.label_maps import found_labels, stated_labels
from kvidgan.data.layouts.map_facts import MapFacts
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError
from kvidgan.media import (
    ImageLevels,
    MapImage,
    NotAMap,
    image_size,
    is_tolerated,
    read_map,
    tolerated,
)


class LabelledFrame(NamedTuple):
    """LabelledFrame: the files of one frame.

    Attributes:
        image: File of the picture.
        labels: File of the label map.
        instances: File of the instance map, numbers of objects of 8 or 16 bit, 0: none, or a colour
            for each; None without.
    """

    image: Path
    labels: Path
    instances: Path | None = None


class _Unfit(UserError):
    """Unfit: a sequence that cannot be used, beside others that can."""


def labelled_source(
    tree: Tree,
    layout: str,
    sequences: Mapping[tuple[str, str], Sequence[LabelledFrame]],
    skipped: list[Skipped],
    classes: int | None = None,
    palette: str | None = None,
    names: Sequence[str] | None = None,
    bit_depth: int | None = None,
) -> Source:
    """Make a source with one video a sequence; sequences that cannot be one are skipped.

    Of a sequence, frames are left out whose image, label map or instance map is damaged, or whose
    image is of another size than most.

    Args:
        tree: Listing that the files are of.
        layout: Name of the layout.
        sequences: Frames of each sequence by (split, name); split "" without one.
        skipped: Files and sequences that are skipped already.
        classes: Number of classes; None for as many as are found in the label maps, or named.
        palette: File that tells which colour is which class; None to find out.
        names: Names of the ids from 0, where numbers stand for classes; None for the numbers.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.

    Raises:
        UserError: If a value is beyond the classes, or the label maps have two meanings.
    """
    table = stated_labels(palette)
    found: dict[tuple[str, str], list[LabelledFrame]] = {}
    labels, objects = MapFacts(), instance_facts()
    for key, frames in sequences.items():
        try:
            one = _inspected(frames, table)
        except _Unfit as error:
            skipped.append(Skipped(key[1], without_path(error, tree.root)))
        else:
            found[key] = one.frames
            labels.merge(one.labels)
            objects.merge(one.objects)
            reasons = (without_path(error, tree.root) for error in one.errors)
            skipped += [Skipped(key[1], reason, rest_kept=True) for reason in reasons]
    if not found:
        return Source(layout, tree.path, [], skipped)
    understood = found_labels(labels, classes, table, names)
    ids = colour_ids(objects)
    with_objects = any(one.instances for frames in found.values() for one in frames)
    notes = [understood.note, "with instance maps" if with_objects else ""]
    images = [[one.image for one in frames] for frames in found.values()]
    levels = find_image_levels(images, bit_depth)
    videos = [
        _video(*key, frames, understood.labels, ids, levels.levels) for key, frames in found.items()
    ]
    source = Source(
        layout,
        tree.path,
        videos,
        skipped,
        note=", ".join(filter(None, notes)),
        guesses=list(understood.guesses),
        labels=understood.labels,
    )
    return levels.noted(source)


# --- listing


class _Inspected(NamedTuple):
    """Inspected: the frames of a sequence that can be used, and what their maps show.

    Attributes:
        frames: Frames, all of one size.
        errors: Why others are left out.
        labels: What the label maps show.
        objects: What the instance maps show.
    """

    frames: list[LabelledFrame]
    errors: list[UserError]
    labels: MapFacts
    objects: MapFacts


def _inspected(frames: Sequence[LabelledFrame], table: LabelTable | None) -> _Inspected:
    """Read all maps of a sequence, and the headers of its images.

    Raises:
        UserError: If a label map does not fit the table, or a JPEG is no mask.
        _Unfit: If the sequence cannot be used.
    """
    try:
        images, errors = equally_large([one.image for one in frames])
    except UserError as error:
        raise _Unfit(str(error)) from error
    size, whole = image_size(images[0]), set(images)
    found = _Inspected([], errors, MapFacts(), instance_facts())
    for one in (one for one in frames if one.image in whole):
        try:
            labels = _sized_map(one.labels, size, f"its image {one.image}")
            objects = one.instances and _sized_map(one.instances, size, "its label map")
        except (NotAMap, _Unfit) as error:
            raise _Unfit(str(error)) from error
        except UserError as error:
            errors.append(error)
            continue
        found.frames.append(one)
        found.labels.add(one.labels, labels, table)
        if one.instances and objects:
            found.objects.add(one.instances, objects)
    if not found.frames:
        raise _Unfit(str(errors[0]))
    return found


def _sized_map(path: Path, size: tuple[int, int], other: str) -> MapImage:
    image = read_map(path)
    if image.size != size:
        (high, wide), (height, width) = image.size, size
        raise _Unfit(f"{path} is {wide}x{high}, {other} is {width}x{height}: expected one size.")
    return image


# --- reading


def _video(
    split: str,
    name: str,
    frames: Sequence[LabelledFrame],
    labels: LabelSet,
    objects: dict[int, int] | None,
    levels: ImageLevels | None,
) -> Video:
    images = [one.image for one in frames]
    height, width = image_size(images[0])
    return Video(
        name,
        partial(read_frames, images, levels),
        split=split,
        length=len(frames),
        height=height,
        width=width,
        files=tuple(path for one in frames for path in one if path is not None),
        read_maps=partial(_read_maps, frames, labels, objects, levels),
    )


def _read_maps(
    frames: Sequence[LabelledFrame],
    labels: LabelSet,
    objects: dict[int, int] | None,
    levels: ImageLevels | None,
) -> Iterator[dict[str, np.ndarray]]:
    """Read the maps of each frame; of those that `read_frames` leaves out, none."""
    table = LabelTable(labels)
    for one in frames:
        if is_tolerated() and not _is_whole(one.image, levels):
            continue
        maps = {"labels": table.read(one.labels, read_map(one.labels))}
        if one.instances is not None:
            maps["instances"] = read_instances(one.instances, objects)
        yield maps


def _is_whole(image: Path, levels: ImageLevels | None) -> bool:
    """Return whether an image can be read: what is wrong with it is told where it is read."""
    with tolerated(lambda error: None):
        return next(read_frames([image], levels), None) is not None
