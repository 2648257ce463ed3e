"""Layout `cityscapes`: street scenes by city, with maps of classes and objects.

    leftImg8bit/SPLIT/CITY/CITY_SEQ_FRAME_leftImg8bit.png            one frame of each scene
    leftImg8bit_sequence/SPLIT/CITY/CITY_SEQ_FRAME_leftImg8bit.png   the thirty frames around it
    gtFine/SPLIT/CITY/CITY_SEQ_FRAME_gtFine_labelIds.png             also gtCoarse

Frames of one scene whose numbers follow each other are a video. Cordts et al. 2016, "The Cityscapes
dataset for semantic urban scene understanding".
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.folder_names import split_of
from kvidgan.data.layouts.images import equally_large, read_frames
from kvidgan.data.layouts.labelled_videos import LabelledFrame, labelled_source
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, image_size, read_map

FPS = 17.0
PICTURES = ("leftImg8bit_sequence", "leftImg8bit", "rightImg8bit_sequence", "rightImg8bit")
MAPS = ("labelIds", "labelTrainIds")
NAMES = {
    "labelIds": (
        "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic",
        "ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence",
        "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan",
        "trailer", "train", "motorcycle", "bicycle",
    ),
    "labelTrainIds": (
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
        "motorcycle", "bicycle",
    ),
}  # fmt: skip
_LAST_VOID = 3  # the highest id in maps of the test split, whose annotations are withheld
_FILE = re.compile(r"(?P<scene>[A-Za-z-]+_\d{6})_(?P<frame>\d{6})_(?P<kind>\w+)")
_MAP = re.compile(r"gt(?:Fine|Coarse)_(\w+)")


class Key(NamedTuple):
    """Key: place of a frame. `split` is "train", "val", "test" or ""."""

    split: str
    city: str
    scene: str
    frame: int


Files = dict[str, dict[Key, Path]]  # by folder of pictures, or by kind of maps


def is_cityscapes(tree: Tree) -> bool:
    """Return whether there are pictures in a folder such as leftImg8bit, named as there."""
    return any(_kind(tree, file) in PICTURES for file in tree.having(IMAGE_SUFFIXES))


def cityscapes(tree: Tree, classes: int | None = None, select: str | None = None) -> Source:
    """List the scenes: frames with maps where there are maps of the scenes, else all frames.

    Args:
        tree: Listing with leftImg8bit, leftImg8bit_sequence or both, with gtFine or without.
        classes: Number of classes; None for those of the data set.
        select: Kind of maps, labelIds or labelTrainIds; or a folder of pictures, to read its frames
            without maps. None for labelIds, else labelTrainIds, else pictures.

    Raises:
        UserError: If there is nothing of what is selected.
    """
    files, skipped = _files(tree)
    there = [name for name in (*MAPS, *PICTURES) if name in files]
    chosen = next(iter(there), "") if select is None else select
    if not there:
        raise UserError(
            f"{tree.path}: expected pictures such as leftImg8bit/train/aachen/aachen_000000_000019_"
            f"leftImg8bit.png, found {tree.found()}; choose the folder that holds leftImg8bit."
        )
    if chosen not in there:
        raise UserError(
            f"{tree.path} holds {', '.join(there)}: expected one of them as --select, found"
            f" {chosen!r}."
        )
    if chosen in PICTURES:
        source = _plain(tree, files[chosen], skipped)
    else:
        source = _labelled(tree, files, chosen, classes, skipped)
    others = [name for name in there if name != chosen]
    guess = f"{chosen} are read: --select takes {' or '.join(others)} instead"
    guesses = [guess] if others and select is None else []
    single = sum(video.length == 1 for video in source.videos)
    alone = f", {single} of one frame, as no other follows it" if single else ""
    note = f"{chosen}{alone}" + (f", {source.note}" if source.note else "")
    return replace(source, note=note, guesses=source.guesses + guesses)


# --- files


def _kind(tree: Tree, file: PurePosixPath) -> str:
    """Return the folder of a picture, or the kind of a map; "" of other files."""
    match = _FILE.fullmatch(file.stem)
    if match is None:
        return ""
    of_map = _MAP.fullmatch(match["kind"])
    if of_map:
        return of_map[1]
    folders = (*tree.root.absolute().parts, *file.parts[:-1])
    return next((part for part in reversed(folders) if part in PICTURES), "")


def _files(tree: Tree) -> tuple[Files, list[Skipped]]:
    """Return the files of each kind by their frame, and what is left over, counted."""
    files: Files = defaultdict(dict)
    left_over: Counter[str] = Counter()
    for file in tree.files:
        match, kind = _FILE.fullmatch(file.stem), _kind(tree, file)
        if match and kind in (*MAPS, *PICTURES, "instanceIds") and file.suffix in IMAGE_SUFFIXES:
            split = next((one for part in file.parts[:-1] if (one := split_of(part))), "")
            key = Key(split, file.parent.name, match["scene"], int(match["frame"]))
            if key not in files[kind] or match["kind"].startswith("gtFine"):
                files[kind][key] = tree.root / file
        else:
            shown = file.parent / f"*_{match['kind']}{file.suffix}" if match else file
            left_over[str(shown)] += 1
    return files, [
        Skipped(name, f"not a frame or a map of ids ({counted(number, 'file')})", damaged=False)
        for name, number in left_over.items()
    ]


def _runs(keys: Sequence[Key]) -> dict[tuple[str, str], list[Key]]:
    """Return the frames that follow each other, by (split, name of the video)."""
    runs: list[list[Key]] = []
    for key in sorted(keys):
        if runs and runs[-1][-1] == key._replace(frame=key.frame - 1):
            runs[-1].append(key)
        else:
            runs.append([key])
    return {(run[0].split, _name(run[0])): run for run in runs}


def _name(first: Key) -> str:
    folders = filter(None, [first.split, first.city])
    return "/".join([*folders, f"{first.scene}_{first.frame:06d}"])


# --- sources


def _plain(tree: Tree, pictures: Mapping[Key, Path], skipped: list[Skipped]) -> Source:
    videos = []
    for (split, name), run in _runs(list(pictures)).items():
        try:
            paths, bad = equally_large([pictures[key] for key in run])
        except UserError as error:
            skipped.append(Skipped(name, without_path(error, tree.root)))
            continue
        skipped += [Skipped(name, without_path(one, tree.root), rest_kept=True) for one in bad]
        height, width = image_size(paths[0])
        videos.append(
            Video(
                name,
                partial(read_frames, paths),
                split=split,
                length=len(paths),
                height=height,
                width=width,
                fps=FPS,
                files=tuple(paths),
            )
        )
    return Source("cityscapes", tree.path, videos, skipped)


def _labelled(
    tree: Tree, files: Files, kind: str, classes: int | None, skipped: list[Skipped]
) -> Source:
    pictures = {**files.get("leftImg8bit", {}), **files.get("leftImg8bit_sequence", {})}
    maps, instances = files[kind], files.get("instanceIds", {})
    both = [key for key in maps if key in pictures]
    if not all(key in instances for key in both):
        instances = {}
    frames = {
        name: [LabelledFrame(pictures[key], maps[key], instances.get(key)) for key in run]
        for name, run in _runs(both).items()
    }
    withheld = [name for name, run in frames.items() if name[0] == "test" and _is_void(run, kind)]
    for name in withheld:
        del frames[name]
    reasons = {
        "a frame without a map": [_name(key) for key in pictures if key not in maps],
        "a map without its frame": [_name(key) for key in maps if key not in pictures],
        "its annotation is withheld": [name for _, name in withheld],
    }
    skipped += [
        Skipped(names[0], f"{reason}{f', as {len(names) - 1} more' * (len(names) > 1)}", False)
        for reason, names in reasons.items()
        if names
    ]
    if kind == "labelIds":  # the same number for every part of the data set
        classes = classes or len(NAMES[kind])
    source = labelled_source(tree, "cityscapes", frames, skipped, classes)
    named = source.labels and _named(source.labels, NAMES[kind])
    videos = [replace(video, fps=FPS) for video in source.videos]
    return replace(source, labels=named, videos=videos)


def _is_void(run: Sequence[LabelledFrame], kind: str) -> bool:
    try:
        values = read_map(run[0].labels).numbers
    except UserError:
        return False
    if values is None:
        return False
    return bool((values <= _LAST_VOID).all() if kind == "labelIds" else (values == 255).all())


def _named(labels: LabelSet, names: Sequence[str]) -> LabelSet:
    """Return the classes by their names, where they are the data set's."""
    if any(name.isdecimal() and int(name) >= len(names) for name in labels.names):
        return labels
    return replace(
        labels,
        names=tuple(names[int(name)] if name.isdecimal() else name for name in labels.names),
    )
