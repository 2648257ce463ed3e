from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from skimage.color import rgb2lab

from kvidgan_viewer.colours import DARK, LIGHT
from kvidgan_viewer.theme import Theme, qt_palette


@pytest.fixture
def theme(qapp):
    theme = Theme()
    yield theme
    theme.set_scheme("system")


def rgb(colour):
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def luminance(colour):
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    """The contrast ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


WITHOUT_RED_CONES = [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]
WITHOUT_GREEN_CONES = [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]


def as_seen(colour, cones):
    """A colour in L*a*b* as people with fewer cones see it (Viénot, Brettel, Mollon 1999)."""
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = np.clip(cones @ linear, 0, 1)
    encoded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return rgb2lab(encoded[None, None])[0, 0]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_texts_can_be_read(colours):
    for text, behind in (
        (colours.text, colours.window),
        (colours.text, colours.base),
        (colours.muted, colours.window),
        (colours.canvas_text, colours.canvas),
        (colours.canvas_muted, colours.canvas),
        (colours.base, colours.accent),
    ):
        assert contrast(text, behind) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_curves_and_marks_can_be_seen(colours):
    for curve in colours.curves:
        assert contrast(curve, colours.base) >= 3
    for mark in (colours.context, colours.predicted):
        assert contrast(mark, colours.canvas) >= 2.5
    assert contrast(colours.cursor, colours.window) > contrast(colours.mark, colours.window)


def test_borders_have_the_same_colours_in_both_themes():
    assert (LIGHT.context, LIGHT.predicted) == (DARK.context, DARK.predicted)


@pytest.mark.parametrize("cones", [WITHOUT_RED_CONES, WITHOUT_GREEN_CONES, np.eye(3)])
@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_colours_are_told_apart_by_people_with_fewer_cones(colours, cones):
    pairs = [*combinations(colours.curves, 2), (colours.context, colours.predicted)]
    for one, other in pairs:
        assert np.linalg.norm(as_seen(one, cones) - as_seen(other, cones)) > 20, (one, other)


def test_a_choice_changes_the_colours_and_the_palette(theme, qtbot):
    with qtbot.waitSignal(theme.changed) as signal:
        theme.set_scheme("dark")
    assert signal.args == [DARK]
    assert theme.colours is DARK
    assert QApplication.palette().window().color().lightness() < 128
    assert QApplication.palette().windowText().color().lightness() > 128
    with qtbot.waitSignal(theme.changed) as signal:
        theme.set_scheme("light")
    assert theme.colours is LIGHT
    assert QApplication.palette().window().color().lightness() > 128


def test_back_to_the_system_brings_its_palette_back(theme):
    theme.set_scheme("dark")
    theme.set_scheme("system")
    assert QApplication.palette().window() == QApplication.style().standardPalette().window()
    assert theme.colours is LIGHT


def test_the_same_again_tells_nobody(theme, qtbot):
    theme.set_scheme("dark")
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_scheme("dark")


def test_another_word_is_refused(theme):
    with pytest.raises(ValueError, match="sepia"):
        theme.set_scheme("sepia")
    assert theme.scheme == "system"


class Hints:
    """The hints of a system that is dark, or light, as a desktop has them."""

    def __init__(self, scheme):
        self.scheme = scheme

    def colorScheme(self):
        return self.scheme

    def setColorScheme(self, scheme):
        self.scheme = scheme


def test_the_system_is_followed_when_it_changes(theme, qtbot, monkeypatch):
    monkeypatch.setattr(QGuiApplication, "styleHints", lambda: Hints(Qt.ColorScheme.Dark))
    with qtbot.waitSignal(theme.changed) as signal:
        theme._apply()
    assert signal.args == [DARK]
    monkeypatch.setattr(QGuiApplication, "styleHints", lambda: Hints(Qt.ColorScheme.Light))
    with qtbot.waitSignal(theme.changed) as signal:
        theme._apply()
    assert signal.args == [LIGHT]


def test_a_system_that_can_change_its_scheme_keeps_its_palette(theme, monkeypatch):
    hints = Hints(Qt.ColorScheme.Light)
    monkeypatch.setattr(QGuiApplication, "styleHints", lambda: hints)
    theme.set_scheme("dark")
    assert hints.scheme == Qt.ColorScheme.Dark
    assert theme.colours is DARK
    assert QApplication.palette().window() == QApplication.style().standardPalette().window()


def test_a_choice_holds_when_the_system_changes(theme, qtbot, monkeypatch):
    theme.set_scheme("light")
    monkeypatch.setattr(QGuiApplication, "styleHints", lambda: Hints(Qt.ColorScheme.Dark))
    with qtbot.assertNotEmitted(theme.changed):
        theme._apply()


def test_the_menu_shows_and_makes_the_choice(theme, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    menu = theme.menu(parent)
    assert [action.text() for action in menu.actions()] == ["&System", "&Light", "&Dark"]
    menu.aboutToShow.emit()
    assert [action.isChecked() for action in menu.actions()] == [True, False, False]
    menu.actions()[2].trigger()
    assert theme.scheme == "dark"
    theme.set_scheme("light")
    menu.aboutToShow.emit()
    assert [action.isChecked() for action in menu.actions()] == [False, True, False]


def test_the_palette_greys_out_what_cannot_be_used():
    filled = qt_palette(DARK)
    usable = filled.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Text)
    greyed = filled.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert usable.lightness() > greyed.lightness() > filled.base().color().lightness()
