"""Scores over a film's frames, curves of training runs, and the samples that a run has drawn."""

from .history import HistoryPlot
from .samples import Samples
from .scores import ScorePlot

__all__ = ["HistoryPlot", "Samples", "ScorePlot"]
