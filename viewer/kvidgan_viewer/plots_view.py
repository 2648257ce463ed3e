"""Plots view: the dock of plots, scores of what plays, curves and samples of runs."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QWidget

from kvidgan.runs import Run
from kvidgan_viewer.colours import Colours
from kvidgan_viewer.panes import session_title
from kvidgan_viewer.plots import HistoryPlot, SamplesView, ScorePlot
from kvidgan_viewer.plots.score_plot import ScoreCurves
from kvidgan_viewer.session import Session


class PlotsView(QTabWidget):
    """Tabs with the plot of scores, that of training, and the samples.

    Signals:
        seek_requested(int): The index of a frame that was clicked in the scores.
    """

    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.scores, self.history, self.samples = ScorePlot(), HistoryPlot(), SamplesView()
        self.addTab(self.scores, "Scores")
        self.addTab(self.history, "Training")
        self.addTab(self.samples, "Samples")
        self.setDocumentMode(True)
        self.scores.seek_requested.connect(self.seek_requested)

    def show_scores(self, session: Session | None, others: Sequence[Session]) -> None:
        """Show the scores of a model, and of others beside it."""
        sessions = [] if session is None else [session, *others]
        curves: ScoreCurves = {}
        for one in sessions:
            metrics = {metric: one.film.scores(metric) for metric in one.film.metrics}
            if metrics:
                curves[session_title(one) if len(sessions) > 1 else one.name] = metrics
        num_context = session.film.num_context if session else 0
        self.scores.set_scores(curves, num_context, _reason(session))

    def show_runs(self, runs: Sequence[Run], current: Session | None) -> None:
        """Show the curves of runs, and the samples of the current model's run or of the last."""
        own = current.run if current is not None else None
        self.history.set_runs(runs)
        self.samples.set_run(own or (runs[-1] if runs else None))

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self.scores.set_colours(colours)
        self.history.set_colours(colours)
        self.samples.set_colours(colours)


def _reason(session: Session | None) -> str:
    """Return the reason why a model has no scores."""
    if session is None:
        return "No model is open."
    if session.rollout is not None and "prediction" not in session.rollout.panes:
        return "Videos from noise have no truth to be measured against."
    if session.rollout is None:
        return "Nothing is played yet."
    return "No truth for these frames, or none is made yet."
