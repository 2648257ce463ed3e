"""Source: the videos found in one place, before they are read."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.errors import UserError


@dataclass(frozen=True)
class Video:
    """One video of a source.

    Attributes:
        name: Its path inside the source, with forward slashes.
        read: Opens it: an iterator of uint8 (height, width, 1 or 3) frames. Damage is a UserError,
            when opening or on the way.
        class_index: Place of its class in the source's `classes`; -1 without one.
        split: "train", "test", "val" or "".
        length: Frames, None when only reading tells; likewise `height` and `width` in pixels.
        files: The files that it is made from.
        read_maps: Where frames have label maps, opens what belongs to them: an iterator, in step
            with `read`'s, of "labels", uint8 (height, width), and where there are such "instances",
            uint16 (height, width).
    """

    name: str
    read: Callable[[], Iterator[np.ndarray]]
    class_index: int = -1
    split: str = ""
    length: int | None = None
    height: int | None = None
    width: int | None = None
    files: tuple[Path, ...] = ()
    read_maps: Callable[[], Iterator[Mapping[str, np.ndarray]]] | None = None


@dataclass(frozen=True)
class Skipped:
    """What is not used, and why; a file that is merely of another kind is not damaged."""

    name: str
    reason: str
    damaged: bool = True


@dataclass(frozen=True)
class Source:
    """Videos found in one place, in natural order.

    Attributes:
        layout: A key of `LAYOUTS`, or "built-in".
        path: Where they lie; of a built-in, its name.
        videos: The videos.
        skipped: What was found and is not used.
        classes: Names of the class folders, in natural order.
        note: How the layout was understood, for `describe`.
        labels: The classes of the videos' label maps; None without.
    """

    layout: str
    path: Path
    videos: list[Video]
    skipped: list[Skipped] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    note: str = ""
    labels: LabelSet | None = None

    @property
    def name(self) -> str:
        """The name of the data set: of its folder, or of its file without the suffix."""
        path = self.path.absolute()
        return path.name if path.is_dir() else path.stem

    def describe(self) -> str:
        """Say in one line what was found."""
        parts = [f"{self.layout.replace('_', ' ')}: {counted(len(self.videos), 'video')}"]
        if self.classes:
            shown = ", ".join(self.classes[:8]) + (", ..." if len(self.classes) > 8 else "")
            parts[0] += f" in {counted(len(self.classes), 'class', 'es')} ({shown})"
        splits = Counter(video.split for video in self.videos if video.split)
        parts += [f"{number} to {split}" for split, number in splits.items()]
        sizes = {(v.width, v.height) for v in self.videos if v.width and v.height}
        if sizes:
            parts.append("{}x{}".format(*min(sizes)) if len(sizes) == 1 else f"{len(sizes)} sizes")
        lengths = [video.length for video in self.videos if video.length]
        if lengths:
            low, high = min(lengths), max(lengths)
            parts.append(f"{low} frames" if low == high else f"{low} to {high} frames")
        parts += [f"labels: {self.labels.describe()}"] if self.labels else []
        parts += [self.note] if self.note else []
        parts += [f"{len(self.skipped)} skipped"] if self.skipped else []
        return ", ".join(parts)


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun in singular or plural: `2 videos`."""
    return f"{number} {noun}{'' if number == 1 else plural}"


def without_path(error: UserError, root: Path) -> str:
    """Shorten an error's sentence: the file's place under the source is known already."""
    return str(error).replace(f"{root}/", "").rstrip(".")
