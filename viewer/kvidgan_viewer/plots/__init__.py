"""Scores over a film's frames, curves of training runs, and the samples that a run has drawn."""

from kvidgan_viewer.plots.history_plot import HistoryPlot
from kvidgan_viewer.plots.samples_view import Samples
from kvidgan_viewer.plots.score_plot import ScorePlot

__all__ = ["HistoryPlot", "Samples", "ScorePlot"]
