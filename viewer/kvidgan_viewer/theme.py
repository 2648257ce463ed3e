"""Theme: light or dark, as the system has it or as the user chooses."""

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from kvidgan_viewer.colours import DARK, LIGHT, Colours


class ColourScheme(StrEnum):
    """Colour schemes to choose from."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


QT_SCHEMES = {
    ColourScheme.SYSTEM: Qt.ColorScheme.Unknown,
    ColourScheme.LIGHT: Qt.ColorScheme.Light,
    ColourScheme.DARK: Qt.ColorScheme.Dark,
}


class Theme(QObject):
    """Theme of the application.

    Signals:
        changed(Colours): The colours are others now, by the user or by the system.

    Attributes:
        scheme: The scheme that the user chose.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self.scheme = ColourScheme.SYSTEM
        self._colours = self._scheme_colours()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)

    @property
    def colours(self) -> Colours:
        """The present colours."""
        return self._colours

    def set_scheme(self, scheme: str) -> None:
        """Choose "system", "light" or "dark".

        Raises:
            ValueError: If it is another word.
        """
        self.scheme = ColourScheme(scheme)
        QGuiApplication.styleHints().setColorScheme(QT_SCHEMES[self.scheme])
        self._apply()

    def menu(self, parent: QWidget | None = None) -> QMenu:
        """Return a menu of the schemes."""
        menu = QMenu("&Theme", parent)
        group = QActionGroup(menu)
        for scheme in ColourScheme:
            action = group.addAction(f"&{scheme.title()}")
            action.setCheckable(True)
            action.setData(scheme.value)
            action.triggered.connect(lambda _checked, scheme=scheme: self.set_scheme(scheme))
            menu.addAction(action)
        menu.aboutToShow.connect(lambda: self._check(menu.actions()))
        return menu

    def _check(self, actions: list[QAction]) -> None:
        for action in actions:
            action.setChecked(action.data() == self.scheme)

    def _apply(self) -> None:
        """Apply the scheme that the user or the system chose."""
        colours = self._scheme_colours()
        self._set_palette(colours)
        if colours != self._colours:
            self._colours = colours
            self.changed.emit(colours)

    def _scheme_colours(self) -> Colours:
        if self.scheme is ColourScheme.SYSTEM:
            return DARK if _system_is_dark() else LIGHT
        return DARK if self.scheme is ColourScheme.DARK else LIGHT

    def _set_palette(self, colours: Colours) -> None:
        """Set a palette of our own where the platform cannot change its scheme, else none."""
        hints = QGuiApplication.styleHints()
        system = self.scheme is ColourScheme.SYSTEM
        honoured = system or hints.colorScheme() == QT_SCHEMES[self.scheme]
        QApplication.setPalette(QPalette() if honoured else qt_palette(colours))


def _system_is_dark() -> bool:
    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme != Qt.ColorScheme.Unknown:
        return scheme == Qt.ColorScheme.Dark
    style = QApplication.style()
    return style is not None and style.standardPalette().window().color().lightness() < 128


def qt_palette(colours: Colours) -> QPalette:
    """Return a palette for Qt's own widgets."""
    role = QPalette.ColorRole
    palette = QPalette(QColor(colours.window), QColor(colours.window))
    for roles, colour in (
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), colours.text),
        ((role.Base, role.ToolTipBase), colours.base),
        ((role.AlternateBase,), colours.window),
        ((role.PlaceholderText,), colours.muted),
        ((role.Highlight, role.Accent, role.Link), colours.accent),
        ((role.HighlightedText,), colours.base),
    ):
        for each in roles:
            palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(colours.filled))
    return palette
