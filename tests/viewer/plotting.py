"""Helpers of the plots' tests: a widget on the screen, the curves that it draws, and a mouse."""

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from kvidgan_viewer.colours import LIGHT

COLOURS = replace(LIGHT, base="#ffffff", text="#101010", curves=("#0000ff", "#ff0000"))


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


def move(view, spot, button=Qt.MouseButton.NoButton):
    at, kind, keys = QPointF(spot), QEvent.Type.MouseMove, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, at, view.mapToGlobal(at), button, button, keys)
    QApplication.sendEvent(view, event)


def check_paper_and_names(widget, page):
    """Check that a page has the background, and each field a name for screen readers."""
    QApplication.processEvents()
    background = QColor("#123456")
    assert page.grab().toImage().pixelColor(page.width() - 2, 2) == background
    fields = [
        one
        for one in widget.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and one.focusProxy() is None  # as the inner parts of fields have
    ]
    assert fields
    assert all(one.accessibleName() for one in fields)
