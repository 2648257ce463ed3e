"""The canvas: panes that show frames of one moment side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kvidgan_viewer.canvas.pane import Pane, PaneSpec, picture
from kvidgan_viewer.canvas.stage import Stage
from kvidgan_viewer.canvas.zoom import Zoom, columns
from kvidgan_viewer.colours import LIGHT, Colours


@dataclass(frozen=True)
class Shown:
    """What the canvas shows of a moment.

    Attributes:
        frames: By pane: uint8 (height, width, 1 or 3), not changed afterwards; or why there is
            none, in words.
        kind: "given", "predicted" or "": the colour of the borders.
        corner: A word on the moment, such as `t+3`.
    """

    frames: Mapping[str, np.ndarray | str]
    kind: str = ""
    corner: str = ""


class Canvas(QWidget):
    """Panes with one zoom for all: the wheel zooms, dragging moves, a double click fits.

    Signals:
        pointed(str): The pane, x, y and value under the mouse; "" where there is none.
        painted(): What was displayed last is on the screen now.
    """

    pointed = Signal(str)
    painted = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAccessibleName("Frames")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._zoom = Zoom()
        self._panes: dict[str, Pane] = {}
        self._alone: str | None = None
        self._arranged: tuple[tuple[str, ...], int] = ((), 0)
        self._shown = Shown({})
        self._smooth = self._fresh = False
        self._mouse: QPointF | None = None
        self._said = ""
        self._stage = Stage(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        self._stage.zoomed.connect(self._zoom_at)
        self._stage.dragged.connect(self._pan)
        self._stage.doubled.connect(self.fit)
        self._stage.hovered.connect(self._hover)
        self._stage.resized.connect(self._arrange)
        self._stage.painted.connect(self._tell_painted)
        self.set_colours(LIGHT)

    def set_panes(self, specs: Sequence[PaneSpec]) -> None:
        """Have these panes, in this order; they show what was displayed last."""
        if list(specs) == [pane.spec for pane in self._panes.values()]:
            return
        self._stage.clear()
        self._panes = {spec.name: Pane(spec, self._zoom) for spec in specs}
        self._arranged = ((), 0)
        if self._alone not in self._panes:
            self._alone = None
        for pane in self._panes.values():
            pane.set_colours(self._colours)
            pane.set_smooth(self._smooth)
        self.display(self._shown)
        self._arrange()

    def display(self, shown: Shown) -> None:
        """Show the frames of a moment; a pane that is not named says that it has none."""
        self._shown, self._fresh = shown, True
        sizes = [frame.shape for frame in shown.frames.values() if isinstance(frame, np.ndarray)]
        if sizes:
            height, width = max(sizes, key=lambda size: size[0] * size[1])[:2]
            if self._zoom.set_extent(width, height):
                self._arrange()
                self._place()
        for name, pane in self._panes.items():
            pane.set_frame(shown.frames.get(name, "No frame"), shown.kind, shown.corner)
        self._point()

    def alone(self, number: int) -> None:
        """Show one pane only, the first being 1; where there is none of that number, nothing."""
        if 1 <= number <= len(self._panes):
            self._alone = list(self._panes)[number - 1]
            self._arrange()

    def all(self) -> None:
        """Show all panes."""
        self._alone = None
        self._arrange()

    def visible_panes(self) -> tuple[str, ...]:
        """Return the names of the panes on the screen."""
        return tuple(self._panes) if self._alone is None else (self._alone,)

    @property
    def smooth(self) -> bool:
        """Whether enlarged frames are smooth rather than made of sharp squares."""
        return self._smooth

    @smooth.setter
    def smooth(self, smooth: bool) -> None:
        self._smooth = smooth
        for pane in self._panes.values():
            pane.set_smooth(smooth)

    def fit(self) -> None:
        """Show frames whole, as large as can be."""
        self._zoom.fit()
        self._place()

    def set_colours(self, colours: Colours) -> None:
        """Take other colours."""
        self._colours = colours
        self._stage.setBackground(colours.canvas)
        for pane in self._panes.values():
            pane.set_colours(colours)

    def grab_frame(self) -> QImage:
        """Return what is seen, in the screen's own pixels."""
        return self.grab().toImage()

    def pane_image(self, name: str) -> QImage | None:
        """Return a pane's whole frame in its own pixels; None where there is none."""
        pane = self._panes.get(name)
        return None if pane is None or pane.frame is None else picture(pane.frame)

    def frame_rect(self, name: str) -> QRectF:
        """Return where a pane's frame lies on the canvas, also as far as it is not seen."""
        return self._stage.viewportTransform().mapRect(self._panes[name].frame_rect())

    def _arrange(self) -> None:
        """Lay the panes out in the rows and columns that use the canvas best."""
        names = self.visible_panes()
        if not names:
            return
        width, height = self._zoom.extent
        title = self._panes[names[0]].title_height
        across = columns(len(names), self.width(), self.height(), width / height, title)
        if (names, across) != self._arranged:
            self._arranged = (names, across)
            self._stage.clear()
            for place, name in enumerate(names):
                self._stage.addItem(self._panes[name], place // across, place % across)

    def _place(self) -> None:
        for pane in self._panes.values():
            pane.place()
        self._point()

    def _pane_at(self, position: QPointF) -> Pane | None:
        seen = (self._panes[name] for name in self.visible_panes())
        return next((pane for pane in seen if pane.sceneBoundingRect().contains(position)), None)

    def _zoom_at(self, position: QPointF, factor: float) -> None:
        pane = self._pane_at(position)
        if pane is not None:
            self._zoom.zoom(factor, *pane.point_at(position))
            self._place()

    def _pan(self, position: QPointF, distance: QPointF) -> None:
        pane = self._pane_at(position) or next(iter(self._panes.values()), None)
        if pane is not None:
            scale = pane.scale_of()
            self._zoom.pan(distance.x() / scale, distance.y() / scale)
            self._place()

    def _hover(self, position: QPointF | None) -> None:
        self._mouse = position
        self._point()

    def _point(self) -> None:
        """Tell what is under the mouse, if it is not what was told last."""
        pane = None if self._mouse is None else self._pane_at(self._mouse)
        text = "" if pane is None or self._mouse is None else pane.readout(self._mouse)
        if text != self._said:
            self._said = text
            self.pointed.emit(text)

    def _tell_painted(self) -> None:
        if self._fresh:
            self._fresh = False
            self.painted.emit()
