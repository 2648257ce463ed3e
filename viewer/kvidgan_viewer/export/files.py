"""The files that a plan becomes, and how large they will be."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kvidgan.media import write_frames
from kvidgan_viewer.export.composition import Array, Exportable, Form, Plan, Read, pictures

SUFFIXES: dict[Form, str] = {"gif": ".gif", "mp4": ".mp4", "png": ""}

# Pictures that are really written, to tell how large all will be: in MP4 most build on others.
_SAMPLE: dict[Form, int] = {"gif": 2, "mp4": 6, "png": 2}


def named_so(path: Path, form: Form) -> Path:
    """Give a name the ending of a format, in place of another format's."""
    if not path.name:
        return path
    if path.suffix.lower() in (".gif", ".mp4"):
        path = path.with_suffix("")
    return path.with_name(path.name + SUFFIXES[form])


def write(plan: Plan, shown: Iterable[Array]) -> float:
    """Write pictures as a plan says; under its name only when they are complete.

    Returns:
        The frames per second written.

    Raises:
        UserError: If the file or folder cannot be written; nothing of it is left then.
    """
    return write_frames(plan.path, shown, plan.fps, loop=plan.repeat)


def estimate(source: Exportable, plan: Plan, read: Read) -> int:
    """Return about how many bytes a plan will take.

    One picture and then several from the middle are really written, to a temporary folder: a
    format's own first picture may cost more than those after it.
    """
    count = len(plan.frames)
    several = min(_SAMPLE[plan.form], count)
    middle = (count - several) // 2
    sample = replace(plan, frames=plan.frames[middle : middle + several])
    shown = list(pictures(source, sample, read))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sample{SUFFIXES[plan.form]}"
        sizes = [_written(path, one, plan.fps) for one in (shown[:1], shown)]
    each = (sizes[1] - sizes[0]) / max(1, several - 1)
    return round(sizes[0] + each * (count - 1))


def _written(path: Path, shown: list[Array], fps: float) -> int:
    write_frames(path, shown, fps)
    return size_of(path)


def size_of(path: Path) -> int:
    """Return the bytes in a file, or in the files of a folder."""
    files: Iterator[Path] = path.iterdir() if path.is_dir() else iter([path])
    return sum(file.stat().st_size for file in files)


def in_words(count: float) -> str:
    """Return a size in bytes as people say it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
