"""Picture view: one picture to look at closely, with sharp pixels and a zoom."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView, QWidget

from kvidgan_viewer.widgets import named

_LARGEST = 64.0  # screen pixels a pixel of the picture


class PictureView(QGraphicsView):
    """View of a picture that fits, until it is zoomed by the wheel; a double-click fits again.

    The zoom stays while pictures of one size follow each other.
    """

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self._item = QGraphicsPixmapItem()
        self.scene().addItem(self._item)
        self._fits = True
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setHorizontalScrollBarPolicy(policy)
        self.setVerticalScrollBarPolicy(policy)
        named(self, "Picture", "The wheel zooms, dragging moves, a double-click shows all.")

    def show_picture(self, picture: QPixmap) -> None:
        """Show another picture."""
        other = picture.size() != self._item.pixmap().size()
        self._item.setPixmap(picture)
        if other:
            # Room around it: without, Qt centres what is small instead of zooming at the mouse.
            room = self._item.boundingRect()
            width, height = room.width(), room.height()
            self.scene().setSceneRect(room.adjusted(-width, -height, width, height))
            self.fit()

    def set_background(self, colour: str) -> None:
        """Set the colour around the picture."""
        self.setBackgroundBrush(QColor(colour))

    @property
    def zoom(self) -> float:
        """Screen pixels a pixel of the picture."""
        return self.transform().m11()

    def fit(self) -> None:
        """Show all of the picture."""
        self._fits = True
        self.fitInView(self._item, Qt.AspectRatioMode.KeepAspectRatio)
        self._sharpen()

    def zoom_by(self, factor: float, at: QPoint) -> None:
        """Zoom; the point at a place of the viewport stays there."""
        zoom, fitting = self.zoom * factor, self._fitting()
        if not fitting / 2 <= zoom <= max(_LARGEST, 8 * fitting):
            return
        self._fits = False
        before = self.mapToScene(at)
        self.scale(factor, factor)
        moved = self.mapToScene(at) - before
        self.translate(moved.x(), moved.y())
        self._sharpen()

    def _fitting(self) -> float:
        """Return the zoom at which all of the picture is seen."""
        size, room = self._item.boundingRect(), self.viewport().rect()
        if size.isEmpty():
            return 1.0
        return min(room.width() / size.width(), room.height() / size.height())

    def _sharpen(self) -> None:
        """Keep enlarged pixels sharp; average shrunk ones: leaving some out looks broken."""
        smooth = self.zoom * self.devicePixelRatioF() < 1
        mode = Qt.TransformationMode
        self._item.setTransformationMode(
            mode.SmoothTransformation if smooth else mode.FastTransformation
        )

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self.zoom_by(1.25 ** (event.angleDelta().y() / 120), event.position().toPoint())
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all."""
        self.fit()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again, unless it is zoomed."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()
