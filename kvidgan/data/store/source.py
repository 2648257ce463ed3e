"""Clip stores as sources: their videos listed and read as those of any other data."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from kvidgan.data.reading import Reading, option_name
from kvidgan.data.source import Source, Video
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError

_BLOCK = 8  # frames that are read at a time


def store_source(path: Path, reading: Reading = Reading()) -> Source:
    """List the videos of a clip store.

    Args:
        path: Path of the store.
        reading: How files are to be read; a store is read already, so anything stated is refused.

    Raises:
        UserError: If the file is no clip store, or something is stated.
    """
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
            partial(_frames, store, number),
            class_index=int(row["class"]),
            split=str(row["split"]),
            length=int(row["length"]),
            height=int(row["height"]),
            width=int(row["width"]),
            fps=float(row["fps"]) or None,
            read_maps=partial(_maps, store, number) if store.labels else None,
        )
        for number, row in enumerate(store.index)
    ]
    return Source("clip store", path, videos, store.skipped, store.classes, labels=store.labels)


def _frames(store: ClipStore, video: int) -> Iterator[np.ndarray]:
    length = int(store.index["length"][video])
    with store:
        for start in range(0, length, _BLOCK):
            yield from store.read(video, start, min(start + _BLOCK, length))


def _maps(store: ClipStore, video: int) -> Iterator[Mapping[str, np.ndarray]]:
    length = int(store.index["length"][video])
    names = [name for name in store.maps if name in ("labels", "instances")]
    with store:
        for start in range(0, length, _BLOCK):
            stop = min(start + _BLOCK, length)
            blocks = {name: store.read_map(name, video, start, stop) for name in names}
            yield from ({n: block[i] for n, block in blocks.items()} for i in range(stop - start))
