"""Layout `labelled_frames`: folders of label maps, images and instance maps side by side.

    train_A/SEQ/0001.png      class ids, colours or places in a palette; or 0 and 255, a mask
    train_B/SEQ/0001.jpg      frames
    train_inst/SEQ/0001.png   ids or colours of objects, 0 or black: none; need not be there

`test_A` and so on make splits. A frame and its maps have the same name up to the suffix.
"""

import re
from collections import Counter
from pathlib import Path

from kvidgan.data.layouts.files import Tree, unused_files
from kvidgan.data.layouts.folder_names import split_of
from kvidgan.data.layouts.labelled_videos import LabelledFrame, labelled_source
from kvidgan.data.source import Skipped, Source, without_path
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES

_FOLDER = re.compile(r"(.+)_(a|b|inst)", re.IGNORECASE)
_KINDS = {"a": "label map", "b": "image", "inst": "instance map"}

# The files of one sequence in natural order, by the kind of folder: "a", "b", "inst".
SequenceFiles = dict[str, list[Path]]


def is_labelled_frames(tree: Tree) -> bool:
    """Return whether there are label maps and images of one split."""
    tops = {file.parts[0] for file in tree.having(IMAGE_SUFFIXES) if len(file.parts) > 1}
    found = set(filter(None, map(_split_and_kind, tops)))
    return any((split, "b") in found for split, kind in found if kind == "a")


def labelled_frames(
    tree: Tree,
    classes: int | None = None,
    palette: str | None = None,
    bit_depth: int | None = None,
) -> Source:
    """List the sequences whose frames all have a label map.

    Args:
        tree: Listing with `train_A` and `train_B`, or the same of other splits.
        classes: Number of classes; None for as many as are found in the label maps.
        palette: File that tells which colour is which class; None to find out.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.

    Raises:
        UserError: If an id is beyond the classes, or the label maps have two meanings.
    """
    sequences = _sequences(tree)
    used = {path for files in sequences.values() for paths in files.values() for path in paths}
    known = [file for file in tree.files if tree.root / file in used]
    skipped = unused_files(tree, known, "an image in a folder such as train_A or train_B")
    several = len({split for split, _ in sequences}) > 1
    needed = [kind for kind in _KINDS if any(kind in files for files in sequences.values())]
    frames: dict[tuple[str, str], list[LabelledFrame]] = {}
    for (split, name), files in sequences.items():
        key = (split, f"{split}/{name}") if several else ("", name)
        try:
            _check_pairs(files, needed)
        except UserError as error:
            skipped.append(Skipped(key[1], without_path(error, tree.root)))
        else:
            instances = files.get("inst", [None] * len(files["b"]))
            frames[key] = list(map(LabelledFrame, files["b"], files["a"], instances))
    return labelled_source(
        tree, "labelled_frames", frames, skipped, classes, palette, bit_depth=bit_depth
    )


# --- pairing


def _split_and_kind(folder: str) -> tuple[str, str] | None:
    """Return ("train", "a") for train_A; None for a folder of another kind."""
    match = _FOLDER.fullmatch(folder)
    split = split_of(match[1]) if match else None
    return (split, match[2].lower()) if match and split else None


def _sequences(tree: Tree) -> dict[tuple[str, str], SequenceFiles]:
    """Return the files of each sequence by (split, name); images elsewhere are left out."""
    sequences: dict[tuple[str, str], SequenceFiles] = {}
    for file in tree.having(IMAGE_SUFFIXES):
        found = _split_and_kind(file.parts[0])
        if found and len(file.parts) > 1:
            split, kind = found
            name = "/".join(file.parts[1:-1]) or split
            files = sequences.setdefault((split, name), {})
            files.setdefault(kind, []).append(tree.root / file)
    return sequences


def _check_pairs(files: SequenceFiles, needed: list[str]) -> None:
    """Refuse a sequence whose folders do not agree, and name the file that is alone."""
    counts = {kind: Counter(path.stem for path in files.get(kind, [])) for kind in _KINDS}
    for kind, path in ((kind, path) for kind, paths in files.items() for path in paths):
        if counts[kind][path.stem] > 1:
            raise UserError(
                f"{path} is one of {counts[kind][path.stem]} files with this name up to the suffix:"
                f" expected one {_KINDS[kind]} a frame; remove the others."
            )
        for other in (other for other in needed if path.stem not in counts[other]):
            raise UserError(
                f"{path} has no {_KINDS[other]}: expected one with the same name up to the suffix"
                f" in {_sibling_folder(path, other)}."
            )


def _sibling_folder(path: Path, kind: str) -> Path:
    """Return the folder where a file's counterpart of another kind should be."""
    parts = list(path.parent.parts)
    place = max(i for i, part in enumerate(parts) if _split_and_kind(part))
    split = parts[place].rsplit("_", 1)[0]
    parts[place] = f"{split}_{kind if kind == 'inst' else kind.upper()}"
    return Path(*parts)
