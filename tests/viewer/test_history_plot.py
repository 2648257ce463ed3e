"""Curves of runs: what is drawn, and how it follows the runs."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kvidgan.runs import Run
from kvidgan_viewer.plots.history_plot import NO_RUN, HistoryPlot
from tests.viewer.plotting import (
    COLOURS,
    check_paper_and_names,
    drawn,
    move,
    place,
    shown,
    values,
)

MEANINGS = {
    "generator": "It moves up and down with its opponent.",
    "penalty": "How far the critic's gradient is from length 1.",
}


def log(run, steps, mode="a", **values):
    """Append log points, each value a function of the step."""
    run.folder.mkdir(exist_ok=True)
    with run.history_path.open(mode) as file:
        for step in steps:
            found = {key: function(step) for key, function in values.items()}
            times = {"step": step, "epoch": step // 10, "wall_time": 5000.0 + 60 * step}
            file.write(json.dumps(times | found) + "\n")


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "first")
    log(run, range(1, 21), generator=float, critic=lambda step: -1.0 * step, penalty=lambda _: 7.0)
    run.losses_path.write_text(json.dumps(MEANINGS))
    return run


@pytest.fixture
def history(qtbot, run):
    plot = shown(qtbot, HistoryPlot(interval=20), 800, 400)
    plot.set_colours(COLOURS)
    plot.set_runs([run])
    return plot


def test_the_players_losses_are_drawn_first(history):
    assert history.keys.all_keys() == ["critic", "generator", "penalty"]
    assert history.keys.chosen_keys() == ["critic", "generator"]
    names, lines = drawn(history.axes)
    assert names == ["critic", "generator"]
    assert lines[1] == [(step, step) for step in range(1, 21)]


def test_any_keys_can_be_chosen_and_searched_for(history):
    history.keys.choose(["penalty"])
    assert drawn(history.axes)[0] == ["penalty"]
    history.keys.search.setText("crit")
    rows = [history.keys.list.item(row) for row in range(3)]
    assert [item.text() for item in rows if not item.isHidden()] == ["critic"]
    spot = history.keys.list.visualItemRect(rows[0]).center()
    QTest.mouseClick(history.keys.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert drawn(history.axes)[0] == ["critic", "penalty"]
    QTest.keyClick(history.keys.list, Qt.Key.Key_Space)
    assert drawn(history.axes)[0] == ["penalty"]
    assert "gradient" in history.keys.list.item(2).toolTip()


def test_runs_lie_over_each_other(history, run, tmp_path):
    other = Run(tmp_path / "second")
    log(other, range(1, 6), generator=lambda step: 50.0, extra=float)
    history.set_runs([run, other])
    assert history.keys.all_keys() == ["critic", "extra", "generator", "penalty"]
    history.keys.choose(["generator"])
    assert drawn(history.axes)[0] == ["generator, first", "generator, second"]
    assert values(history.axes)[1] == [50.0] * 5


def test_runs_of_one_name_are_told_apart(history, run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    other = Run(tmp_path / "elsewhere" / "first")
    log(other, [1], generator=float)
    history.set_runs([run, other])
    history.keys.choose(["generator"])
    names = drawn(history.axes)[0]
    assert names == [f"generator, {one.folder}" for one in (run, other)]


def test_smoothing_leaves_the_values_behind_pale(history, tmp_path):
    step = Run(tmp_path / "step")
    log(step, [1, 2], generator=lambda step: 2.0 * step - 1)  # 1, 3
    history.set_runs([step])
    history.smoothing.setValue(50)
    assert history.weight.text() == "0.5"
    assert drawn(history.axes)[0] == ["generator"]
    np.testing.assert_allclose(values(history.axes), [[1, 3], [1, 7 / 3]])
    pale = [item.opts["pen"].color().alphaF() for item in history.axes.listDataItems()]
    assert pale[0] < 0.5
    assert pale[1] == 1


@pytest.mark.parametrize(
    ("axis", "last", "label"),
    [("step", 20, "step"), ("epoch", 2.0, "epoch"), ("wall time", 19.0, "minutes")],
)
def test_horizontal_axes(history, axis, last, label):
    history.axis.setCurrentText(axis)
    assert drawn(history.axes)[1][0][-1][0] == last
    assert label in history.axes.getAxis("bottom").labelText


def test_a_logarithmic_axis_leaves_out_what_is_not_positive(history):
    history.log.setChecked(True)
    assert values(history.axes) == [[], list(range(1, 21))]
    history.axes.grab()
    low, high = history.axes.viewRange()[1]
    assert low == pytest.approx(np.log10(1), abs=0.2)
    assert high == pytest.approx(np.log10(20), abs=0.2)


def test_a_run_is_followed_while_it_is_looked_at(history, run, qtbot):
    log(run, range(21, 24), generator=float, late=float)
    qtbot.waitUntil(lambda: len(drawn(history.axes)[1][1]) == 23, timeout=5000)
    assert "late" in history.keys.all_keys()
    assert history.keys.chosen_keys() == ["critic", "generator"]
    run.rewind_history(5)
    qtbot.waitUntil(lambda: len(drawn(history.axes)[1][1]) == 5, timeout=5000)
    history.hide()
    log(run, [6], generator=float)
    qtbot.wait(100)
    assert len(drawn(history.axes)[1][1]) == 5
    history.show()
    qtbot.waitUntil(lambda: len(drawn(history.axes)[1][1]) == 6)


def test_a_long_log_comes_in_pieces_that_do_not_block(qtbot, tmp_path):
    run = Run(tmp_path / "long")
    log(run, range(1, 10_001), generator=float, text=lambda step: "x" * 50)
    plot = shown(qtbot, HistoryPlot())
    plot.set_runs([run])
    assert 0 < len(drawn(plot.axes)[1][0]) < 10_000
    qtbot.waitUntil(lambda: len(drawn(plot.axes)[1][0]) == 10_000, timeout=10_000)


def test_what_is_wrong_with_a_run_is_told(history, run, tmp_path):
    empty = Run(tmp_path / "empty")
    history.set_runs([empty])
    assert history.note.text() == "empty has logged nothing yet."
    with run.history_path.open("a") as file:
        file.write("no json\n")
    history.set_runs([run])
    assert "line 21 is no log point" in history.note.text()
    history.set_runs([])
    assert history.note.text() == NO_RUN


def test_values_under_the_cursor_are_told(history):
    history.axes.grab()
    move(history.axes.viewport(), place(history.axes, 12.2, 0.0))
    text = history.readout.text().replace("&nbsp;", " ")
    assert "generator 12 at 12" in text
    assert "critic -12 at 12" in text
    assert "opponent" in history.readout.toolTip()
    QApplication.sendEvent(history.axes, QEvent(QEvent.Type.Leave))
    assert history.readout.text() == ""


def test_paper_and_names(qtbot, run):
    widget = shown(qtbot, HistoryPlot())
    widget.set_colours(replace(COLOURS, base="#123456", text="#fedcba", curves=("#ff0000",)))
    widget.set_runs([run])
    check_paper_and_names(widget, widget.axes)
