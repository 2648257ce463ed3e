"""Pane of the canvas: a frame with title and border, or the reason why there is none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem

from kvidgan_viewer.canvas.zoom import Zoom
from kvidgan_viewer.colours import LIGHT, Colours

BORDER = 3.0
NARROWEST_TITLE = 150.0


@dataclass(frozen=True)
class PaneSpec:
    """Specification of a pane.

    Attributes:
        name: Name of the pane in the canvas's content.
        title: Title on the screen.
        borders: Kind of border, "context" or "predicted", by the content's kind; a kind that is
            not named has none.
    """

    name: str
    title: str
    borders: Mapping[str, str] = field(
        default_factory=lambda: {"context": "context", "predicted": "predicted"}
    )


def picture(frame: np.ndarray) -> QImage:
    """Return a frame, uint8 (height, width, 1 or 3), in the format that Qt draws fastest."""
    height, width, channels = frame.shape
    plain = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_Grayscale8
    rows = np.ascontiguousarray(frame)
    borrowed = QImage(rows.data, width, height, channels * width, plain)
    return borrowed.convertToFormat(QImage.Format.Format_RGB32)


class FrameItem(pg.ImageItem):
    """Item that draws a frame, as sharp squares where it is enlarged, or smoothly."""

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.smooth = False
        self._drawn_image: np.ndarray | None = None
        self._picture = QImage()

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw the frame; a reduced one is always smooth."""
        if self.image is None:
            return
        if self._drawn_image is not self.image:
            self._drawn_image, self._picture = self.image, picture(self.image)
        smaller = painter.deviceTransform().m11() < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth or smaller)
        painter.drawImage(self.boundingRect(), self._picture)


class Pane(pg.GraphicsWidget):
    """Pane: a frame below its title.

    Args:
        spec: Name, title and borders of the pane.
        zoom: The part of the frames that all panes show.
    """

    def __init__(self, spec: PaneSpec, zoom: Zoom):
        super().__init__()
        self.spec = spec
        self._zoom = zoom
        self._colours = LIGHT
        self._reason = self._kind = self._corner = ""
        self._stage = pg.GraphicsWidget(parent=self)
        self._stage.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape)
        self._item = FrameItem()
        self._item.setParentItem(self._stage)
        self._bold = QFont()
        self._bold.setBold(True)
        self.title_height = float(round(QFontMetricsF(self._bold).height() + 6))

    @property
    def frame(self) -> np.ndarray | None:
        """The frame that is shown, if any: uint8 (height, width, 1 or 3)."""
        frame: np.ndarray | None = self._item.image
        return frame

    def set_frame(self, frame: np.ndarray | str, kind: str, corner: str) -> None:
        """Show a frame, or the reason why there is none."""
        reason = frame if isinstance(frame, str) else ""
        if isinstance(frame, str):
            self._item.clear()
        else:
            moved = self.frame is None or self.frame.shape != frame.shape
            self._item.setImage(frame, autoLevels=False)
            if moved:
                self.place()
        kind = self.spec.borders.get(kind, "")
        if (reason, kind, corner) != (self._reason, self._kind, self._corner):
            self._reason, self._kind, self._corner = reason, kind, corner
            self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Choose between smooth and sharp squares."""
        self._item.smooth = smooth
        self._item.update()

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self._colours = colours
        self.update()

    def resizeEvent(self, event: object) -> None:
        """Place the frame in its new area."""
        inset = BORDER + 1
        area = self.rect().adjusted(inset, self.title_height + inset, -inset, -inset)
        self._stage.setGeometry(area)
        self.place()

    def place(self) -> None:
        """Place the frame according to the zoom."""
        self._item.setTransform(self._to_stage(self._size()))
        self.update()

    def frame_rect(self) -> QRectF:
        """Return the frame's rectangle in the scene, also outside of the pane."""
        rect: QRectF = self.mapRectToScene(self._frame_rect())
        return rect

    def point_at(self, position: QPointF) -> tuple[float, float]:
        """Return the point of the extent that lies at a position of the scene."""
        point = self._extent_to_stage().inverted()[0].map(self._stage.mapFromScene(position))
        return point.x(), point.y()

    def extent_scale(self) -> float:
        """Return the length of a unit of the extent, in the scene."""
        return self._extent_to_stage().m11()

    def readout(self, position: QPointF) -> str:
        """Return the title, x, y and value of the pixel at a position of the scene, or ""."""
        if self.frame is None or not self._stage.contains(self._stage.mapFromScene(position)):
            return ""
        point = self._item.mapFromScene(position)
        x, y = math.floor(point.x()), math.floor(point.y())
        height, width = self.frame.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            return ""
        value = ", ".join(str(number) for number in self.frame[y, x])
        return f"{self.spec.title}   x {x}, y {y}   {value}"

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw title and border, or the reason why there is no frame."""
        area = self._stage.geometry()
        visible = self._frame_rect().intersected(area)
        self._paint_title(painter, visible)
        if self._reason:
            painter.setFont(QFont())
            painter.setPen(QColor(self._colours.canvas_muted))
            wrapped = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(area.adjusted(8, 8, -8, -8), wrapped, self._reason)
        elif self._kind:
            colour = {"context": self._colours.context, "predicted": self._colours.predicted}
            pen = QPen(QColor(colour[self._kind]), BORDER)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            half = BORDER / 2
            painter.drawRect(visible.adjusted(-half, -half, half, half))

    def _paint_title(self, painter: QPainter, visible: QRectF) -> None:
        """Write the title to the left and the corner's text to the right, above the frame."""
        missing = max(0.0, min(NARROWEST_TITLE, self.rect().width()) - visible.width())
        left = min(
            max(visible.left() - missing / 2, 0.0), self.rect().width() - visible.width() - missing
        )
        top = max(0.0, visible.top() - BORDER - self.title_height)
        line = QRectF(left, top, visible.width() + missing, self.title_height)
        painter.setPen(QColor(self._colours.canvas_text))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(line, right, self._corner)
        taken = painter.fontMetrics().horizontalAdvance(self._corner) + 8
        painter.setFont(self._bold)
        title = painter.fontMetrics().elidedText(
            self.spec.title, Qt.TextElideMode.ElideRight, int(line.width() - taken)
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, title)

    def _size(self) -> tuple[float, float]:
        """Width and height of the frame, or of the extent where there is none."""
        if self.frame is None:
            return self._zoom.extent
        return float(self.frame.shape[1]), float(self.frame.shape[0])

    def _frame_rect(self) -> QRectF:
        size = self._size()
        drawn = self._to_stage(size).mapRect(QRectF(0, 0, *size))
        return drawn.translated(self._stage.pos())

    def _extent_to_stage(self) -> QTransform:
        area, (x, y) = self._stage.size(), self._zoom.centre
        scale = self._zoom.scale(area.width(), area.height())
        moved = QTransform.fromTranslate(area.width() / 2, area.height() / 2)
        return moved.scale(scale, scale).translate(-x, -y)

    def _to_stage(self, size: tuple[float, float]) -> QTransform:
        """Return the transform of a frame's pixels to the stage; it fills the extent if it can."""
        (width, height), (across, down) = size, self._zoom.extent
        scale = min(across / width, down / height)
        placed = self._extent_to_stage()
        placed.translate((across - width * scale) / 2, (down - height * scale) / 2)
        return placed.scale(scale, scale)
