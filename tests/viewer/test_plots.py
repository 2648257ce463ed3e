"""Scores over frames, curves of runs, samples: what is drawn, and what the mouse does to it."""

import json

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from kvidgan.runs import Run
from kvidgan_viewer.plots import HistoryPlot, Samples, ScorePlot
from kvidgan_viewer.plots.history_plot import NO_RUN
from kvidgan_viewer.plots.score_plot import NO_TRUTH

NAN = float("nan")


def shown(qtbot, widget, width=640, height=360):
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    qtbot.waitExposed(widget)
    QApplication.processEvents()
    return widget


def drawn(axes):
    """What stands in the legend, and the points of each line, in order."""
    names = [label.text for _, label in axes.legend.items]
    return names, [points(*item.getOriginalDataset()) for item in axes.listDataItems()]


def points(x, y):
    return [] if x is None else list(zip(x.tolist(), y.tolist(), strict=True))


def values(axes):
    return [[y for _, y in line] for line in drawn(axes)[1]]


def place(axes, x, y):
    """Where a point of the plot lies in the widget, as it was painted last."""
    return axes.mapFromScene(axes.plotItem.vb.mapViewToScene(QPointF(x, y)))


def seen(axes, x, y, colour):
    """Whether a colour is seen at a point of the plot, or one pixel beside it."""
    picture, spot = axes.grab().toImage(), place(axes, x, y)
    around = [picture.pixelColor(spot + QPoint(i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return any(alike(one, QColor(colour)) for one in around)


def alike(one, other):
    return max(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True)) < 60


# ---- Scores -------------------------------------------------------------------------------------


@pytest.fixture
def scores(qtbot):
    plot = shown(qtbot, ScorePlot())
    plot.set_colours("#ffffff", "#101010", ["#0000ff", "#ff0000"])
    return plot


OWN, COPY = [NAN, NAN, 20.0, 20.0, 20.0, 20.0], [NAN, NAN, 10.0, 9.0, 8.0, 7.0]


def test_scores_and_the_baseline_are_drawn(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, given=2)
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
    given, made = (colour_at(x, 15.0) for x in (0.7, 1.7))
    assert given.green() > given.red() + 10  # shaded
    assert made.green() == made.red()


def test_one_baseline_serves_models_with_the_same_and_others_have_their_own(scores, qtbot):
    both = {"a": {"psnr": (OWN, COPY)}, "b": {"psnr": (OWN[:-1], COPY)}}
    scores.set_scores(both, given=2)
    assert drawn(scores.axes)[0] == ["copy last", "a", "b"]
    assert scores.count.text() == "n = 4 and 3 frames"
    both["b"] = {"psnr": (OWN, [*COPY[1:], 1.0])}
    scores.set_scores(both, given=2)
    names = ["copy last, a", "copy last, b", "a", "b"]
    qtbot.waitUntil(lambda: drawn(scores.axes)[0] == names)


def test_the_metric_is_chosen_and_stays_while_frames_are_added(scores, qtbot):
    found = {"psnr": (OWN, COPY), "ssim": ([NAN, NAN, 0.5], [NAN, NAN, 0.25])}
    scores.set_scores({"mine": found}, given=2)
    scores.choice.setCurrentIndex(scores.choice.findData("ssim"))
    assert drawn(scores.axes)[1] == [[(2, 0.25)], [(2, 0.5)]]
    assert scores.count.text() == "n = 1 frame"
    assert "Structural similarity" in scores.choice.toolTip()
    found["ssim"] = ([NAN, NAN, 0.5, 0.75], [NAN, NAN, 0.25, 0.25])
    scores.set_scores({"mine": found}, given=2)
    assert scores.shown_metric == "ssim"
    qtbot.waitUntil(lambda: scores.count.text() == "n = 2 frames")


def test_why_there_is_nothing_to_draw_is_told(scores):
    assert scores.note.isVisible()
    assert scores.note.text() == NO_TRUTH
    scores.set_scores({"mine": {"psnr": ([NAN, NAN], [NAN, NAN])}}, 2, "No frame is made yet.")
    assert scores.note.text() == "No frame is made yet."
    assert not scores.axes.isVisible()
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, given=2)
    assert scores.axes.isVisible()
    assert not scores.note.isVisible()


def test_the_cursor_follows_the_player_and_tells_the_values(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, given=2)
    scores.set_cursor(3)
    assert scores.readout.text() == "t+2: mine 20 (copy last 9) dB"
    assert seen(scores.axes, 3, 15.0, "#101010")
    scores.set_cursor(1)
    assert scores.readout.text() == ""
    assert not seen(scores.axes, 3, 15.0, "#101010")


def test_clicking_seeks(scores, qtbot):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, given=2)
    scores.axes.grab()
    spot = place(scores.axes, 3.9, 12.0)
    with qtbot.waitSignal(scores.seek, timeout=2000) as caught:
        QTest.mouseClick(scores.axes.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert caught.args == [4]


def test_dragging_seeks_all_the_way_and_ends_at_the_last_frame(scores):
    scores.set_scores({"mine": {"psnr": (OWN, COPY)}}, given=2)
    scores.axes.grab()
    before, sought = scores.axes.viewRange(), []
    scores.seek.connect(sought.append)
    drag(scores.axes, [place(scores.axes, x, 12.0) for x in (0.0, 1.0, 2.0, 3.0, 5.0, 5.45)])
    assert sought == sorted(sought)
    assert set(sought) >= {2, 3, 5}
    assert sought[-1] == 5
    assert scores.axes.viewRange() == before


def move(view, spot, button=Qt.MouseButton.NoButton):
    at, kind, keys = QPointF(spot), QEvent.Type.MouseMove, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, at, view.mapToGlobal(at), button, button, keys)
    QApplication.sendEvent(view, event)


def drag(axes, spots):
    view, left = axes.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, pos=spots[0])
    for spot in spots[1:]:
        QTest.qWait(20)
        move(view, spot, left)
    QTest.mouseRelease(view, left, pos=spots[-1])


def test_all_frames_are_shown_as_they_come_unless_one_looks_closer(scores, qtbot):
    for count in (4, 6):
        scores.set_scores({"mine": {"psnr": (OWN[:count], COPY[:count])}}, given=2)
        end = count - 0.5
        qtbot.waitUntil(lambda: scores.axes.viewRange()[0] == [-0.5, end])  # noqa: B023
    scores.axes.setXRange(2, 4, padding=0)
    scores.set_scores({"mine": {"psnr": ([*OWN, 20.0], [*COPY, 6.0])}}, given=2)
    qtbot.waitUntil(lambda: scores.count.text() == "n = 5 frames")
    assert scores.axes.viewRange()[0] == [2, 4]
    scores.axes.grab()
    spot = place(scores.axes, 3, 12.0)
    QTest.mouseDClick(scores.axes.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert scores.axes.viewRange()[0] == [-0.5, 6.5]


def test_names_are_not_taken_for_markup(scores):
    scores.set_scores({"<b>x</b>": {"psnr": (OWN, COPY)}}, given=2)
    assert drawn(scores.axes)[0][1] == "&lt;b&gt;x&lt;/b&gt;"
    scores.set_cursor(2)
    assert "<b>x</b> 20" in scores.readout.text()


# ---- History ------------------------------------------------------------------------------------


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
    made = Run(tmp_path / "first")
    log(made, range(1, 21), generator=float, critic=lambda step: -1.0 * step, penalty=lambda _: 7.0)
    return made


@pytest.fixture
def history(qtbot, run):
    plot = shown(qtbot, HistoryPlot(every=20), 800, 400)
    plot.set_colours("#ffffff", "#101010", ["#0000ff", "#ff0000"])
    plot.set_runs([run])
    return plot


def test_the_players_losses_are_drawn_first(history):
    assert history.keys.offered() == ["critic", "generator", "penalty"]
    assert history.keys.chosen() == ["critic", "generator"]
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
    assert history.keys.offered() == ["critic", "extra", "generator", "penalty"]
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
    assert "late" in history.keys.offered()
    assert history.keys.chosen() == ["critic", "generator"]
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


# ---- Samples ------------------------------------------------------------------------------------


def paint(run, step, value, size=(8, 6)):
    run.samples.mkdir(parents=True, exist_ok=True)
    path = run.samples / f"step-{step:08d}.png"
    Image.fromarray(np.full((*size[::-1], 3), value, np.uint8)).save(path)
    return path


@pytest.fixture
def samples(qtbot, tmp_path):
    run = Run(tmp_path / "run")
    for step in (100, 20, 3):
        paint(run, step, step)
    widget = shown(qtbot, Samples(every=20), 400, 300)
    widget.set_run(run)
    return widget, run


def middle(widget):
    QApplication.processEvents()
    picture = widget.view.grab().toImage()
    return picture.pixelColor(picture.width() // 2, picture.height() // 2).red()


def test_the_newest_sample_is_shown_first(samples):
    widget, _ = samples
    assert widget.label.text() == "step 100 (3 of 3)"
    assert middle(widget) == 100
    widget.slider.setValue(0)
    assert widget.label.text() == "step 3 (1 of 3)"
    assert middle(widget) == 3


def test_new_samples_are_followed_unless_one_looks_back(samples, qtbot):
    widget, run = samples
    paint(run, 200, 200)
    qtbot.waitUntil(lambda: widget.label.text() == "step 200 (4 of 4)", timeout=5000)
    assert middle(widget) == 200
    widget.slider.setValue(1)
    paint(run, 250, 250)
    widget.refresh()
    assert widget.label.text() == "step 20 (2 of 5)"
    paint(run, 20, 77)  # the run was rewound and drew it again
    widget.refresh()
    assert middle(widget) == 77


def test_pixels_are_sharp_and_fit_the_view(samples, tmp_path):
    widget, run = samples
    pattern = np.zeros((2, 2, 3), np.uint8)
    pattern[0, 0] = pattern[1, 1] = 255
    Image.fromarray(pattern).save(run.samples / "step-00000300.png")
    widget.refresh()
    QApplication.processEvents()
    picture = widget.view.grab().toImage()
    side = picture.height()
    left = (picture.width() - side) // 2
    colours = {
        picture.pixelColor(left + x, y).red()
        for x in range(4, side - 4, 3)
        for y in range(4, side - 4, 3)
    }
    assert colours == {0, 255}
    assert picture.pixelColor(left + 10, 10).red() == 255
    assert picture.pixelColor(left + side - 10, 10).red() == 0


def test_the_wheel_zooms_at_the_mouse_and_the_place_is_kept(samples):
    widget, run = samples
    for step in (400, 500):
        paint(run, step, 9, size=(80, 60))
    widget.refresh()
    view = widget.view
    fitting, spot = view.zoom, QPoint(60, 70)
    before = view.mapToScene(spot)
    for _ in range(4):
        wheel(view, spot)
    assert view.zoom == pytest.approx(fitting * 1.25**4)
    after = view.mapToScene(spot)
    assert abs(after.x() - before.x()) * view.zoom < 4  # half a screen pixel or so each time
    assert abs(after.y() - before.y()) * view.zoom < 4
    widget.slider.setValue(3)
    assert view.zoom == pytest.approx(fitting * 1.25**4)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert view.zoom == pytest.approx(fitting)


def wheel(view, spot):
    at = QPointF(spot)
    QTest.mouseMove(view.viewport(), spot)
    QApplication.sendEvent(
        view.viewport(),
        QWheelEvent(
            at,
            view.viewport().mapToGlobal(at),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_a_moving_sample_plays_and_can_be_stopped(samples, qtbot):
    widget, run = samples
    frames = [Image.fromarray(np.full((6, 8, 3), value, np.uint8)) for value in (50, 150, 250)]
    timing = {"duration": 40, "loop": 0}
    frames[0].save(run.samples / "run.gif", save_all=True, append_images=frames[1:], **timing)
    widget.refresh()
    assert widget.label.text() == "run.gif (4 of 4)"
    assert widget.playing.isVisible()
    found = set()
    qtbot.waitUntil(lambda: found.add(middle(widget)) or found == {50, 150, 250}, timeout=5000)
    widget.playing.click()
    assert widget.playing.text() == "Play"
    stopped = middle(widget)
    qtbot.wait(200)
    assert middle(widget) == stopped
    widget.slider.setValue(0)
    assert not widget.playing.isVisible()
    assert middle(widget) == 3


def test_what_cannot_be_shown_is_told(samples, qtbot, tmp_path):
    widget, run = samples
    (run.samples / "step-00000400.png").write_bytes(b"cut off")
    (run.samples / "notes.txt").write_text("not a sample")
    widget.refresh()
    assert widget.label.text() == "step 400 (4 of 4)"
    assert "damaged" in widget.note.text()
    assert widget.note.isVisible()
    widget.set_run(Run(tmp_path / "new"))
    assert widget.note.text() == "new has drawn no samples yet."
    widget.set_run(None)
    assert "No run is open" in widget.note.text()
    assert widget.label.text() == ""


# ---- All ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ScorePlot, HistoryPlot, Samples])
def test_paper_and_names(qtbot, kind, run):
    widget = shown(qtbot, kind())
    widget.set_colours("#123456", "#fedcba", ["#ff0000"])
    if kind is ScorePlot:
        widget.set_scores({"m": {"psnr": (OWN, COPY)}}, 2)
        page = widget.axes
    elif kind is HistoryPlot:
        widget.set_runs([run])
        page = widget.axes
    else:
        paint(run, 1, 9, size=(2, 40))
        widget.set_run(run)
        page = widget.view
    QApplication.processEvents()
    assert page.grab().toImage().pixelColor(page.width() - 2, 2) == QColor("#123456")
    fields = [
        one
        for one in widget.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and one.focusProxy() is None  # as the inner parts of fields have
    ]
    assert fields
    assert all(one.accessibleName() for one in fields)
