"""Image files: frames and label maps that lie in one file each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.errors import UserError
from kvidgan.media import ImageLevels, damaged, image_size, read_image, read_map

_MASK = ("background", "foreground")


def equally_large(paths: Sequence[Path]) -> tuple[list[Path], list[UserError]]:
    """Return the images of the most frequent size, and errors that name the others.

    Only headers are read.

    Raises:
        UserError: If no image can be read, or half of several are of other sizes.
    """
    sizes: dict[Path, tuple[int, int]] = {}
    errors = []
    for path in paths:
        try:
            sizes[path] = image_size(path)
        except UserError as error:
            errors.append(error)
    if not sizes:
        raise errors[0]
    (usual, number), *_ = Counter(sizes.values()).most_common(1)
    if number * 2 <= len(sizes) > 1:
        raise UserError(
            f"{paths[0].parent} holds images of {len(set(sizes.values()))} sizes: expected the"
            " frames of a video, of one size"
        )
    wrong = [path for path, size in sizes.items() if size != usual]
    errors += [_other_size(path, sizes[path], usual) for path in wrong]
    return [path for path, size in sizes.items() if size == usual], errors


def _other_size(path: Path, size: tuple[int, int], usual: tuple[int, int]) -> UserError:
    return UserError(
        f"{path} is {size[1]}x{size[0]}, the other frames are {usual[1]}x{usual[0]}: expected one"
        " size in a folder."
    )


def read_frames(paths: Sequence[Path], levels: ImageLevels | None = None) -> Iterator[np.ndarray]:
    """Read frames, uint8 (height, width, 3) each; damaged ones are left out if that is tolerated.

    Args:
        paths: Files of the frames.
        levels: Levels of all images of the source that have more than 8 bit.

    Raises:
        UserError: If one is damaged, or not of the first one's size.
    """
    shape = None
    for path in paths:
        try:
            frame = read_image(path, levels)
            shape = shape or frame.shape
            if frame.shape != shape:
                raise _other_size(path, frame.shape[:2], shape[:2])
        except UserError as error:
            damaged(error)
        else:
            yield frame


# --- label maps


class LabelIds(NamedTuple):
    """LabelIds: the ids that were found in label maps.

    Attributes:
        highest: Highest id of all.
        file: File that the highest id is in.
        mask: Whether all ids are 0 or 255.
    """

    highest: int = -1
    file: Path = Path()
    mask: bool = True

    def merged(self, other: "LabelIds") -> "LabelIds":
        """Return the ids of both."""
        return max(self, other, key=lambda ids: ids.highest)._replace(mask=self.mask and other.mask)


def inspect_labels(maps: Sequence[Path], images: Sequence[Path] = ()) -> LabelIds:
    """Read label maps to find their ids, and check that they fit their images.

    Args:
        maps: Files of the label maps.
        images: Files of the images that they belong to, in the same order; empty for none.

    Raises:
        UserError: If one is no label map, or not of its image's size.
    """
    found = LabelIds()
    for path, image in zip_longest(maps, images):
        values = _label_map(path)
        if image is not None and values.shape != image_size(image):
            high, wide = image_size(image)
            raise UserError(
                f"{path} is {values.shape[1]}x{values.shape[0]}, its image {image} is"
                f" {wide}x{high}: expected one size."
            )
        mask = found.mask and bool(((values == 0) | (values == 255)).all())
        found = found.merged(LabelIds(int(values.max()), path, mask))
    return found


def label_set(ids: LabelIds, classes: int | None = None) -> LabelSet:
    """Return the classes of label maps.

    Args:
        ids: Ids that `inspect_labels` found in them.
        classes: Number of classes; None for as many as the ids need.

    Raises:
        UserError: If an id is beyond the number of classes.
    """
    if ids.mask and ids.highest == 255 and classes in (None, 2):
        return LabelSet("ids", _MASK)
    if classes is not None and ids.highest >= classes:
        raise UserError(
            f"{ids.file}: expected class ids from 0 to {classes - 1}, found {ids.highest}: declare"
            f" {ids.highest + 1} with --classes (data.classes), or mend the label maps."
        )
    return LabelSet("ids", tuple(map(str, range(classes or ids.highest + 1))))


def read_labels(paths: Sequence[Path], labels: LabelSet) -> Iterator[np.ndarray]:
    """Read label maps, uint8 (height, width) each: places in the classes' names."""
    for path in paths:
        values = _label_map(path)
        yield (values > 0).astype(np.uint8) if labels.names == _MASK else values


def _label_map(path: Path) -> np.ndarray:
    values = read_map(path)
    if values.dtype != np.uint8:
        raise UserError(f"{path} has 16 bit: expected class ids from 0 to 255, in 8 bit.")
    return values
