"""Figure: the scores as one picture, a small plot for each metric and region."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kvidgan.evaluation.evaluate import TRUTH, Scores
from kvidgan.evaluation.metrics import Interval
from kvidgan.evaluation.protocol import REGIONS

# Okabe and Ito's colours, which the colour-blind can tell apart; baselines are grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREYS = (("#555555", "--"), ("#999999", ":"), ("#777777", "-."))


def draw(scores: Scores, title: str) -> Figure:
    """Plot means and intervals: a row for all and one for moving pixels, a column for each metric.

    Args:
        scores: Scores that `evaluate` returned.
        title: Title above all plots.
    """
    figure = Figure(figsize=(15.5, 6.8), layout="constrained")
    protocol = scores.protocol
    grid = figure.subplots(len(REGIONS), len(protocol.metrics), sharex=True, squeeze=False)
    for region, row in zip(REGIONS, grid, strict=True):
        for metric, axes in zip(protocol.metrics, row, strict=True):
            _plot(axes, scores, region, metric)
        row[0].set_ylabel(_row_title(scores, region), fontsize=11)
    for axes in grid[-1]:
        axes.set_xlabel("predicted frame")
    means = f"means over videos and their 95% intervals, protocol {protocol.name}"
    figure.suptitle(f"{title}\n{means}", fontsize=12)
    handles, labels = grid[0, -1].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(6, len(labels)), frameon=False
    )
    return figure


def _plot(axes: Axes, scores: Scores, region: str, metric: str) -> None:
    for number, name in enumerate(scores.values):
        baseline = number - len(scores.models)
        if baseline < 0:
            colour, dash = _COLOURS[number % len(_COLOURS)], "-"
        else:
            colour, dash = _GREYS[baseline % len(_GREYS)]
        shift = 0.1 * (number - (len(scores.values) - 1) / 2)
        _line(axes, scores.intervals[name, region, metric], name, colour, dash, shift)
    if metric == "warping":
        shift = 0.1 * len(scores.values) / 2
        _line(axes, scores.true_warping_intervals[region], TRUTH, "black", "-", shift)
    axes.set_title(scores.protocol.metrics[metric], fontsize=11)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    axes.margins(x=0.03)
    if scores.clips.num_frames == 1:
        axes.set_xlim(0.5, 1.5)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _line(
    axes: Axes, intervals: list[Interval], name: str, colour: str, dash: str, shift: float
) -> None:
    """Draw means as a line and intervals as a band; a single frame as a shifted dot and bar."""
    nothing = float("nan")
    means = [nothing if one.mean is None else one.mean for one in intervals]
    low = [nothing if one.low is None else one.low for one in intervals]
    high = [nothing if one.high is None else one.high for one in intervals]
    horizons = [float(horizon) for horizon in range(1, len(intervals) + 1)]
    style: dict[str, Any] = {"color": colour, "markersize": 3.5, "label": name}
    if len(intervals) > 1:
        mark = "o" if len(intervals) <= 16 else ""
        axes.plot(horizons, means, dash, marker=mark, **style)
        axes.fill_between(horizons, low, high, color=colour, alpha=0.15, linewidth=0)
    else:
        axes.plot([1.0 + shift], means, "o", **style)
        axes.vlines([1.0 + shift], low, high, color=colour, alpha=0.5)


def _row_title(scores: Scores, region: str) -> str:
    """Return which pixels a row of plots is about, how many they are, and of how many clips."""
    counts = [one.n for one in scores.intervals[next(iter(scores.values)), region, "psnr"]]
    clips = f"n = {_span(min(counts), max(counts), 'd')} clips"
    if region == "all":
        return f"all pixels\n{clips}"
    shares = [one.mean or 0.0 for one in scores.moving_intervals]
    share = _span(min(shares), max(shares), ".1%")
    return f"moving pixels ({scores.protocol.moving_title})\n{share} of all\n{clips}"


def _span(low: float, high: float, form: str) -> str:
    first, last = f"{low:{form}}", f"{high:{form}}"
    return first if first == last else f"{first} to {last}"
