"""Menus: the menu bar, whose entries give commands by their names."""

from collections.abc import Callable, Collection, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from kvidgan.backends import TITLES, installed
from kvidgan_viewer.settings import Settings
from kvidgan_viewer.shortcuts import menu_action
from kvidgan_viewer.theme import Theme


class Menus(QObject):
    """Menus of a window.

    Signals:
        recent_chosen(Path): A path that was opened before is to be opened again.
        pane_toggled(str, bool): The name of a pane, and whether it is to be shown.
        side_by_side_toggled(bool): Whether models are to be shown beside each other.
        plots_toggled(bool): Whether the plots are to be shown.
        backend_chosen(str): The name of the Keras backend to play on.
    """

    recent_chosen = Signal(object)
    pane_toggled = Signal(str, bool)
    side_by_side_toggled = Signal(bool)
    plots_toggled = Signal(bool)
    backend_chosen = Signal(str)

    def __init__(
        self,
        window: QMainWindow,
        commands: Mapping[str, Callable[[], object]],
        settings: Settings,
        theme: Theme,
        backend: str,
        generator: QAction,
    ):
        """Fill the window's menu bar.

        Args:
            window: The window that the menu bar belongs to.
            commands: What each command does, by its name.
            settings: The settings that keep recent paths, and whether the plots were shown.
            theme: The theme to choose in a menu of its own.
            backend: Name of the Keras backend that is checked.
            generator: The entry that shows the generator's panel.
        """
        super().__init__(window)
        self._window, self._commands, self._settings = window, commands, settings
        bar = window.menuBar()
        self._fill_file(bar.addMenu("&File"))
        self._fill_view(bar.addMenu("&View"), generator, theme)
        self._fill_play(bar.addMenu("&Play"))
        self._fill_model(bar.addMenu("&Model"), backend)
        bar.addMenu("&Help").addAction(self._action("&Keys", "keys"))

    def show_panes(self, names: Sequence[str], hidden: Collection[str], side_by_side: bool) -> None:
        """Offer panes.

        Args:
            names: The names of all panes.
            hidden: The names of those that are not shown.
            side_by_side: Whether models are shown beside each other.
        """
        self.panes.clear()
        for name in names:
            pane = self.panes.addAction(name.capitalize())
            pane.setCheckable(True)
            pane.setChecked(name not in hidden)
            pane.triggered.connect(lambda on, name=name: self.pane_toggled.emit(name, on))
        self.panes.setEnabled(not self.panes.isEmpty())
        self.side_by_side.setChecked(side_by_side)

    def _action(self, text: str, command: str) -> QAction:
        return menu_action(self._window, text, self._commands[command], command)

    def _toggle(self, text: str) -> QAction:
        action = QAction(text, self._window)
        action.setCheckable(True)
        return action

    def _fill_file(self, menu: QMenu) -> None:
        menu.addAction(self._action("&Open…", "open"))
        menu.addAction(self._action("Open &folder…", "open_folder"))
        self.recent = menu.addMenu("Open &recent")
        self.recent.aboutToShow.connect(self._show_recent)
        menu.addAction(self._action("Re&load", "reload"))
        menu.addSeparator()
        menu.addAction(self._action("&Export…", "export"))
        menu.addAction(self._action("&Save frame…", "save_frame"))
        menu.addAction(self._action("&Copy frame", "copy_frame"))
        menu.addSeparator()
        menu.addAction(self._action("&Quit", "quit"))

    def _fill_view(self, menu: QMenu, generator: QAction, theme: Theme) -> None:
        self.panes = menu.addMenu("&Panes")
        menu.addAction(self._action("&All panes", "all_panes"))
        menu.addAction(self._action("Next &difference", "next_mode"))
        self.side_by_side = self._toggle("Models &side by side")
        self.side_by_side.toggled.connect(self.side_by_side_toggled)
        menu.addAction(self.side_by_side)
        menu.addSeparator()
        menu.addAction(self._action("&Fit", "fit"))
        menu.addAction(self._action("S&mooth or sharp", "smooth"))
        menu.addSeparator()
        menu.addAction(generator)
        self.plots = self._toggle("Pl&ots")
        self.plots.setChecked(self._settings.value("plots", True))
        self.plots.toggled.connect(self.plots_toggled)
        menu.addAction(self.plots)
        menu.addMenu(theme.menu(self._window))
        menu.addAction(self._action("F&ull screen", "full_screen"))

    def _fill_play(self, menu: QMenu) -> None:
        for text, command in (
            ("&Play, pause", "toggle"),
            ("Play &backward", "backward"),
            ("&Faster", "faster"),
            ("&Slower", "slower"),
            ("&Normal speed", "normal_speed"),
            ("Next &loop mode", "next_loop"),
            ("Loop from &here", "mark_start"),
            ("Loop &to here", "mark_end"),
            ("&Clear the range", "clear_range"),
            ("&Previous clip", "previous_clip"),
            ("Next c&lip", "next_clip"),
        ):
            menu.addAction(self._action(text, command))

    def _fill_model(self, menu: QMenu, backend: str) -> None:
        menu.addAction(self._action("&Next model", "next_model"))
        menu.addAction(self._action("&Restart", "restart"))
        menu.addAction(self._action("&Close model", "close_model"))
        menu.addSeparator()
        group = QActionGroup(menu)
        for name in installed():
            action = group.addAction(TITLES[name])
            action.setCheckable(True)
            action.setChecked(name == backend)
            action.triggered.connect(lambda _checked, name=name: self.backend_chosen.emit(name))
            menu.addAction(action)

    def _show_recent(self) -> None:
        self.recent.clear()
        for path in self._settings.recent():
            action = self.recent.addAction(str(path))
            action.triggered.connect(lambda _checked, path=path: self.recent_chosen.emit(path))
        self.recent.setEnabled(True)
