"""Pictures of a rollout as it goes: frames, alone or beside the truth, and extra outputs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np

from kvidgan.media import enlarge
from kvidgan.playback.source import Given
from kvidgan.rollout import Rollout, Step
from kvidgan.rollout.comparison import compared
from kvidgan.rollout.extra_outputs import extra_picture
from kvidgan.rollout.label_maps import conditions, split

Moment = list[np.ndarray | None]


class Playing:
    """A rollout of what was given, as pictures.

    Attributes:
        made: How many frames were made so far.
    """

    def __init__(self, rollout: Rollout, given: Given, frames: int | None, scale: int):
        self.rollout, self.given, self.scale = rollout, given, scale
        self.made, self._frames = 0, frames

    def moments(self, extras: Sequence[str], compare: bool) -> Iterator[Moment]:
        """Yield a picture of each frame and one of each extra output, None where it has none.

        Args:
            extras: Names of extra outputs.
            compare: Show label maps, truth and difference beside the frame, where there are such,
                and the given frames first.
        """
        labels, given = self.given.labels, self.given
        shown = None
        if compare and labels is not None:
            labels, shown = split(labels, 2)
            shown = map(classes, shown)
        steps, again = split(self._steps(labels), 2)
        frames = (step.frames[0] for step in steps)
        if compare:
            pictures = compared(given.frames, given.truth, frames, self.scale, shown)
            before = len(given.frames)
        else:
            pictures, before = (enlarge(frame, self.scale) for frame in frames), 0
        for picture, step in zip(pictures, chain(repeat(None, before), again), strict=False):
            yield [picture, *(self._extra(name, step) for name in extras)]

    def _steps(self, labels: Iterable[np.ndarray] | None) -> Iterator[Step]:
        start = self.given.start
        if labels is not None:
            start = start | {"conditions": conditions(self.rollout.description, labels)}
        steps = chain(self.given.drawn, self.rollout.start(**start))
        for step in islice(steps, self._frames):
            self.made += 1
            yield step

    def _extra(self, name: str, step: Step | None) -> np.ndarray | None:
        if step is None or name not in step.extras:
            return None
        values = step.extras[name][0]
        return enlarge(extra_picture(self.rollout.description, name, values), self.scale)


def classes(labels: np.ndarray) -> np.ndarray:
    """Return the class numbers (height, width) of what `Given.labels` yields."""
    return labels[..., 0] if labels.ndim == 3 else labels


def beside(path: Path, name: str) -> Path:
    """Return where an extra output is written: `out-mask.mp4` beside `out.mp4`."""
    return path.with_name(f"{path.stem}-{name}{path.suffix}")
