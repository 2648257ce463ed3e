"""Preview: a contact sheet of a source, to see whether it was understood."""

from collections.abc import Iterator, Mapping

import numpy as np

from kvidgan.data.source import Source, Video
from kvidgan.errors import UserError
from kvidgan.media import colour_labels, tolerated
from kvidgan.media.sheet import SheetEntry, contact_sheet

VIDEOS = 8
_KEPT = 64  # frames of a video that are held while its middle is not known

_Record = tuple[np.ndarray, Mapping[str, np.ndarray] | None]


def preview(source: Source) -> np.ndarray:
    """Draw first, middle and last frame of eight videos, with their label maps, class and rate.

    Args:
        source: Source that was opened; the videos are spread over it.

    Returns:
        The sheet, uint8 (height, width, 3).
    """
    last = len(source.videos) - 1
    places = sorted({round(last * place / (VIDEOS - 1)) for place in range(VIDEOS)})
    return contact_sheet([_entry(source, source.videos[place]) for place in places])


def _entry(source: Source, video: Video) -> SheetEntry:
    damage: list[UserError] = []
    try:
        with tolerated(damage.append):
            chosen, length = _first_middle_last(_records(video))
            fps = video.facts().fps
    except UserError as error:
        return SheetEntry([video.name, str(error)], [])
    about = [f"{length} frames of {chosen[0][0].shape[1]}x{chosen[0][0].shape[0]}"]
    about += [] if fps is None else [f"{fps:.4g} fps"]
    about += [source.classes[video.class_index]] if video.class_index >= 0 else []
    about += [video.split] if video.split else []
    about += [f"{len(damage)} damaged"] if damage else []
    rows = [[frame for frame, _ in chosen]]
    if chosen[0][1] is not None:
        rows.append([colour_labels(maps["labels"]) for _, maps in chosen if maps is not None])
    return SheetEntry([video.name, ", ".join(about)], rows)


def _records(video: Video) -> Iterator[_Record]:
    if video.read_maps is None:
        return ((frame, None) for frame in video.read())
    return zip(video.read(), video.read_maps(), strict=False)


def _first_middle_last(records: Iterator[_Record]) -> tuple[list[_Record], int]:
    """Return three of the records and how many there are, in one reading.

    Where there are many, every second one that is held is dropped, again and again.
    """
    held: list[tuple[int, _Record]] = []
    apart, number, last = 1, -1, None
    for number, last in enumerate(records):
        if number % apart == 0:
            held.append((number, last))
        if len(held) > _KEPT:
            apart *= 2
            held = held[::2]
    if last is None:
        raise UserError("it holds no frame.")
    middle = min(held, key=lambda one: abs(one[0] - number / 2))
    return [held[0][1], middle[1], last], number + 1
