"""Samples of a run: which one is shown, and how it is looked at."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kvidgan.runs import Run
from kvidgan_viewer.plots.samples_view import SamplesView
from tests.viewer.plotting import COLOURS, check_paper_and_names, shown


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
    widget = shown(qtbot, SamplesView(interval=20), 400, 300)
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
    assert widget.pause_button.isVisible()
    found = set()
    qtbot.waitUntil(lambda: found.add(middle(widget)) or found == {50, 150, 250}, timeout=5000)
    widget.pause_button.click()
    assert widget.pause_button.text() == "Play"
    stopped = middle(widget)
    qtbot.wait(200)
    assert middle(widget) == stopped
    widget.slider.setValue(0)
    assert not widget.pause_button.isVisible()
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


def test_paper_and_names(qtbot, tmp_path):
    widget = shown(qtbot, SamplesView())
    widget.set_colours(replace(COLOURS, base="#123456", text="#fedcba", curves=("#ff0000",)))
    run = Run(tmp_path / "first")
    paint(run, 1, 9, size=(2, 40))
    widget.set_run(run)
    check_paper_and_names(widget, widget.view)
