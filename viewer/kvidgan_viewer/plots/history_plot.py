"""History plot: losses and metrics of training runs, followed while they train."""

import html
import math
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from kvidgan.errors import UserError
from kvidgan.runs import Run
from kvidgan_viewer.colours import LIGHT, Colours
from kvidgan_viewer.plots.axes import Axes, Curve
from kvidgan_viewer.plots.history_file import AXES, HistoryFile, nearest, smooth, time_unit
from kvidgan_viewer.plots.key_list import KeyList
from kvidgan_viewer.widgets import named

NO_RUN = "No run is open: open a run's folder to see its losses."

_FIRST = ("generator", "discriminator", "image_discriminator", "video_discriminator", "critic")


class HistoryPlot(QWidget):
    """Plot of keys of the `history.jsonl` of one or several runs, read on while it is visible."""

    def __init__(self, parent: QWidget | None = None, interval: int = 1000):
        """Show no run yet.

        Args:
            parent: The parent of the widget.
            interval: Milliseconds between two looks at the files.
        """
        super().__init__(parent)
        self._files: dict[str, HistoryFile] = {}
        self._meanings = {"steps_per_second": "Training steps a second. Higher is better."}
        self._colours, self._has_default = LIGHT, False
        self._curves: list[Curve] = []
        self._notes: dict[str, str] = {}
        self._stale = False  # whether more was read than is drawn
        self._timer = QTimer(self)
        self._timer.setInterval(interval)
        self._timer.timeout.connect(self.refresh)
        self._compose()
        self.set_runs([])

    def _compose(self) -> None:
        self.keys, self.axes = KeyList(), named(Axes(), "Curves of training")
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.setVisible(False)
        self.axes.addItem(self._cursor, ignoreBounds=True)
        self.readout, self.note = named(QLabel(), "Values under the cursor"), QLabel()
        self.readout.setTextFormat(Qt.TextFormat.RichText)
        self.readout.setMinimumHeight(2 * self.fontMetrics().height())
        for label in (self.readout, self.note):
            label.setWordWrap(True)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.note, self.axes, self.readout):
            column.addWidget(widget, 1 if widget is self.axes else 0)
        split = QSplitter()
        split.addWidget(self.keys)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([180, 500])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        whole.addLayout(self._bar())
        whole.addWidget(split, 1)
        self.keys.changed.connect(self._draw)
        self.axes.pointed.connect(self._read_out)

    def _bar(self) -> QHBoxLayout:
        self.axis = named(QComboBox(), "Horizontal axis", "What the curves are drawn over.")
        self.axis.addItems(AXES)
        self.smoothing = named(
            QSlider(Qt.Orientation.Horizontal),
            "Smoothing",
            "Exponential moving average: how much of the mean so far stays in each new one. The "
            "values themselves are drawn pale.",
        )
        self.smoothing.setRange(0, 99)
        self.weight = QLabel("0")
        self.log = named(
            QCheckBox("Log"),
            "Logarithmic vertical axis",
            "Logarithmic vertical axis; values of 0 and below are left out.",
        )
        bar = QHBoxLayout()
        for widget in (QLabel("Over"), self.axis, QLabel("Smoothing"), self.smoothing, self.weight):
            bar.addWidget(widget, 1 if widget is self.smoothing else 0)
        bar.addWidget(self.log)
        self.weight.setMinimumWidth(self.fontMetrics().horizontalAdvance("0.00 "))
        self.axis.currentIndexChanged.connect(self._fit)
        self.smoothing.valueChanged.connect(self._draw)
        self.log.toggled.connect(self._set_log)
        return bar

    def set_runs(self, runs: Sequence[Run]) -> None:
        """Show runs, one over the other."""
        for run in runs:
            self._meanings |= run.loss_meanings()
        names = [run.name for run in runs]
        labels = [str(r.folder) if names.count(r.name) > 1 else r.name for r in runs]
        kept = {file.path: file for file in self._files.values()}
        self._files = {
            label: kept.get(run.history_path) or HistoryFile(run.history_path)
            for label, run in zip(labels, runs, strict=True)
        }
        self.refresh()
        self._draw()
        self.axes.fit()

    def refresh(self) -> None:
        """Read what the runs have logged since."""
        changed = False
        for label, file in self._files.items():
            try:
                changed |= file.read_on()
                if changed or not file.num_points:
                    nothing = f"{label} has logged nothing yet."
                    self._notes[label] = "" if file.num_points else nothing
            except UserError as error:
                self._notes[label] = str(error)
        self._show_notes()
        has_more = any(file.has_more for file in self._files.values())
        self._stale |= changed
        if self._stale and not (has_more and self._curves):
            self._stale = False
            self._update_keys()
            self._draw()
        if has_more:
            QTimer.singleShot(0, self, self.refresh)  # a long file, piece by piece

    def set_colours(self, colours: Colours) -> None:
        """Set other colours; the curves get theirs in turn."""
        self._colours = colours
        self.axes.set_colours(colours)
        self._cursor.setPen(pg.mkPen(colours.text, width=1, style=Qt.PenStyle.DotLine))
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the files from now on."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the files alone: nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def _show_notes(self) -> None:
        sentences = [self._notes.get(label, "") for label in self._files] or [NO_RUN]
        self.note.setText(" ".join(filter(None, sentences)))
        self.note.setVisible(any(sentences))

    def _update_keys(self) -> None:
        keys = sorted({key for file in self._files.values() for key in file.names()})
        self.keys.set_keys(keys, {key: self._meaning(key) for key in keys})
        if keys and not self._has_default:
            self._has_default = True
            self.keys.choose([key for key in _FIRST if key in keys] or keys[:1])

    def _set_log(self, on: bool) -> None:
        if on:
            self._draw()  # first without what has no logarithm: pyqtgraph takes no line of NaN
        self.axes.setLogMode(y=on)
        self._fit()

    def _fit(self) -> None:
        self._draw()
        self.axes.fit()

    def _draw(self) -> None:
        weight = self.smoothing.value() / 100
        self.weight.setText(f"{weight:g}")
        pairs = list(self._pairs(weight))
        self._curves = [line for _, line in pairs]
        self.axes.draw([raw for raw, _ in pairs if weight] + self._curves)
        self.axes.setLabel("bottom", f"{self.axis.currentText()}{self._unit()[1]}")

    def _pairs(self, weight: float) -> Iterator[tuple[Curve, Curve]]:
        """Yield each key of each run as it is, pale, and made smooth."""
        colours, several = cycle(self._colours.curves), len(self._files) > 1
        for key in self.keys.chosen_keys():
            for label, file in self._files.items():
                colour, name = next(colours), f"{key}, {label}" if several else key
                x, y = file.axis(self.axis.currentText()) / self._unit()[0], file.values(key)
                smoothed = smooth(y, weight) if weight else y
                if self.log.isChecked():
                    y, smoothed = (np.where(v > 0, v, np.nan) for v in (y, smoothed))
                raw = Curve(x, y, colour, faint=True)
                yield raw, Curve(x, smoothed, colour, name)

    def _unit(self) -> tuple[float, str]:
        """Return the length of the axis' unit, and the end of its label."""
        if self.axis.currentText() != "wall time":
            return 1.0, ""
        ends = [file.axis("wall time")[-1] for file in self._files.values() if file.num_points]
        length, name = time_unit(max(ends, default=0.0))
        return length, f" since the first log point ({name})"

    def _read_out(self, place: float) -> None:
        inside = not math.isnan(place)
        self._cursor.setVisible(inside)
        self._cursor.setValue(place if inside else 0.0)
        points = [(c, nearest(c.x, c.y, place)) for c in self._curves] if inside else []
        parts = [_value_text(curve, index) for curve, index in points if index is not None]
        tips = dict.fromkeys(self._meaning(curve.label.split(", ")[0]) for curve, _ in points)
        self.readout.setText(" &nbsp; ".join(parts))
        self.readout.setToolTip("\n".join(filter(None, tips)))

    def _meaning(self, key: str) -> str:
        """Return what a curve means: by the runs' own words, or what all runs log."""
        if key.startswith("norm_"):
            return f"The norm of the gradient of {key[5:]}. Near 0: nothing is learned from it."
        return self._meanings.get(key, "")


def _value_text(curve: Curve, index: int) -> str:
    """Return a curve's name and value at a log point, in one piece that is not broken."""
    text = f"{curve.label} {curve.y[index]:.4g} at {_number(curve.x[index])}"
    text = html.escape(text).replace(" ", "&nbsp;")
    return f"<span style='color:{curve.colour}'>■</span>&nbsp;{text}"


def _number(place: float) -> str:
    return f"{place:.0f}" if place == round(place) else f"{place:.3g}"
