"""One clip to look at or to go on with: a video of whatever a path holds, frame by frame."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from kvidgan.data.labels import Found, LabelSet, find_labels, found_set
from kvidgan.data.layouts.images import label_set, looked_at, read_labels
from kvidgan.data.open import find_source, is_store
from kvidgan.data.selection import choose, told
from kvidgan.data.source import Source, Video
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.transforms import resized
from kvidgan.errors import UserError
from kvidgan.media import read_video

_BLOCK = 8  # frames that are read from a store at a time


@dataclass(frozen=True)
class Clip:
    """One video, opened.

    Attributes:
        name: Of the video, in its source.
        frames: What is left of it, read as asked for: uint8 (height, width, 1 or 3). Damage on the
            way is a UserError.
        fps: Frames per second, None where the source does not say.
        length: Frames in all, None when only reading tells.
        note: What was opened, in one line.
        labels: The label maps of all its frames, read as asked for, whatever was read of `frames`:
            uint8 (height, width), or class and object numbers, int32 (height, width, 2); None
            without.
        label_set: The classes of the label maps; None without.
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
    """The label maps of one video, opened.

    Attributes:
        name: Of the video, in its source.
        labels: Read as asked for: uint8 (height, width), or int32 (height, width, 2).
        label_set: Their classes.
        length: How many, None when only reading tells.
        note: What was opened, in one line.
    """

    name: str
    labels: Iterator[np.ndarray]
    label_set: LabelSet
    length: int | None
    note: str


def open_clip(
    path: str | Path,
    video: str | int | None = None,
    layout: str = "auto",
    labels: Found | None = None,
    size: tuple[int, int] | None = None,
    objects: bool = False,
) -> Clip:
    """Open one video of a file, a folder, a clip store or a built-in set.

    Args:
        path: Anything that `kvidgan prepare` takes, a clip store, or one film strip, GIF or array.
        video: Where there are several: in this order, a name, a number from 0, or an ending that
            only one name has. Default: the first of split "test", else of "val", else of all.
        layout: The layout to expect, or "auto".
        labels: "edges" or "foreground" finds label maps in the frames; None: those that come with
            them, if any.
        size: Crop frames and label maps to the middle and resize them to (height, width) before
            labels are found.
        objects: Read the numbers of objects along with label maps, from instance maps.

    Raises:
        UserError: If there is no such path or video, or its first frame cannot be read; while
            label maps are read, if there are no instance maps with them.
    """
    source = _source(Path(path), layout)
    chosen = choose(source, video)
    frames, fps = _open(source, chosen, size)
    first = next(frames, None)
    if first is None:
        raise UserError(f"{chosen.name} in {path} holds no frame: choose another video.")
    what = told(chosen, first, source.videos, by_default=video is None)
    if labels is None:
        maps, classes = _own_labels(chosen, size, objects), source.labels
    else:  # from a second reading: either may run ahead, and nothing piles up in between
        maps = find_labels(labels, resized(chosen, size).read())
        classes = found_set(labels)
    return Clip(chosen.name, chain([first], frames), fps, chosen.length, what, maps, classes)


def open_labels(
    path: str | Path,
    video: str | int | None = None,
    layout: str = "auto",
    size: tuple[int, int] | None = None,
    objects: bool = False,
) -> LabelClip:
    """Open the label maps of one video, which may be there without frames.

    Args:
        path: As for `open_clip`, of data with label maps; or a folder of label maps alone, one
            image each, or of several such folders.
        video: As for `open_clip`.
        layout: As for `open_clip`.
        size: Crop the maps to the middle and resize them to (height, width).
        objects: As for `open_clip`.

    Raises:
        UserError: If there is no such path or video, or what it holds are no label maps.
    """
    source = _source(Path(path), layout)
    chosen = choose(source, video)
    if source.labels is None:
        chosen, classes = _alone(source, chosen)
    else:
        classes = source.labels
    labels = _own_labels(chosen, size, objects)
    assert labels is not None
    first = next(labels)
    what = told(chosen, first, source.videos, by_default=video is None)
    return LabelClip(chosen.name, chain([first], labels), classes, chosen.length, what)


def take(
    clip: Clip, start: int, count: int, stride: int = 1
) -> tuple[np.ndarray, Iterator[np.ndarray]]:
    """Read some frames of a clip that was just opened.

    Args:
        clip: What `open_clip` returned.
        start: Frames to skip.
        count: Frames to read.
        stride: Distance between two of them, frames.

    Returns:
        uint8 (count, height, width, 1 or 3), and the frames that follow, at the same stride.

    Raises:
        UserError: If the clip is too short, or damaged there.
    """
    found = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal found
        for frame in clip.frames:
            found += 1
            yield frame

    frames = islice(counted(), start, None, stride)
    taken = list(islice(frames, count))
    if len(taken) < count:
        apart = "" if stride == 1 else f", {stride} apart"
        raise UserError(
            f"{clip.name} has {found} frame{'' if found == 1 else 's'}: expected at least"
            f" {start + (count - 1) * stride + 1}, {count} of history from frame {start} on{apart};"
            f" choose a longer clip{' or a smaller --start' if start else ''}."
        )
    return np.stack(taken), frames


# --- opening


def _source(path: Path, layout: str) -> Source:
    return _store_source(path, layout) if is_store(path) else find_source(str(path), layout)


def _store_source(path: Path, layout: str) -> Source:
    """List a clip store's videos as those of any other source."""
    if layout != "auto":
        raise UserError(f"{path} is a clip store and has no layout: leave out {layout!r}.")
    store = ClipStore.open(path)
    videos = [
        Video(
            str(row["name"]),
            partial(_read_store, store, number),
            split=str(row["split"]),
            length=int(row["length"]),
            height=int(row["height"]),
            width=int(row["width"]),
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


def _open(
    source: Source, video: Video, size: tuple[int, int] | None
) -> tuple[Iterator[np.ndarray], float | None]:
    """Return the frames and, of a video file, the frames per second."""
    if source.layout != "videos":
        return resized(video, size).read(), None
    frames, fps = read_video(video.files[0])
    rate = fps if math.isfinite(fps) and fps > 0 else None
    return resized(replace(video, read=lambda: frames), size).read(), rate


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


def _alone(source: Source, video: Video) -> tuple[Video, LabelSet]:
    """Take the images of a video as label maps."""
    if source.layout != "frame_folders":
        raise UserError(
            f"{source.path} holds {source.layout.replace('_', ' ')} without label maps: expected a"
            " folder of label maps, or data that come with them."
        )
    classes = label_set(looked_at(video.files))
    return replace(video, read_maps=partial(_read_files, video.files, classes)), classes


def _read_files(paths: tuple[Path, ...], classes: LabelSet) -> Iterator[dict[str, np.ndarray]]:
    return ({"labels": labels} for labels in read_labels(paths, classes))
