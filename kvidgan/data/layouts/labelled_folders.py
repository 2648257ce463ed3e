"""Layout `labelled_folders`: a folder of pictures and one of label maps, with equal names in both.

    images/SEQ/0001.jpg    or frames, rgb, JPEGImages, img, input
    masks/SEQ/0001.png     or labels, annotations, gt, segmentation; 0001_mask.png as well
    instances/SEQ/0001.png ids of objects; need not be there

Splits may be above or below: train/images/SEQ, images/train/SEQ. Frames without a map are left out.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.layouts.files import Tree, left_over, place
from kvidgan.data.layouts.folder_names import INSTANCES, LABELS, PICTURES, kind_of
from kvidgan.data.layouts.labelled_videos import LabelledFrame, labelled_source
from kvidgan.data.layouts.sequences import cover, sequences
from kvidgan.data.source import Skipped, Source
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES

_ENDING = re.compile(r"[-_](mask|label|labels|gt|labelids|seg|segmentation|inst|instance)s?$", re.I)


class Rooms(NamedTuple):
    """Rooms: the folders that belong together, side by side.

    Attributes:
        pictures: Folder of pictures.
        labels: Folders of label maps, the first of which is read.
        instances: Folder of instance maps; None without.
    """

    pictures: PurePosixPath
    labels: list[PurePosixPath]
    instances: PurePosixPath | None


Inside = Mapping[PurePosixPath, PurePosixPath]  # files by their name in a room, up to the suffix


def is_labelled_folders(tree: Tree) -> bool:
    """Return whether there are pictures, and label maps with equal names that cover a sequence."""
    for rooms in _rooms(tree, None):
        pictures, maps = _inside(tree, rooms.pictures), _inside(tree, rooms.labels[0])
        equal = sum(name in pictures for name in maps) * 2 > len(maps)
        if equal and any(cover(names, maps) for names in _runs(pictures).values()):
            return True
    return False


def labelled_folders(
    tree: Tree,
    classes: int | None = None,
    select: str | None = None,
    palette: str | None = None,
    bit_depth: int | None = None,
) -> Source:
    """List the sequences of pictures with their label maps: frames that have a map only.

    Args:
        tree: Listing with folders of pictures and of label maps.
        classes: Number of classes; None for one more than the highest id that is found.
        select: Name of the folder of label maps; None for the first that is there.
        palette: File that tells which colour is which class; None to find out.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.

    Raises:
        UserError: If there are no such folders, no sequence can be used, or an id is beyond the
            classes.
    """
    all_rooms = _rooms(tree, select)
    if not all_rooms:
        raise UserError(
            f"{tree.path}: expected a folder such as images beside {select or 'one such as masks'},"
            f" found {tree.found()}."
        )
    skipped: list[Skipped] = []
    frames: dict[PurePosixPath, list[LabelledFrame]] = {}
    missing = 0
    for rooms in all_rooms:
        missing += _add_frames(tree, rooms, frames, skipped)
    used = {path for run in frames.values() for one in run for path in one if path}
    unused = [file for file in tree.files if tree.root / file not in used]
    skipped += left_over(unused, "without a partner, or of another kind")
    _, places = place(list(frames))
    found = {
        (split_and_class[0] if split_and_class else "", str(name)): run
        for (name, run), split_and_class in zip(frames.items(), places, strict=True)
    }
    source = labelled_source(
        tree, "labelled_folders", found, skipped, classes, palette, bit_depth=bit_depth
    )
    if not source.videos:
        why = next((f"{one.name}: {one.reason}" for one in skipped if one.damaged), "no pairs")
        raise UserError(
            f"{tree.path} holds no usable label maps: {why}; mend them, or read the pictures alone"
            " with --layout frame_folders."
        )
    return replace(source, guesses=source.guesses + _guesses(all_rooms, missing, len(used)))


def _guesses(all_rooms: list[Rooms], missing: int, used: int) -> list[str]:
    rooms = all_rooms[0]
    guesses = [
        f"{rooms.labels[0]} are taken for label maps of {rooms.pictures}: --layout frame_folders"
        " reads the pictures alone"
    ]
    others = [folder.name for folder in rooms.labels[1:]]
    if others:
        guesses.append(
            f"label maps are those in {rooms.labels[0].name}: --select takes"
            f" {' or '.join(others)} instead"
        )
    if missing:
        guesses.append(
            f"{counted(missing, 'frame')} without a label map left out: --layout frame_folders"
            " reads all"
        )
    return guesses


# --- folders


def _rooms(tree: Tree, select: str | None) -> list[Rooms]:
    """Return the folders of pictures that have folders of label maps beside them."""
    beside: dict[PurePosixPath, set[PurePosixPath]] = defaultdict(set)
    direct = {file.parent for file in tree.having(IMAGE_SUFFIXES)}
    for folder in {one for parent in direct for one in (parent, *parent.parents) if one.parts}:
        beside[folder.parent].add(folder)
    rooms = []
    for folders in beside.values():
        kinds = {folder: kind_of(folder.name) for folder in sorted(folders)}
        pictures = [folder for folder, kind in kinds.items() if kind in PICTURES]
        labels = [f for one in LABELS for f, kind in kinds.items() if kind == one]
        instances = [folder for folder, kind in kinds.items() if kind in INSTANCES]
        if select is not None:
            labels = [folder for folder in folders if folder.name == select]
        if len(pictures) == 1 and labels:
            rooms.append(Rooms(pictures[0], labels, next(iter(instances), None)))
    return rooms


def _inside(tree: Tree, folder: PurePosixPath | None) -> dict[PurePosixPath, PurePosixPath]:
    """Return the images in a folder by their name in it, without what marks a map."""
    if folder is None:
        return {}
    inside = (file for file in tree.having(IMAGE_SUFFIXES) if folder in file.parents)
    return {_name(file.relative_to(folder)): file for file in inside}


def _name(file: PurePosixPath) -> PurePosixPath:
    return file.with_name(_ENDING.sub("", file.stem))


def _runs(pictures: Inside) -> dict[PurePosixPath, list[PurePosixPath]]:
    """Return the names of each sequence's frames by the sequence's name in the room."""
    folders: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
    for name in pictures:
        folders[name.parent].append(name.with_name(f"{name.name}.png"))
    return {
        folder / part: [file.with_suffix("") for file in files]
        for folder, inside in folders.items()
        for part, files in sequences(inside).named.items()
    }


def _add_frames(
    tree: Tree,
    rooms: Rooms,
    frames: dict[PurePosixPath, list[LabelledFrame]],
    skipped: list[Skipped],
) -> int:
    """Add the frames of each sequence; return how many have no map."""
    pictures, maps = _inside(tree, rooms.pictures), _inside(tree, rooms.labels[0])
    objects = _inside(tree, rooms.instances)
    if not all(name in objects for name in maps):
        objects = {}
    lost = {name.parent: path for name, path in maps.items() if name not in pictures}
    missing = 0
    for video, names in _runs(pictures).items():
        run = [_frame(tree.root, pictures, maps, objects, one) for one in names if one in maps]
        shown = str(rooms.pictures / video)
        if names[0].parent in lost:
            reason = f"{lost[names[0].parent]} has no picture: expected one with the same name"
            skipped.append(Skipped(shown, reason))
        elif not cover(names, maps):
            reason = f"{len(run)} of {counted(len(names), 'frame')} has a label map"
            skipped.append(Skipped(shown, reason, damaged=False))
        else:
            frames[rooms.pictures / video] = run
            missing += len(names) - len(run)
    return missing


def _frame(
    root: Path, pictures: Inside, maps: Inside, objects: Inside, name: PurePosixPath
) -> LabelledFrame:
    instances = root / objects[name] if name in objects else None
    return LabelledFrame(root / pictures[name], root / maps[name], instances)
