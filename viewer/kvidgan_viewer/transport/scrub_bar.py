"""Scrub bar: the frames that there are, and the one that is shown."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from kvidgan_viewer.colours import LIGHT, Colours

HEIGHT = 26
THICKNESS = 10.0  # pixels of the frames' bar
SEPARATED = 8.0  # pixels a frame from which frames are set apart


@dataclass(frozen=True)
class Track:
    """Track of a scrub bar: the frames of a film.

    Attributes:
        index: Index of the frame that is shown.
        num_frames: Number of frames that there are.
        num_expected: Number of frames that there will be, as far as they were requested.
        open_ended: Whether still more can be requested.
        num_context: Number of context frames, which come first; when 0 the others are not called
            predicted.
        marks: The marked start and end of the range, None where there is none.
    """

    index: int = 0
    num_frames: int = 0
    num_expected: int = 0
    open_ended: bool = False
    num_context: int = 0
    marks: tuple[int | None, int | None] = (None, None)

    def num_places(self) -> int:
        """Return the number of frames that the bar has room for: past an open end some more."""
        known = max(self.num_frames, self.num_expected)
        return max(1, known + (max(4, known // 10) if self.open_ended else 0))


class ScrubBar(QAbstractSlider):
    """Bar to seek in by clicking and dragging; it shows its track and moves nothing by itself.

    Signals:
        seek_requested(int): Index of a frame to go to; it may be one that does not exist yet.
    """

    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAccessibleName("Frames of the film")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._track = Track()
        self._colours = LIGHT
        # The places during a drag: frames must not move under the mouse.
        self._drag_places: int | None = None
        self.valueChanged.connect(self.seek_requested)  # by a screen reader

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return QSize(320, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the least useful size."""
        return QSize(80, HEIGHT)

    def set_track(self, track: Track) -> None:
        """Show a track."""
        if track == self._track:
            return
        self._track = track
        with QSignalBlocker(self):
            self.setRange(0, track.num_places() - 1)
            self.setValue(track.index)
        self.setAccessibleDescription(f"frame {track.index + 1} of {track.num_frames}")
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self._colours = colours
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Seek."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_places = self._num_places()
            self.seek_requested.emit(self._frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Seek while a button is held; show the number of the frame at the mouse."""
        frame = self._frame_at(event.position().x())
        if self._drag_places is not None:
            self.seek_requested.emit(frame)
        above = QPoint(int(event.position().x()), -2 * HEIGHT)
        QToolTip.showText(self.mapToGlobal(above), self._describe(frame), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the bar follow the film again."""
        self._drag_places = None
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the frame's number."""
        QToolTip.hideText()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by a frame."""
        step = -1 if event.angleDelta().y() > 0 else 1
        self.seek_requested.emit(min(max(self._track.index + step, 0), self._num_places() - 1))
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frames, the range and the cursor."""
        track, colours = self._track, self._colours
        existing = colours.predicted if track.num_context else colours.filled
        painter = QPainter(self)
        painter.fillRect(self._span(0, self._num_places(), 2.0), QColor(colours.track))
        for first, last, colour in (
            (0, max(track.num_expected, track.num_frames), colours.track),
            (0, track.num_frames, existing),
            (0, min(track.num_context, track.num_frames), colours.context),
        ):
            painter.fillRect(self._span(first, last, THICKNESS), QColor(colour))
        self._paint_separators(painter)
        self._paint_range(painter)
        if track.num_frames:
            middle = self._span(track.index, track.index + 1, THICKNESS).center().x()
            cursor = QRectF(middle - 1.5, 1, 3, self.height() - 2)
            painter.fillRect(cursor.adjusted(-1, 0, 1, 0), QColor(colours.window))
            painter.fillRect(cursor, QColor(colours.cursor))

    def _paint_separators(self, painter: QPainter) -> None:
        if self.width() / self._num_places() < SEPARATED:
            return
        for frame in range(1, max(self._track.num_frames, self._track.num_expected)):
            line = self._span(frame, frame, THICKNESS).adjusted(-0.5, 0, 0.5, 0)
            painter.fillRect(line, QColor(self._colours.window))

    def _paint_range(self, painter: QPainter) -> None:
        start, end = self._track.marks
        if start is None and end is None:
            return
        last = max(self._track.num_frames, 1) - 1
        span = self._span(start or 0, (last if end is None else end) + 1, THICKNESS + 8)
        for line in (
            QRectF(span.left(), span.top(), span.width(), 2),
            QRectF(span.left(), span.top(), 2, span.height()),
            QRectF(span.right() - 2, span.top(), 2, span.height()),
        ):
            painter.fillRect(line, QColor(self._colours.mark))

    def _num_places(self) -> int:
        return self._track.num_places() if self._drag_places is None else self._drag_places

    def _span(self, first: float, last: float, thickness: float) -> QRectF:
        """Return the rectangle from the beginning of one frame to that of another."""
        wide = self.width() / self._num_places()
        return QRectF(
            first * wide, (self.height() - thickness) / 2, (last - first) * wide, thickness
        )

    def _frame_at(self, x: float) -> int:
        num_places = self._num_places()
        return min(max(int(x / self.width() * num_places), 0), num_places - 1)

    def _describe(self, frame: int) -> str:
        if frame >= self._track.num_frames:
            return f"frame {frame + 1}, still to come"
        if not self._track.num_context:
            return f"frame {frame + 1}"
        return f"frame {frame + 1}, {'given' if frame < self._track.num_context else 'predicted'}"
