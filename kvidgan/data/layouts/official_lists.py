"""Official lists: videos in class folders whose splits are stated by lists that come with them."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.layouts.annotations import without_annotations
from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.media_files import moving_pictures
from kvidgan.data.source import Skipped, Source
from kvidgan.errors import UserError

LISTS_SUFFIX = ".txt"


class Row(NamedTuple):
    """Row: what a list says of one video.

    Attributes:
        label: Name of its class.
        stem: Name of its file without the suffix.
        split: "train", "test" or "val"; "" where the list says that it is not used.
    """

    label: str
    stem: str
    split: str


def texts(tree: Tree, name: re.Pattern[str], *beside: str) -> list[Path]:
    """Return the text files in a folder; where no list is among them, those in folders beside it.

    Args:
        tree: Listing of the folder.
        name: Pattern of the names of lists.
        *beside: Names of folders beside it, in which lists may lie.
    """
    found = [tree.root / file for file in tree.having(frozenset({LISTS_SUFFIX}))]
    for folder in beside:
        if not any(name.fullmatch(path.name) for path in found):
            found = sorted((tree.root.absolute().parent / folder).rglob(f"*{LISTS_SUFFIX}"))
    return found


def read_lines(path: Path) -> list[list[str]]:
    """Return the words of each line of a list that is not empty.

    Raises:
        UserError: If it is no text.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as text: copy the list again.") from error
    return [line.split() for line in lines if line.strip()]


def chosen_split(name: str, wanted: int | None, there: Sequence[int]) -> tuple[int, list[str]]:
    """Return the number of the split to read, and the guess that it is, where nobody said so.

    Raises:
        UserError: If there are no lists of that split.
    """
    number = there[0] if wanted is None else wanted
    if number not in there:
        raise UserError(
            f"{name} has lists of the splits {', '.join(map(str, there))}: expected one of them as"
            f" --split, found {number}."
        )
    if wanted is not None or len(there) == 1:
        return number, []
    return number, [f"split {number} of {len(there)} is taken: --split says otherwise"]


def official_source(
    tree: Tree, layout: str, rows: Sequence[Row], order: Sequence[str], fps: float | None
) -> Source:
    """List the videos that rows name: files, or folders of their frames, wherever they lie.

    Args:
        tree: Listing of the videos; the lists in it are known by their suffix.
        layout: Name of the layout.
        rows: What the lists say.
        order: All classes in their order; those without a video are left out.
        fps: Frames per second that videos are brought to; None for their own.

    Raises:
        UserError: If a video is in two splits.
    """
    _check_apart(tree, rows)
    media = [file for file in tree.files if file.suffix.lower() != LISTS_SUFFIX]
    plain, skipped = without_annotations(replace(tree, files=media))
    source = moving_pictures(plain, fps)
    found: dict[Row, None] = {}
    videos, unlisted = [], []
    lookup = _Lookup(rows)
    for video in source.videos:
        row = lookup.find(PurePosixPath(video.name))
        if row is None or not row.split:
            unlisted.append(video.name)
            continue
        found[row] = None
        videos.append((video, row))
    classes = [name for name in order if any(row.label == name for row in found)]
    placed = [
        replace(video, split=row.split, class_index=classes.index(row.label))
        for video, row in videos
    ]
    missing = [row for row in rows if row.split and row not in found]
    return replace(
        source,
        layout=layout,
        videos=placed,
        classes=classes,
        skipped=source.skipped + skipped + _unlisted(unlisted) + _missing(missing, set(classes)),
    )


def _check_apart(tree: Tree, rows: Sequence[Row]) -> None:
    splits: dict[tuple[str, str], str] = {}
    for row in rows:
        known = splits.setdefault((row.label, row.stem), row.split)
        if known != row.split:
            raise UserError(
                f"{tree.path}: {row.label}/{row.stem} is listed for {known} and for {row.split}:"
                " expected one split; copy the lists again."
            )


class _Lookup:
    """Rows by the name of a video's file, and of its class folder where names are not unique."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows: Mapping[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._rows[row.stem.casefold()].append(row)

    def find(self, name: PurePosixPath) -> Row | None:
        for stem in (name.name, name.stem):
            rows = self._rows.get(stem.casefold(), [])
            own = [row for row in rows if row.label.casefold() == name.parent.name.casefold()]
            if own or len(rows) == 1:
                return (own or rows)[0]
        return None


def _unlisted(names: Sequence[str]) -> list[Skipped]:
    more = f", as are {len(names) - 1} more" if len(names) > 1 else ""
    return [Skipped(names[0], f"in no list of the split{more}", damaged=False)] if names else []


def _missing(rows: Sequence[Row], there: set[str]) -> list[Skipped]:
    """Say which listed videos are not there; it is damage where others of their class are."""
    skipped = []
    for partly in (True, False):
        names = [f"{row.label}/{row.stem}" for row in rows if (row.label in there) == partly]
        more = f", as are {len(names) - 1} more" if len(names) > 1 else ""
        of = "" if partly else ", with all of its class"
        if names:
            skipped.append(Skipped(names[0], f"listed but missing{of}{more}", damaged=partly))
    return skipped
