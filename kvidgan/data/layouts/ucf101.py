"""Layout `ucf101`: videos in class folders, and the lists of three official splits.

    UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi   or a folder of its frames
    ucfTrainTestlist/classInd.txt      1 ApplyEyeMakeup
    ucfTrainTestlist/trainlist01.txt   ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1
    ucfTrainTestlist/testlist01.txt    ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi

The lists may lie anywhere in the folder, or beside it. Soomro et al. 2012, "UCF101: A dataset of
101 human actions classes from videos in the wild".
"""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.official_lists import (
    Row,
    chosen_split,
    official_source,
    read_lines,
    texts,
)
from kvidgan.data.source import Source
from kvidgan.errors import UserError
from kvidgan.media import natural_key

_LIST = re.compile(r"(train|test)list(\d+)\.txt", re.IGNORECASE)
_VIDEO = re.compile(r"v_\w+_g\d+_c\d+")
_LISTS_FOLDERS = ("ucfTrainTestlist", "UCF101TrainTestSplits-RecognitionTask")


def is_ucf101(tree: Tree) -> bool:
    """Return whether there are lists and files, or folders, named as this set's videos are."""
    named = any(_VIDEO.fullmatch(f.stem) or _VIDEO.fullmatch(f.parent.name) for f in tree.files)
    return tree.path.is_dir() and named and bool(_lists(tree))


def ucf101(tree: Tree, official_split: int | None = None, fps: float | None = None) -> Source:
    """List the videos of one official split.

    Args:
        tree: Listing with the videos, and with the lists or beside them.
        official_split: Number of the split; None for the first.
        fps: Frames per second that videos are brought to; None for their own.

    Raises:
        UserError: If there are no lists of the split, or one cannot be read.
    """
    lists = _lists(tree)
    if not lists:
        raise UserError(
            f"{tree.path}: expected trainlist01.txt and testlist01.txt in it or in"
            f" {_LISTS_FOLDERS[0]} beside it, found {tree.found()}; put the lists there."
        )
    number, guesses = chosen_split(str(tree.path), official_split, sorted({n for _, n in lists}))
    rows = [
        Row(*_label_and_stem(path, words), split)
        for split in ("train", "test")
        for path in lists.get((split, number), [])
        for words in read_lines(path)
    ]
    order = _order(tree, {row.label for row in rows})
    source = official_source(tree, "ucf101", rows, order, fps)
    return replace(source, note=f"official split {number}", guesses=source.guesses + guesses)


def _lists(tree: Tree) -> dict[tuple[str, int], list[Path]]:
    """Return the lists by (split, number)."""
    lists: dict[tuple[str, int], list[Path]] = {}
    for file in texts(tree, _LIST, *_LISTS_FOLDERS):
        match = _LIST.fullmatch(file.name)
        if match:
            lists.setdefault((match[1].lower(), int(match[2])), []).append(file)
    return lists


def _label_and_stem(path: Path, words: list[str]) -> tuple[str, str]:
    file = PurePosixPath(words[0].replace("\\", "/"))
    if not file.parent.name:
        raise UserError(
            f"{path}: expected lines such as CLASS/VIDEO.avi, found {' '.join(words)!r}; copy the"
            " list again."
        )
    return file.parent.name, file.stem


def _order(tree: Tree, labels: set[str]) -> list[str]:
    """Return the classes as classInd.txt numbers them, and behind them those that it lacks."""
    found = texts(tree, _LIST, *_LISTS_FOLDERS)
    index = next((file for file in found if file.name.lower() == "classind.txt"), None)
    pairs = [words for words in read_lines(index) if len(words) == 2] if index else []
    if not all(number.isdecimal() for number, _ in pairs):
        raise UserError(f"{index}: expected lines of a number and a class; copy the list again.")
    stated = [name for _, name in sorted(pairs, key=lambda pair: int(pair[0]))]
    return stated + sorted(labels - set(stated), key=natural_key)
