"""Lists: files that name videos, with their labels and splits, as CSV or as text."""

import csv
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kvidgan.data.layouts.folder_names import split_of
from kvidgan.data.text import counted
from kvidgan.errors import UserError

# Names of columns, in the order in which they are looked for.
_PATH = (
    "path", "filepath", "file_path", "file", "filename", "file_name", "video_path", "clip_path",
    "video", "clip", "folder", "frames", "name",
)  # fmt: skip
_LABEL = ("label", "class", "category", "action", "class_name", "label_name", "target", "tag")
_SPLIT = ("split", "subset", "set", "partition", "usage")

Row = tuple[int, list[str]]  # number of the line, cells
Locate = Callable[[str], Path | None]


class Entry(NamedTuple):
    """Entry: one line of a list.

    Attributes:
        path: Path of a file or folder inside the source.
        label: Name of its class; None where the list states none.
        split: "train", "val" or "test"; None where the list states none.
        line: Number of the line, from 1.
    """

    path: PurePosixPath
    label: str | None
    split: str | None
    line: int


class FileList(NamedTuple):
    """FileList: the files or folders that a list names.

    Attributes:
        path: Path of the list.
        entries: Its lines, each file or folder once.
        guesses: What may be understood otherwise, as in a source.
    """

    path: Path
    entries: list[Entry]
    guesses: list[str]


def read_list(name: str, root: Path) -> FileList:
    """Read a list of files or frame folders.

    As CSV (commas, semicolons or tabs) it has a header that names the columns path, label and split
    in any order, or none and then the columns in this order. As text it has one path a line, with a
    label behind it or not. Paths are relative to the source's folder, or to the list.

    Args:
        name: Path of the list, from here or inside the source.
        root: Folder of the source.

    Raises:
        UserError: If there is no list, nothing in it, or it names files that are missing, lie
            elsewhere or stand twice with other labels or splits, or splits that are unknown.
    """
    path = next((one for one in (Path(name), root / name) if one.is_file()), None)
    if path is None:
        raise UserError(f"--list: expected a file, found nothing at {name}; check the path.")
    locate = _locator(root, path.parent)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as text: save the list as UTF-8.") from error
    rows, guesses = _columns(path, _rows(path, lines, locate), locate)
    if not rows:
        raise UserError(f"{path} is an empty list: expected one file or frame folder a line.")
    missing = [cells[0] for _, cells in rows if locate(cells[0]) is None]
    if missing:
        raise UserError(
            f"{path} names {counted(len(missing), 'file')} of {len(rows)} that"
            f" {'is' if len(missing) == 1 else 'are'} missing, such as {missing[0]}: expected paths"
            f" relative to {root} or to the list; mend the list."
        )
    entries = [_entry(path, line, cells, locate, root) for line, cells in rows]
    return FileList(path, _unique(path, entries), guesses)


def _locator(root: Path, beside: Path) -> Locate:
    """Return a function that finds the file or folder that a list names."""

    def locate(name: str) -> Path | None:
        plain = name.strip()
        for text in (plain, plain.replace("\\", "/")):
            for base in (root, beside):
                for inside in (text, text.lstrip("/")):
                    if text and (base / inside).exists():
                        return base / inside
        return None

    return locate


# --- lines


def _rows(path: Path, lines: Sequence[str], locate: Locate) -> list[Row]:
    numbered = [(n, line) for n, line in enumerate(lines, start=1) if line.strip()]
    delimiter = _delimiter(path, [line for _, line in numbered], locate)
    if delimiter is None:
        return [(number, _words(line.strip(), locate)) for number, line in numbered]
    return [(number, _cells(path, number, line, delimiter, locate)) for number, line in numbered]


def _delimiter(path: Path, lines: Sequence[str], locate: Locate) -> str | None:
    """Return what stands between the columns; None where it is spaces, as in text."""
    first = next(iter(lines), "")
    found = next((one for one in "\t,;" if one in first), None)
    if found is None or locate(first) is not None:
        return "," if path.suffix.lower() == ".csv" else None
    head = first.split(found)[0].strip().strip("\"'")
    if path.suffix.lower() in (".csv", ".tsv") or locate(head):
        return found
    return found if head.lower() in (*_PATH, *_LABEL, *_SPLIT) else None


def _cells(path: Path, number: int, line: str, delimiter: str, locate: Locate) -> list[str]:
    if locate(line) is not None:  # a name with a comma in it
        return [line.strip()]
    if line.count('"') % 2:
        raise UserError(f"{path}, line {number}: a quote is not closed: mend the line.")
    (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    return [cell.strip() for cell in cells]


def _words(line: str, locate: Locate) -> list[str]:
    """Return path and label of a line of text; spaces may be in the path."""
    if locate(line) is not None:
        return [line]
    if line[0] in "\"'":
        try:
            return shlex.split(line)
        except ValueError:
            return [line]
    for count in (1, 2):
        head, *rest = line.rsplit(None, count)
        if rest and locate(head) is not None:
            return [head, *rest]
    return [line]


# --- columns


def _columns(path: Path, rows: list[Row], locate: Locate) -> tuple[list[Row], list[str]]:
    """Return the rows as path, label, split, "" where there is none; and guesses."""
    if not rows:
        return [], []
    names = [cell.lower() for cell in rows[0][1]]
    guesses: list[str] = []
    if locate(rows[0][1][0]) is None and set(names) & {*_PATH, *_LABEL, *_SPLIT}:
        places = [_column(names, known) for known in (_PATH, _LABEL, _SPLIT)]
        rows = rows[1:]
        if places[0] is None:
            raise UserError(
                f"{path}: expected a column called path, found {', '.join(names)}; name it so."
            )
    else:
        width = max(len(cells) for _, cells in rows)
        places = [0, 1 if width > 1 else None, 2 if width > 2 else None]
        if width == 2 and all(split_of(cells[-1]) for _, cells in rows):
            places = [0, None, 1]
            guesses.append(
                f"the second column of {path.name} is taken for splits: a header of path,label says"
                " otherwise"
            )
        _check_width(path, rows, width)
    return [(n, [_cell(cells, place) for place in places]) for n, cells in rows], guesses


def _column(names: list[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _check_width(path: Path, rows: list[Row], width: int) -> None:
    if width > 3:
        raise UserError(
            f"{path}: expected path, label and split, found {width} columns; add a header that"
            " names them."
        )
    for number, cells in rows:
        if len(cells) != width:
            raise UserError(
                f"{path}, line {number}: expected {counted(width, 'column')} as in other lines,"
                f" found {len(cells)}, {' '.join(cells)!r}; mend the list, and put names with"
                " spaces or commas in quotes."
            )


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


# --- entries


def _entry(path: Path, line: int, cells: list[str], locate: Locate, root: Path) -> Entry:
    name, label, split = cells
    found = locate(name)
    assert found is not None
    place = PurePosixPath(Path(os.path.relpath(found, root)).as_posix())
    if ".." in place.parts:
        raise UserError(f"{path}, line {line}: {name} lies outside of {root}; leave it out.")
    if split and split_of(split) is None:
        raise UserError(
            f"{path}, line {line}: expected a split such as train, val or test, found {split!r};"
            " mend the list."
        )
    return Entry(place, label or None, split_of(split) if split else None, line)


def _unique(path: Path, entries: list[Entry]) -> list[Entry]:
    """Return each file once; refuse one that stands twice and is said to be different things."""
    first: dict[PurePosixPath, Entry] = {}
    for entry in entries:
        check_agreement(path, str(entry.path), first.setdefault(entry.path, entry), entry)
    for what in ("label", "split"):
        without = [entry for entry in entries if getattr(entry, what) is None]
        if without and len(without) < len(entries):
            raise UserError(
                f"{path}, line {without[0].line}: {without[0].path} has no {what}, other lines have"
                " one; state it for all or none."
            )
    return list(first.values())


def check_agreement(path: Path, name: str, one: Entry, other: Entry) -> None:
    """Refuse two entries of one video that differ.

    Raises:
        UserError: If label or split differ.
    """
    for what in ("split", "label"):
        values = getattr(one, what), getattr(other, what)
        if values[0] != values[1]:
            raise UserError(
                f"{path}: {name} has two {what}s, {values[0] or 'none'} in line {one.line} and"
                f" {values[1] or 'none'} in line {other.line}; leave one."
            )
