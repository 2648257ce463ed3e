"""Score plot: how good each frame of a film is, beside a copy of the last context frame."""

import html
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from kvidgan.evaluation.metrics import MEANINGS
from kvidgan_viewer.colours import LIGHT, Colours
from kvidgan_viewer.plots.axes import Axes, Curve
from kvidgan_viewer.widgets import named

# By model and metric: the scores of predictions, and those of the baseline, a value for each frame
# of the film; NaN where there is none.
ScoreCurves = dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]
# The same of one metric: model, scores of predictions, scores of the baseline, colour.
_Series = tuple[str, np.ndarray, np.ndarray, str]

NO_TRUTH = "No scores: there is no truth for these frames."

_TITLES = {
    "psnr": ("PSNR", "dB"),
    "ssim": ("SSIM", ""),
    "sharpness": ("sharpness", "dB, peak 255"),
}
_INTERVAL = 150  # milliseconds between two drawings of scores that grow
_SHADE = 40  # opacity, of 255, of the colour behind context frames


class ScorePlot(QWidget):
    """Plot of a metric over the frames of one or several rollouts, with the playhead's cursor.

    Signals:
        seek_requested(int): Index of the frame that was clicked or dragged to.
    """

    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._scores: ScoreCurves = {}
        self._num_context, self._index, self._colours = 0, 0, LIGHT
        self._shape: tuple[object, ...] = ()
        self._redraw_due = False  # whether there are scores that are not drawn yet
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self._redraw)
        self._compose()
        self._decorate()
        self.set_colours(LIGHT)
        self.set_scores({}, 0)

    def _compose(self) -> None:
        self.choice = named(QComboBox(), "Metric")
        self.count = named(QLabel(), "Frames scored")
        self.readout = named(QLabel(), "Scores of the frame shown")
        self.readout.setTextFormat(Qt.TextFormat.PlainText)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.axes = named(Axes(seeks=True), "Scores over the frames")
        self.note = QLabel()
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setWordWrap(True)
        bar = QHBoxLayout()
        bar.addWidget(self.choice)
        bar.addWidget(self.count)
        bar.addWidget(self.readout, 1)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.note)
        self._pages.addWidget(self.axes)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        whole.addLayout(bar)
        whole.addLayout(self._pages, 1)
        self.choice.currentIndexChanged.connect(self._draw)
        self.axes.seek_requested.connect(self._seek)

    def _decorate(self) -> None:
        self._cursor = pg.InfiniteLine(angle=90)
        self._shade = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
        self._shade.setZValue(-10)
        self._cursor.setZValue(1000)
        self.axes.addItem(self._shade, ignoreBounds=True)
        self.axes.addItem(self._cursor, ignoreBounds=True)
        self.axes.setLabel("bottom", "frame")
        self.axes.setMouseEnabled(y=False)

    def set_scores(self, scores: ScoreCurves, num_context: int, reason: str = NO_TRUTH) -> None:
        """Show scores; call again as more frames are made, which are drawn a few times a second.

        Args:
            scores: Scores of each model.
            num_context: Number of context frames, which come first.
            reason: A sentence that is shown where there is nothing to draw.
        """
        self._scores = {
            model: {
                metric: (_floats(predicted), _floats(copied))
                for metric, (predicted, copied) in metrics.items()
            }
            for model, metrics in scores.items()
        }
        self._num_context = num_context
        self.note.setText(reason)
        self._fill_choice()
        metrics = {model: list(curves) for model, curves in self._scores.items()}
        shape = metrics, num_context, [model for model, *_ in self._series()]
        if shape != self._shape or not self._timer.isActive():
            self._shape = shape
            self._draw()
            self._timer.start()
        else:
            self._redraw_due = True

    def set_cursor(self, index: int) -> None:
        """Show the index of the playhead."""
        self._index = index
        self._cursor.setValue(index)
        self._read_out()

    def set_colours(self, colours: Colours) -> None:
        """Set other colours; the models get those of curves in turn."""
        self._colours = colours
        self.axes.set_colours(colours)
        self._cursor.setPen(pg.mkPen(colours.text, width=1))
        shade = QColor(colours.context)
        shade.setAlpha(_SHADE)
        self._shade.setBrush(shade)
        self._draw()

    @property
    def shown_metric(self) -> str:
        """Name of the metric that is shown; "" if there is none."""
        return self.choice.currentData() or ""

    def _fill_choice(self) -> None:
        """Offer the metrics that are there; keep the one chosen, if it is among them."""
        metrics = list(dict.fromkeys(name for curves in self._scores.values() for name in curves))
        if metrics == [self.choice.itemData(place) for place in range(self.choice.count())]:
            return
        before = self.shown_metric
        self.choice.blockSignals(True)
        self.choice.clear()
        for place, metric in enumerate(metrics):
            self.choice.addItem(_TITLES.get(metric, (metric, ""))[0], metric)
            self.choice.setItemData(place, MEANINGS.get(metric, ""), Qt.ItemDataRole.ToolTipRole)
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)))
        self.choice.blockSignals(False)

    def _redraw(self) -> None:
        if self._redraw_due:
            self._draw()
            self._timer.start()

    def _series(self) -> Iterator[_Series]:
        """Yield the series of the metric that is shown, of each model that has such scores."""
        colours = cycle(self._colours.curves)
        for (model, curves), colour in zip(self._scores.items(), colours, strict=False):
            predicted, copied = curves.get(self.shown_metric, (np.empty(0), np.empty(0)))
            if np.isfinite(predicted).any():
                yield model, predicted, copied, colour

    def _draw(self) -> None:
        self._redraw_due = False
        series = list(self._series())
        self._pages.setCurrentIndex(1 if series else 0)
        self.choice.setVisible(self.choice.count() > 0)
        self.choice.setToolTip(MEANINGS.get(self.shown_metric, ""))
        counts = dict.fromkeys(int(np.isfinite(predicted).sum()) for _, predicted, _, _ in series)
        text = " and ".join(map(str, counts))
        self.count.setText(f"n = {text} frame{'' if text == '1' else 's'}" if series else "")
        self._shade.setVisible(self._num_context > 0)
        self._shade.setRegion((-0.5, self._num_context - 0.5))
        if series:
            title, unit = _TITLES.get(self.shown_metric, (self.shown_metric, ""))
            self.axes.setLabel("left", f"{title} ({unit})" if unit else title)
            last = max(len(predicted) for _, predicted, _, _ in series) - 1
            self.axes.set_span(-0.5, last + 0.5)
        self.axes.draw([*self._baselines(series), *(_curve(*one) for one in series)])
        self._read_out()

    def _baselines(self, series: list[_Series]) -> list[Curve]:
        """Return the dashed lines: one where all models are measured against the same."""
        baselines = [copied for _, _, copied, _ in series]
        if all(np.array_equal(baselines[0], other, equal_nan=True) for other in baselines[1:]):
            series = [("", one[1], one[2], self._colours.text) for one in series[:1]]
        return [
            Curve(
                np.arange(len(copied), dtype=float),
                copied,
                colour,
                f"copy last, {model}" if model else "copy last",
                dashed=True,
            )
            for model, _, copied, colour in series
            if np.isfinite(copied).any()
        ]

    def _read_out(self) -> None:
        parts = []
        for model, predicted, copied, _ in self._series():
            if self._index < len(predicted) and np.isfinite(predicted[self._index]):
                other = copied[self._index] if len(copied) > self._index else np.nan
                beside = f" (copy last {other:.4g})" if np.isfinite(other) else ""
                parts.append(f"{model} {predicted[self._index]:.4g}{beside}")
        unit = _TITLES.get(self.shown_metric, ("", ""))[1]
        time = f"t+{self._index - self._num_context + 1}"
        text = f"{time}: {', '.join(parts)} {unit}" if parts else ""
        self.readout.setText(text.strip())
        self.readout.setToolTip(f"<qt>{html.escape(text.strip())}</qt>")

    def _seek(self, place: float) -> None:
        last = max((len(predicted) for _, predicted, _, _ in self._series()), default=1) - 1
        self.seek_requested.emit(min(max(round(place), 0), last))


def _floats(values: Sequence[float] | np.ndarray) -> np.ndarray:
    floats = np.asarray(values, np.float64)
    return np.where(np.isfinite(floats), floats, np.nan)


def _curve(model: str, predicted: np.ndarray, copied: np.ndarray, colour: str) -> Curve:
    return Curve(np.arange(len(predicted), dtype=float), predicted, colour, model)
