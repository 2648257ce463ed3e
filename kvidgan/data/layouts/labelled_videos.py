"""Labelled videos: sequences of images that each have a label map, whatever layout lists them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.image_levels import find_image_levels
from kvidgan.data.layouts.images import (
    LabelIds,
    inspect_labels,
    label_set,
    read_frames,
    read_labels,
)
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError
from kvidgan.media import ImageLevels, image_size, read_map


class LabelledFrame(NamedTuple):
    """LabelledFrame: the files of one frame.

    Attributes:
        image: File of the picture.
        labels: File of the label map.
        instances: File of the instance map, ids of objects of 8 or 16 bit, 0: none; None without.
    """

    image: Path
    labels: Path
    instances: Path | None = None


def labelled_source(
    tree: Tree,
    layout: str,
    sequences: Mapping[tuple[str, str], Sequence[LabelledFrame]],
    skipped: list[Skipped],
    classes: int | None = None,
    bit_depth: int | None = None,
) -> Source:
    """Make a source with one video a sequence; sequences that cannot be one are skipped.

    Args:
        tree: Listing that the files are of.
        layout: Name of the layout.
        sequences: Frames of each sequence by (split, name); split "" without one.
        skipped: Files and sequences that are skipped already.
        classes: Number of classes; None for one more than the highest id that is found.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.

    Raises:
        UserError: If an id is beyond the classes.
    """
    found: dict[tuple[str, str], Sequence[LabelledFrame]] = {}
    ids = LabelIds()
    for key, frames in sequences.items():
        try:
            maps, images = [one.labels for one in frames], [one.image for one in frames]
            ids = ids.merged(inspect_labels(maps, images))
        except UserError as error:
            skipped.append(Skipped(key[1], without_path(error, tree.root)))
        else:
            found[key] = frames
    if not found:
        return Source(layout, tree.path, [], skipped)
    labels = label_set(ids, classes)
    levels = find_image_levels(
        [[one.image for one in frames] for frames in found.values()], bit_depth
    )
    videos = [
        _video(name, split, frames, labels, levels.levels)
        for (split, name), frames in found.items()
    ]
    with_instances = any(one.instances for frames in found.values() for one in frames)
    note = "with instance maps" if with_instances else ""
    return levels.noted(Source(layout, tree.path, videos, skipped, note=note, labels=labels))


def _video(
    name: str,
    split: str,
    frames: Sequence[LabelledFrame],
    labels: LabelSet,
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
        read_maps=partial(_read_maps, frames, labels),
    )


def _read_maps(
    frames: Sequence[LabelledFrame], labels: LabelSet
) -> Iterator[dict[str, np.ndarray]]:
    maps = read_labels([one.labels for one in frames], labels)
    for values, path in zip(maps, (one.instances for one in frames), strict=True):
        if path is None:
            yield {"labels": values}
            continue
        ids = read_map(path).astype(np.uint16)
        if ids.shape != values.shape:
            raise UserError(
                f"{path} is {ids.shape[1]}x{ids.shape[0]}, its label map is"
                f" {values.shape[1]}x{values.shape[0]}: expected one size."
            )
        yield {"labels": values, "instances": ids}
