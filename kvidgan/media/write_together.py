"""Write several videos side by side in time, from one stream of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue

import numpy as np

from kvidgan.media.write import write_frames

_WAITING = 2  # pictures of a file, that are made but not written


class _Broken(Exception):
    """The stream broke off, so what was written of it is given up."""


def write_together(
    paths: Sequence[Path], moments: Iterable[Sequence[np.ndarray | None]], fps: float
) -> float:
    """Write videos as `write_frames` does, all at once: no picture waits for the end of another's.

    Args:
        paths: One a video.
        moments: For each moment a picture for each path; None where it has none then.
        fps: Frames per second wanted.

    Returns:
        The frames per second written, of the first path.

    Raises:
        UserError: As `write_frames`, for the first path that cannot be written.
        Exception: Whatever the moments raise. No video is left behind then.
    """
    if len(paths) == 1:
        pictures = (moment[0] for moment in moments)
        return write_frames(paths[0], (one for one in pictures if one is not None), fps)
    queues: list[Queue] = [Queue(_WAITING) for _ in paths]
    with ThreadPoolExecutor(len(paths)) as pool:
        writers = [
            pool.submit(write_frames, path, _taken(queue), fps)
            for path, queue in zip(paths, queues, strict=True)
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


def _put(queue: Queue, item: np.ndarray | Exception | None, writer: Future) -> None:
    """Hand an item over, unless its writer has given up."""
    while not writer.done():
        with suppress(Full):
            queue.put(item, timeout=0.1)
            return


def _taken(queue: Queue) -> Iterator[np.ndarray]:
    """Yield the pictures put into a queue, until an error comes, which is raised, or None."""
    while isinstance(item := queue.get(), np.ndarray):
        yield item
    if item is not None:
        raise item
