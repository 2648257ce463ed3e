"""Selection: the video of a source that is meant by a name, a number or nothing."""

import difflib

import numpy as np

from kvidgan.data.source import Source, Video
from kvidgan.data.text import counted
from kvidgan.errors import UserError


def select_video(source: Source, wanted: str | int | None) -> Video:
    """Return the video that is meant.

    Args:
        source: Source of one video or more.
        wanted: Name, number from 0, or an ending that only one name has, tried in this order; None
            for the first of split "test", else of "val", else of all.

    Raises:
        UserError: If there is none, or several.
    """
    return _default(source.videos) if wanted is None else _find(source, str(wanted))


def video_note(video: Video, first: np.ndarray, videos: list[Video], by_default: bool) -> str:
    """Return in one line which video was selected, and from how many.

    Args:
        video: Video that was selected.
        first: First frame or map of the video, (height, width, ...).
        videos: Videos that it was selected from.
        by_default: Whether it was selected because nobody asked for one.
    """
    length = f"{counted(video.length, 'frame')} of " if video.length else ""
    parts = [video.name, f"{length}{first.shape[1]}x{first.shape[0]}"]
    if len(videos) > 1 and by_default:
        in_split = sum(other.split == video.split for other in videos)
        among = f"{in_split} {video.split}".strip()
        rest = f" of {len(videos)}" if in_split < len(videos) else ""
        parts.append(f"the first of {among} videos{rest}")
    elif len(videos) > 1:
        parts.append(f"one of {len(videos)} videos")
    return ", ".join(parts)


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
        matches = [video for video in videos if video.name.endswith(ending)]
        if len(matches) == 1:
            return matches[0]
    raise UserError(_unknown(source, wanted))


def _unknown(source: Source, wanted: str) -> str:
    names = [video.name for video in source.videos]
    matches = [name for name in names if name.endswith(wanted)]
    if matches:
        return (
            f"{len(matches)} videos of {source.path} end in {wanted!r}, such as {matches[0]} and"
            f" {matches[1]}: give more of the name."
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
