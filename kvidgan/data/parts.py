"""Parts: stores of consecutive videos that a conversion writes one by one, so that it can go on.

They lie in `DST.h5.part/`, each named by the number of its first video; a second conversion of the
same source continues behind the last one that is complete.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any

from kvidgan.data.flow import backward_flow
from kvidgan.data.source import Skipped, Source, Video, without_path
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import FrameRecord, StoreWriter
from kvidgan.errors import UserError
from kvidgan.files import MARK, write_text
from kvidgan.media import tolerated

PART_VIDEOS = 256
PART_BYTES = 64 * 2**20
PROGRESS_EVERY = 32  # frames of one video

OnProgress = Callable[[int, int, str], None]  # called with (done, in all, name or noun)


def write_parts(
    source: Source,
    folder: Path,
    attributes: dict[str, Any],
    strict: bool,
    on_progress: OnProgress | None,
) -> list[ClipStore]:
    """Write the parts that are missing.

    Args:
        source: Source that is converted.
        folder: Folder of the parts.
        attributes: Attributes of each part's store, its fingerprint among them.
        strict: Whether to stop at the first damaged file.
        on_progress: Function that is called with (videos done, videos in all, name).

    Returns:
        All parts, in order.

    Raises:
        UserError: If the folder holds what a conversion did not write, or a file is damaged and
            `strict` is set.
    """
    _own(folder)
    parts = []
    done = 0
    for part in _finished(folder, attributes["fingerprint"]):
        check_strict(part.skipped, strict)
        parts.append(part)
        done += _num_videos(part)
    while done < len(source.videos):
        path = _part_path(folder, done)
        with StoreWriter(path, **attributes) as writer:
            _fill(writer, source, done, strict, on_progress)
        parts.append(ClipStore.open(path))
        done += _num_videos(parts[-1])
    return parts


def check_strict(skipped: list[Skipped], strict: bool) -> None:
    """Refuse damage where that is asked for.

    Raises:
        UserError: If something is damaged and `strict` is set.
    """
    damaged = [one for one in skipped if one.damaged]
    if strict and damaged:
        raise UserError(f"{damaged[0].name}: {damaged[0].reason}; strict stops at damaged files.")


def existing(destination: Path, fingerprint: str) -> ClipStore | None:
    """Open the store that is there already, if it holds what would be written."""
    try:
        store = ClipStore.open(destination)
    except UserError:
        return None
    return store if store.fingerprint == fingerprint else None


# --- one part


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
        part = existing(path, fingerprint)
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
            reasons = dict.fromkeys(without_path(error, source.path) for error in damage)
            writer.skipped += [Skipped(video.name, one, rest_kept=True) for one in reasons]
        report(number + 1, len(source.videos), video.name)
        if filled >= PART_BYTES or number + 1 - start >= PART_VIDEOS:
            return


def _keep(damage: list[UserError], strict: bool, error: UserError) -> None:
    if strict:
        raise error
    damage.append(error)


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
