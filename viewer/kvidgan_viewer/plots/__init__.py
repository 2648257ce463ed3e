"""Plots: scores over a film's frames, curves of training runs, and samples of a run."""

from kvidgan_viewer.plots.history_plot import HistoryPlot
from kvidgan_viewer.plots.samples_view import SamplesView
from kvidgan_viewer.plots.score_plot import ScorePlot

__all__ = ["HistoryPlot", "SamplesView", "ScorePlot"]
