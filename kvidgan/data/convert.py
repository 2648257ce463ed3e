"""Conversion of a source into a clip store: done once, and resumed where it was killed.

`DST.h5.part/` holds finished stores of consecutive videos, each named by the number of its first; a
second run continues behind the last one and joins them at the end.
"""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.data.flow import backward_flow
from kvidgan.data.labels import FoundLabels
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.store.format import FORMAT, is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import FrameRecord, StoreWriter
from kvidgan.data.transforms import held_out, resized, with_labels
from kvidgan.errors import UserError
from kvidgan.files import MARK, locked, write_text
from kvidgan.media import tolerated

log = logging.getLogger(__name__)

PART_VIDEOS = 256
PART_BYTES = 64 * 2**20
PROGRESS_EVERY = 32  # frames of one video

OnProgress = Callable[[int, int, str], None]  # called with (done, in all, name or noun)


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
    _check_strict(source.skipped, strict)
    if destination.exists():
        store = _existing(destination, fingerprint)
        if store is not None:
            _check_strict(store.skipped, strict)
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
    _check_strict(source.skipped, strict)
    attributes = {
        "name": source.name,
        "source": source.path.absolute().name,
        "classes": source.classes,
        "labels": source.labels,
        "settings": settings,
        "fingerprint": fingerprint,
    }
    folder = destination.with_name(destination.name + ".part")
    _own(folder)
    parts = _convert(source, folder, attributes, strict, on_progress)
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


def _check_strict(skipped: list[Skipped], strict: bool) -> None:
    damaged = [one for one in skipped if one.damaged]
    if strict and damaged:
        raise UserError(f"{damaged[0].name}: {damaged[0].reason}; strict stops at damaged files.")


def _existing(destination: Path, fingerprint: str) -> ClipStore | None:
    """Open the store that is there already, if it holds what would be written."""
    try:
        store = ClipStore.open(destination)
    except UserError:
        return None
    return store if store.fingerprint == fingerprint else None


# --- converting part by part


def _own(folder: Path) -> None:
    """Make the folder of parts, or recognise it as one.

    Raises:
        UserError: If it holds what a conversion did not write.
    """
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if (names and MARK not in names) or (folder.exists() and not folder.is_dir()):
        raise UserError(
            f"{folder} is needed for parts of the clip store, and holds something else: move it"
            " away, or choose another name for the store."
        )
    write_text(folder / MARK, "parts\n")


def _convert(
    source: Source,
    folder: Path,
    attributes: dict[str, Any],
    strict: bool,
    on_progress: OnProgress | None,
) -> list[ClipStore]:
    """Write the parts that are missing; return all."""
    parts = []
    done = 0
    for part in _finished(folder, attributes["fingerprint"]):
        _check_strict(part.skipped, strict)
        parts.append(part)
        done += _num_videos(part)
    while done < len(source.videos):
        path = _part_path(folder, done)
        with StoreWriter(path, **attributes) as writer:
            _fill(writer, source, done, strict, on_progress)
        parts.append(ClipStore.open(path))
        done += _num_videos(parts[-1])
    return parts


def _part_path(folder: Path, start: int) -> Path:
    return folder / f"{start:08d}.h5"


def _num_videos(part: ClipStore) -> int:
    """Return the number of the source's videos that a part holds or has skipped."""
    return len(part) + sum(not skipped.rest_kept for skipped in part.skipped)


def _finished(folder: Path, fingerprint: str) -> list[ClipStore]:
    """Open the parts that an interrupted run finished.

    Remains of another source, of other settings or of a killed writer are removed.
    """
    parts: list[ClipStore] = []
    while True:
        path = _part_path(folder, sum(map(_num_videos, parts)))
        part = _existing(path, fingerprint)
        if part is None:
            break
        parts.append(part)
    kept = {part.path for part in parts}
    for path in folder.iterdir() if folder.is_dir() else []:
        if path not in kept and path.name != MARK:
            path.unlink()
    return parts


def _fill(
    writer: StoreWriter, source: Source, start: int, strict: bool, on_progress: OnProgress | None
) -> None:
    """Add videos from `start` on until the part is full."""
    report = on_progress or (lambda done, total, name: None)
    filled = 0
    for number, video in enumerate(source.videos[start:], start=start):
        records = _reported(video, partial(report, number, len(source.videos)))
        damage: list[UserError] = []
        try:
            with tolerated(partial(_keep, damage, strict)):
                filled += writer.add(replace(video, fps=video.facts().fps), records)
        except UserError as error:
            if strict:
                raise
            writer.skipped.append(Skipped(video.name, without_path(error, source.path)))
        else:
            writer.skipped += [_left_out(video, error, source.path) for error in damage]
        report(number + 1, len(source.videos), video.name)
        if filled >= PART_BYTES or number + 1 - start >= PART_VIDEOS:
            return


def _keep(damage: list[UserError], strict: bool, error: UserError) -> None:
    if strict:
        raise error
    damage.append(error)


def _left_out(video: Video, error: UserError, root: Path) -> Skipped:
    return Skipped(video.name, without_path(error, root), rest_kept=True)


def _reported(video: Video, report: Callable[[str], None]) -> Iterator[FrameRecord]:
    """Pass a video's records on, and keep the progress of a long one alive."""
    for number, record in enumerate(_records(video), start=1):
        if number % PROGRESS_EVERY == 0:
            report(f"{video.name}, frame {number}")
        yield record


def _records(video: Video) -> Iterator[FrameRecord]:
    """Read a video's frames, and with label maps also those and the flow."""
    if video.read_maps is None:
        yield from ({"frames": frame} for frame in video.read())
        return
    frames, frames_again = tee(video.read())
    for frame, maps, (flow, confidence) in zip(
        frames, video.read_maps(), backward_flow(frames_again), strict=True
    ):
        yield {"frames": frame, **maps, "flow": flow, "confidence": confidence}


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
