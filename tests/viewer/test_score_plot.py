"""Scores over frames: what is drawn, and what the mouse does to it."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from kvidgan_viewer.plots.score_plot import NO_TRUTH, ScorePlot
from tests.viewer.plotting import (
    COLOURS,
    check_paper_and_names,
    drawn,
    move,
    place,
    seen,
    shown,
)

NAN = float("nan")


@pytest.fixture
def scores(qtbot):
    plot = shown(qtbot, ScorePlot())
    plot.set_colours(COLOURS)
    return plot


OWN, COPY = [NAN, NAN, 20.0, 20.0, 20.0, 20.0], [NAN, NAN, 10.0, 9.0, 8.0, 7.0]


def test_scores_and_the_baseline_are_drawn(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, num_context=2)
    names, lines = drawn(scores.axes)
    assert names == ["copy last", "mine"]
    assert lines[0] == [(2, 10.0), (3, 9.0), (4, 8.0), (5, 7.0)]
    assert lines[1] == [(2, 20.0), (3, 20.0), (4, 20.0), (5, 20.0)]
    assert scores.count.text() == "n = 4 frames"
    scores.set_cursor(5)
    assert seen(scores.axes, 3.5, 20.0, "#0000ff")
    assert not seen(scores.axes, 3.5, 15.0, "#0000ff")
    picture = scores.axes.grab().toImage()
    colour_at = lambda x, y: picture.pixelColor(place(scores.axes, x, y))  # noqa: E731
    line = [colour_at(2.0 + k / 20, 10 - k / 20) for k in range(1, 60)]
    dark = [colour.lightness() < 128 for colour in line]
    assert 10 < sum(dark) < 50  # dashed
    context, predicted = (colour_at(x, 15.0) for x in (0.7, 1.7))
    assert context.green() > context.red() + 10  # shaded
    assert predicted.green() == predicted.red()


def test_one_baseline_serves_models_with_the_same_and_others_have_their_own(scores, qtbot):
    both = {"a": {"psnr": (OWN, COPY)}, "b": {"psnr": (OWN[:-1], COPY)}}
    scores.set_scores(both, num_context=2)
    assert drawn(scores.axes)[0] == ["copy last", "a", "b"]
    assert scores.count.text() == "n = 4 and 3 frames"
    both["b"] = {"psnr": (OWN, [*COPY[1:], 1.0])}
    scores.set_scores(both, num_context=2)
    names = ["copy last, a", "copy last, b", "a", "b"]
    qtbot.waitUntil(lambda: drawn(scores.axes)[0] == names)


def test_the_metric_is_chosen_and_stays_while_frames_are_added(scores, qtbot):
    found = {"psnr": (OWN, COPY), "ssim": ([NAN, NAN, 0.5], [NAN, NAN, 0.25])}
    scores.set_scores({"mine": found}, num_context=2)
    scores.choice.setCurrentIndex(scores.choice.findData("ssim"))
    assert drawn(scores.axes)[1] == [[(2, 0.25)], [(2, 0.5)]]
    assert scores.count.text() == "n = 1 frame"
    assert "Structural similarity" in scores.choice.toolTip()
    found["ssim"] = ([NAN, NAN, 0.5, 0.75], [NAN, NAN, 0.25, 0.25])
    scores.set_scores({"mine": found}, num_context=2)
    assert scores.shown_metric == "ssim"
    qtbot.waitUntil(lambda: scores.count.text() == "n = 2 frames")


def test_why_there_is_nothing_to_draw_is_told(scores):
    assert scores.note.isVisible()
    assert scores.note.text() == NO_TRUTH
    scores.set_scores({"mine": {"psnr": ([NAN, NAN], [NAN, NAN])}}, 2, "No frame is made yet.")
    assert scores.note.text() == "No frame is made yet."
    assert not scores.axes.isVisible()
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, num_context=2)
    assert scores.axes.isVisible()
    assert not scores.note.isVisible()


def test_the_cursor_follows_the_playhead_and_tells_the_values(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, num_context=2)
    scores.set_cursor(3)
    assert scores.readout.text() == "t+2: mine 20 (copy last 9) dB"
    assert seen(scores.axes, 3, 15.0, "#101010")
    scores.set_cursor(1)
    assert scores.readout.text() == ""
    assert not seen(scores.axes, 3, 15.0, "#101010")


def test_clicking_seeks(scores, qtbot):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, num_context=2)
    scores.axes.grab()
    spot = place(scores.axes, 3.9, 12.0)
    with qtbot.waitSignal(scores.seek_requested, timeout=2000) as caught:
        QTest.mouseClick(scores.axes.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert caught.args == [4]


def test_dragging_seeks_all_the_way_and_ends_at_the_last_frame(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, num_context=2)
    scores.axes.grab()
    before, sought = scores.axes.viewRange(), []
    scores.seek_requested.connect(sought.append)
    drag(scores.axes, [place(scores.axes, x, 12.0) for x in (0.0, 1.0, 2.0, 3.0, 5.0, 5.45)])
    assert sought == sorted(sought)
    assert set(sought) >= {2, 3, 5}
    assert sought[-1] == 5
    assert scores.axes.viewRange() == before


def drag(axes, spots):
    view, left = axes.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, pos=spots[0])
    for spot in spots[1:]:
        QTest.qWait(20)
        move(view, spot, left)
    QTest.mouseRelease(view, left, pos=spots[-1])


def test_all_frames_are_shown_as_they_come_unless_one_looks_closer(scores, qtbot):
    for count in (4, 6):
        scores.set_scores({"mine": {"psnr": (OWN[:count], COPY[:count])}}, num_context=2)
        end = count - 0.5
        qtbot.waitUntil(lambda: scores.axes.viewRange()[0] == [-0.5, end])  # noqa: B023
    scores.axes.setXRange(2, 4, padding=0)
    scores.set_scores({"mine": {"psnr": ([*OWN, 20.0], [*COPY, 6.0])}}, num_context=2)
    qtbot.waitUntil(lambda: scores.count.text() == "n = 5 frames")
    assert scores.axes.viewRange()[0] == [2, 4]
    scores.axes.grab()
    spot = place(scores.axes, 3, 12.0)
    QTest.mouseDClick(scores.axes.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert scores.axes.viewRange()[0] == [-0.5, 6.5]


def test_names_are_not_taken_for_markup(scores):
    scores.set_scores({"<b>x</b>": {"psnr": (OWN, COPY)}}, num_context=2)
    assert drawn(scores.axes)[0][1] == "&lt;b&gt;x&lt;/b&gt;"
    scores.set_cursor(2)
    assert "<b>x</b> 20" in scores.readout.text()


def test_paper_and_names(qtbot):
    widget = shown(qtbot, ScorePlot())
    widget.set_colours(replace(COLOURS, base="#123456", text="#fedcba", curves=("#ff0000",)))
    widget.set_scores({"m": {"psnr": (OWN, COPY)}}, 2)
    check_paper_and_names(widget, widget.axes)
