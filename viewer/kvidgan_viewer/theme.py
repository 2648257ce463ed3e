"""Light and dark: as the system has it, or as the user chooses."""

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from kvidgan_viewer.colours import DARK, LIGHT, Colours


class Choice(StrEnum):
    """What a user can choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


SCHEMES = {
    Choice.SYSTEM: Qt.ColorScheme.Unknown,
    Choice.LIGHT: Qt.ColorScheme.Light,
    Choice.DARK: Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """The theme of the application.

    Signals:
        changed(Colours): The colours are others now, by the user or by the system.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self.choice = Choice.SYSTEM
        self._colours = self._wanted()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    @property
    def colours(self) -> Colours:
        """The colours of now."""
        return self._colours

    def choose(self, choice: str) -> None:
        """Take "system", "light" or "dark".

        Raises:
            ValueError: If it is another word.
        """
        self.choice = Choice(choice)
        QGuiApplication.styleHints().setColorScheme(SCHEMES[self.choice])
        self._follow()

    def menu(self, parent: QWidget | None = None) -> QMenu:
        """Return a menu to choose from."""
        menu = QMenu("&Theme", parent)
        group = QActionGroup(menu)
        for choice in Choice:
            action = group.addAction(f"&{choice.title()}")
            action.setCheckable(True)
            action.setData(choice.value)
            action.triggered.connect(lambda _checked, choice=choice: self.choose(choice))
            menu.addAction(action)
        menu.aboutToShow.connect(lambda: self._check(menu.actions()))
        return menu

    def _check(self, actions: list[QAction]) -> None:
        for action in actions:
            action.setChecked(action.data() == self.choice)

    def _follow(self) -> None:
        """Take up what the user or the system chose."""
        colours = self._wanted()
        self._mend_palette(colours)
        if colours != self._colours:
            self._colours = colours
            self.changed.emit(colours)

    def _wanted(self) -> Colours:
        if self.choice is Choice.SYSTEM:
            return DARK if _system_is_dark() else LIGHT
        return DARK if self.choice is Choice.DARK else LIGHT

    def _mend_palette(self, colours: Colours) -> None:
        """Set a palette of our own where the platform cannot change its scheme, else none."""
        hints = QGuiApplication.styleHints()
        honoured = self.choice is Choice.SYSTEM or hints.colorScheme() == SCHEMES[self.choice]
        QApplication.setPalette(QPalette() if honoured else palette(colours))


def _system_is_dark() -> bool:
    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme != Qt.ColorScheme.Unknown:
        return scheme == Qt.ColorScheme.Dark
    style = QApplication.style()
    return style is not None and style.standardPalette().window().color().lightness() < 128


def palette(colours: Colours) -> QPalette:
    """Return a palette for Qt's own widgets."""
    role = QPalette.ColorRole
    filled = QPalette(QColor(colours.window), QColor(colours.window))
    for roles, colour in (
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), colours.text),
        ((role.Base, role.ToolTipBase), colours.base),
        ((role.AlternateBase,), colours.window),
        ((role.PlaceholderText,), colours.muted),
        ((role.Highlight, role.Accent, role.Link), colours.accent),
        ((role.HighlightedText,), colours.base),
    ):
        for each in roles:
            filled.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        filled.setColor(QPalette.ColorGroup.Disabled, each, QColor(colours.filled))
    return filled
