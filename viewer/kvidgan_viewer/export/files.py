"""Files of an export: their names, their writing and their size."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kvidgan.media import write_frames
from kvidgan_viewer.export.composition import (
    Array,
    Exportable,
    ExportSettings,
    Format,
    ReadPanes,
    pictures,
)

SUFFIXES: dict[Format, str] = {"gif": ".gif", "mp4": ".mp4", "png": ""}

# Number of pictures that are written to estimate the size: in MP4 most build on others.
_SAMPLE: dict[Format, int] = {"gif": 2, "mp4": 6, "png": 2}


def with_suffix(path: Path, format: Format) -> Path:
    """Return a path with the ending of a format, in place of another format's."""
    if not path.name:
        return path
    if path.suffix.lower() in (".gif", ".mp4"):
        path = path.with_suffix("")
    return path.with_name(path.name + SUFFIXES[format])


def write(settings: ExportSettings, frames: Iterable[Array]) -> float:
    """Write pictures with the settings of an export; under its name only when they are complete.

    Returns:
        The frames per second written.

    Raises:
        UserError: If the file or folder cannot be written; nothing of it is left then.
    """
    return write_frames(settings.path, frames, settings.fps, loop=settings.repeat)


def estimated_bytes(source: Exportable, settings: ExportSettings, read: ReadPanes) -> int:
    """Return about how many bytes an export will take.

    One picture and then several from the middle are really written, to a temporary folder: a
    format's own first picture may cost more than those after it.
    """
    count = len(settings.frame_range)
    several = min(_SAMPLE[settings.format], count)
    middle = (count - several) // 2
    sample = replace(settings, frame_range=settings.frame_range[middle : middle + several])
    frames = list(pictures(source, sample, read))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{SUFFIXES[settings.format]}"
        sizes = [_bytes_written(path, one, settings.fps) for one in (frames[:1], frames)]
    each = (sizes[1] - sizes[0]) / max(1, several - 1)
    return round(sizes[0] + each * (count - 1))


def _bytes_written(path: Path, frames: list[Array], fps: float) -> int:
    write_frames(path, frames, fps)
    return num_bytes(path)


def num_bytes(path: Path) -> int:
    """Return the bytes in a file, or in the files of a folder."""
    files: Iterator[Path] = path.iterdir() if path.is_dir() else iter([path])
    return sum(file.stat().st_size for file in files)


def size_text(count: float) -> str:
    """Return a size in bytes as people say it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
