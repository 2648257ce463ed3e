"""Composition of the pictures to write: panes side by side, enlarged, with their edges."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from kvidgan.media import (
    BACKGROUND,
    CONTEXT_COLOUR,
    PREDICTED_COLOUR,
    bordered,
    enlarge,
    grid,
)
from kvidgan.media.comparison import NO_COLOUR

Array = np.ndarray
Size = tuple[int, int]  # (height, width)
Border = Literal["context", "predicted"]
Format = Literal["gif", "mp4", "png"]
ReadPanes = Callable[[int], Mapping[str, Array | None]]

_EDGE = _GAP = 2  # pixels
_COLOURS = {"context": CONTEXT_COLOUR, "predicted": PREDICTED_COLOUR}


@dataclass(frozen=True)
class Exportable:
    """Film that can be exported.

    Attributes:
        panes: The (height, width) of each pane, in the order of the screen.
        num_frames: Number of frames.
        num_context: Number of context frames, which come first.
        fps: Frames per second.
        loop: Indices of the loop range's first and last frame, if one is set.
        name: Name for the file, without an ending.
    """

    panes: Mapping[str, Size]
    num_frames: int
    num_context: int = 0
    fps: float = 12.5
    loop: tuple[int, int] | None = None
    name: str = "video"

    def cell(self, names: Sequence[str]) -> Size:
        """Return the (height, width) that the largest of some panes need."""
        heights, widths = zip(*(self.panes[name] for name in names), strict=True)
        return max(heights), max(widths)


@dataclass(frozen=True)
class ExportSettings:
    """Settings of an export.

    Attributes:
        path: A file that ends in .gif or .mp4, or a folder for PNGs.
        format: The format of the file.
        panes: Names of the panes, from left to right.
        frame_range: Indices of the frames in the film.
        fps: Frames per second wanted.
        scale: Enlargement, a whole number.
        borders: Whether context frames get green and predicted frames red edges.
        repeat: Whether a GIF plays for ever, rather than once.
    """

    path: Path
    format: Format
    panes: tuple[str, ...]
    frame_range: range
    fps: float
    scale: int = 1
    borders: bool = True
    repeat: bool = True


def written_fps(format: Format, fps: float) -> float:
    """Return the rate that a format can hold: a GIF's delays are whole hundredths, 2 at least."""
    return 100.0 / max(2, round(100.0 / fps)) if format == "gif" else fps


def picture_size(source: Exportable, settings: ExportSettings) -> Size:
    """Return the (height, width) that is written: of MP4 even, as its colours need."""
    edge = 2 * _EDGE * settings.borders
    height, width = (side * settings.scale + edge for side in source.cell(settings.panes))
    width = len(settings.panes) * (width + _GAP) - _GAP
    if settings.format == "mp4":
        return height + height % 2, width + width % 2
    return height, width


def pictures(source: Exportable, settings: ExportSettings, read: ReadPanes) -> Iterator[Array]:
    """Yield a picture for each frame to export.

    Args:
        source: The film.
        settings: The settings of the export.
        read: Function that returns the panes of a frame by name; None or absent where it has none.
    """
    cell = source.cell(settings.panes)
    for index in settings.frame_range:
        border: Border | None = "context" if index < source.num_context else "predicted"
        if not settings.borders:
            border = None
        yield compose(read(index), settings.panes, settings.scale, border, cell)


def compose(
    panes: Mapping[str, Array | None],
    names: Sequence[str],
    scale: int = 1,
    border: Border | None = None,
    cell: Size | None = None,
) -> Array:
    """Lay panes side by side.

    Args:
        panes: Pictures by name, uint8 (height, width, 1 or 3). None or absent ones are left empty.
        names: Names of the panes to show, from left to right.
        scale: Enlargement, a whole number.
        border: Kind of edges: "context" for green ones around truth and prediction, "predicted" for
            a red one around the prediction, those of others like the background; None: no edges.
        cell: The (height, width) of each pane, by default of the largest. Smaller ones are enlarged
            by a whole number and stand in the middle.

    Returns:
        Picture, uint8 (height, width, 3).
    """
    chosen = [panes.get(name) for name in names]
    cell = cell or _largest(chosen)
    cells = [enlarge(_placed(pane, cell), scale) for pane in chosen]
    if border is not None:
        cells = [
            bordered(picture, _edge(name, border), _EDGE)
            for name, picture in zip(names, cells, strict=True)
        ]
    whole: Array = grid(np.stack(cells)[:, None], columns=len(cells), gap=_GAP)[0]
    return whole


def _edge(name: str, border: Border) -> tuple[int, ...]:
    if name.startswith(("prediction", "generated")):
        return _COLOURS[border]
    return CONTEXT_COLOUR if name.startswith("truth") and border == "context" else NO_COLOUR


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
    reduced: Array = pane[np.arange(rows) * height // rows]
    return reduced[:, np.arange(columns) * width // columns]
