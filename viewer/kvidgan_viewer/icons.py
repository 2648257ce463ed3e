"""Icons of the transport bar's buttons, drawn in any colour."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF

SIDE = 64  # pixels

# Bars (left, top, width, height) and triangles (three corners) in a square of 16.
SHAPES: dict[str, tuple[tuple[float, ...], ...]] = {
    "play": ((4, 2, 4, 14, 14, 8),),
    "play back": ((12, 2, 12, 14, 2, 8),),
    "pause": ((3, 2, 4, 12), (9, 2, 4, 12)),
    "step back": ((11, 3, 11, 13, 4, 8), (2, 3, 2, 10)),
    "step forward": ((5, 3, 5, 13, 12, 8), (12, 3, 2, 10)),
}


def icon(name: str, colour: str) -> QIcon:
    """Return one of `SHAPES` in a colour."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(SIDE / 16, SIDE / 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    for shape in SHAPES[name]:
        if len(shape) == 4:
            painter.drawRect(QRectF(*shape))
        else:
            corners = zip(shape[::2], shape[1::2], strict=True)
            painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.end()
    return QIcon(pixmap)
