"""The axes that all plots draw on: curves, a legend, colours, what is under the cursor."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsItem, QWidget

# Okabe and Ito's colours, told apart by colour-blind eyes too, without black and yellow.
CURVES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]

# A cursor that moves 25 times a second must not have all curves stroked anew.
_CACHE = QGraphicsItem.CacheMode.DeviceCoordinateCache
_DOTS = 64  # values up to which each gets a dot: one alone makes no line


@dataclass(frozen=True, eq=False)
class Curve:
    """One line.

    Attributes:
        x: Places, float (n,).
        y: Values, float (n,); those that are NaN are left out.
        colour: Such as "#0072b2".
        label: In the legend; "" leaves it out of there.
        dashed: Instead of solid.
        faint: Thin and pale, behind others.
    """

    x: np.ndarray
    y: np.ndarray
    colour: str
    label: str = ""
    dashed: bool = False
    faint: bool = False


class _SeekBox(pg.ViewBox):
    """A view whose left button seeks instead of moving it."""

    sought = Signal(float)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        self.sought.emit(self.mapSceneToView(event.scenePos()).x())

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not event.double():
            event.accept()
            self.sought.emit(self.mapSceneToView(event.scenePos()).x())


class Axes(pg.PlotWidget):
    """Curves on a grid. The wheel zooms, dragging moves or seeks, a double-click shows all again.

    Signals:
        pointed: The place under the mouse on the x axis; NaN when it left.
        sought: The place clicked or dragged to, where the left button seeks.
    """

    pointed = Signal(float)
    sought = Signal(float)

    def __init__(self, seeks: bool = False, parent: QWidget | None = None):
        box = _SeekBox() if seeks else pg.ViewBox()
        super().__init__(parent=parent, viewBox=box)
        self._items: list[Any] = []
        self._looks: list[tuple] = []
        self._span: tuple[float, float] | None = None
        self.legend = self.addLegend(offset=(-8, 8), labelTextSize="9pt")
        self.setMenuEnabled(False)
        self.hideButtons()
        self.showGrid(x=True, y=True, alpha=0.15)
        self.plotItem.setClipToView(True)
        self.plotItem.setDownsampling(auto=True, mode="peak")
        if seeks:
            box.sought.connect(self.sought)
        self.scene().sigMouseMoved.connect(self._tell)
        colours = self.palette()
        self.set_colours(colours.base().color().name(), colours.text().color().name())

    def set_colours(self, background: str, foreground: str) -> None:
        """Set the colours of everything but the curves."""
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
        looks = [(c.colour, c.label, c.dashed, c.faint) for c in curves]
        if looks != self._looks:  # anew, so that the legend keeps the order too
            self._looks = looks
            for item in self._items:
                self.removeItem(item)
            self._items = [self._line(curve) for curve in curves]
        for item, curve in zip(self._items, curves, strict=True):
            there = np.isfinite(curve.x) & np.isfinite(curve.y)
            dots = _dotted(curve, int(np.count_nonzero(there)))
            item.setData(curve.x[there], curve.y[there], symbol="o" if dots else None)

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
        """Tell that the mouse left."""
        super().leaveEvent(event)
        self.pointed.emit(float("nan"))

    def _tell(self, place: Any) -> None:
        if self.plotItem.vb.sceneBoundingRect().contains(place):
            self.pointed.emit(self.plotItem.vb.mapSceneToView(place).x())


def _dotted(curve: Curve, count: int) -> bool:
    return count == 1 or (count <= _DOTS and not curve.dashed and not curve.faint)
