"""The scrub bar: which frames there are, and which one is shown."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from kvidgan_viewer.colours import LIGHT, Colours

HEIGHT = 26
THICKNESS = 10.0  # of the frames' bar
SEPARATED = 8.0  # width of a frame from which its neighbours are set apart


@dataclass(frozen=True)
class Track:
    """What a scrub bar shows.

    Attributes:
        index: The frame that is shown, from 0.
        length: Frames that there are.
        until: Frames that there will be, as far as they were asked for.
        open: Whether still more can be asked for.
        given: How many of the first were given; when 0 the others are not called predicted.
        marks: The marked start and end of the range, None where there is none.
    """

    index: int = 0
    length: int = 0
    until: int = 0
    open: bool = False
    given: int = 0
    marks: tuple[int | None, int | None] = (None, None)

    def places(self) -> int:
        """Return how many frames the bar has room for: past an open end there is some more."""
        known = max(self.length, self.until)
        return max(1, known + (max(4, known // 10) if self.open else 0))


class ScrubBar(QAbstractSlider):
    """A bar to seek in by clicking and dragging; it shows what it is told and moves nothing.

    Signals:
        sought(int): This frame is wished for; it may be one that does not exist yet.
    """

    sought = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAccessibleName("Frames of the film")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._track = Track()
        self._colours = LIGHT
        self._held: int | None = None  # places during a drag: frames must not move under the mouse
        self.valueChanged.connect(self.sought)  # by a screen reader

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return QSize(320, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the least useful size."""
        return QSize(80, HEIGHT)

    def set_track(self, track: Track) -> None:
        """Show this."""
        if track == self._track:
            return
        self._track = track
        with QSignalBlocker(self):
            self.setRange(0, track.places() - 1)
            self.setValue(track.index)
        self.setAccessibleDescription(f"frame {track.index + 1} of {track.length}")
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Take other colours."""
        self._colours = colours
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Seek."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = self._places()
            self.sought.emit(self._frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Seek while a button is held; say which frame is here."""
        frame = self._frame_at(event.position().x())
        if self._held is not None:
            self.sought.emit(frame)
        above = QPoint(int(event.position().x()), -2 * HEIGHT)
        QToolTip.showText(self.mapToGlobal(above), self._describe(frame), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the bar follow the film again."""
        self._held = None
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the frame's number away."""
        QToolTip.hideText()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by a frame."""
        step = -1 if event.angleDelta().y() > 0 else 1
        self.sought.emit(min(max(self._track.index + step, 0), self._places() - 1))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frames, the range and the cursor."""
        track, colours = self._track, self._colours
        made = colours.predicted if track.given else colours.filled
        painter = QPainter(self)
        painter.fillRect(self._span(0, self._places(), 2.0), QColor(colours.track))
        for first, last, colour in (
            (0, max(track.until, track.length), colours.track),
            (0, track.length, made),
            (0, min(track.given, track.length), colours.given),
        ):
            painter.fillRect(self._span(first, last, THICKNESS), QColor(colour))
        self._paint_separators(painter)
        self._paint_range(painter)
        if track.length:
            middle = self._span(track.index, track.index + 1, THICKNESS).center().x()
            cursor = QRectF(middle - 1.5, 1, 3, self.height() - 2)
            painter.fillRect(cursor.adjusted(-1, 0, 1, 0), QColor(colours.window))
            painter.fillRect(cursor, QColor(colours.cursor))

    def _paint_separators(self, painter: QPainter) -> None:
        if self.width() / self._places() < SEPARATED:
            return
        for frame in range(1, max(self._track.length, self._track.until)):
            line = self._span(frame, frame, THICKNESS).adjusted(-0.5, 0, 0.5, 0)
            painter.fillRect(line, QColor(self._colours.window))

    def _paint_range(self, painter: QPainter) -> None:
        start, end = self._track.marks
        if start is None and end is None:
            return
        last = max(self._track.length, 1) - 1
        span = self._span(start or 0, (last if end is None else end) + 1, THICKNESS + 8)
        for line in (
            QRectF(span.left(), span.top(), span.width(), 2),
            QRectF(span.left(), span.top(), 2, span.height()),
            QRectF(span.right() - 2, span.top(), 2, span.height()),
        ):
            painter.fillRect(line, QColor(self._colours.mark))

    def _places(self) -> int:
        return self._track.places() if self._held is None else self._held

    def _span(self, first: float, last: float, thickness: float) -> QRectF:
        """Return the rectangle from the beginning of one frame to that of another."""
        wide = self.width() / self._places()
        return QRectF(
            first * wide, (self.height() - thickness) / 2, (last - first) * wide, thickness
        )

    def _frame_at(self, x: float) -> int:
        places = self._places()
        return min(max(int(x / self.width() * places), 0), places - 1)

    def _describe(self, frame: int) -> str:
        if frame >= self._track.length:
            return f"frame {frame + 1}, still to come"
        if not self._track.given:
            return f"frame {frame + 1}"
        return f"frame {frame + 1}, {'given' if frame < self._track.given else 'predicted'}"
