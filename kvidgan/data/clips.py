"""Clip: one opened video of whatever a path holds, read frame by frame."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from kvidgan.data.labels import FoundLabels, LabelSet, find_labels, found_label_set
from kvidgan.data.layouts.images import inspect_labels, label_set, read_labels
from kvidgan.data.open import find_source
from kvidgan.data.reading import Reading, option_name
from kvidgan.data.selection import select_video, video_note
from kvidgan.data.source import Source, Video
from kvidgan.data.store.format import is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.text import counted
from kvidgan.data.transforms import resized
from kvidgan.errors import UserError

_BLOCK = 8  # frames that are read from a store at a time


@dataclass(frozen=True)
class Clip:
    """Clip: one opened video.

    Attributes:
        name: Name of the video in its source.
        frames: Frames that are left of it, read as asked for, uint8 (height, width, 1 or 3) each.
            Damage on the way is a UserError.
        fps: Frames per second; None where the source does not say.
        length: Number of frames in all; None when only reading tells.
        note: Note in one line on which video was opened.
        labels: Label maps of all its frames, read as asked for and independently of `frames`, uint8
            (height, width) each, or class and object numbers, int32 (height, width, 2); None
            without label maps.
        label_set: Classes of the label maps; None without label maps.
    """

    name: str
    frames: Iterator[np.ndarray]
    fps: float | None
    length: int | None
    note: str
    labels: Iterator[np.ndarray] | None = None
    label_set: LabelSet | None = None


@dataclass(frozen=True)
class LabelClip:
    """LabelClip: the opened label maps of one video.

    Attributes:
        name: Name of the video in its source.
        labels: Label maps, read as asked for, uint8 (height, width) each, or class and object
            numbers, int32 (height, width, 2).
        label_set: Classes of the label maps.
        length: Number of label maps; None when only reading tells.
        note: Note in one line on which video was opened.
    """

    name: str
    labels: Iterator[np.ndarray]
    label_set: LabelSet
    length: int | None
    note: str


def open_clip(
    path: str | Path,
    video: str | int | None = None,
    reading: Reading = Reading(),
    labels: FoundLabels | None = None,
    size: tuple[int, int] | None = None,
    objects: bool = False,
) -> Clip:
    """Open one video of a file, a folder, a clip store or a built-in set.

    Args:
        path: Anything that `kvidgan prepare` takes, a clip store, or one film strip, GIF or array.
        video: Name, number from 0, or an ending that only one name has, tried in this order; None
            for the first of split "test", else of "val", else of all.
        reading: How the files are to be read.
        labels: Labels to find in the frames; None for those that come with them, if any.
        size: Height and width that frames and label maps are cropped and resized to, before labels
            are found; None for their own.
        objects: Whether to read the numbers of objects, from instance maps, with the label maps.

    Raises:
        UserError: If there is no such path or video, or its first frame cannot be read; while
            label maps are read, if there are no instance maps with them.

    Example:
        clip = open_clip("moving_shapes", video=3)
        first = next(clip.frames)  # uint8 (32, 32, 3)
    """
    source = _source(Path(path), reading)
    selected = select_video(source, video)
    frames = resized(selected, size).read()
    fps = selected.fps if selected.probe is None else selected.probe().fps
    first = next(frames, None)
    if first is None:
        raise UserError(f"{selected.name} in {path} holds no frame: choose another video.")
    note = video_note(selected, first, source.videos, by_default=video is None)
    if labels is None:
        maps, classes = _own_labels(selected, size, objects), source.labels
    else:  # from a second reading: frames and maps may be read at any pace, and nothing piles up
        maps = find_labels(labels, resized(selected, size).read())
        classes = found_label_set(labels)
    return Clip(selected.name, chain([first], frames), fps, selected.length, note, maps, classes)


def open_labels(
    path: str | Path,
    video: str | int | None = None,
    reading: Reading = Reading(),
    size: tuple[int, int] | None = None,
    objects: bool = False,
) -> LabelClip:
    """Open the label maps of one video, which may be there without frames.

    Args:
        path: Data with label maps; or a folder of label maps alone, one image each, or a folder of
            several such folders.
        video: Name, number from 0, or an ending that only one name has, tried in this order; None
            for the first of split "test", else of "val", else of all.
        reading: How the files are to be read.
        size: Height and width that label maps are cropped and resized to; None for their own.
        objects: Whether to read the numbers of objects, from instance maps, with the label maps.

    Raises:
        UserError: If there is no such path or video, or what it holds are no label maps.
    """
    source = _source(Path(path), reading)
    selected = select_video(source, video)
    if source.labels is None:
        selected, classes = _images_as_labels(source, selected)
    else:
        classes = source.labels
    labels = _own_labels(selected, size, objects)
    assert labels is not None
    first = next(labels)
    note = video_note(selected, first, source.videos, by_default=video is None)
    return LabelClip(selected.name, chain([first], labels), classes, selected.length, note)


def take(
    clip: Clip, start: int, num_frames: int, stride: int = 1
) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """Read some frames of a clip that was just opened.

    Args:
        clip: Clip that `open_clip` returned.
        start: Number of frames to skip.
        num_frames: Number of frames to read.
        stride: Distance in frames between two frames to read.

    Returns:
        Frames, uint8 (time, height, width, 1 or 3), and the frames that follow at the same stride.

    Raises:
        UserError: If the clip is too short, or damaged there.
    """
    num_read = 0

    def read() -> Iterator[np.ndarray]:
        nonlocal num_read
        for frame in clip.frames:
            num_read += 1
            yield frame

    following = islice(read(), start, None, stride)
    frames = list(islice(following, num_frames))
    if len(frames) < num_frames:
        apart = "" if stride == 1 else f", {stride} apart"
        raise UserError(
            f"{clip.name} has {counted(num_read, 'frame')}: expected at least"
            f" {start + (num_frames - 1) * stride + 1}, {num_frames} of history from frame {start}"
            f" on{apart}; choose a longer clip{' or a smaller --start' if start else ''}."
        )
    return np.stack(frames), following


# --- opening


def _source(path: Path, reading: Reading) -> Source:
    return _store_source(path, reading) if is_store(path) else find_source(str(path), reading)


def _store_source(path: Path, reading: Reading) -> Source:
    """List a clip store's videos as those of any other source."""
    if reading.layout != "auto":
        raise UserError(f"{path} is a clip store and has no layout: leave out {reading.layout!r}.")
    for name, value in reading.options().items():
        raise UserError(
            f"{path} is a clip store, which is read already: expected no {option_name(name)}, found"
            f" {value}; leave it out."
        )
    store = ClipStore.open(path)
    videos = [
        Video(
            str(row["name"]),
            partial(_read_store, store, number),
            split=str(row["split"]),
            length=int(row["length"]),
            height=int(row["height"]),
            width=int(row["width"]),
            fps=float(row["fps"]) if row["fps"] > 0 else None,
            read_maps=partial(_read_maps, store, number) if store.labels else None,
        )
        for number, row in enumerate(store.index)
    ]
    return Source("clip store", path, videos, store.skipped, labels=store.labels)


def _read_store(store: ClipStore, video: int) -> Iterator[np.ndarray]:
    length = int(store.index["length"][video])
    with store:
        for start in range(0, length, _BLOCK):
            yield from store.read(video, start, min(start + _BLOCK, length))


def _read_maps(store: ClipStore, video: int) -> Iterator[Mapping[str, np.ndarray]]:
    length = int(store.index["length"][video])
    names = [name for name in store.maps if name in ("labels", "instances")]
    with store:
        for start in range(0, length, _BLOCK):
            stop = min(start + _BLOCK, length)
            blocks = {name: store.read_map(name, video, start, stop) for name in names}
            yield from ({n: block[i] for n, block in blocks.items()} for i in range(stop - start))


def _own_labels(
    video: Video, size: tuple[int, int] | None, objects: bool
) -> Iterator[np.ndarray] | None:
    """Return the label maps that come with a video, with the numbers of objects if asked for."""
    read_maps = resized(video, size).read_maps
    if read_maps is None:
        return None
    if objects:
        return (_with_objects(video, maps) for maps in read_maps())
    return (maps["labels"] for maps in read_maps())


def _with_objects(video: Video, maps: Mapping[str, np.ndarray]) -> np.ndarray:
    if "instances" not in maps:
        raise UserError(
            f"{video.name} has label maps without instance maps: choose data that come with such, "
            "or a model that does not tell objects apart."
        )
    return np.stack([maps["labels"], maps["instances"]], axis=-1, dtype=np.int32)


def _images_as_labels(source: Source, video: Video) -> tuple[Video, LabelSet]:
    """Take the images of a video as label maps."""
    if source.layout != "frame_folders":
        raise UserError(
            f"{source.path} holds {source.layout.replace('_', ' ')} without label maps: expected a"
            " folder of label maps, or data that come with them."
        )
    classes = label_set(inspect_labels(video.files))
    return replace(video, read_maps=partial(_read_files, video.files, classes)), classes


def _read_files(paths: tuple[Path, ...], classes: LabelSet) -> Iterator[dict[str, np.ndarray]]:
    return ({"labels": labels} for labels in read_labels(paths, classes))
