"""Tree: the files under a path, and what their folders tell of splits and classes."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.source import Skipped, Source, Video, counted, without_path
from kvidgan.errors import UserError
from kvidgan.media import natural_key

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}


class Tree(NamedTuple):
    """The files under a path: relative to it, in natural order, hidden ones left out."""

    path: Path
    root: Path
    files: list[PurePosixPath]

    def having(self, suffixes: frozenset[str]) -> list[PurePosixPath]:
        """Return the files with one of these suffixes."""
        return [file for file in self.files if file.suffix.lower() in suffixes]

    def found(self) -> str:
        """Say in a few words what there is."""
        if not self.files:
            return "no files"
        return f"{counted(len(self.files), 'file')} such as {self.files[0]}"


def list_files(path: Path) -> Tree:
    """List a folder, with the folders in it, or a single file.

    Raises:
        UserError: If there is nothing.
    """
    if path.is_file():
        return Tree(path, path.parent, [PurePosixPath(path.name)])
    if not path.is_dir():
        raise UserError(f"{path} does not exist: expected a folder or a file with videos.")
    files = []
    for folder, folders, names in os.walk(path, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        files += [inside / name for name in names if not name.startswith(".")]
    return Tree(path, path, sorted(files, key=natural_key))


def _place(files: list[PurePosixPath]) -> tuple[list[str], list[tuple[str, int]]]:
    """Tell split and class from folders: `[split/][class/.../]name`.

    Returns:
        The classes in natural order, and (split, class index) of every file.
    """
    tops = {file.parts[0].lower() if len(file.parts) > 1 else "" for file in files}
    # A class may be called "train": only when all top folders are splits, they are splits.
    depth = 1 if tops and tops <= SPLITS.keys() else 0
    splits = [SPLITS[file.parts[0].lower()] if depth else "" for file in files]
    owners = [file.parts[depth] if len(file.parts) > depth + 1 else None for file in files]
    classes = sorted({owner for owner in owners if owner is not None}, key=natural_key)
    index = {name: place for place, name in enumerate(classes)} | {None: -1}
    return classes, [(s, index[o]) for s, o in zip(splits, owners, strict=True)]


def strays(tree: Tree, used: list[PurePosixPath], kind: str) -> list[Skipped]:
    """Return what a layout does not use, as it is of another kind than the layout's."""
    known = set(used)
    return [Skipped(str(f), f"not {kind}", damaged=False) for f in tree.files if f not in known]


def gather(
    tree: Tree,
    layout: str,
    files: list[PurePosixPath],
    make: Callable[[PurePosixPath], Video],
    skipped: list[Skipped],
) -> Source:
    """Make a video of each file (or frame folder); what cannot be one is skipped."""
    classes, places = _place(files)
    videos = []
    for file, (split, class_index) in zip(files, places, strict=True):
        try:
            videos.append(replace(make(file), split=split, class_index=class_index))
        except UserError as error:
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
    return Source(layout, tree.path, videos, skipped, classes)
