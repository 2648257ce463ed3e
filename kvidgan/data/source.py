"""Source: the videos found in one place, before they are read."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kvidgan.data.labels import LabelSet
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import VideoFacts


@dataclass(frozen=True)
class Video:
    """Video: one video of a source, before it is read.

    Attributes:
        name: Path of the video inside the source, with forward slashes.
        read: Function that returns an iterator of its frames, uint8 (height, width, 1 or 3).
            Damage is a UserError, when opening or on the way.
        class_index: Place of the video's class in the source's `classes`; -1 without one.
        split: Split that the video is of, "train", "test" or "val"; "" without one.
        length: Number of frames; None when only reading tells.
        height: Height of the frames in pixels; None when only reading tells.
        width: Width of the frames in pixels; None when only reading tells.
        fps: Frames per second; None where nothing says, or when only reading tells.
        files: Files that the video is read from.
        probe: Function that returns what a look into the file tells; None where this says all.
        read_maps: Function that returns an iterator of the maps of each frame: "labels", uint8
            (height, width), and where there are some "instances", uint16 (height, width); None
            where frames have no label maps.
    """

    name: str
    read: Callable[[], Iterator[np.ndarray]]
    class_index: int = -1
    split: str = ""
    length: int | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    files: tuple[Path, ...] = ()
    probe: Callable[[], VideoFacts] | None = None
    read_maps: Callable[[], Iterator[Mapping[str, np.ndarray]]] | None = None

    def facts(self) -> VideoFacts:
        """Return what is known without reading all, after a look into the file where that tells.

        Raises:
            UserError: If the file cannot be read.
        """
        if self.probe is not None:
            return self.probe()
        return VideoFacts(self.fps, self.length or 0, self.height or 0, self.width or 0)


@dataclass(frozen=True)
class Skipped:
    """Skipped: a file, a video or a part of one that is not used.

    Attributes:
        name: Path of the file or name of the video, inside the source.
        reason: Reason in a few words, without a full stop.
        damaged: Whether it is damaged, not merely of another kind.
        rest_kept: Whether it is a part of a video whose rest is used.
    """

    name: str
    reason: str
    damaged: bool = True
    rest_kept: bool = False

    def describe(self) -> str:
        """Return in a line what is not used, and why."""
        return f"skipped {'a part of ' if self.rest_kept else ''}{self.name}: {self.reason}"


@dataclass(frozen=True)
class Source:
    """Source: videos found in one place, in natural order.

    Attributes:
        layout: Name of the layout, a key of `LAYOUTS`; "built-in" or "clip store" without one.
        path: Path that the videos lie under; the name of a built-in set.
        videos: Videos that can be read.
        skipped: Files and videos that are not used.
        classes: Names of the class folders, in natural order.
        note: Remark on how the layout was understood, for `describe`.
        guesses: What may be understood otherwise, one sentence each, with the option for it.
        labels: Classes of the videos' label maps; None without label maps.
    """

    layout: str
    path: Path
    videos: list[Video]
    skipped: list[Skipped] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    note: str = ""
    guesses: list[str] = field(default_factory=list)
    labels: LabelSet | None = None

    @property
    def name(self) -> str:
        """Name of the data set: of its folder, or of its file without the suffix."""
        path = self.path.absolute()
        return path.name if path.is_dir() else path.stem

    def describe(self) -> str:
        """Return in one line what was found."""
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


def without_path(error: UserError, root: Path) -> str:
    """Return an error's sentence without the source's path, which is known already."""
    return str(error).replace(f"{root}/", "").rstrip(".")
