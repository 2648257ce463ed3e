"""Sequences: which images of a folder follow each other, by their names."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

from kvidgan.media import natural_key

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RESTARTS = 0.6  # where numbers are counted anew, at most this share of them is different
_LOSSLESS = (".png", ".tif", ".tiff", ".bmp", ".ppm", ".pgm")

Images = list[PurePosixPath]


class Sequences(NamedTuple):
    """Sequences: the images of one folder, told apart.

    Attributes:
        named: Images of each sequence in their order, by the sequence's name; "" if it is the only
            one.
        doubled: Images of which there is another of the same name, without loss or first.
        others: Images that belong to none, such as a cover.
    """

    named: dict[str, Images]
    doubled: Images
    others: Images


def sequences(images: Sequence[PurePosixPath]) -> Sequences:
    """Tell the sequences of a folder apart.

    Names that differ in their numbers alone belong together: `clipA_000`, `clipA_001`. Where two
    numbers change, as in `cam0_001`, and the last is counted anew, the others name the sequence.
    Images whose names fit no other one stand alone; where others follow each other, they are
    none of them.

    Args:
        images: Images of one folder.
    """
    unique, doubled = _without_doubles(images)
    families: dict[tuple[str, ...], Images] = defaultdict(list)
    for image in unique:
        families[tuple(_NUMBER.split(image.stem.lower()))].append(image)
    several = [family for family in families.values() if len(family) > 1]
    if not several:
        return Sequences({"": sorted(unique, key=natural_key)}, doubled, [])
    parts = [part for family in several for part in _parts(family)]
    inside = {image for part in parts for image in part}
    others = [image for image in unique if image not in inside]
    if len(parts) == 1:
        return Sequences({"": parts[0]}, doubled, others)
    return Sequences({_common(part): part for part in parts}, doubled, others)


def cover(frames: Sequence[object], maps: Collection[object]) -> bool:
    """Return whether most frames of a sequence have a map, or every so many-th throughout."""
    places = [number for number, frame in enumerate(frames) if frame in maps]
    if len(places) * 2 > len(frames):
        return True
    gaps = {after - before for before, after in pairwise(places)}
    return len(gaps) == 1 and places[0] < max(gaps) and len(frames) - places[-1] <= max(gaps)


def _without_doubles(images: Sequence[PurePosixPath]) -> tuple[Images, Images]:
    """Return one image of each stem, and the rest."""
    chosen: dict[str, PurePosixPath] = {}
    for image in sorted(images, key=lambda one: one.suffix.lower() not in _LOSSLESS):
        chosen.setdefault(image.stem, image)
    unique = [image for image in images if chosen[image.stem] == image]
    return unique, [image for image in images if chosen[image.stem] != image]


def _parts(family: Images) -> list[Images]:
    """Split images whose names differ in numbers alone where the last is counted anew."""
    numbers = {image: [float(n) for n in _NUMBER.findall(image.stem)] for image in family}
    columns = list(zip(*numbers.values(), strict=True))
    changing = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    ordered = sorted(family, key=lambda image: (numbers[image], natural_key(image)))
    if len(changing) < 2 or len(set(columns[changing[-1]])) > _RESTARTS * len(family):
        return [ordered]
    parts: dict[tuple[float, ...], Images] = defaultdict(list)
    for image in ordered:
        parts[tuple(numbers[image][place] for place in changing[:-1])].append(image)
    return list(parts.values())


def _common(images: Images) -> str:
    """Return what the names of a sequence have in common, without the number that counts."""
    first, last = images[0].stem, images[-1].stem
    spans = list(zip(_NUMBER.finditer(first), _NUMBER.finditer(last), strict=True))
    start, end = next((a.span() for a, b in spans if a[0] != b[0]), (len(first), len(first)))
    name = first[:start].rstrip("_-. ") + first[end:].lstrip() if start else first[end:]
    return name.strip("_-. ") or first
