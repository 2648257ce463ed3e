"""Tables: scores in Markdown, aligned so that they also read well on a terminal."""

from kvidgan.data.text import counted
from kvidgan.evaluation.evaluate import TRUTH, Scores
from kvidgan.evaluation.metrics import Interval
from kvidgan.evaluation.protocol import REGIONS

DIGITS = {"psnr": 2, "ssim": 3, "sharpness": 2, "warping": 5}

Rows = list[list[str]]


def tables(scores: Scores) -> str:
    """Return a table of all and one of moving pixels, over predicted frames 1, 2, 4, 8, ...

    Their headings name the protocol.
    Cells hold a mean and its 95% interval; the best of a column, baselines included, is bold. The
    table of moving pixels also holds their share, and the number of clips where anything moves.
    """
    powers = {2**power for power in range(scores.clips.num_frames.bit_length())}
    horizons = sorted(powers | {scores.clips.num_frames})
    parts = []
    for region in REGIONS:
        rows = [["metric", "", *(f"frame {horizon}" for horizon in horizons)]]
        for metric in scores.protocol.metrics:
            rows += _rows(scores, region, metric, horizons)
        if region == "moving":
            rows += _counts(scores, horizons)
        heading = f"## {region.capitalize()} pixels, protocol {scores.protocol.name}"
        parts.append(f"{heading}\n\n{_aligned(rows)}")
    return "\n\n".join(parts)


def summary(scores: Scores) -> str:
    """Return in one line what was scored."""
    chosen = scores.clips
    split = f" ({chosen.split})" if chosen.split else ""
    frames, clips = counted(chosen.num_frames, "frame"), counted(len(chosen.starts), "clip")
    videos = counted(len(set(chosen.videos.tolist())), "video")
    verb = "made of label maps" if chosen.maps else "predicted"
    return (
        f"{frames} {verb} after {chosen.num_context} given, {clips} from {videos} of"
        f" {chosen.store.name}{split}"
    )


def _rows(scores: Scores, region: str, metric: str, horizons: list[int]) -> Rows:
    lines = {row: scores.intervals[row, region, metric] for row in scores.values}
    cells = _marked
    if metric == "warping":  # whose best is that of a blank picture; the truth is what to compare
        lines[TRUTH], cells = scores.true_warping_intervals[region], _plain
    columns = [
        cells([line[horizon - 1] for line in lines.values()], DIGITS[metric])
        for horizon in horizons
    ]
    titles = [scores.protocol.metrics[metric], *[""] * (len(lines) - 1)]
    return [list(row) for row in zip(titles, lines, *columns, strict=True)]


def _marked(column: list[Interval], digits: int) -> list[str]:
    """Return a column's cells, the largest mean in bold: these metrics grow with quality."""
    means = ["" if one.mean is None else f"{one.mean:.{digits}f}" for one in column]
    best = max((mean for mean in means if mean), key=float, default=None)
    return [
        f"**{cell}**" if mean == best else cell
        for mean, cell in zip(means, _plain(column, digits), strict=True)
    ]


def _plain(column: list[Interval], digits: int) -> list[str]:
    return [_cell(one, digits) for one in column]


def _cell(one: Interval, digits: int) -> str:
    if one.mean is None:
        return "-"
    if one.low is None:
        return f"{one.mean:.{digits}f}"
    return f"{one.mean:.{digits}f} [{one.low:.{digits}f}, {one.high:.{digits}f}]"


def _counts(scores: Scores, horizons: list[int]) -> Rows:
    share = [scores.moving_intervals[horizon - 1].mean for horizon in horizons]
    line = scores.intervals[next(iter(scores.values)), "moving", "psnr"]
    return [
        ["Moving pixels", "share", *("-" if one is None else f"{one:.1%}" for one in share)],
        ["", "clips", *(str(line[horizon - 1].n) for horizon in horizons)],
    ]


def _aligned(rows: Rows) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
