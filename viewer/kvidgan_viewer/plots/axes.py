"""Axes of all plots: curves on a grid, a legend, and the place under the cursor."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsItem, QWidget

from kvidgan_viewer.colours import LIGHT, Colours

# A cursor that moves 25 times a second must not have all curves stroked anew.
_CACHE = QGraphicsItem.CacheMode.DeviceCoordinateCache
_DOTS = 64  # values up to which each gets a dot: one alone makes no line


@dataclass(frozen=True, eq=False)
class Curve:
    """Curve of a plot.

    Attributes:
        x: Places, float (n,).
        y: Values, float (n,); those that are NaN are left out.
        colour: Colour as "#rrggbb".
        label: Label in the legend; "" leaves it out of there.
        dashed: Whether the line is dashed instead of solid.
        faint: Whether the line is thin and pale, to lie behind others.
    """

    x: np.ndarray
    y: np.ndarray
    colour: str
    label: str = ""
    dashed: bool = False
    faint: bool = False


class _SeekBox(pg.ViewBox):
    """View box whose left button seeks instead of moving it."""

    seek_requested = Signal(float)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        self.seek_requested.emit(self.mapSceneToView(event.scenePos()).x())

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not event.double():
            event.accept()
            self.seek_requested.emit(self.mapSceneToView(event.scenePos()).x())


class Axes(pg.PlotWidget):
    """Axes of a plot. The wheel zooms, dragging moves or seeks, a double-click shows all again.

    Signals:
        pointed(float): The place under the mouse on the x axis; NaN when it left.
        seek_requested(float): The place clicked or dragged to, where the left button seeks.
    """

    pointed = Signal(float)
    seek_requested = Signal(float)

    def __init__(self, seeks: bool = False, parent: QWidget | None = None):
        box = _SeekBox() if seeks else pg.ViewBox()
        super().__init__(parent=parent, viewBox=box)
        self._items: list[Any] = []
        self._styles: list[tuple[str, str, bool, bool]] = []
        self._span: tuple[float, float] | None = None
        self.legend = self.addLegend(offset=(-8, 8), labelTextSize="9pt")
        self.setMenuEnabled(False)
        self.hideButtons()
        self.showGrid(x=True, y=True, alpha=0.15)
        self.plotItem.setClipToView(True)
        self.plotItem.setDownsampling(auto=True, mode="peak")
        if seeks:
            box.seek_requested.connect(self.seek_requested)
        self.scene().sigMouseMoved.connect(self._emit_pointed)
        self.set_colours(LIGHT)

    def set_colours(self, colours: Colours) -> None:
        """Set the colours of everything but the curves."""
        background, foreground = colours.base, colours.text
        self.setBackground(background)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setCacheMode(_CACHE)
            axis.setPen(QColor(foreground))
            axis.setTextPen(QColor(foreground))
        paper = QColor(background)
        paper.setAlpha(200)
        self.legend.setBrush(paper)
        self.legend.setLabelTextColor(foreground)
        for _, label in self.legend.items:
            label.setText(label.text)

    def draw(self, curves: Sequence[Curve]) -> None:
        """Show these curves, and no others; later ones lie above earlier ones."""
        styles = [(c.colour, c.label, c.dashed, c.faint) for c in curves]
        if styles != self._styles:  # anew, so that the legend keeps the order too
            self._styles = styles
            for item in self._items:
                self.removeItem(item)
            self._items = [self._line(curve) for curve in curves]
        for item, curve in zip(self._items, curves, strict=True):
            finite = np.isfinite(curve.x) & np.isfinite(curve.y)
            dots = _dotted(curve, int(np.count_nonzero(finite)))
            item.setData(curve.x[finite], curve.y[finite], symbol="o" if dots else None)

    def set_span(self, low: float, high: float) -> None:
        """Bound the x axis; all of it is shown, unless a part of the one before was."""
        whole = self._span is None or np.allclose(self.viewRange()[0], self._span)
        self._span = low, high
        self.setLimits(xMin=low, xMax=high, minXRange=1)
        if whole:
            self.setXRange(low, high, padding=0)

    def fit(self) -> None:
        """Show all."""
        self.enableAutoRange()
        if self._span is not None:
            self.setXRange(*self._span, padding=0)

    def _line(self, curve: Curve) -> Any:
        colour = QColor(curve.colour)
        if curve.faint:
            colour.setAlphaF(0.3)
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        item = self.plot(
            pen=pg.mkPen(colour, width=1 if curve.faint else 2, style=style),
            name=html.escape(curve.label) or None,
            antialias=True,
            symbolSize=4,
            symbolBrush=colour,
            symbolPen=None,
        )
        for part in (item.curve, item.scatter):
            part.setCacheMode(_CACHE)
        return item

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show all again."""
        super().mouseDoubleClickEvent(event)
        self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        """Emit that the mouse left."""
        super().leaveEvent(event)
        self.pointed.emit(float("nan"))

    def _emit_pointed(self, place: Any) -> None:
        if self.plotItem.vb.sceneBoundingRect().contains(place):
            self.pointed.emit(self.plotItem.vb.mapSceneToView(place).x())


def _dotted(curve: Curve, count: int) -> bool:
    return count == 1 or (count <= _DOTS and not curve.dashed and not curve.faint)
