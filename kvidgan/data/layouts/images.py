"""Image files: frames that lie in one file each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import ImageLevels, damaged, image_size, read_image


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
