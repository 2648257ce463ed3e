"""Layout `kth`: the six actions of 25 persons, and the ranges of frames in which they act.

    boxing/person01_boxing_d1_uncomp.avi   or all in one folder, or folders of their frames
    00sequences.txt                        person01_boxing_d1  frames  1-95, 96-185, 186-245

Each range is a video; without the text each file is one. Classes and splits are those of Schuldt et
al. 2004, "Recognizing human actions: a local SVM approach", by persons.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np

from kvidgan.data.layouts.annotations import without_annotations
from kvidgan.data.layouts.files import Tree
from kvidgan.data.layouts.media_files import moving_pictures
from kvidgan.data.source import Skipped, Source, Video
from kvidgan.errors import UserError
from kvidgan.media import VideoFacts, damaged, probe_video

CLASSES = ["boxing", "handclapping", "handwaving", "jogging", "running", "walking"]
PERSONS = {
    "train": (11, 12, 13, 14, 15, 16, 17, 18),
    "val": (19, 20, 21, 23, 24, 25, 1, 4),
    "test": (22, 2, 3, 5, 6, 7, 8, 9, 10),
}
_VIDEO = re.compile(rf"(person(\d+)_({'|'.join(CLASSES)})_d\d)(_uncomp)?", re.IGNORECASE)
_SEQUENCES = "00sequences.txt"
_LINE = re.compile(r"\s*(person\d+_[a-z]+_d\d)\s+(?:frames\s+)?(\d[\d,\s-]*)$", re.IGNORECASE)

Ranges = dict[str, list[tuple[int, int]]]


def is_kth(tree: Tree) -> bool:
    """Return whether most videos, files or folders of frames, are named as this set's are."""
    named = sum(bool(_match(file) or _match(file.parent)) for file in tree.files)
    return tree.path.is_dir() and named * 2 > len(tree.files)


def kth(tree: Tree, fps: float | None = None) -> Source:
    """List the ranges of frames in which somebody acts, or whole files without such ranges.

    Args:
        tree: Listing with the videos, and with 00sequences.txt or without.
        fps: Frames per second that videos are brought to; None for their own.

    Raises:
        UserError: If the text cannot be read.
    """
    text = next((tree.root / file for file in tree.files if file.name == _SEQUENCES), None)
    ranges = _ranges(text) if text else None
    plain, skipped = without_annotations(tree)
    source = moving_pictures(plain, fps)
    videos: list[tuple[str, Video]] = []
    for video in source.videos:
        match = _match(PurePosixPath(video.name))
        split = _split(int(match[2])) if match else None
        if match is None or split is None:
            skipped.append(Skipped(video.name, "not of the set's 25 persons", damaged=False))
            continue
        pieces = _pieces(replace(video, split=split), match[1].lower(), ranges, fps)
        videos += [(match[3].lower(), piece) for piece in pieces]
        if not pieces:
            skipped.append(Skipped(video.name, f"not in {_SEQUENCES}", damaged=False))
    classes = [name for name in CLASSES if any(label == name for label, _ in videos)]
    return replace(
        source,
        layout="kth",
        videos=[replace(video, class_index=classes.index(label)) for label, video in videos],
        classes=classes,
        skipped=[one for one in source.skipped if Path(one.name).name != _SEQUENCES] + skipped,
        note=f"official split by persons, {_note(text)}",
    )


def _note(text: Path | None) -> str:
    return f"frames by {_SEQUENCES}" if text else f"whole files, since there is no {_SEQUENCES}"


def _match(path: PurePosixPath) -> re.Match[str] | None:
    return _VIDEO.fullmatch(path.name) or _VIDEO.fullmatch(path.stem)


def _split(person: int) -> str | None:
    return next((split for split, persons in PERSONS.items() if person in persons), None)


# --- ranges of frames


def _ranges(path: Path) -> Ranges:
    """Read the ranges of frames, first and last, from 1, of each file without its ending."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path} cannot be read: copy it again.") from error
    ranges: Ranges = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip())
        if match:
            numbers = [int(number) for number in re.findall(r"\d+", match[2])]
            pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
            if len(numbers) % 2 or any(not 1 <= first <= last for first, last in pairs):
                raise UserError(
                    f"{path}: expected ranges of frames such as 1-95, 96-185, found {match[2]!r} of"
                    f" {match[1]}; copy it again."
                )
            ranges[match[1].lower()] = pairs
    if not ranges:
        raise UserError(
            f"{path}: expected lines such as person01_boxing_d1 frames 1-95, found none; copy it"
            " again, or remove it to read whole files."
        )
    return ranges


def _pieces(video: Video, name: str, ranges: Ranges | None, fps: float | None) -> list[Video]:
    if ranges is None:
        return [video]
    return [_piece(video, first, last, fps) for first, last in ranges.get(name, [])]


def _piece(video: Video, first: int, last: int, fps: float | None) -> Video:
    """Return the frames of a video from the first to the last, numbered from 1."""
    return replace(
        video,
        name=f"{video.name} (frames {first} to {last})",
        read=partial(_read_piece, video, first, last, fps),
        length=last - first + 1 if fps is None or video.probe is None else None,
        probe=partial(_probe_piece, video, first, last, fps) if video.probe else None,
    )


def _read_piece(video: Video, first: int, last: int, fps: float | None) -> Iterator[np.ndarray]:
    start, stop = _bounds(video, first, last, fps)
    number = 0
    for frame in islice(video.read(), start, stop):
        number += 1
        yield frame
    if number < stop - start:
        path = video.files[0]
        damaged(
            UserError(
                f"{path if video.probe else path.parent} has no {stop} frames: {number} of the"
                f" {stop - start} that {_SEQUENCES} names from {start + 1} on are there."
            )
        )


def _bounds(video: Video, first: int, last: int, fps: float | None) -> tuple[int, int]:
    """Return where a range starts and stops among the frames as they are read."""
    own = probe_video(video.files[0]).fps if fps is not None and video.probe else None
    ratio = fps / own if fps and own else 1.0
    return round((first - 1) * ratio), round(last * ratio)


def _probe_piece(video: Video, first: int, last: int, fps: float | None) -> VideoFacts:
    assert video.probe is not None
    start, stop = _bounds(video, first, last, fps)
    facts = video.probe()
    return facts._replace(length=max(0, min(stop, facts.length) - start))
