"""The layout `labelled_frames`: folders of label maps, images and instance maps side by side.

    train_A/SEQ/0001.png      class ids, 8 bit; or 0 and 255 throughout, a mask
    train_B/SEQ/0001.jpg      frames
    train_inst/SEQ/0001.png   ids of objects, 8 or 16 bit, 0: none; need not be there

`test_A` and so on make splits. A frame and its maps have the same name up to the suffix.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.files import SPLITS, Tree, strays
from kvidgan.data.layouts.images import Ids, label_set, looked_at, read_frames, read_labels
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, image_size, read_map

_ROOM = re.compile(f"({'|'.join(SPLITS)})_(a|b|inst)", re.IGNORECASE)
_HOLDS = {"a": "label map", "b": "image", "inst": "instance map"}

# The files of one sequence, in natural order, by room: "a", "b", "inst".
Rooms = dict[str, list[Path]]


def is_labelled_frames(tree: Tree) -> bool:
    """Tell whether there are label maps and images of one split."""
    rooms = {_ROOM.fullmatch(file.parts[0]) for file in tree.having(IMAGE_SUFFIXES)}
    found = {(room[1].lower(), room[2].lower()) for room in rooms if room}
    return any((split, "b") in found for split, kind in found if kind == "a")


def labelled_frames(tree: Tree, classes: int | None = None) -> Source:
    """List the sequences whose frames all have a label map.

    Args:
        tree: With `train_A` and `train_B`, or the same of other splits.
        classes: How many there are; None: one more than the highest id that is found.

    Raises:
        UserError: If an id is beyond the classes.
    """
    sequences = _sequences(tree)
    used = {path for rooms in sequences.values() for paths in rooms.values() for path in paths}
    files = [file for file in tree.files if tree.root / file in used]
    skipped = strays(tree, files, "an image in a folder such as train_A or train_B")
    several = len({split for split, _ in sequences}) > 1
    needed = [room for room in _HOLDS if any(room in rooms for rooms in sequences.values())]
    found: dict[tuple[str, str], Rooms] = {}
    ids = Ids()
    for (split, name), rooms in sequences.items():
        key = (f"{split}/{name}", split) if several else (name, "")
        try:
            _check_pairs(rooms, needed)
            ids = ids.also(looked_at(rooms["a"], rooms["b"]))
        except UserError as error:
            skipped.append(Skipped(key[0], without_path(error, tree.root)))
        else:
            found[key] = rooms
    if not found:
        return Source("labelled_frames", tree.path, [], skipped)
    labels = label_set(ids, classes)
    videos = [_video(*key, rooms, labels) for key, rooms in found.items()]
    note = "with instance maps" if "inst" in needed else ""
    return Source("labelled_frames", tree.path, videos, skipped, note=note, labels=labels)


# --- pairing


def _sequences(tree: Tree) -> dict[tuple[str, str], Rooms]:
    """Return the files of each sequence by (split, name); images elsewhere are left out."""
    sequences: dict[tuple[str, str], Rooms] = {}
    for file in tree.having(IMAGE_SUFFIXES):
        room = _ROOM.fullmatch(file.parts[0])
        if room and len(file.parts) > 1:
            split = SPLITS[room[1].lower()]
            name = "/".join(file.parts[1:-1]) or split
            rooms = sequences.setdefault((split, name), {})
            rooms.setdefault(room[2].lower(), []).append(tree.root / file)
    return sequences


def _check_pairs(rooms: Rooms, needed: list[str]) -> None:
    """Refuse a sequence whose rooms do not agree, and name the file that is alone."""
    counts = {room: Counter(path.stem for path in rooms.get(room, [])) for room in _HOLDS}
    for room, path in ((room, path) for room, paths in rooms.items() for path in paths):
        if counts[room][path.stem] > 1:
            raise UserError(
                f"{path} is one of {counts[room][path.stem]} files with this name up to the suffix:"
                f" expected one {_HOLDS[room]} a frame; remove the others."
            )
        for other in (other for other in needed if path.stem not in counts[other]):
            raise UserError(
                f"{path} has no {_HOLDS[other]}: expected one with the same name up to the suffix"
                f" in {_beside(path, other)}."
            )


def _beside(path: Path, room: str) -> Path:
    """Return the folder where the partner of a file should be."""
    parts = list(path.parent.parts)
    place = max(i for i, part in enumerate(parts) if _ROOM.fullmatch(part))
    own = parts[place].rsplit("_", 1)[0]
    parts[place] = f"{own}_{room if room == 'inst' else room.upper()}"
    return Path(*parts)


# --- reading


def _video(name: str, split: str, rooms: Rooms, labels: LabelSet) -> Video:
    height, width = image_size(rooms["b"][0])
    return Video(
        name,
        partial(read_frames, rooms["b"]),
        split=split,
        length=len(rooms["b"]),
        height=height,
        width=width,
        files=tuple(path for paths in rooms.values() for path in paths),
        read_maps=partial(_read_maps, rooms["a"], rooms.get("inst", []), labels),
    )


def _read_maps(
    paths: list[Path], instances: list[Path], labels: LabelSet
) -> Iterator[dict[str, np.ndarray]]:
    for values, path in zip_longest(read_labels(paths, labels), instances):
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
