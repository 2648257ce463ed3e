"""Pictures of a film's moments to write: panes side by side, enlarged, with their edges."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from kvidgan.media import BACKGROUND, bordered, enlarge, grid
from kvidgan.media import CONTEXT_COLOUR as GIVEN
from kvidgan.media import PREDICTED_COLOUR as PREDICTED
from kvidgan.media.comparison import NO_COLOUR as NEITHER

Array = np.ndarray
Size = tuple[int, int]  # (height, width)
Border = Literal["given", "predicted"]
Form = Literal["gif", "mp4", "png"]
Read = Callable[[int], Mapping[str, Array | None]]

_EDGE = _GAP = 2  # pixels
_COLOURS = {"given": GIVEN, "predicted": PREDICTED}


@dataclass(frozen=True)
class Exportable:
    """What a film offers.

    Attributes:
        panes: The (height, width) of each pane, in the order of the screen.
        frames: How many there are.
        given: How many of them, the first ones, were given.
        fps: Frames per second.
        loop: The loop range's first and last frame, if one is set.
        name: For the file, without an ending.
    """

    panes: Mapping[str, Size]
    frames: int
    given: int = 0
    fps: float = 12.5
    loop: tuple[int, int] | None = None
    name: str = "video"

    def cell(self, names: Sequence[str]) -> Size:
        """Return the (height, width) that the largest of some panes need."""
        heights, widths = zip(*(self.panes[name] for name in names), strict=True)
        return max(heights), max(widths)


@dataclass(frozen=True)
class Plan:
    """What is to be written.

    Attributes:
        path: A file that ends in .gif or .mp4, or a folder for PNGs.
        form: The format.
        panes: The names of those shown, from left to right.
        frames: Their numbers in the film.
        fps: Frames per second wanted.
        scale: Enlargement, a whole number.
        borders: Whether given frames get green and predicted ones red edges.
        repeat: Whether a GIF plays for ever; else once.
    """

    path: Path
    form: Form
    panes: tuple[str, ...]
    frames: range
    fps: float
    scale: int = 1
    borders: bool = True
    repeat: bool = True


def written_fps(form: Form, fps: float) -> float:
    """Return the rate that a format can hold: a GIF's delays are whole hundredths, 2 at least."""
    return 100.0 / max(2, round(100.0 / fps)) if form == "gif" else fps


def picture_size(source: Exportable, plan: Plan) -> Size:
    """Return the (height, width) that is written: of MP4 even, as its colours need."""
    edge = 2 * _EDGE * plan.borders
    height, width = (side * plan.scale + edge for side in source.cell(plan.panes))
    width = len(plan.panes) * (width + _GAP) - _GAP
    return (height + height % 2, width + width % 2) if plan.form == "mp4" else (height, width)


def pictures(source: Exportable, plan: Plan, read: Read) -> Iterator[Array]:
    """Yield a picture for each frame of a plan.

    Args:
        source: Of the film.
        plan: What is to be shown of it.
        read: Returns the panes of one moment by name; None or absent where it has none.
    """
    cell = source.cell(plan.panes)
    for index in plan.frames:
        border: Border = "given" if index < source.given else "predicted"
        yield compose(read(index), plan.panes, plan.scale, border if plan.borders else None, cell)


def compose(
    panes: Mapping[str, Array | None],
    names: Sequence[str],
    scale: int = 1,
    border: Border | None = None,
    cell: Size | None = None,
) -> Array:
    """Lay panes side by side.

    Args:
        panes: uint8 (height, width, 1 or 3) by name. None or absent ones are left empty.
        names: Of those to show, from left to right.
        scale: Enlargement, a whole number.
        border: Draw edges: of truth and prediction green where the frame was given, of the
            prediction red where it was made, of others as the background. None: no edges.
        cell: The (height, width) of each pane, by default of the largest. Smaller ones are enlarged
            by a whole number and stand in the middle.

    Returns:
        uint8 (height, width, 3).
    """
    shown = [panes.get(name) for name in names]
    cell = cell or _largest(shown)
    cells = [enlarge(_placed(pane, cell), scale) for pane in shown]
    if border is not None:
        cells = [
            bordered(one, _edge(name, border), _EDGE)
            for name, one in zip(names, cells, strict=True)
        ]
    return grid(np.stack(cells)[:, None], columns=len(cells), gap=_GAP)[0]


def _edge(name: str, border: Border) -> tuple[int, ...]:
    if name.startswith(("prediction", "generated")):
        return _COLOURS[border]
    return GIVEN if name.startswith("truth") and border == "given" else NEITHER


def _largest(panes: Sequence[Array | None]) -> Size:
    sizes = [pane.shape[:2] for pane in panes if pane is not None]
    if not sizes:
        raise ValueError("expected a pane with a picture, or the size of the cells")
    return max(height for height, _ in sizes), max(width for _, width in sizes)


def _placed(pane: Array | None, cell: Size) -> Array:
    """Put a pane in the middle of a cell, as large as whole pixels allow."""
    placed = np.full((*cell, 3), BACKGROUND, np.uint8)
    if pane is not None:
        fitted = _fitted(pane, cell)
        height, width = fitted.shape[:2]
        top, left = (cell[0] - height) // 2, (cell[1] - width) // 2
        placed[top : top + height, left : left + width] = fitted
    return placed


def _fitted(pane: Array, cell: Size) -> Array:
    height, width = pane.shape[:2]
    times = min(cell[0] // height, cell[1] // width)
    if times >= 1:
        return enlarge(pane, times)
    share = min(cell[0] / height, cell[1] / width)  # too large: leave out rows and columns
    rows, columns = (max(1, int(side * share)) for side in (height, width))
    return pane[np.arange(rows) * height // rows][:, np.arange(columns) * width // columns]
