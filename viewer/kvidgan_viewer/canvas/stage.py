"""Stage: the view that panes lie in, with its mouse."""

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

ZOOM_STEP = 1.25  # factor of the zoom for a notch of the wheel


class Stage(pg.GraphicsLayoutWidget):
    """Stage of the panes. It changes nothing by itself; positions are those of the scene.

    Signals:
        zoomed(QPointF, float): The point where the wheel was turned, and the factor to enlarge by.
        dragged(QPointF, QPointF): The point that the mouse was dragged from, and the distance.
        double_clicked(): The mouse was clicked twice.
        hovered(QPointF | None): The point under the mouse; None when it left.
        resized(): The view has another size.
        painted(): The view was painted.
    """

    zoomed = Signal(QPointF, float)
    dragged = Signal(QPointF, QPointF)
    double_clicked = Signal()
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
        self._drag_start: QPointF | None = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoomed.emit(self._scene_point(event), ZOOM_STEP**notches)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag_start = self._scene_point(event)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or only hover."""
        here = self._scene_point(event)
        if self._drag_start is not None:
            self.dragged.emit(self._drag_start, here - self._drag_start)
            self._drag_start = here
        self.hovered.emit(here)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag."""
        self._drag_start = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Emit `double_clicked`."""
        self.double_clicked.emit()

    def leaveEvent(self, event: object) -> None:
        """Emit that the mouse left."""
        self.hovered.emit(None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Emit `resized`."""
        super().resizeEvent(event)
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emit `painted`."""
        super().paintEvent(event)
        self.painted.emit()

    def _scene_point(self, event: QMouseEvent | QWheelEvent) -> QPointF:
        point: QPointF = self.viewportTransform().inverted()[0].map(event.position())
        return point
