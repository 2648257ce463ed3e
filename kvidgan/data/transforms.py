"""Transforms of videos: another size, labels found in them, their last frames held out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np

from kvidgan.data.labels import FoundLabels, find_labels, found_label_set
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import fit_frames, fit_maps

Maps = Mapping[str, np.ndarray]
Item = TypeVar("Item")


def resized(video: Video, size: tuple[int, int] | None) -> Video:
    """Crop a video's frames and maps to the middle and resize them, when they are read.

    Args:
        video: Video to resize.
        size: Wanted height and width in pixels; None leaves the video as it is.
    """
    if size is None:
        return video
    read_maps = video.read_maps and partial(_fitted_maps, video.read_maps, size)
    read = partial(_fitted, video.read, size)
    return replace(video, read=read, read_maps=read_maps, height=size[0], width=size[1])


def _fitted(
    read: Callable[[], Iterator[np.ndarray]], size: tuple[int, int]
) -> Iterator[np.ndarray]:
    for frame in read():
        yield fit_frames(frame[None], *size, frame.shape[-1])[0]


def _fitted_maps(read_maps: Callable[[], Iterator[Maps]], size: tuple[int, int]) -> Iterator[Maps]:
    for maps in read_maps():
        yield {name: fit_maps(values[None], *size)[0] for name, values in maps.items()}


def with_labels(source: Source, kind: FoundLabels) -> Source:
    """Give each frame a label map that is found in the frames themselves.

    Args:
        source: Source without label maps of its own.
        kind: Kind of labels to find, "edges" or "foreground".

    Raises:
        UserError: If it has labels.
    """
    if source.labels is not None:
        raise UserError(
            f"{source.path} brings label maps of its own, {source.labels.describe()}: expected no"
            f" labels to be found in the frames, found --labels {kind} (data.labels); leave it out."
        )
    videos = [replace(v, read_maps=partial(_found, kind, v.read)) for v in source.videos]
    return replace(source, videos=videos, labels=found_label_set(kind))


def _found(kind: FoundLabels, read: Callable[[], Iterator[np.ndarray]]) -> Iterator[Maps]:
    return ({"labels": labels} for labels in find_labels(kind, read()))


def held_out(source: Source, num_frames: int) -> Source:
    """Make the last frames of every video one of split "test", and the rest one of "train".

    Args:
        source: Source without splits.
        num_frames: Number of frames to hold out of each video.

    Raises:
        UserError: If the source has splits already, or a video has no frame to train on then.
    """
    splits = sorted({video.split for video in source.videos} - {""})
    if splits:
        raise UserError(
            f"{source.path} has splits, {' and '.join(splits)}: expected data without to take test"
            " frames from; leave out --test-frames."
        )
    videos, skipped = [], list(source.skipped)
    for video in source.videos:
        try:
            videos += _parts(video, _length(video), num_frames)
        except _Damaged as error:
            skipped.append(Skipped(video.name, without_path(error, source.path)))
    if not videos:
        raise UserError(
            f"{source.path} holds no usable video: all are damaged, such as {skipped[-1].name}:"
            f" {skipped[-1].reason}."
        )
    return replace(source, videos=videos, skipped=skipped)


class _Damaged(UserError):
    """Damaged: a video breaks off, so nobody knows its last frames."""


def _length(video: Video) -> int:
    try:
        return video.length or sum(1 for _ in video.read())
    except UserError as error:
        raise _Damaged(str(error)) from error


def _parts(video: Video, length: int, test: int) -> list[Video]:
    if length <= test:
        raise UserError(
            f"{video.name} has {counted(length, 'frame')}: expected more than the"
            f" {test} of --test-frames, so that some are left to train on; hold out fewer."
        )
    middle = length - test
    return [_part(video, "train", 0, middle), _part(video, "test", middle, length)]


def _part(video: Video, split: str, start: int, stop: int) -> Video:
    return replace(
        video,
        name=f"{video.name} (frames {start} to {stop - 1})",
        split=split,
        length=stop - start,
        read=partial(_between, video.read, start, stop),
        read_maps=video.read_maps and partial(_between, video.read_maps, start, stop),
    )


def _between(read: Callable[[], Iterable[Item]], start: int, stop: int) -> Iterator[Item]:
    return islice(read(), start, stop)
