"""The view that panes lie in, and what a mouse does to it."""

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

STEP = 1.25  # of the zoom, by a notch of the wheel


class Stage(pg.GraphicsLayoutWidget):
    """The view. It changes nothing by itself; positions are those of the scene.

    Signals:
        zoomed(QPointF, float): The wheel was turned here, to make all larger by this factor.
        dragged(QPointF, QPointF): The mouse was dragged from here, by this distance.
        doubled(): It was clicked twice.
        hovered(object): It is here; None when it left.
        resized(): The view has another size.
        painted(): The view was painted.
    """

    zoomed = Signal(QPointF, float)
    dragged = Signal(QPointF, QPointF)
    doubled = Signal()
    hovered = Signal(object)
    resized = Signal()
    painted = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.ci.setContentsMargins(4, 2, 4, 4)
        self.ci.setSpacing(6)
        # Keys and dropped files belong to those around; a click gives the focus to the canvas.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        self._from: QPointF | None = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoomed.emit(self._scene_point(event), STEP**notches)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._from = self._scene_point(event)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or only hover."""
        here = self._scene_point(event)
        if self._from is not None:
            self.dragged.emit(self._from, here - self._from)
            self._from = here
        self.hovered.emit(here)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End dragging."""
        self._from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to fit."""
        self.doubled.emit()

    def leaveEvent(self, event: object) -> None:
        """Tell that the mouse is elsewhere."""
        self.hovered.emit(None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Tell of another size."""
        super().resizeEvent(event)
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell that all was painted."""
        super().paintEvent(event)
        self.painted.emit()

    def _scene_point(self, event: QMouseEvent | QWheelEvent) -> QPointF:
        return self.viewportTransform().inverted()[0].map(event.position())
