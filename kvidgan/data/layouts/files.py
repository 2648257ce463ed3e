"""Tree: the files under a path, and the splits and classes that their folders mean."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import (
    ANIMATED_SUFFIXES,
    FOREIGN_SUFFIXES,
    IMAGE_SUFFIXES,
    foreign_kind,
    is_animation,
    is_video,
    natural_key,
)

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "evaluation": "val",
}


class Tree(NamedTuple):
    """Tree: the files under a path.

    Attributes:
        path: Path that was listed, a folder or a single file.
        root: Folder that the files are relative to.
        files: Paths of the files in natural order, hidden ones left out.
    """

    path: Path
    root: Path
    files: list[PurePosixPath]

    def having(self, suffixes: frozenset[str]) -> list[PurePosixPath]:
        """Return the files with one of these suffixes."""
        return [file for file in self.files if file.suffix.lower() in suffixes]

    def videos(self) -> list[PurePosixPath]:
        """Return the files that hold moving pictures.

        Of a folder's images the first one tells whether they may be animations.
        """
        images = self.having(ANIMATED_SUFFIXES)
        first = {image.parent: image for image in reversed(images)}
        moving = {folder for folder, image in first.items() if is_animation(self.root / image)}
        animations = {i for i in images if i.parent in moving and is_animation(self.root / i)}
        return [f for f in self.files if f in animations or is_video(self.root / f)]

    def images(self) -> list[PurePosixPath]:
        """Return the files that hold a single picture."""
        videos = set(self.videos())
        return [file for file in self.having(IMAGE_SUFFIXES) if file not in videos]

    def foreign(self) -> str:
        """Return which is the first of the images that are not read, and why; "" without one."""
        for file in self.having(FOREIGN_SUFFIXES):
            if kind := foreign_kind(self.root / file):
                return f"{file} {kind}"
        return ""

    def found(self) -> str:
        """Return in a few words what there is."""
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


def _place(files: list[PurePosixPath]) -> tuple[list[str], list[tuple[str, int] | None]]:
    """Return splits and classes as the folders name them: `[split/][class/.../]name`.

    A class may be called "train", too: top folders are splits where all are called so, or two are
    that mean different ones.

    Returns:
        The classes in natural order, and (split, class index) of every file; None for one that
        lies beside the splits.
    """
    tops = {name.lower() for name in map(_top, files) if name}
    splits = {SPLITS[name] for name in tops & SPLITS.keys()}
    depth = 1 if len(splits) > 1 or (splits and tops <= SPLITS.keys()) else 0
    inside = [not depth or (_top(file) or "").lower() in SPLITS for file in files]
    owners = [
        file.parts[depth] if used and len(file.parts) > depth + 1 else None
        for file, used in zip(files, inside, strict=True)
    ]
    classes = sorted({owner for owner in owners if owner is not None}, key=natural_key)
    index = {name: place for place, name in enumerate(classes)} | {None: -1}
    places = [
        (SPLITS[file.parts[0].lower()] if depth else "", index[owner]) if used else None
        for file, owner, used in zip(files, owners, inside, strict=True)
    ]
    return classes, places


def _top(file: PurePosixPath) -> str | None:
    """Return the folder that a file lies in at the top; a folder of frames may be it itself."""
    own = len(file.parts) == 1 and file.parts[0].lower() in SPLITS
    return file.parts[0] if len(file.parts) > 1 or own else None


def unused_files(tree: Tree, used: list[PurePosixPath], kind: str) -> list[Skipped]:
    """Return the files that a layout does not use, since they are of another kind."""
    known = set(used)
    unused = [file for file in tree.files if file not in known]
    return [Skipped(str(f), _why_unused(tree.root / f, kind), damaged=False) for f in unused]


def _why_unused(path: Path, kind: str) -> str:
    foreign = foreign_kind(path) if path.suffix.lower() in FOREIGN_SUFFIXES else None
    return foreign or f"not {kind}"


def gather(
    tree: Tree,
    layout: str,
    files: list[PurePosixPath],
    make: Callable[[PurePosixPath], Video],
    skipped: list[Skipped],
) -> Source:
    """Make a source with one video per file or frame folder; files that cannot be one are skipped.

    Args:
        tree: Listing of the files.
        layout: Name of the layout.
        files: Files or folders to make videos of.
        make: Function that returns the video of a file, without split and class.
        skipped: Files that are skipped already.
    """
    return gather_several(tree, layout, files, lambda file: [make(file)], skipped)


def gather_several(
    tree: Tree,
    layout: str,
    files: list[PurePosixPath],
    make: Callable[[PurePosixPath], list[Video]],
    skipped: list[Skipped],
) -> Source:
    """Make a source as `gather` does, of files that hold several videos each.

    Args:
        tree: Listing of the files.
        layout: Name of the layout.
        files: Files to make videos of.
        make: Function that returns the videos of a file, without split and class.
        skipped: Files that are skipped already.
    """
    classes, places = _place(files)
    videos: list[Video] = []
    for file, place in zip(files, places, strict=True):
        if place is None:
            skipped.append(Skipped(str(file), "lies beside the folders of splits", damaged=False))
            continue
        split, class_index = place
        try:
            found = [replace(one, split=split, class_index=class_index) for one in make(file)]
        except UserError as error:
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
        else:
            videos += found
    return Source(layout, tree.path, videos, skipped, classes)
