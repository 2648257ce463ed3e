"""Conversion of a source into a clip store: done once, and resumed where it was killed."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.data.labels import FoundLabels
from kvidgan.data.parts import OnProgress, check_strict, existing, write_parts
from kvidgan.data.source import Skipped, Source, Video
from kvidgan.data.store.format import FORMAT, is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import StoreWriter
from kvidgan.data.transforms import held_out, resized, with_labels
from kvidgan.errors import UserError
from kvidgan.files import locked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrepareReport:
    """PrepareReport: what `prepare` did.

    Attributes:
        path: Path of the clip store.
        written: Number of videos in the store.
        skipped: Files and videos that were left out, and why.
        cached: Whether the store was there already.
    """

    path: Path
    written: int
    skipped: list[Skipped]
    cached: bool


def prepare(
    source: Source,
    destination: Path,
    *,
    strict: bool = False,
    overwrite: bool = False,
    size: int | tuple[int, int] | None = None,
    labels: FoundLabels | None = None,
    test_frames: int | None = None,
    on_progress: OnProgress | None = None,
) -> PrepareReport:
    """Convert a source into a clip store; with label maps, optical flow is stored beside them.

    Args:
        source: Source that `open_source` or `open_builtin` returned.
        destination: Path of the store to write.
        strict: Whether to stop at the first damaged file instead of skipping it.
        overwrite: Whether to replace a store that was made from something else.
        size: Side, or (height, width), that frames are cropped and resized to, pixels.
        labels: Labels to find in the frames of a source without label maps; None for none.
        test_frames: Number of frames at the end of every video that become one of split "test";
            None for none.
        on_progress: Function that is called with (videos done, videos in all, name) after each
            video, and within long ones.

    Raises:
        UserError: If nothing usable is left, a file is damaged and `strict` is set, another file is
            in the way, the source has labels or splits of its own, or writing fails.
    """
    if not destination.name or destination.is_dir():
        raise UserError(
            f"{destination} is a folder: expected the name of a clip store to write, such as"
            f" {destination / 'mine.h5'}."
        )
    with locked(destination.with_name(f".{destination.name}.lock"), _wait_for(destination)):
        return _prepared(
            source,
            destination,
            strict=strict,
            overwrite=overwrite,
            size=(size, size) if isinstance(size, int) else size,
            labels=labels,
            test_frames=test_frames,
            on_progress=on_progress,
        )


def _wait_for(destination: Path) -> Callable[[str], None]:
    return lambda holder: log.warning(
        "%s is being written by %s: waiting for it.", destination, holder
    )


def _prepared(
    source: Source,
    destination: Path,
    *,
    strict: bool,
    overwrite: bool,
    size: tuple[int, int] | None,
    labels: FoundLabels | None,
    test_frames: int | None,
    on_progress: OnProgress | None,
) -> PrepareReport:
    """Do what `prepare` says, alone."""
    options: dict[str, Any] = {"labels": labels, "test_frames": test_frames}
    options = {name: value for name, value in options.items() if value is not None}
    fingerprint = fingerprint_of(source, size, **options)
    settings = {"layout": source.layout, "size": size and f"{size[1]}x{size[0]}", **options}
    if source.note:
        settings["note"] = source.note
    check_strict(source.skipped, strict)
    if destination.exists():
        store = existing(destination, fingerprint)
        if store is not None:
            check_strict(store.skipped, strict)
            return PrepareReport(destination, len(store), store.skipped, cached=True)
        if not overwrite:
            raise UserError(
                f"{destination} exists and was made from other data or settings: choose another"
                " name, or allow it to be overwritten."
            )
        if not is_store(destination):
            raise UserError(
                f"{destination} is no clip store, so it is not replaced: choose another name."
            )
    source = _transformed(source, size, labels, test_frames)
    check_strict(source.skipped, strict)
    attributes = {
        "name": source.name,
        "source": source.path.absolute().name,
        "classes": source.classes,
        "labels": source.labels,
        "settings": settings,
        "fingerprint": fingerprint,
    }
    folder = destination.with_name(destination.name + ".part")
    parts = write_parts(source, folder, attributes, strict, on_progress)
    report = _join(source, parts, destination, attributes)
    shutil.rmtree(folder)
    return report


def fingerprint_of(source: Source, size: tuple[int, int] | None, **options: Any) -> str:
    """Return a hash of all that decides a store's content.

    Args:
        source: Source whose files, names, sizes and times of change are taken in.
        size: Height and width that frames are resized to, pixels; None for their own.
        **options: Other settings of `prepare` that are not at their defaults.
    """
    digest = blake2b(digest_size=16)
    labels = source.labels and source.labels.facts()
    facts = [FORMAT, source.layout, source.name, source.note, source.classes, size, labels, options]
    digest.update(json.dumps(facts).encode())
    if source.videos and not source.videos[0].files:
        # A drawn set has no files: its first clip changes when the drawing does.
        for values in _frames_and_maps(source.videos[0]):
            digest.update(values.tobytes())
    for video in source.videos:
        stats = [(f.name, s.st_size, s.st_mtime_ns) for f in video.files if (s := f.stat())]
        row = [video.name, video.class_index, video.split, video.fps, stats]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _frames_and_maps(video: Video) -> Iterator[np.ndarray]:
    """Yield a video's frames, then its maps."""
    yield from video.read()
    if video.read_maps is not None:
        for maps in video.read_maps():
            yield from maps.values()


def _transformed(
    source: Source,
    size: tuple[int, int] | None,
    labels: FoundLabels | None,
    test_frames: int | None,
) -> Source:
    """Apply the settings, in an order that matters: thin edges do not survive being resized."""
    source = replace(source, videos=[resized(video, size) for video in source.videos])
    source = source if labels is None else with_labels(source, labels)
    return source if test_frames is None else held_out(source, test_frames)


def _join(
    source: Source, parts: list[ClipStore], path: Path, attributes: dict[str, Any]
) -> PrepareReport:
    if not any(len(part) for part in parts):
        first = next(skipped for part in parts for skipped in part.skipped)
        raise UserError(
            f"{source.path} holds no usable video: all {len(source.videos)} are damaged, such as"
            f" {first.name}: {first.reason}."
        )
    with StoreWriter(path, **attributes) as writer:
        writer.skipped += source.skipped
        for part in parts:
            writer.append(part)
    return PrepareReport(path, len(writer.rows), writer.skipped, cached=False)
