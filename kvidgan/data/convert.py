"""Convert a source into a clip store, once, and survive being killed on the way.

`DST.h5.part/` holds finished stores of consecutive videos, each named by the number of its first; a
second run continues behind the last one and joins them at the end.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import tee
from pathlib import Path
from typing import Any

from kvidgan.data.flow import backward_flow
from kvidgan.data.labels import Found
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.store.format import FORMAT
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import Moment, StoreWriter
from kvidgan.data.transforms import held_out, resized, with_labels
from kvidgan.errors import UserError

PART_VIDEOS = 256
PART_BYTES = 64 * 2**20
TELL_EVERY = 32  # frames, within a video

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` did.

    Attributes:
        path: The clip store.
        written: Videos in it.
        skipped: What was left out, and why.
        cached: Whether it was there already.
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
    labels: Found | None = None,
    test_frames: int | None = None,
    progress: Progress | None = None,
) -> PrepareReport:
    """Convert a source into a clip store; with label maps, optical flow is stored beside them.

    Args:
        source: What `open_source` or `open_builtin` returned.
        destination: The store's file name.
        strict: Stop at the first damaged file instead of skipping it.
        overwrite: Replace a store that was made from something else.
        size: Side, or (height, width), that frames are cropped and resized to.
        labels: "edges" or "foreground" finds label maps in the frames of a source without.
        test_frames: Make so many frames at the end of every video one of split "test".
        progress: Called after each video with (videos done, videos in all, name), and within long
            ones.

    Raises:
        UserError: If nothing usable is left, a file is damaged and `strict` is set, another file is
            in the way, the source has labels or splits of its own, or writing fails.
    """
    fit = (size, size) if isinstance(size, int) else size
    asked = {"labels": labels, "test_frames": test_frames}
    options = {name: value for name, value in asked.items() if value is not None}
    fingerprint = fingerprint_of(source, fit, **options)
    settings = {"layout": source.layout, "size": fit and f"{fit[1]}x{fit[0]}", **options}
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
    source = _seen(source, fit, labels, test_frames)
    _check_strict(source.skipped, strict)
    about = {
        "name": source.name,
        "source": source.path.absolute().name,
        "classes": source.classes,
        "labels": source.labels,
        "settings": settings,
        "fingerprint": fingerprint,
    }
    folder = destination.with_name(destination.name + ".part")
    parts = _convert(source, folder, about, strict, progress)
    report = _join(source, parts, destination, about)
    shutil.rmtree(folder)
    return report


def fingerprint_of(source: Source, size: tuple[int, int] | None, **options: Any) -> str:
    """Return a hash of all that decides a store's content: the files, the layout, the settings."""
    digest = blake2b(digest_size=16)
    # Without labels or options as it was before there were any: those stores are still good.
    about = [1, source.layout, source.name, source.note, source.classes, size]
    if source.labels is not None or options:
        about += [FORMAT, source.labels and asdict(source.labels), options]
    digest.update(json.dumps(about).encode())
    if source.videos and not source.videos[0].files:
        # A drawn set has no files: its first clip tells when the drawing has changed.
        for part in _parts(source.videos[0]):
            digest.update(part.tobytes())
    for video in source.videos:
        stats = [(f.name, s.st_size, s.st_mtime_ns) for f in video.files if (s := f.stat())]
        row = [video.name, video.class_index, video.split, stats]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _parts(video: Video) -> Iterator:
    """Yield a video's frames and maps."""
    yield from video.read()
    if video.read_maps is not None:
        for maps in video.read_maps():
            yield from maps.values()


def _seen(
    source: Source, size: tuple[int, int] | None, labels: Found | None, test_frames: int | None
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
    """Open what is there already, if it is what would be made."""
    try:
        store = ClipStore.open(destination)
    except UserError:
        return None
    return store if store.fingerprint == fingerprint else None


# --- converting part by part


def _convert(
    source: Source, folder: Path, about: dict, strict: bool, progress: Progress | None
) -> list[ClipStore]:
    """Write the parts that are missing; return all."""
    parts = []
    done = 0
    for part in _finished(folder, about["fingerprint"]):
        _check_strict(part.skipped, strict)
        parts.append(part)
        done += _covered(part)
    while done < len(source.videos):
        path = _part(folder, done)
        with StoreWriter(path, **about) as writer:
            _fill(writer, source, done, strict, progress)
        parts.append(ClipStore.open(path))
        done += _covered(parts[-1])
    return parts


def _part(folder: Path, start: int) -> Path:
    return folder / f"{start:08d}.h5"


def _covered(part: ClipStore) -> int:
    """Return how many of the source's videos a part has dealt with."""
    return len(part) + len(part.skipped)


def _finished(folder: Path, fingerprint: str) -> list[ClipStore]:
    """Open the parts that an interrupted run finished.

    Remains of another source, of other settings or of a killed writer are removed.
    """
    parts: list[ClipStore] = []
    while (p := _existing(_part(folder, sum(map(_covered, parts))), fingerprint)) is not None:
        parts.append(p)
    kept = {part.path for part in parts}
    for path in folder.iterdir() if folder.is_dir() else []:
        if path not in kept:
            path.unlink()
    return parts


def _fill(
    writer: StoreWriter, source: Source, start: int, strict: bool, progress: Progress | None
) -> None:
    """Add videos from `start` on until the part is full."""
    tell = progress or (lambda done, total, name: None)
    filled = 0
    for number, video in enumerate(source.videos[start:], start=start):
        moments = _told(video, partial(tell, number, len(source.videos)))
        try:
            filled += writer.add(video, moments)
        except UserError as error:
            if strict:
                raise
            writer.skipped.append(Skipped(video.name, without_path(error, source.path)))
        tell(number + 1, len(source.videos), video.name)
        if filled >= PART_BYTES or number + 1 - start >= PART_VIDEOS:
            return


def _told(video: Video, tell: Callable[[str], None]) -> Iterator[Moment]:
    """Pass a video's moments on, and keep the progress of a long one alive."""
    for count, moment in enumerate(_moments(video), start=1):
        if count % TELL_EVERY == 0:
            tell(f"{video.name}, frame {count}")
        yield moment


def _moments(video: Video) -> Iterator[Moment]:
    """Read a video's frames, and with label maps also those and the flow."""
    if video.read_maps is None:
        yield from ({"frames": frame} for frame in video.read())
        return
    frames, seen = tee(video.read())
    for frame, maps, (flow, confidence) in zip(
        frames, video.read_maps(), backward_flow(seen), strict=True
    ):
        yield {"frames": frame, **maps, "flow": flow, "confidence": confidence}


def _join(source: Source, parts: list[ClipStore], path: Path, about: dict) -> PrepareReport:
    if not any(len(part) for part in parts):
        first = next(skipped for part in parts for skipped in part.skipped)
        raise UserError(
            f"{source.path} holds no usable video: all {len(source.videos)} are damaged, such as"
            f" {first.name}: {first.reason}."
        )
    with StoreWriter(path, **about) as writer:
        writer.skipped += source.skipped
        for part in parts:
            writer.append(part)
    return PrepareReport(path, len(writer.rows), writer.skipped, cached=False)
