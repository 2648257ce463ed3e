"""Layout `poses`: frames, and the points of people in them as OpenPose writes them.

    train_img/SEQ/0001.png                       frames
    train_openpose/SEQ/0001_keypoints.json       people of each frame

`test_img` and so on make splits. The points are drawn as label maps: see `draw_people`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.files import Tree, left_over
from kvidgan.data.layouts.folder_names import split_of
from kvidgan.data.layouts.images import equally_large
from kvidgan.data.poses import CLASSES, draw_people, read_people
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, image_size, read_image

_FOLDER = re.compile(r"(.+)_(img|openpose|densepose)", re.IGNORECASE)
_ENDING = "_keypoints"


class Files(NamedTuple):
    """Files of one sequence in natural order, by name up to the suffix."""

    images: dict[str, Path]
    points: dict[str, Path]


Sequences = dict[tuple[str, str], Files]  # by (split, name)


def is_poses(tree: Tree) -> bool:
    """Return whether there are frames and points of one split."""
    tops = {file.parts[0] for file in tree.files if len(file.parts) > 1}
    found = {one for top in tops if (one := _split_and_kind(top))}
    return any((split, "img") in found for split, kind in found if kind == "openpose")


def poses(tree: Tree) -> Source:
    """List the sequences whose frames all have a file of points.

    Args:
        tree: Listing with `train_img` and `train_openpose`, or the same of other splits.
    """
    found, skipped = _sequences(tree)
    several = len({split for split, _ in found}) > 1
    videos = []
    for (split, name), files in found.items():
        shown = f"{split}/{name}" if several else name
        try:
            videos.append(_video(shown, split if several else "", files))
        except UserError as error:
            skipped.append(Skipped(shown, without_path(error, tree.root)))
    labels = LabelSet("ids", CLASSES)
    return Source("poses", tree.path, videos, skipped, labels=labels, note="drawn from points")


# --- files


def _split_and_kind(folder: str) -> tuple[str, str] | None:
    match = _FOLDER.fullmatch(folder)
    split = split_of(match[1]) if match else None
    return (split, match[2].lower()) if match and split else None


def _sequences(tree: Tree) -> tuple[Sequences, list[Skipped]]:
    found: Sequences = {}
    strays: list[PurePosixPath] = []
    dense: Counter[str] = Counter()
    for file in tree.files:
        top = _split_and_kind(file.parts[0]) if len(file.parts) > 1 else None
        key = (top[0], "/".join(file.parts[1:-1]) or top[0]) if top else None
        suffix = file.suffix.lower()
        if key and top and top[1] == "img" and suffix in IMAGE_SUFFIXES:
            found.setdefault(key, Files({}, {})).images[file.stem] = tree.root / file
        elif key and top and top[1] == "openpose" and suffix == ".json":
            stem = file.stem.removesuffix(_ENDING)
            found.setdefault(key, Files({}, {})).points[stem] = tree.root / file
        elif top and top[1] == "densepose":
            dense[file.parts[0]] += 1
        else:
            strays.append(file)
    skipped = left_over(strays, "not a frame or points of one")
    for folder, number in dense.items():
        reason = f"DensePose maps are not read ({counted(number, 'file')})"
        skipped.append(Skipped(folder, reason, damaged=False))
    return found, skipped


def _video(name: str, split: str, files: Files) -> Video:
    for stem, path in (*files.images.items(), *files.points.items()):
        if stem not in files.points:
            raise UserError(f"{path} has no points: expected {stem}{_ENDING}.json in openpose.")
        if stem not in files.images:
            raise UserError(f"{path} has no frame: expected an image called {stem}.")
    images = list(files.images.values())
    points = [files.points[stem] for stem in files.images]
    _, wrong = equally_large(images)
    if wrong:
        raise wrong[0]
    for path in points:
        read_people(path)
    height, width = size = image_size(images[0])
    return Video(
        name,
        partial(_read_images, images),
        split=split,
        length=len(images),
        height=height,
        width=width,
        files=(*images, *points),
        read_maps=partial(_read_maps, points, size),
    )


def _read_images(paths: Sequence[Path]) -> Iterator[np.ndarray]:
    """Read frames; a damaged one is an error in any case, since its map would be left over."""
    return map(read_image, paths)


def _read_maps(points: Sequence[Path], size: tuple[int, int]) -> Iterator[dict[str, np.ndarray]]:
    for path in points:
        yield {"labels": draw_people(read_people(path), size)}
