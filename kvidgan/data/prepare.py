"""Convert a source into a clip store, once, and survive being killed on the way.

`DST.h5.part/` holds finished stores of consecutive videos, each named by the number of its first; a
second run continues behind the last one and joins them at the end.
"""

import difflib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from kvidgan.data import builtin
from kvidgan.data.listing import Skipped, Source, Video, without_path
from kvidgan.data.schema import DataConfig, DigitsConfig
from kvidgan.data.sources import open_source
from kvidgan.data.store import FORMAT, ClipStore, StoreWriter
from kvidgan.errors import UserError
from kvidgan.media import fit_frames

PART_VIDEOS = 256
PART_BYTES = 64 * 2**20

log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]
Say = Callable[[str], None]


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
    progress: Progress | None = None,
) -> PrepareReport:
    """Convert a source into a clip store.

    Args:
        source: What `open_source` or `open_builtin` returned.
        destination: The store's file name.
        strict: Stop at the first damaged file instead of skipping it.
        overwrite: Replace a store that was made from something else.
        size: Side, or (height, width), that frames are cropped and resized to.
        progress: Called after each video with (videos done, videos in all, name).

    Raises:
        UserError: If nothing usable is left, a file is damaged and `strict` is set, another file is
            in the way, or writing fails.
    """
    fit = (size, size) if isinstance(size, int) else size
    settings = {"layout": source.layout, "size": fit}
    if source.note:
        settings["note"] = source.note
    fingerprint = fingerprint_of(source, fit)
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
    about = {
        "name": source.name,
        "source": source.path.absolute().name,
        "classes": source.classes,
        "settings": settings,
        "fingerprint": fingerprint,
    }
    folder = destination.with_name(destination.name + ".part")
    parts = _convert(source, folder, about, fit, strict, progress)
    report = _join(source, parts, destination, about)
    shutil.rmtree(folder)
    return report


def fingerprint_of(source: Source, size: tuple[int, int] | None) -> str:
    """Return a hash of all that decides a store's content: the files, the layout, the size."""
    digest = blake2b(digest_size=16)
    about = [FORMAT, source.layout, source.name, source.note, source.classes, size]
    digest.update(json.dumps(about).encode())
    if source.videos and not source.videos[0].files:
        # A drawn set has no files: its first clip tells when the drawing has changed.
        for frame in source.videos[0].read():
            digest.update(frame.tobytes())
    for video in source.videos:
        stats = [(f.name, s.st_size, s.st_mtime_ns) for f in video.files if (s := f.stat())]
        row = [video.name, video.class_index, video.split, stats]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def prepare_path(
    path: str,
    destination: Path,
    *,
    layout: str = "auto",
    size: int | tuple[int, int] | None = None,
    clips: int | None = None,
    strict: bool = False,
    overwrite: bool = False,
    say: Say = log.info,
    progress: Progress | None = None,
) -> PrepareReport:
    """Convert a folder, a file or a built-in set into a clip store; see `prepare`.

    Args:
        path: A folder, a file, or the name of a built-in set.
        layout: The layout to expect there, or "auto".
        clips: How many to draw, of the layout moving_mnist; None: its default.
        say: Receives a line about what was found.
    """
    source = find_source(path, layout, clips=clips)
    say(source.describe())
    report = prepare(
        source, destination, strict=strict, overwrite=overwrite, size=size, progress=progress
    )
    _warn_of_shared(ClipStore.open(report.path))
    return report


def open_data(
    config: DataConfig, *, say: Say = log.warning, progress: Progress | None = None
) -> ClipStore:
    """Open the data of a run: a clip store, a built-in set, or a source converted on first use.

    Args:
        config: Where the data is.
        say: Receives a line when data is converted, and one for each damaged file skipped.
        progress: As for `prepare`.

    Raises:
        UserError: If there is no such data, it cannot be used, or it has not the options given.
    """
    _check_digits(config)
    if is_store(config.path):
        return _warn_of_shared(ClipStore.open(config.path))
    source = find_source(config.path, config.layout, config.seed, config.digits)
    name = f"{source.name}-{fingerprint_of(source, None)[:12]}.h5"
    store = Path(config.cache) / name
    if not store.exists():
        say(f"{source.describe()}: converting once, into {store}.")
    report = prepare(source, store, strict=config.strict, progress=progress)
    for skipped in report.skipped:
        if skipped.damaged:
            say(f"{config.path}: skipped {skipped.name}: {skipped.reason}.")
    return _warn_of_shared(ClipStore.open(report.path))


def is_store(path: str | Path) -> bool:
    """Tell whether a path is a file that is named as clip stores are."""
    return Path(path).is_file() and Path(path).suffix.lower() in (".h5", ".hdf5")


def _check_digits(config: DataConfig) -> None:
    """Refuse options of drawn digits where none would be drawn."""
    drawn = config.path == builtin.DIGITS and not Path(config.path).exists()
    defaults = DigitsConfig().model_dump()
    changed = [k for k, value in config.digits.model_dump().items() if value != defaults[k]]
    if changed and not drawn:
        raise UserError(
            f"data.digits.{changed[0]}: expected the built-in {builtin.DIGITS} as data.path, found"
            f" {config.path}, which has no such option; leave it out."
        )


def find_source(
    path: str,
    layout: str = "auto",
    seed: int = 0,
    digits: DigitsConfig | None = None,
    clips: int | None = None,
) -> Source:
    """Open what lies at a path, or else the built-in set of this name.

    Args:
        path: A folder, a file, or the name of a built-in set.
        layout: The layout to expect there, or "auto".
        seed: Of a built-in set.
        digits: Options of the built-in set moving_digits; None: their defaults.
        clips: How many to draw, of the layout moving_mnist; None: its default.

    Raises:
        UserError: If there is neither, or nothing usable.
    """
    if Path(path).exists():
        return open_source(path, layout, clips)
    if path in builtin.NAMES:
        if layout != "auto":
            raise UserError(f"{path} is drawn and has no layout: leave out {layout!r}.")
        if clips is not None:
            raise UserError(
                f"{path} is a built-in set: expected no --clips, found {clips}; leave it out, it is"
                " for the layout moving_mnist."
            )
        return builtin.open_builtin(path, seed, digits)
    near = difflib.get_close_matches(path, builtin.NAMES, n=1, cutoff=0.0)
    raise UserError(
        f"{path} does not exist and is no built-in data set: expected a folder, a file, or a name"
        f" such as {near[0]}."
    )


def _warn_of_shared(store: ClipStore) -> ClipStore:
    """Log if equal videos stand in several splits; return the store."""
    names: dict[bytes, dict[str, str]] = {}  # by digest, one name a split
    for row in store.index[store.index["split"] != ""]:
        names.setdefault(row["digest"].tobytes(), {})[str(row["split"])] = str(row["name"])
    shared = [by_split for by_split in names.values() if len(by_split) > 1]
    if shared:
        splits = sorted({split for by_split in shared for split in by_split}, key=_used_late)
        example = [shared[0][split] for split in sorted(shared[0], key=_used_late)]
        log.warning(
            "%s: %d video%s in %s, such as %s: scores on %s will flatter.",
            *(store.path.name, len(shared), " stands" if len(shared) == 1 else "s stand"),
            f"both {' and '.join(splits)}" if len(splits) == 2 else "more than one split",
            *(" and ".join(example), splits[-1]),
        )
    return store


def _used_late(split: str) -> tuple[bool, bool, str]:
    """Order splits as they are used: to train, to choose, to judge."""
    return split == "test", split == "val", split


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


def _convert(
    source: Source,
    folder: Path,
    about: dict,
    size: tuple[int, int] | None,
    strict: bool,
    progress: Progress | None,
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
            _fill(writer, source, done, size, strict, progress)
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
    writer: StoreWriter,
    source: Source,
    start: int,
    size: tuple[int, int] | None,
    strict: bool,
    progress: Progress | None,
) -> None:
    """Add videos from `start` on until the part is full."""
    filled = 0
    for number, video in enumerate(source.videos[start:], start=start):
        try:
            filled += writer.add(video, _frames(video, size))
        except UserError as error:
            if strict:
                raise
            writer.skipped.append(Skipped(video.name, without_path(error, source.path)))
        if progress is not None:
            progress(number + 1, len(source.videos), video.name)
        if filled >= PART_BYTES or number + 1 - start >= PART_VIDEOS:
            return


def _frames(video: Video, size: tuple[int, int] | None) -> Iterator[np.ndarray]:
    for frame in video.read():
        if size is None:
            yield frame
        else:
            yield fit_frames(frame[None], *size, frame.shape[-1])[0]


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
