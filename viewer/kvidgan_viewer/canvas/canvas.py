"""Canvas: panes side by side, with one zoom for all."""

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
class CanvasContent:
    """Content of the canvas.

    Attributes:
        frames: Frames by pane, uint8 (height, width, 1 or 3), not changed afterwards; or in words
            the reason why there is none.
        kind: "context", "predicted" or "": the colour of the borders.
        corner: A word on the time, such as `t+3`.
    """

    frames: Mapping[str, np.ndarray | str]
    kind: str = ""
    corner: str = ""


class Canvas(QWidget):
    """Canvas of panes: the wheel zooms, dragging moves, a double click fits.

    Signals:
        pointed(str): The pane, x, y and value under the mouse; "" where there is none.
        painted(): The content that was displayed last is on the screen now.
    """

    pointed = Signal(str)
    painted = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAccessibleName("Frames")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._zoom = Zoom()
        self._panes: dict[str, Pane] = {}
        self._single_pane: str | None = None
        self._arrangement: tuple[tuple[str, ...], int] = ((), 0)
        self._content = CanvasContent({})
        self._smooth = self._unpainted = False
        self._mouse: QPointF | None = None
        self._readout = ""
        self._stage = Stage(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        self._stage.zoomed.connect(self._zoom_at)
        self._stage.dragged.connect(self._pan)
        self._stage.double_clicked.connect(self.fit)
        self._stage.hovered.connect(self._hover)
        self._stage.resized.connect(self._arrange)
        self._stage.painted.connect(self._emit_painted)
        self.set_colours(LIGHT)

    def set_panes(self, specs: Sequence[PaneSpec]) -> None:
        """Set the panes, in order; they show the content that was displayed last."""
        if list(specs) == [pane.spec for pane in self._panes.values()]:
            return
        self._stage.clear()
        self._panes = {spec.name: Pane(spec, self._zoom) for spec in specs}
        self._arrangement = ((), 0)
        if self._single_pane not in self._panes:
            self._single_pane = None
        for pane in self._panes.values():
            pane.set_colours(self._colours)
            pane.set_smooth(self._smooth)
        self.display(self._content)
        self._arrange()

    def display(self, content: CanvasContent) -> None:
        """Show a content; a pane that is not named there says that it has no frame."""
        self._content, self._unpainted = content, True
        sizes = [frame.shape for frame in content.frames.values() if isinstance(frame, np.ndarray)]
        if sizes:
            height, width = max(sizes, key=lambda size: size[0] * size[1])[:2]
            if self._zoom.set_extent(width, height):
                self._arrange()
                self._place_frames()
        for name, pane in self._panes.items():
            pane.set_frame(content.frames.get(name, "No frame"), content.kind, content.corner)
        self._update_readout()

    def show_pane(self, number: int) -> None:
        """Show one pane only, the first being 1; a number without a pane changes nothing."""
        if 1 <= number <= len(self._panes):
            self._single_pane = list(self._panes)[number - 1]
            self._arrange()

    def show_all(self) -> None:
        """Show all panes."""
        self._single_pane = None
        self._arrange()

    def visible_panes(self) -> tuple[str, ...]:
        """Return the names of the panes on the screen."""
        return tuple(self._panes) if self._single_pane is None else (self._single_pane,)

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
        self._place_frames()

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self._colours = colours
        self._stage.setBackground(colours.canvas)
        for pane in self._panes.values():
            pane.set_colours(colours)

    def grab_frame(self) -> QImage:
        """Return the canvas as it is seen, in the screen's own pixels."""
        return self.grab().toImage()

    def pane_image(self, name: str) -> QImage | None:
        """Return a pane's whole frame in its own pixels; None where there is none."""
        pane = self._panes.get(name)
        return None if pane is None or pane.frame is None else picture(pane.frame)

    def frame_rect(self, name: str) -> QRectF:
        """Return the rectangle of a pane's frame on the canvas, also as far as it is not seen."""
        rect: QRectF = self._stage.viewportTransform().mapRect(self._panes[name].frame_rect())
        return rect

    def _arrange(self) -> None:
        """Lay the panes out in the rows and columns that use the canvas best."""
        names = self.visible_panes()
        if not names:
            return
        width, height = self._zoom.extent
        title = self._panes[names[0]].title_height
        across = columns(len(names), self.width(), self.height(), width / height, title)
        if (names, across) != self._arrangement:
            self._arrangement = (names, across)
            self._stage.clear()
            for place, name in enumerate(names):
                self._stage.addItem(self._panes[name], place // across, place % across)

    def _place_frames(self) -> None:
        for pane in self._panes.values():
            pane.place()
        self._update_readout()

    def _pane_at(self, position: QPointF) -> Pane | None:
        visible = (self._panes[name] for name in self.visible_panes())
        return next((pane for pane in visible if pane.sceneBoundingRect().contains(position)), None)

    def _zoom_at(self, position: QPointF, factor: float) -> None:
        pane = self._pane_at(position)
        if pane is not None:
            self._zoom.zoom(factor, *pane.point_at(position))
            self._place_frames()

    def _pan(self, position: QPointF, distance: QPointF) -> None:
        pane = self._pane_at(position) or next(iter(self._panes.values()), None)
        if pane is not None:
            scale = pane.extent_scale()
            self._zoom.pan(distance.x() / scale, distance.y() / scale)
            self._place_frames()

    def _hover(self, position: QPointF | None) -> None:
        self._mouse = position
        self._update_readout()

    def _update_readout(self) -> None:
        """Emit the readout under the mouse, if it is another one."""
        pane = None if self._mouse is None else self._pane_at(self._mouse)
        text = "" if pane is None or self._mouse is None else pane.readout(self._mouse)
        if text != self._readout:
            self._readout = text
            self.pointed.emit(text)

    def _emit_painted(self) -> None:
        if self._unpainted:
            self._unpainted = False
            self.painted.emit()
