"""Logs of runs that grow, and what is made of their values."""

import json
import os
from itertools import pairwise

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.runs import Run
from kvidgan_viewer.plots.history_file import HistoryFile, fractional, nearest, smooth, time_unit


def point(step, **values):
    return {"step": step, "epoch": step // 4, "wall_time": 1000.0 + step, **values}


def lines(points):
    return "".join(json.dumps(one) + "\n" for one in points)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


@pytest.fixture
def history(run):
    return HistoryFile(run.history_path)


def points_of(history):
    """The log points again, as `Run.history` gives them."""
    keys = list(history.columns)
    rows = zip(*(history.columns[key] for key in keys), strict=True)
    return [dict(zip(keys, row, strict=True)) for row in rows]


def test_a_file_that_grows_in_any_pieces_is_read_as_a_whole_one(run, history):
    rng = np.random.default_rng(0)
    text = lines(point(step, loss=float(rng.normal())) for step in range(60)).encode()
    cuts = sorted({0, len(text), *rng.integers(0, len(text), 80).tolist()})
    for start, stop in pairwise(cuts):
        with run.history_path.open("ab") as file:
            file.write(text[start:stop])
        history.read_on()
        assert history.num_points == text[:stop].count(b"\n")
    assert points_of(history) == run.history()


def test_a_half_written_line_is_waited_for(run, history):
    run.history_path.write_text(lines([point(1, loss=2.0)]) + '{"step": 2, "lo')
    assert history.read_on()
    assert history.num_points == 1
    with run.history_path.open("a") as file:
        file.write('ss": 5.0}\n')
    assert history.read_on()
    assert history.values("loss").tolist() == [2.0, 5.0]


def test_a_rewound_file_is_read_anew(run, history):
    run.history_path.write_text(lines(point(step, loss=float(step)) for step in range(9)))
    history.read_on()
    run.rewind_history(3)
    with run.history_path.open("a") as file:
        file.write(lines(point(step, loss=100.0 + step) for step in range(4, 12)))
    assert history.read_on()
    assert points_of(history) == run.history()
    assert history.values("loss")[4] == 104.0


@pytest.mark.parametrize("count", [2, 5, 9])
def test_a_file_that_was_written_over_in_its_place_is_read_anew(run, history, count):
    run.history_path.write_text(lines(point(step, old=1.0) for step in range(5)))
    history.read_on()
    before = run.history_path.stat().st_ino
    run.history_path.write_text(lines(point(step, new=2.0) for step in range(count)))
    os.utime(run.history_path, ns=(1, 1))  # clocks of file systems are coarse
    assert run.history_path.stat().st_ino == before
    assert history.read_on()
    assert history.names() == ["new"]
    assert history.num_points == count


def test_a_file_may_come_late_and_go(run, history):
    assert not history.read_on()
    run.history_path.write_text(lines([point(1, loss=1.0)]))
    assert history.read_on()
    run.history_path.unlink()
    assert history.read_on()
    assert (history.num_points, history.names()) == (0, [])


def test_only_what_is_new_is_read(run, history, monkeypatch):
    run.history_path.write_text(lines(point(step, loss=1.0) for step in range(500)))
    history.read_on()
    assert not history.read_on()
    parsed, loads = [], json.loads
    monkeypatch.setattr(json, "loads", lambda line: parsed.append(line) or loads(line))
    with run.history_path.open("a") as file:
        file.write(lines([point(500, loss=3.0)]))
    assert history.read_on()
    assert len(parsed) == 1
    assert history.num_points == 501


def test_a_long_file_is_read_piece_by_piece(run, history):
    points = [point(step, loss=float(step)) for step in range(40)]
    points[7]["name"] = "longer than a piece" * 30
    run.history_path.write_text(lines(points))
    lengths = []
    while not lengths or history.has_more:
        history.read_on(limit=100)
        lengths.append(history.num_points)
    assert len(lengths) > 10
    assert lengths == sorted(lengths)
    assert history.values("loss").tolist() == list(range(40))


def test_a_line_that_is_no_log_point_is_named(run, history):
    run.history_path.write_text(lines([point(1), point(2)]))
    history.read_on()
    with run.history_path.open("a") as file:
        file.write(lines([point(3)]) + "[1, 2]\n")
    with pytest.raises(UserError, match="line 4 is no log point"):
        history.read_on()
    assert history.num_points == 2


def test_what_a_point_lacks_is_not_a_number(run, history):
    points = [point(1, a=1.0), point(2, a=None, b=float("inf")), point(3, b=4), point(4, a="x")]
    run.history_path.write_text(lines(points))
    history.read_on()
    np.testing.assert_array_equal(history.values("a"), [1.0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(history.values("b"), [np.nan, np.nan, 4.0, np.nan])
    assert history.names() == ["a", "b"]
    assert np.isnan(history.values("c")).all()


def test_axes(run, history):
    run.history_path.write_text(lines(point(step) for step in (2, 4, 6, 8, 9)))
    history.read_on()
    assert history.axis("step").tolist() == [2, 4, 6, 8, 9]
    assert history.axis("epoch").tolist() == [0.5, 1.0, 1.5, 2.0, 2.25]
    assert history.axis("wall time").tolist() == [0, 2, 4, 6, 7]


def test_epochs_before_the_first_has_ended_stay_whole():
    assert fractional(np.array([1.0, 2.0]), np.zeros(2)).tolist() == [0.0, 0.0]


def test_smoothing_is_a_weighted_mean():
    # Weights 0.5 and 0.25, made to add up to 1: (0.25 * 1 + 0.5 * 3) / 0.75.
    np.testing.assert_allclose(smooth(np.array([1.0, 3.0]), 0.5), [1.0, 7 / 3])
    values = np.array([np.nan, 1.0, np.nan, 3.0])
    np.testing.assert_allclose(smooth(values, 0.5), [np.nan, 1.0, np.nan, 7 / 3])


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.99])
def test_smoothing_keeps_what_is_constant_and_stays_between_the_extremes(weight):
    np.testing.assert_allclose(smooth(np.full(500, 7.0), weight), 7.0)
    values = np.random.default_rng(1).normal(size=300)
    smoothed = smooth(values, weight)
    assert (smoothed >= np.minimum.accumulate(values) - 1e-12).all()
    assert (smoothed <= np.maximum.accumulate(values) + 1e-12).all()
    if weight == 0:
        np.testing.assert_allclose(smoothed, values)


def test_nearest_passes_over_what_is_no_number():
    places, values = np.array([0.0, 1.0, 2.0, 9.0]), np.array([5.0, np.nan, np.nan, 6.0])
    assert nearest(places, values, 1.8) == 0
    assert nearest(places, values, 7.0) == 3
    assert nearest(places, np.full(4, np.nan), 7.0) is None


@pytest.mark.parametrize(
    ("seconds", "unit"), [(100, (1, "seconds")), (600, (60, "minutes")), (86400, (3600, "hours"))]
)
def test_durations_have_units_that_read_well(seconds, unit):
    assert time_unit(seconds) == unit
