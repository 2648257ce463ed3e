"""Writing of several videos at once, from one stream of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue

import numpy as np

from kvidgan.media.write import Sound, write_frames

_WAITING = 2  # pictures of each video that wait to be written

_Item = np.ndarray | Exception | None  # a picture, an error, or the end


class _Broken(Exception):
    """Broken: the stream broke off, so the videos written from it are given up."""


def write_together(
    paths: Sequence[Path],
    moments: Iterable[Sequence[np.ndarray | None]],
    fps: float,
    sound: Sound | None = None,
) -> float:
    """Write videos as `write_frames` does, all at once, so that few pictures are held in memory.

    Args:
        paths: Paths of the videos.
        moments: Pictures of each moment, one per path; None for a path that has none then.
        fps: Wanted frames per second.
        sound: Sound of the first one; None for none.

    Returns:
        The frames per second written to the first path.

    Raises:
        UserError: If a path cannot be written; the first one's error.
        Exception: If the moments raise one, the same. No video is left behind then.
    """
    if len(paths) == 1:
        pictures = (moment[0] for moment in moments)
        return write_frames(
            paths[0], (one for one in pictures if one is not None), fps, sound=sound
        )
    queues: list[Queue[_Item]] = [Queue(_WAITING) for _ in paths]
    with ThreadPoolExecutor(len(paths)) as pool:
        writers = [
            pool.submit(write_frames, path, _pictures(queue), fps, sound=None if place else sound)
            for place, (path, queue) in enumerate(zip(paths, queues, strict=True))
        ]
        end: Exception | None = _Broken()
        try:
            for moment in moments:
                for queue, picture, writer in zip(queues, moment, writers, strict=True):
                    if picture is not None:
                        _put(queue, picture, writer)
                if any(writer.done() for writer in writers):  # none ends by itself but by an error
                    break
            else:
                end = None
        finally:
            for queue, writer in zip(queues, writers, strict=True):
                _put(queue, end, writer)
    for error in [writer.exception() for writer in writers]:
        if error is not None and not isinstance(error, _Broken):
            raise error
    return writers[0].result()


def _put(queue: Queue[_Item], item: _Item, writer: Future[float]) -> None:
    """Put an item into a queue, unless its writer has given up."""
    while not writer.done():
        with suppress(Full):
            queue.put(item, timeout=0.1)
            return


def _pictures(queue: Queue[_Item]) -> Iterator[np.ndarray]:
    """Yield the pictures put into a queue, until an error comes, which is raised, or None."""
    while isinstance(item := queue.get(), np.ndarray):
        yield item
    if item is not None:
        raise item
