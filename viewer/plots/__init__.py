"""Scores over a film's frames, curves of training runs, and the samples that a run has drawn."""

from viewer.plots.history import HistoryPlot
from viewer.plots.samples import Samples
from viewer.plots.scores import ScorePlot

__all__ = ["HistoryPlot", "Samples", "ScorePlot"]
