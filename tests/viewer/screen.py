"""What tests of the canvas share: frames, a canvas on the screen, a mouse, and a look at it."""

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kvidgan_viewer.canvas.canvas import Canvas, CanvasContent
from kvidgan_viewer.canvas.pane import PaneSpec

THREE = [PaneSpec("truth", "Truth"), PaneSpec("prediction", "Prediction"), PaneSpec("flow", "Flow")]


def colourful(height, width, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels), np.uint8)


def three(height=30, width=40):
    return {spec.name: colourful(height, width, seed=n) for n, spec in enumerate(THREE)}


def settle():
    for _ in range(3):
        QApplication.processEvents()


def open_canvas(qtbot, specs, frames, size=(900, 400), **shown):
    """A canvas on the screen that displays frames."""
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(*size)
    canvas.set_panes(specs)
    canvas.display(CanvasContent(frames, **shown))
    canvas.show()
    settle()
    return canvas


def colour(image, x, y):
    return image.pixelColor(round(x), round(y)).name()


def as_array(image):
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def inside(canvas, name):
    """The pixels on the screen within a frame, without those at its edge."""
    rect = canvas.frame_rect(name)
    left, right = round(rect.left()) + 1, round(rect.right()) - 1
    return as_array(canvas.grab_frame())[
        round(rect.top()) + 1 : round(rect.bottom()) - 1, left:right
    ]


def wheel(canvas, point, notches=1):
    target, turned = canvas.childAt(point.toPoint()), QPoint(0, 120 * notches)
    event = QWheelEvent(
        point,
        canvas.mapToGlobal(point),
        QPoint(),
        turned,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(target, event)
    settle()


def drag(canvas, start, end):
    target = canvas.childAt(start)
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(target, start + (end - start) / 3)
    QTest.mouseMove(target, end)
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=end)
    settle()
