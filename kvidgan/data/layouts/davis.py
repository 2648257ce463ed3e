"""Layout `davis`: sequences in JPEGImages, maps of objects in Annotations, splits in ImageSets.

    JPEGImages/480p/bear/00000.jpg     also 1080p or Full-Resolution, or without this folder
    Annotations/480p/bear/00000.png    0 and 255, or numbers of objects with a palette
    ImageSets/480p/train.txt           /JPEGImages/480p/bear/00000.jpg /Annotations/...; or
    ImageSets/2017/train.txt           bear

DAVIS 2016 (Perazzi et al.), DAVIS 2017 (Pont-Tuset et al.); YouTube-VOS (Xu et al. 2018) has these
folders in `train` and `valid`, and maps for every fifth frame.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.layouts.files import Tree, left_over
from kvidgan.data.layouts.folder_names import split_of
from kvidgan.data.layouts.labelled_videos import LabelledFrame, labelled_source
from kvidgan.data.layouts.media_files import frame_folders
from kvidgan.data.layouts.official_lists import read_lines
from kvidgan.data.layouts.sequences import cover
from kvidgan.data.source import Skipped, Source
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES

PICTURES, MAPS, SETS = "JPEGImages", "Annotations", "ImageSets"
_RESOLUTION = re.compile(r"\d+p|full-resolution", re.IGNORECASE)
_BY_DEFAULT = "480p"


class Place(NamedTuple):
    """Place: what a path says: (("train",), "480p", "bear") of train/JPEGImages/480p/bear."""

    outer: tuple[str, ...]
    resolution: str
    sequence: str


Sequences = dict[Place, dict[str, PurePosixPath]]  # files by name up to the suffix


def is_davis(tree: Tree) -> bool:
    """Return whether there are sequences of pictures, and maps of one of them."""
    return bool(_sequences(tree, PICTURES).keys() & _sequences(tree, MAPS).keys())


def davis(
    tree: Tree, classes: int | None = None, select: str | None = None, palette: str | None = None
) -> Source:
    """List the sequences of one resolution, with their maps: frames that have a map only.

    Args:
        tree: Listing with JPEGImages and Annotations, with ImageSets or without.
        classes: Number of classes; None for one more than the highest number of an object.
        select: A resolution such as 1080p, or a folder of ImageSets such as 2016; None for 480p,
            or the first, and the last year.
        palette: File that tells which colour is which class; None to find out.

    Raises:
        UserError: If there is nothing of what is selected, or an id is beyond the classes.
    """
    pictures, maps = _sequences(tree, PICTURES), _sequences(tree, MAPS)
    resolutions = sorted({place.resolution for place in pictures})
    sets = _sets(tree)
    if select is not None and select not in {*resolutions, *sets}:
        there = ", ".join(filter(None, [*resolutions, *sets])) or "one resolution"
        raise UserError(f"{tree.path} holds {there}: expected one as --select, found {select!r}.")
    first = _BY_DEFAULT if _BY_DEFAULT in resolutions else next(iter(resolutions), "")
    resolution = select if select in resolutions else first
    pictures = {place: files for place, files in pictures.items() if place.resolution == resolution}
    by_set = _set_for(sets, resolution, select)
    splits = _read_set(tree, sets[by_set]) if by_set else {}
    skipped = _left_over(tree, resolution)
    labelled, frames = _pairs(pictures, maps, splits, by_set, skipped)
    if labelled:
        rooted = {key: _rooted(tree.root, pairs) for key, pairs in labelled.items()}
        source = labelled_source(tree, "davis", rooted, skipped, classes, palette)
    else:
        source = _plain(tree, pictures, splits, skipped)
    part = f"frames with maps only, {sum(map(len, labelled.values()))} of {frames}"
    whole = sum(map(len, labelled.values())) == frames
    parts = [resolution, by_set and f"splits of {SETS}/{by_set}"]
    parts += ["no maps but of first frames" if not labelled else "" if whole else part, source.note]
    guesses = _guesses(resolutions, resolution, sets, by_set) if select is None else []
    return replace(source, note=", ".join(filter(None, parts)), guesses=source.guesses + guesses)


def _guesses(
    resolutions: Sequence[str], resolution: str, sets: dict[str, list[PurePosixPath]], by_set: str
) -> list[str]:
    others = [name for name in resolutions if name != resolution]
    other_sets = [name for name in sets if name not in (by_set, *resolutions)]
    guesses = []
    if others:
        guesses.append(f"{resolution} is read: --select takes {' or '.join(others)} instead")
    if other_sets:
        guesses.append(
            f"splits are those of {SETS}/{by_set}: --select takes {' or '.join(other_sets)} instead"
        )
    return guesses


# --- sequences


def _place(file: PurePosixPath, kind: str) -> Place | None:
    """Return the place of a file in JPEGImages or Annotations; None elsewhere."""
    folders = file.parts[:-1]
    if kind not in folders:
        return None
    start = folders.index(kind)
    inside = list(folders[start + 1 :])
    resolution = inside.pop(0) if inside and _RESOLUTION.fullmatch(inside[0]) else ""
    return Place(folders[:start], resolution, "/".join(inside)) if inside else None


def _sequences(tree: Tree, kind: str) -> Sequences:
    sequences: Sequences = {}
    for file in tree.having(IMAGE_SUFFIXES):
        place = _place(file, kind)
        if place is not None:
            sequences.setdefault(place, {}).setdefault(file.stem, file)
    return sequences


def _pairs(
    pictures: Sequences,
    maps: Sequences,
    splits: dict[str, str],
    by_set: str,
    skipped: list[Skipped],
) -> tuple[dict[tuple[str, str], list[tuple[PurePosixPath, PurePosixPath]]], int]:
    """Return picture and map of each frame by (split, name), and the number of frames of these.

    Sequences whose maps do not cover them, such as one of the first frame alone, are skipped.
    """
    pairs = {}
    frames = 0
    for place, files in pictures.items():
        key = _key(place, splits)
        there = maps.get(place, {})
        both = [(file, there[stem]) for stem, file in files.items() if stem in there]
        lost = next((file for stem, file in there.items() if stem not in files), None)
        if splits and place.sequence not in splits:
            skipped.append(Skipped(key[1], f"in no list of {SETS}/{by_set}", damaged=False))
        elif lost is not None:
            skipped.append(Skipped(key[1], f"{lost} has no picture: expected one of its name"))
        elif cover(list(files), there):
            pairs[key] = both
            frames += len(files)
        else:
            skipped.append(
                Skipped(key[1], f"{len(both)} of {counted(len(files), 'frame')} has a map", False)
            )
    names = {place.sequence for place in pictures}
    missing = [name for name in splits if name not in names]
    if missing:
        more = f", as are {len(missing) - 1} more" if len(missing) > 1 else ""
        skipped.append(Skipped(missing[0], f"in a list of {SETS}/{by_set}, but missing{more}"))
    return pairs, frames


def _key(place: Place, splits: dict[str, str]) -> tuple[str, str]:
    split = next((one for part in place.outer if (one := split_of(part))), "")
    return splits.get(place.sequence, split), "/".join([*place.outer, place.sequence])


def _rooted(
    root: Path, pairs: Sequence[tuple[PurePosixPath, PurePosixPath]]
) -> list[LabelledFrame]:
    return [LabelledFrame(root / picture, root / labels) for picture, labels in pairs]


def _plain(
    tree: Tree, pictures: Sequences, splits: dict[str, str], skipped: list[Skipped]
) -> Source:
    """List the sequences without maps."""
    inside = [file for files in pictures.values() for file in files.values()]
    source = frame_folders(replace(tree, files=inside))
    places = {str(file.parent): place for file in inside if (place := _place(file, PICTURES))}
    keyed = [(video, _key(places[video.name], splits)) for video in source.videos]
    videos = [
        replace(video, name=name, split=split, class_index=-1) for video, (split, name) in keyed
    ]
    listed = [one for one in skipped if not one.reason.endswith("has a map")]
    return replace(
        source, layout="davis", videos=videos, classes=[], skipped=source.skipped + listed
    )


def _left_over(tree: Tree, resolution: str) -> list[Skipped]:
    """Return the folders of other resolutions, and the files beside all of them."""
    folders: dict[str, None] = {}
    strays = []
    for file in tree.files:
        place = _place(file, PICTURES) or _place(file, MAPS)
        if place is None and SETS not in file.parts:
            strays.append(file)
        elif place and place.resolution != resolution:
            kind = PICTURES if _place(file, PICTURES) else MAPS
            folders["/".join([*place.outer, kind, place.resolution])] = None
    other = f"of another resolution than {resolution}"
    skipped = [Skipped(folder, other, damaged=False) for folder in folders]
    return skipped + left_over(strays, "not a frame or a map")


# --- splits


def _sets(tree: Tree) -> dict[str, list[PurePosixPath]]:
    """Return the lists of splits by the folder in ImageSets that they lie in."""
    sets: dict[str, list[PurePosixPath]] = {}
    for file in tree.having(frozenset({".txt"})):
        if SETS in file.parts[:-1] and split_of(file.stem):
            sets.setdefault(file.parent.name, []).append(file)
    return sets


def _set_for(sets: dict[str, list[PurePosixPath]], resolution: str, select: str | None) -> str:
    """Return the folder of lists: the one asked for, of the resolution, or of the last year."""
    if select in sets:
        return str(select)
    return resolution if resolution in sets else max(sets, default="")


def _read_set(tree: Tree, files: Sequence[PurePosixPath]) -> dict[str, str]:
    """Return the split of each sequence; trainval is both, and says nothing beside the others."""
    splits: dict[str, str] = {}
    both_last = sorted(files, key=lambda file: file.stem.lower() == "trainval")
    for file in both_last:
        for first, *_ in read_lines(tree.root / file):
            path = PurePosixPath(first)
            name = path.parent.name if len(path.parts) > 1 else path.name
            split = split_of(file.stem) or ""
            known = splits.setdefault(name, split)
            if known != split and file.stem.lower() != "trainval":
                raise UserError(
                    f"{tree.root / file}: {name} is in the list of {known}, too: expected each"
                    " sequence in one; mend the lists."
                )
    return splits
