"""The dock of plots: scores of what plays, curves and samples of runs."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QWidget

from kvidgan.runs import Run
from kvidgan_viewer.colours import Colours
from kvidgan_viewer.panes import titled
from kvidgan_viewer.plots import HistoryPlot, Samples, ScorePlot
from kvidgan_viewer.session import Session

Score = tuple[np.ndarray, np.ndarray]


class Plots(QTabWidget):
    """Three pages.

    Signals:
        seek(int): A frame was clicked in the scores.
    """

    seek = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.scores, self.history, self.samples = ScorePlot(), HistoryPlot(), Samples()
        self.addTab(self.scores, "Scores")
        self.addTab(self.history, "Training")
        self.addTab(self.samples, "Samples")
        self.setDocumentMode(True)
        self.scores.seek.connect(self.seek)

    def show_scores(self, session: Session | None, others: Sequence[Session]) -> None:
        """Show the scores of a model, and of others beside it."""
        several = [] if session is None else [session, *others]
        found: dict[str, dict[str, Score]] = {}
        for one in several:
            metrics = {metric: one.film.scores(metric) for metric in one.film.metrics}
            if metrics:
                found[titled(one) if len(several) > 1 else one.name] = metrics
        self.scores.set_scores(found, session.film.given if session else 0, _reason(session))

    def show_runs(self, runs: Sequence[Run], current: Session | None) -> None:
        """Show the curves of runs, and the samples of the shown model's, or of the last."""
        own = current.run if current is not None else None
        self.history.set_runs(runs)
        self.samples.set_run(own or (runs[-1] if runs else None))

    def set_colours(self, colours: Colours) -> None:
        """Take other colours."""
        for plot in (self.scores, self.history, self.samples):
            plot.set_colours(colours.base, colours.text, list(colours.curves))


def _reason(session: Session | None) -> str:
    if session is None:
        return "No model is open."
    if session.start is not None and "prediction" not in session.start.panes:
        return "Videos from noise have no truth to be measured against."
    if session.start is None:
        return "Nothing is played yet."
    return "No truth for these frames, or none is made yet."
