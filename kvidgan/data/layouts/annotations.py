"""Annotations: folders of masks, depth, flow and alike, told from the pictures beside them."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePosixPath

from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.folder_names import AMBIGUOUS, PICTURES, SURE, kind_of
from kvidgan.data.source import Skipped
from kvidgan.data.text import counted
from kvidgan.media import IMAGE_SUFFIXES

_SUFFIX = re.compile(
    r"(.+)[-_. ](mask|masks|gt|groundtruth|label|labels|labelids|seg|segmentation|annotation|depth"
    r"|flow|disparity|instances?|instanceids|trimap|matte|alpha|keypoints|pose)",
    re.IGNORECASE,
)

_ARRAYS = frozenset({".npy", ".npz"})


def without_annotations(
    tree: Tree, kept: Collection[PurePosixPath] = ()
) -> tuple[Tree, list[Skipped]]:
    """Leave out the folders and files that annotate what lies beside them.

    Args:
        tree: Listing of the files.
        kept: Files and folders that somebody asked for by name.

    Returns:
        The listing without them, and one entry for each folder of them, or of files so named.
    """
    media = set(tree.having(IMAGE_SUFFIXES)) | set(tree.videos()) | set(tree.having(_ARRAYS))
    folders = _annotating(media)
    out: dict[tuple[str, str], int] = defaultdict(int)
    files = []
    outermost = {folder: _outermost(folder, folders) for folder in {f.parent for f in tree.files}}
    for file in tree.files:
        owner = outermost[file.parent]
        reason = (str(owner), _shown(folders[owner])) if owner else _named_after(file, media)
        if reason is None or any(k == file or k in file.parents for k in kept):
            files.append(file)
        else:
            out[reason] += 1
    skipped = [
        Skipped(name, f"looks like annotations of {of} ({counted(number, 'file')})", damaged=False)
        for (name, of), number in out.items()
    ]
    if not skipped:
        return tree, []
    return replace(tree, files=files), skipped


def _outermost(
    folder: PurePosixPath, annotating: Collection[PurePosixPath]
) -> PurePosixPath | None:
    """Return the outermost folder of annotations that a folder is in, or is."""
    return next((one for one in (*reversed(folder.parents), folder) if one in annotating), None)


def _annotating(media: Collection[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
    """Return the folders of annotations, and which folder each one annotates."""
    inside: dict[PurePosixPath, set[PurePosixPath]] = defaultdict(set)  # folders of each folder
    direct = {file.parent for file in media}  # folders with files of their own
    for folder in {one for parent in direct for one in (parent, *parent.parents) if one.parts}:
        inside[folder.parent].add(folder)
    found = {}
    for parent, folders in inside.items():
        others = {one for one in folders if kind_of(one.name) not in SURE | AMBIGUOUS}
        pictures = sorted(one for one in others if kind_of(one.name) in PICTURES)
        beside = pictures or sorted(others) or ([parent] if parent in direct else [])
        for folder in folders - others:
            if beside and (pictures or kind_of(folder.name) in SURE):
                found[folder] = beside[0]
    return found


def _named_after(file: PurePosixPath, media: Collection[PurePosixPath]) -> tuple[str, str] | None:
    """Return (name, what it annotates) of files such as 0001_mask.png beside 0001.png."""
    match = _SUFFIX.fullmatch(file.stem) if file in media else None
    if match is None:
        return None
    stems = [
        match[1],
        *(f"{match[1]}_{kind}" for kind in ("image", "img", "rgb", "frame", "color")),
    ]
    suffixes = {file.suffix, *IMAGE_SUFFIXES}
    if not any(file.with_name(stem + suffix) in media for stem in stems for suffix in suffixes):
        return None
    return str(file.parent / f"*{file.stem[len(match[1]) :]}{file.suffix}"), "the files beside them"


def _shown(folder: PurePosixPath) -> str:
    return str(folder) if folder.parts else "the files beside it"
