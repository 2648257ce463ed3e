"""One clip to look at or to go on with: a video of whatever a path holds, frame by frame."""

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from kvidgan.data.listing import Source, Video
from kvidgan.data.prepare import find_source, is_store
from kvidgan.data.store import ClipStore
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
    """

    name: str
    frames: Iterator[np.ndarray]
    fps: float | None
    length: int | None
    note: str


def open_clip(path: str | Path, video: str | int | None = None, layout: str = "auto") -> Clip:
    """Open one video of a file, a folder, a clip store or a built-in set.

    Args:
        path: Anything that `kvidgan prepare` takes, a clip store, or one film strip, GIF or array.
        video: Where there are several: in this order, a name, a number from 0, or an ending that
            only one name has. Default: the first of split "test", else of "val", else of all.
        layout: The layout to expect, or "auto".

    Raises:
        UserError: If there is no such path or video, or its first frame cannot be read.
    """
    source = _store_source(Path(path), layout) if is_store(path) else find_source(str(path), layout)
    chosen = _default(source.videos) if video is None else _find(source, str(video))
    frames, fps = _open(source, chosen)
    first = next(frames, None)
    if first is None:
        raise UserError(f"{chosen.name} in {path} holds no frame: choose another video.")
    what = _note(chosen, first, source.videos, by_default=video is None)
    return Clip(chosen.name, chain([first], frames), fps, chosen.length, what)


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
        )
        for number, row in enumerate(store.index)
    ]
    return Source("clip store", path, videos, store.skipped)


def _read_store(store: ClipStore, video: int) -> Iterator[np.ndarray]:
    length = int(store.index["length"][video])
    with store:
        for start in range(0, length, _BLOCK):
            yield from store.read(video, start, min(start + _BLOCK, length))


def _open(source: Source, video: Video) -> tuple[Iterator[np.ndarray], float | None]:
    """Return the frames and, of a video file, the frames per second."""
    if source.layout != "videos":
        return video.read(), None
    frames, fps = read_video(video.files[0])
    return frames, fps if math.isfinite(fps) and fps > 0 else None


# --- choosing


def _default(videos: list[Video]) -> Video:
    for split in ("test", "val"):
        for video in videos:
            if video.split == split:
                return video
    return videos[0]


def _find(source: Source, wanted: str) -> Video:
    """Return the video that is meant by a name, a number or the ending of a name."""
    videos = source.videos
    exact = [video for video in videos if video.name == wanted]
    if exact:
        return exact[0]
    # With leading zeros it is the ending of a name.
    if wanted.isdecimal() and str(int(wanted)) == wanted and int(wanted) < len(videos):
        return videos[int(wanted)]
    for ending in (f"/{wanted}", wanted):
        fitting = [video for video in videos if video.name.endswith(ending)]
        if len(fitting) == 1:
            return fitting[0]
    raise UserError(_unknown(source, wanted))


def _unknown(source: Source, wanted: str) -> str:
    names = [video.name for video in source.videos]
    fitting = [name for name in names if name.endswith(wanted)]
    if fitting:
        return (
            f"{len(fitting)} videos of {source.path} end in {wanted!r}, such as {fitting[0]} and"
            f" {fitting[1]}: give more of the name."
        )
    for skipped in source.skipped:
        if skipped.name.endswith(wanted):
            return f"{skipped.name} in {source.path} cannot be used: {skipped.reason}."
    if len(names) == 1:
        return f"{source.path} has no video {wanted!r}: it has one only, {names[0]}."
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.0)
    return (
        f"{source.path} has no video {wanted!r}: expected the name of one of its {len(names)}"
        f" videos, such as {near[0]}, or a number from 0 to {len(names) - 1}."
    )


def _note(video: Video, first: np.ndarray, videos: list[Video], by_default: bool) -> str:
    length = f"{video.length} frame{'' if video.length == 1 else 's'} of " if video.length else ""
    parts = [video.name, f"{length}{first.shape[1]}x{first.shape[0]}"]
    if len(videos) > 1 and by_default:
        alike = sum(other.split == video.split for other in videos)
        among = f"{alike} {video.split}".strip()
        rest = f" of {len(videos)}" if alike < len(videos) else ""
        parts.append(f"the first of {among} videos{rest}; choose with --video")
    elif len(videos) > 1:
        parts.append(f"one of {len(videos)} videos")
    return ", ".join(parts)
