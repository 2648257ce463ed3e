"""Tree: the files under a path, and the splits and classes that their folders mean."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from kvidgan.data.layouts.folder_names import PICTURES, kind_of, split_of
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

_DEEPEST = 4  # folders around splits that are looked through


@dataclass(frozen=True)
class Tree:
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
        return self._videos

    @cached_property
    def _videos(self) -> list[PurePosixPath]:
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


def place(files: Sequence[PurePosixPath]) -> tuple[list[str], list[tuple[str, int] | None]]:
    """Return splits and classes as the folders name them: `[split/][class/.../]name`.

    Folders around all others mean nothing, as `images` in `images/train/a.avi`; the splits may also
    lie in each class, as in `walk/train/a.avi`. Where all are called alike, as frame folders
    `walk/1/rgb`, the folder around each is meant. A class may be called "train", too: folders are
    splits where all are called so, or two are that mean different ones.

    Returns:
        The classes in natural order, and (split, class index) of every file; None for one that
        lies beside the splits.
    """
    if all(not file.suffix and kind_of(file.name) in PICTURES for file in files):
        files = [file.parent for file in files]
    depth = _split_depth(files)
    found: list[str | None] = [""] * len(files)
    if depth is None:
        outer = _common_depth(files)
        owners = [file.parts[outer] if len(file.parts) > outer + 1 else None for file in files]
    else:
        found = [split_of(_folder(file, depth) or "") for file in files]
        outer = _shared([file for file, split in zip(files, found, strict=True) if split], depth)
        owners = [_owner(file, outer, depth) for file in files]
    used = {owner for owner, split in zip(owners, found, strict=True) if split is not None}
    classes = sorted((one for one in used if one is not None), key=natural_key)
    around_all = len(classes) == 1 and depth is None
    if around_all and (outer or kind_of(classes[0]) in PICTURES):
        classes = []
    index = {name: number for number, name in enumerate(classes)}
    places = [
        None if split is None else (split, index.get(owner or "", -1))
        for split, owner in zip(found, owners, strict=True)
    ]
    return classes, places


def _split_depth(files: Sequence[PurePosixPath]) -> int | None:
    """Return how deep the folders of splits lie; None without such.

    Below the top they have to hold most files: one class may have folders of such names.
    """
    for depth in range(_DEEPEST):
        names = [name for file in files if (name := _folder(file, depth))]
        splits = [split for name in names if (split := split_of(name))]
        most = depth == 0 or len(splits) * 2 > len(files)
        if most and (len(set(splits)) > 1 or (splits and len(splits) == len(names))):
            return depth
    return None


def _shared(files: Sequence[PurePosixPath], depth: int) -> int:
    """Return how many folders above the splits are the same for all."""
    same = (len({file.parts[place] for file in files}) == 1 for place in range(depth))
    return next((place for place, one in enumerate(same) if not one), depth)


def _owner(file: PurePosixPath, outer: int, depth: int) -> str | None:
    """Return the class of a file: the folder above the splits, where those differ, or below."""
    if outer < depth:
        return file.parts[outer] if len(file.parts) > outer else None
    return file.parts[depth + 1] if len(file.parts) > depth + 2 else None


def _common_depth(files: Sequence[PurePosixPath]) -> int:
    """Return how many folders lie around most files, and around all that are in folders."""
    depth = 0
    while True:
        tops = {name for file in files if (name := _folder(file, depth))}
        deeper = sum(len(file.parts) > depth + 2 for file in files)
        if len(tops) != 1 or deeper * 2 <= len(files):
            return depth
        depth += 1


def _folder(file: PurePosixPath, depth: int) -> str | None:
    """Return the folder that a file lies in at a depth; a folder of frames may be it itself."""
    inside = file.parts[depth:]
    return inside[0] if len(inside) > 1 or (inside and split_of(inside[0])) else None


def unused_files(tree: Tree, used: list[PurePosixPath], kind: str) -> list[Skipped]:
    """Return the files that a layout does not use, since they are of another kind."""
    known = set(used)
    unused = [file for file in tree.files if file not in known]
    return [Skipped(str(f), _why_unused(tree.root / f, kind), damaged=False) for f in unused]


def _why_unused(path: Path, kind: str) -> str:
    foreign = foreign_kind(path) if path.suffix.lower() in FOREIGN_SUFFIXES else None
    return foreign or f"not {kind}"


def left_over(files: Sequence[PurePosixPath], reason: str) -> list[Skipped]:
    """Return files that are not used for one reason, those of a folder in one line."""
    folders: dict[PurePosixPath, list[PurePosixPath]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    return [
        Skipped(str(inside[0]), reason, damaged=False)
        if len(inside) == 1
        else Skipped(f"{folder}/*", f"{reason} ({counted(len(inside), 'file')})", damaged=False)
        for folder, inside in folders.items()
    ]


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
    classes, places = place(files)
    videos: list[Video] = []
    for file, found_place in zip(files, places, strict=True):
        if found_place is None:
            skipped.append(Skipped(str(file), "lies beside the folders of splits", damaged=False))
            continue
        split, class_index = found_place
        try:
            found = [replace(one, split=split, class_index=class_index) for one in make(file)]
        except UserError as error:
            skipped.append(Skipped(str(file), without_path(error, tree.root)))
        else:
            videos += found
    return Source(layout, tree.path, videos, skipped, classes)
