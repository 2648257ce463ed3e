"""How good each frame of a film is, beside repeating the last given frame."""

import html
from collections.abc import Iterator, Mapping, Sequence
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

from kvidgan_viewer.plots.axes import CURVES, Axes, Curve
from kvidgan_viewer.plots.meanings import meaning
from kvidgan_viewer.widgets import named

Scores = Mapping[
    str, Mapping[str, tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray]]
]

NO_TRUTH = "No scores: there is no truth for these frames."

_TITLES = {"psnr": ("PSNR", "dB"), "ssim": ("SSIM", ""), "sharpness": ("sharpness", "dB")}
_PAUSE = 150  # milliseconds between two drawings of scores that grow
_GIVEN = QColor(40, 200, 80, 40)


class ScorePlot(QWidget):
    """A metric over the frames of one or several rollouts, with a cursor that follows the player.

    Signals:
        seek: The frame that was clicked or dragged to.
    """

    seek = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._scores: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
        self._given, self._index, self._colours = 0, 0, CURVES
        self._foreground = self.palette().text().color().name()
        self._shape: tuple = ()
        self._waits = False  # whether there are scores that are not drawn yet
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._go_on)
        self._compose()
        self._decorate()
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
        self.axes.sought.connect(self._seek)

    def _decorate(self) -> None:
        self._cursor = pg.InfiniteLine(angle=90)
        self._shade = pg.LinearRegionItem(movable=False, brush=_GIVEN, pen=pg.mkPen(None))
        self._shade.setZValue(-10)
        self._cursor.setZValue(1000)
        self.axes.addItem(self._shade, ignoreBounds=True)
        self.axes.addItem(self._cursor, ignoreBounds=True)
        self.axes.setLabel("bottom", "frame")
        self.axes.setMouseEnabled(y=False)

    def set_scores(self, scores: Scores, given: int, reason: str = NO_TRUTH) -> None:
        """Show scores; call again as more frames are made, which are drawn a few times a second.

        Args:
            scores: By model and metric, what its frames and what copies of the last given frame
                score, one value for each frame of the film from the first given one on; NaN where
                there is none.
            given: How many frames, the first ones, were given.
            reason: A sentence that is shown where there is nothing to draw.
        """
        self._scores = {
            model: {metric: (_floats(own), _floats(copy)) for metric, (own, copy) in found.items()}
            for model, found in scores.items()
        }
        self._given = given
        self.note.setText(reason)
        self._fill_choice()
        metrics = {model: list(found) for model, found in self._scores.items()}
        shape = metrics, given, [model for model, *_ in self._shown()]
        if shape != self._shape or not self._pause.isActive():
            self._shape = shape
            self._draw()
            self._pause.start()
        else:
            self._waits = True

    def set_cursor(self, index: int) -> None:
        """Show which frame the player is at."""
        self._index = index
        self._cursor.setValue(index)
        self._read_out()

    def set_colours(self, background: str, foreground: str, curves: Sequence[str]) -> None:
        """Set the colours of paper and text, and those that the models get in turn."""
        self._colours, self._foreground = list(curves), foreground
        self.axes.set_colours(background, foreground)
        self._cursor.setPen(pg.mkPen(foreground, width=1))
        self._draw()

    @property
    def shown_metric(self) -> str:
        """The one shown; "" if there is none."""
        return self.choice.currentData() or ""

    def _fill_choice(self) -> None:
        """Offer the metrics that are there; keep the one chosen, if it is among them."""
        metrics = list(dict.fromkeys(metric for found in self._scores.values() for metric in found))
        if metrics == [self.choice.itemData(place) for place in range(self.choice.count())]:
            return
        before = self.shown_metric
        self.choice.blockSignals(True)
        self.choice.clear()
        for place, metric in enumerate(metrics):
            self.choice.addItem(_TITLES.get(metric, (metric, ""))[0], metric)
            self.choice.setItemData(place, meaning(metric), Qt.ItemDataRole.ToolTipRole)
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)))
        self.choice.blockSignals(False)

    def _go_on(self) -> None:
        if self._waits:
            self._draw()
            self._pause.start()

    def _shown(self) -> Iterator[tuple[str, np.ndarray, np.ndarray, str]]:
        """Yield (model, its scores, those of copies, colour) where there are such scores."""
        for (model, found), colour in zip(self._scores.items(), cycle(self._colours), strict=False):
            own, copy = found.get(self.shown_metric, (np.empty(0), np.empty(0)))
            if np.isfinite(own).any():
                yield model, own, copy, colour

    def _draw(self) -> None:
        self._waits = False
        shown = list(self._shown())
        self._pages.setCurrentIndex(1 if shown else 0)
        self.choice.setVisible(self.choice.count() > 0)
        self.choice.setToolTip(meaning(self.shown_metric))
        counts = dict.fromkeys(int(np.isfinite(own).sum()) for _, own, _, _ in shown)
        text = " and ".join(map(str, counts))
        self.count.setText(f"n = {text} frame{'' if text == '1' else 's'}" if shown else "")
        self._shade.setVisible(self._given > 0)
        self._shade.setRegion((-0.5, self._given - 0.5))
        if shown:
            title, unit = _TITLES.get(self.shown_metric, (self.shown_metric, ""))
            self.axes.setLabel("left", f"{title} ({unit})" if unit else title)
            last = max(len(own) for _, own, _, _ in shown) - 1
            self.axes.set_span(-0.5, last + 0.5)
        self.axes.draw([*self._baselines(shown), *(_curve(*one) for one in shown)])
        self._read_out()

    def _baselines(self, shown: list[tuple[str, np.ndarray, np.ndarray, str]]) -> list[Curve]:
        """Return the dashed lines: one where all models are measured against the same."""
        copies = [copy for _, _, copy, _ in shown]
        if all(np.array_equal(copies[0], copy, equal_nan=True) for copy in copies[1:]):
            shown = [("", *one[1:3], self._foreground) for one in shown[:1]]
        return [
            Curve(
                np.arange(len(copy), dtype=float),
                copy,
                colour,
                f"copy last, {model}" if model else "copy last",
                dashed=True,
            )
            for model, _, copy, colour in shown
            if np.isfinite(copy).any()
        ]

    def _read_out(self) -> None:
        parts = []
        for model, own, copy, _ in self._shown():
            if self._index < len(own) and np.isfinite(own[self._index]):
                other = copy[self._index] if len(copy) > self._index else np.nan
                beside = f" (copy last {other:.4g})" if np.isfinite(other) else ""
                parts.append(f"{model} {own[self._index]:.4g}{beside}")
        unit = _TITLES.get(self.shown_metric, ("", ""))[1]
        text = f"t+{self._index - self._given + 1}: {', '.join(parts)} {unit}" if parts else ""
        self.readout.setText(text.strip())
        self.readout.setToolTip(f"<qt>{html.escape(text.strip())}</qt>")

    def _seek(self, place: float) -> None:
        last = max((len(own) for _, own, _, _ in self._shown()), default=1) - 1
        self.seek.emit(min(max(round(place), 0), last))


def _floats(values: Sequence[float] | np.ndarray) -> np.ndarray:
    found = np.asarray(values, np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _curve(model: str, own: np.ndarray, copy: np.ndarray, colour: str) -> Curve:
    return Curve(np.arange(len(own), dtype=float), own, colour, model)
