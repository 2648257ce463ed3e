"""Layout `labelled_frames`: folders of label maps, images and instance maps side by side.

    train_A/SEQ/0001.png      class ids, 8 bit; or 0 and 255 throughout, a mask
    train_B/SEQ/0001.jpg      frames
    train_inst/SEQ/0001.png   ids of objects, 8 or 16 bit, 0: none; need not be there

`test_A` and so on make splits. A frame and its maps have the same name up to the suffix.
"""

import re
from collections import Counter
from pathlib import Path

from kvidgan.data.layouts.files import SPLITS, Tree, unused_files
from kvidgan.data.layouts.labelled_videos import LabelledFrame, labelled_source
from kvidgan.data.source import Skipped, Source, without_path
from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES

_FOLDER = re.compile(f"({'|'.join(SPLITS)})_(a|b|inst)", re.IGNORECASE)
_KINDS = {"a": "label map", "b": "image", "inst": "instance map"}

# The files of one sequence in natural order, by the kind of folder: "a", "b", "inst".
SequenceFiles = dict[str, list[Path]]


def is_labelled_frames(tree: Tree) -> bool:
    """Return whether there are label maps and images of one split."""
    folders = {_FOLDER.fullmatch(file.parts[0]) for file in tree.having(IMAGE_SUFFIXES)}
    found = {(folder[1].lower(), folder[2].lower()) for folder in folders if folder}
    return any((split, "b") in found for split, kind in found if kind == "a")


def labelled_frames(tree: Tree, classes: int | None = None, bit_depth: int | None = None) -> Source:
    """List the sequences whose frames all have a label map.

    Args:
        tree: Listing with `train_A` and `train_B`, or the same of other splits.
        classes: Number of classes; None for one more than the highest id that is found.
        bit_depth: Bit depth of images of more than 8 bit; None to guess it.

    Raises:
        UserError: If an id is beyond the classes.
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
    return labelled_source(tree, "labelled_frames", frames, skipped, classes, bit_depth)


# --- pairing


def _sequences(tree: Tree) -> dict[tuple[str, str], SequenceFiles]:
    """Return the files of each sequence by (split, name); images elsewhere are left out."""
    sequences: dict[tuple[str, str], SequenceFiles] = {}
    for file in tree.having(IMAGE_SUFFIXES):
        folder = _FOLDER.fullmatch(file.parts[0])
        if folder and len(file.parts) > 1:
            split = SPLITS[folder[1].lower()]
            name = "/".join(file.parts[1:-1]) or split
            files = sequences.setdefault((split, name), {})
            files.setdefault(folder[2].lower(), []).append(tree.root / file)
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
    place = max(i for i, part in enumerate(parts) if _FOLDER.fullmatch(part))
    split = parts[place].rsplit("_", 1)[0]
    parts[place] = f"{split}_{kind if kind == 'inst' else kind.upper()}"
    return Path(*parts)
