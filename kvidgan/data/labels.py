"""Label maps: their classes, and two kinds that are found in the frames themselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice
from typing import Any, Literal

import numpy as np

from kvidgan.contract import Encoding, LabelKind
from kvidgan.data.text import counted
from kvidgan.media import fit_frames

FoundLabels = Literal["edges", "foreground"]

_SHOWN = 12  # names that are told


@dataclass(frozen=True)
class LabelSet:
    """LabelSet: the classes of label maps, and what values in files stand for them.

    Attributes:
        kind: "ids" if the maps came with the frames, "edges" or "foreground" if they were found.
        names: Names of the classes; a map's values are places in it, or NO_CLASS.
        values: Names of the classes by what stands for them in files, numbers such as "200" or
            colours such as "#804080", None for no class; None where numbers are places in `names`.
    """

    kind: LabelKind
    names: tuple[str, ...]
    values: dict[str, str | None] | None = None

    @classmethod
    def known_to(cls, encoding: Encoding) -> "LabelSet":
        """Return the classes that a model follows."""
        names = encoding.names or map(str, range(encoding.one_hot))
        return cls(encoding.found, tuple(names), encoding.values)

    @classmethod
    def stored(cls, facts: Mapping[str, Any]) -> "LabelSet":
        """Return the classes that `facts` were written of."""
        return cls(facts["kind"], tuple(facts["names"]), facts.get("values"))

    def facts(self) -> dict[str, Any]:
        """Return what is to be written, without what is not there."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __len__(self) -> int:
        return len(self.names)

    @property
    def meanings(self) -> dict[str, str | None]:
        """Names of the classes by what stands for them in files."""
        return self.values or {str(number): name for number, name in enumerate(self.names)}

    @property
    def by_colour(self) -> bool:
        """Whether colours stand for classes, not numbers."""
        return any(value.startswith("#") for value in self.meanings)

    def describe(self) -> str:
        """Return in a few words what the labels are."""
        numbered = self.names == tuple(map(str, range(len(self))))
        shown = [*self.names[:_SHOWN], *(["..."] if len(self) > _SHOWN else [])]
        names = "" if numbered else f" ({', '.join(shown)})"
        none = ", and pixels of none" if None in self.meanings.values() else ""
        return f"{self.kind} of {counted(len(self), 'class', 'es')}{names}{none}"


def find_labels(kind: FoundLabels, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Find label maps in frames, one after another.

    Args:
        kind: Kind of labels to find, "edges" or "foreground".
        frames: Frames of one size, uint8 (height, width, 1 or 3) each.

    Returns:
        An iterator of label maps, uint8 (height, width), of the classes of `found_label_set(kind)`.
    """
    return _FINDERS[kind](frames)


def found_label_set(kind: FoundLabels) -> LabelSet:
    """Return the classes that `find_labels` finds."""
    return LabelSet(kind, ("background", _NAMES[kind]))


# --- edges

BLUR = 1.2  # standard deviation in pixels; with less, edges are noise
SHARE = 0.88  # share of the pixels that have less gradient than an edge begins with
FAINTEST = 24.0  # least gradient of an edge; on plain ground the rest is noise


def edges(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Find the edges of each frame (Canny 1986): 1 on them, 0 elsewhere.

    The threshold is a quantile of the frame's own gradients, so dark, pale and busy clips all show
    about as many edges.
    """
    import cv2  # takes half a second

    for frame in frames:
        grey = cv2.GaussianBlur(_grey(frame), (0, 0), BLUR)
        x, y = (cv2.Sobel(grey, cv2.CV_16S, *axis) for axis in ((1, 0), (0, 1)))
        size = np.hypot(x, y, dtype=np.float32)
        high = max(FAINTEST, float(np.quantile(size, SHARE)))
        found = cv2.Canny(x, y, 0.4 * high, high, L2gradient=True)
        yield (found > 0).astype(np.uint8)


# --- foreground

WARM_UP = 48  # frames that the background is learned from before the first map
MEMORY = 250  # frames that the background remembers
STEADY = 0.7  # share of the time in which the colours of a background are seen, together
DISTANCE = 25.0  # squared distance, in standard deviations, at which foreground begins


def foreground(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Find what moves before a still background (Zivkovic 2004, OpenCV's MOG2): 1, elsewhere 0.

    For clips of a camera that stands still. The background is learned on the way, so the first
    frames are looked at twice: backwards, then forwards.
    """
    import cv2

    frames = iter(frames)
    first = list(islice(frames, WARM_UP))
    method = cv2.createBackgroundSubtractorMOG2(MEMORY, DISTANCE, detectShadows=False)
    method.setBackgroundRatio(STEADY)
    for frame in reversed(first):
        method.apply(_as_bright(frame, method.getBackgroundImage()))
    for frame in chain(first, frames):
        yield _clean(method.apply(_as_bright(frame, method.getBackgroundImage())))


def _as_bright(frame: np.ndarray, background: np.ndarray | None) -> np.ndarray:
    """Take back what a camera's exposure changed everywhere: the median change of a channel."""
    if background is None:
        return frame
    change = frame.astype(np.int16) - background.reshape(frame.shape)
    shift = np.median(change[::2, ::2], axis=(0, 1))
    levelled: np.ndarray = np.clip(frame - shift, 0, 255)
    return levelled.astype(np.uint8)


def _clean(mask: np.ndarray) -> np.ndarray:
    """Remove specks and fill small holes, of a size that goes with the frame's."""
    import cv2

    side = 5 + 2 * (min(mask.shape) // 240)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    mask = cv2.morphologyEx(cv2.medianBlur(mask, 5), cv2.MORPH_CLOSE, brush)
    return (mask > 0).astype(np.uint8)


def _grey(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    return np.ascontiguousarray(fit_frames(frame[None], height, width, 1)[0, ..., 0])


_FINDERS: dict[FoundLabels, Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]]] = {
    "edges": edges,
    "foreground": foreground,
}
_NAMES: dict[FoundLabels, str] = {"edges": "edge", "foreground": "foreground"}
