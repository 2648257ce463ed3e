import subprocess
import sys
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from kvidgan_viewer.canvas.canvas import Canvas, CanvasContent
from kvidgan_viewer.canvas.pane import PaneSpec
from tests.viewer.screen import THREE, colourful, drag, inside, open_canvas, settle, three, wheel


@pytest.fixture
def canvas(qtbot):
    return open_canvas(qtbot, THREE, three())


@pytest.mark.parametrize("size", [(900, 250), (300, 900), (700, 700), (1200, 500)])
@pytest.mark.parametrize("shape", [(30, 40), (210, 160), (32, 128)])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_panes_lie_apart_and_are_as_large_as_can_be(qtbot, size, shape, count):
    specs = [PaneSpec(str(number), f"Pane {number}") for number in range(count)]
    frames = {spec.name: colourful(*shape) for spec in specs}
    canvas = open_canvas(qtbot, specs, frames, size=size)
    rects = [canvas.frame_rect(spec.name) for spec in specs]
    for rect in rects:
        assert canvas.rect().toRectF().contains(rect)
        assert rect.width() / rect.height() == pytest.approx(shape[1] / shape[0])
        assert rect.width() == pytest.approx(rects[0].width(), abs=1.5)
    assert not any(one.intersects(other) for one, other in pairwise(rects))
    possible = []
    for across in range(1, count + 1):
        rows = -(-count // across)
        wide, high = size[0] / across, size[1] / rows - 22
        possible.append(min(wide, high * shape[1] / shape[0]))
    assert rects[0].width() > 0.85 * max(possible)


def test_panes_are_laid_out_anew_for_another_window(canvas):
    assert canvas.frame_rect("truth").top() == canvas.frame_rect("flow").top()
    canvas.resize(300, 900)
    settle()
    assert canvas.frame_rect("truth").left() == canvas.frame_rect("flow").left()
    assert canvas.frame_rect("truth").bottom() < canvas.frame_rect("prediction").top()


def test_panes_are_laid_out_anew_for_frames_of_another_shape(canvas):
    canvas.resize(500, 500)
    canvas.display(CanvasContent({name: colourful(100, 20) for name in three()}))
    settle()
    assert canvas.frame_rect("truth").top() == canvas.frame_rect("flow").top()
    canvas.display(CanvasContent({"truth": colourful(20, 100)}))
    settle()
    assert canvas.frame_rect("truth").left() == canvas.frame_rect("flow").left()
    assert canvas.frame_rect("flow").size() == canvas.frame_rect("truth").size()


def test_the_wheel_zooms_all_panes_at_the_cursor(canvas):
    before = {spec.name: canvas.frame_rect(spec.name) for spec in THREE}
    rect = before["prediction"]
    point = QPointF(round(rect.left() + rect.width() * 0.25), round(rect.top() + 40))
    part = ((point.x() - rect.left()) / rect.width(), (point.y() - rect.top()) / rect.height())
    wheel(canvas, point, 3)
    after = {spec.name: canvas.frame_rect(spec.name) for spec in THREE}
    rect = after["prediction"]
    assert rect.width() == pytest.approx(before["prediction"].width() * 1.25**3)
    assert rect.left() + part[0] * rect.width() == pytest.approx(point.x(), abs=1e-6)
    assert rect.top() + part[1] * rect.height() == pytest.approx(point.y(), abs=1e-6)
    for name in ("truth", "flow"):
        moved = after[name].center() - before[name].center()
        assert moved.x() == pytest.approx((rect.center() - before["prediction"].center()).x())
        assert after[name].size() == rect.size()


def test_dragging_moves_all_panes_with_the_mouse(canvas):
    before = {spec.name: canvas.frame_rect(spec.name) for spec in THREE}
    start = before["truth"].center().toPoint()
    drag(canvas, start, start + QPoint(17, -9))
    for spec in THREE:
        moved = canvas.frame_rect(spec.name).topLeft() - before[spec.name].topLeft()
        assert (moved.x(), moved.y()) == (pytest.approx(17), pytest.approx(-9))


def test_frames_cannot_be_dragged_out_of_all_sight(canvas):
    for _ in range(20):
        drag(canvas, QPoint(100, 200), QPoint(800, 390))
    assert canvas.rect().toRectF().intersects(canvas.frame_rect("truth"))


def test_a_double_click_fits(canvas):
    before = canvas.frame_rect("prediction")
    wheel(canvas, before.center(), 4)
    assert canvas.frame_rect("prediction") != before
    point = QPoint(450, 200)
    QTest.mouseDClick(canvas.childAt(point), Qt.MouseButton.LeftButton, pos=point)
    assert canvas.frame_rect("prediction") == before


def test_the_zoom_has_an_end(canvas):
    wheel(canvas, QPointF(450, 200), 60)
    assert canvas.frame_rect("prediction").width() / 40 <= 300
    wheel(canvas, QPointF(450, 200), -120)
    assert canvas.frame_rect("prediction").width() >= 50


def test_the_zoom_stays_for_frames_of_one_size_and_ends_with_another(canvas):
    fitted = canvas.frame_rect("prediction")
    wheel(canvas, fitted.center(), 3)
    zoomed = canvas.frame_rect("prediction")
    canvas.display(CanvasContent(three()))
    assert canvas.frame_rect("prediction") == zoomed
    canvas.display(CanvasContent(three(60, 80)))
    assert canvas.frame_rect("prediction") == fitted


def test_one_pane_alone_uses_all_the_room(canvas):
    before = canvas.frame_rect("prediction")
    canvas.show_pane(2)
    settle()
    assert canvas.visible_panes() == ("prediction",)
    assert canvas.frame_rect("prediction").width() > before.width() * 1.5
    assert abs(canvas.frame_rect("prediction").center().x() - 450) < 2
    canvas.show_pane(9)
    assert canvas.visible_panes() == ("prediction",)
    canvas.show_all()
    settle()
    assert canvas.frame_rect("prediction") == before
    assert canvas.visible_panes() == ("truth", "prediction", "flow")


def test_other_panes_show_what_was_displayed(canvas):
    canvas.show_pane(3)
    canvas.set_panes(THREE[:2])
    settle()
    assert canvas.visible_panes() == ("truth", "prediction")
    assert (inside(canvas, "prediction")[2, 2] == three()["prediction"][0, 0]).all()


def test_the_value_under_the_mouse_is_told(canvas, qtbot):
    emitted = []
    canvas.pointed.connect(emitted.append)
    frames, rect = three(), canvas.frame_rect("prediction")
    side = rect.width() / 40
    point = QPointF(rect.left() + 12.5 * side, rect.top() + 7.5 * side).toPoint()
    QTest.mouseMove(canvas.childAt(point), point)
    value = ", ".join(str(number) for number in frames["prediction"][7, 12])
    assert emitted == [f"Prediction   x 12, y 7   {value}"]
    other = 255 - frames["prediction"]
    canvas.display(CanvasContent(frames | {"prediction": other}))
    value = ", ".join(str(number) for number in other[7, 12])
    assert emitted[1:] == [f"Prediction   x 12, y 7   {value}"], (
        "another frame under a mouse at rest"
    )
    QApplication.sendEvent(canvas.childAt(point).parent(), QEvent(QEvent.Type.Leave))
    assert emitted[2:] == [""]


def test_nothing_is_told_beside_the_frame(canvas):
    emitted = []
    canvas.pointed.connect(emitted.append)
    QTest.mouseMove(canvas.childAt(QPoint(450, 3)), QPoint(450, 3))
    assert emitted == []


def test_painted_is_told_once_for_what_is_displayed(canvas):
    emitted = []
    canvas.painted.connect(lambda: emitted.append(1))
    for count in range(1, 4):
        canvas.display(CanvasContent(three()))
        settle()
        assert len(emitted) == count
    canvas.display(CanvasContent(three()))
    canvas.display(CanvasContent(three()))
    settle()
    assert len(emitted) == 4, "what was never on the screen does not count"
    canvas.childAt(QPoint(450, 200)).update()
    settle()
    assert len(emitted) == 4


def test_a_click_gives_the_canvas_the_keys_and_none_is_lost(qtbot):
    class Window(QWidget):
        def __init__(self):
            super().__init__()
            self.keys = []

        def keyPressEvent(self, event):
            self.keys.append(event.key())

    window, canvas = Window(), Canvas()
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(canvas)
    canvas.set_panes(THREE)
    canvas.display(CanvasContent(three()))
    window.resize(600, 400)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.mouseClick(canvas.childAt(QPoint(300, 200)), Qt.MouseButton.LeftButton)
    assert window.focusWidget() is canvas
    for key in (Qt.Key.Key_A, Qt.Key.Key_Left, Qt.Key.Key_Backspace, Qt.Key.Key_Minus):
        QTest.keyClick(QApplication.focusWidget(), key)
        assert window.keys[-1] == key


def test_the_canvas_loads_no_framework():
    code = (
        "import sys, kvidgan_viewer.canvas.canvas, kvidgan_viewer.transport.transport, "
        "kvidgan_viewer.theme, kvidgan_viewer.playback.playhead\n"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'torch', 'cv2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
