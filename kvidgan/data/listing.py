"""What is found in a folder: files, videos, their splits and classes.

What every layout shares; `sources.py` says which there are.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from kvidgan.data.labels import LabelSet
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


@dataclass(frozen=True)
class Video:
    """One video of a source.

    Attributes:
        name: Its path inside the source, with forward slashes.
        read: Opens it: an iterator of uint8 (height, width, 1 or 3) frames. Damage is a UserError,
            when opening or on the way.
        class_index: Place of its class in the source's `classes`; -1 without one.
        split: "train", "test", "val" or "".
        length: Frames, None when only reading tells; likewise `height` and `width` in pixels.
        files: The files that it is made from.
        read_maps: Where frames have label maps, opens what belongs to them: an iterator, in step
            with `read`'s, of "labels", uint8 (height, width), and where there are such "instances",
            uint16 (height, width).
    """

    name: str
    read: Callable[[], Iterator[np.ndarray]]
    class_index: int = -1
    split: str = ""
    length: int | None = None
    height: int | None = None
    width: int | None = None
    files: tuple[Path, ...] = ()
    read_maps: Callable[[], Iterator[Mapping[str, np.ndarray]]] | None = None


@dataclass(frozen=True)
class Skipped:
    """What is not used, and why; a file that is merely of another kind is not damaged."""

    name: str
    reason: str
    damaged: bool = True


@dataclass(frozen=True)
class Source:
    """Videos found in one place, in natural order.

    Attributes:
        layout: A key of `LAYOUTS`, or "built-in".
        path: Where they lie; of a built-in, its name.
        videos: The videos.
        skipped: What was found and is not used.
        classes: Names of the class folders, in natural order.
        note: How the layout was understood, for `describe`.
        labels: The classes of the videos' label maps; None without.
    """

    layout: str
    path: Path
    videos: list[Video]
    skipped: list[Skipped] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    note: str = ""
    labels: LabelSet | None = None

    @property
    def name(self) -> str:
        """The name of the data set: of its folder, or of its file without the suffix."""
        path = self.path.absolute()
        return path.name if path.is_dir() else path.stem

    def describe(self) -> str:
        """Say in one line what was found."""
        parts = [f"{self.layout.replace('_', ' ')}: {_count(len(self.videos), 'video')}"]
        if self.classes:
            shown = ", ".join(self.classes[:8]) + (", ..." if len(self.classes) > 8 else "")
            parts[0] += f" in {_count(len(self.classes), 'class', 'es')} ({shown})"
        splits = Counter(video.split for video in self.videos if video.split)
        parts += [f"{number} to {split}" for split, number in splits.items()]
        sizes = {(v.width, v.height) for v in self.videos if v.width and v.height}
        if sizes:
            parts.append("{}x{}".format(*min(sizes)) if len(sizes) == 1 else f"{len(sizes)} sizes")
        lengths = [video.length for video in self.videos if video.length]
        if lengths:
            low, high = min(lengths), max(lengths)
            parts.append(f"{low} frames" if low == high else f"{low} to {high} frames")
        parts += [f"labels: {self.labels.describe()}"] if self.labels else []
        parts += [self.note] if self.note else []
        parts += [f"{len(self.skipped)} skipped"] if self.skipped else []
        return ", ".join(parts)


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


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
        return f"{_count(len(self.files), 'file')} such as {self.files[0]}"


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


def without_path(error: UserError, root: Path) -> str:
    """Shorten an error's sentence: the file's place under the source is known already."""
    return str(error).replace(f"{root}/", "").rstrip(".")
