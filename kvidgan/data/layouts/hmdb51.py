"""Layout `hmdb51`: videos in class folders, and for each class a list of each official split.

    brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.avi          or a folder of its frames
    testTrainMulti_7030_splits/brush_hair_test_split1.txt         NAME.avi 0, 1 or 2

0 is not used in the split, 1 is of training, 2 of the test. Kuehne et al. 2011, "HMDB: A large
video database for human motion recognition".
"""

import re
from collections.abc import Sequence
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

_LIST = re.compile(r"(.+)_test_split(\d+)\.txt", re.IGNORECASE)
_LISTS_FOLDERS = ("testTrainMulti_7030_splits", "test_train_splits")
_SPLITS = {"0": "", "1": "train", "2": "test"}


def is_hmdb51(tree: Tree) -> bool:
    """Return whether there are lists named as this set's are, and a class folder for one."""
    labels = {label for label, _ in _lists(tree)}
    return tree.path.is_dir() and bool(
        labels & {part for file in tree.files for part in file.parts[:-1]}
    )


def hmdb51(tree: Tree, official_split: int | None = None, fps: float | None = None) -> Source:
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
            f"{tree.path}: expected lists such as brush_hair_test_split1.txt in it or in"
            f" {_LISTS_FOLDERS[0]} beside it, found {tree.found()}; put the lists there."
        )
    number, guesses = chosen_split(str(tree.path), official_split, sorted({n for _, n in lists}))
    rows = [
        _row(label, path, words)
        for (label, one), path in lists.items()
        for words in read_lines(path)
        if one == number
    ]
    order = sorted({label for label, _ in lists})
    source = official_source(tree, "hmdb51", rows, order, fps)
    return replace(source, note=f"official split {number}", guesses=source.guesses + guesses)


def _lists(tree: Tree) -> dict[tuple[str, int], Path]:
    """Return the lists by (class, number), in the folder or else beside it."""
    paths = texts(tree, _LIST, *_LISTS_FOLDERS)
    matches = {path: match for path in paths if (match := _LIST.fullmatch(path.name))}
    return {(match[1], int(match[2])): path for path, match in matches.items()}


def _row(label: str, path: Path, words: Sequence[str]) -> Row:
    name, code = " ".join(words[:-1]), words[-1]
    if not name or code not in _SPLITS:
        raise UserError(
            f"{path}: expected lines of a name and 0, 1 or 2, found {' '.join(words)!r}; copy the"
            " list again."
        )
    return Row(label, PurePosixPath(name).stem, _SPLITS[code])
