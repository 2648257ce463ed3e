"""The menus, and which command each key and entry gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from kvidgan.backends import TITLES, installed
from kvidgan_viewer.shortcuts import action, bind

if TYPE_CHECKING:
    from kvidgan_viewer.controller import Desk
    from kvidgan_viewer.main_window import Window


class Menus:
    """The menus of the window."""

    def __init__(self, window: Window, desk: Desk):
        self._window, self._desk = window, desk
        self._commands = _commands(window, desk)
        bind(window, desk.theatre.canvas, self._commands)
        bar = window.menuBar()
        self._file(bar.addMenu("&File"))
        self._view(bar.addMenu("&View"))
        self._play(bar.addMenu("&Play"))
        self._model(bar.addMenu("&Model"))
        help_menu = bar.addMenu("&Help")
        help_menu.addAction(self._action("&Keys", "keys"))

    def show_panes(self) -> None:
        """Offer the panes that there are."""
        theatre = self._desk.theatre
        self.panes.clear()
        for name in theatre.pane_names():
            pane = self.panes.addAction(name.capitalize())
            pane.setCheckable(True)
            pane.setChecked(name not in theatre.look.hidden)
            pane.triggered.connect(lambda on, name=name: theatre.set_hidden(name, not on))
        self.panes.setEnabled(not self.panes.isEmpty())
        self.together.setChecked(theatre.look.side_by_side)

    def _action(self, text: str, command: str) -> QAction:
        return action(self._window, text, self._commands[command], command)

    def _file(self, menu: QMenu) -> None:
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

    def _view(self, menu: QMenu) -> None:
        window, theatre = self._window, self._desk.theatre
        self.panes = menu.addMenu("&Panes")
        menu.addAction(self._action("&All panes", "all_panes"))
        menu.addAction(self._action("Next &difference", "next_mode"))
        self.together = action(window, "Models &side by side", lambda: None)
        self.together.setCheckable(True)
        self.together.toggled.connect(self._desk.set_side_by_side)
        menu.addAction(self.together)
        menu.addSeparator()
        menu.addAction(action(window, "&Fit", theatre.canvas.fit))
        menu.addAction(self._action("S&mooth or sharp", "smooth"))
        menu.addSeparator()
        menu.addAction(self._desk.right.toggleViewAction())
        self.plots = action(window, "Pl&ots", lambda: None)
        self.plots.setCheckable(True)
        self.plots.setChecked(window.settings.value("plots", True))
        self.plots.toggled.connect(self._show_plots)
        menu.addAction(self.plots)
        menu.addMenu(window.theme.menu(window))
        menu.addAction(self._action("F&ull screen", "full_screen"))

    def _play(self, menu: QMenu) -> None:
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

    def _model(self, menu: QMenu) -> None:
        window, desk = self._window, self._desk
        menu.addAction(self._action("&Next model", "next_model"))
        menu.addAction(action(window, "&Restart", lambda: _restart(desk)))
        menu.addAction(action(window, "&Close model", lambda: _close(desk)))
        menu.addSeparator()
        group = QActionGroup(menu)
        for name in installed():
            backend = group.addAction(TITLES[name])
            backend.setCheckable(True)
            backend.setChecked(name == window.backend)
            backend.triggered.connect(lambda _on, name=name: desk.set_backend(name))
            menu.addAction(backend)

    def _show_recent(self) -> None:
        self.recent.clear()
        for path in self._window.settings.recent():
            entry = self.recent.addAction(str(path))
            entry.triggered.connect(lambda _on=False, path=path: self._window.open(Path(path)))
        self.recent.setEnabled(True)

    def _show_plots(self, wanted: bool) -> None:
        self._window.settings.set_value("plots", wanted)
        self._desk.bottom.setVisible(wanted)


def _restart(desk: Desk) -> None:
    if desk.models.current is not None:
        desk.models.current.restart()


def _close(desk: Desk) -> None:
    if desk.models.current is not None:
        desk.models.close(desk.models.current)


def _commands(window: Window, desk: Desk) -> dict[str, Callable[[], object]]:
    """Return what each command of the table of keys does."""
    theatre, canvas, panel = desk.theatre, desk.theatre.canvas, desk.panel
    steered = (
        "home", "end", "backward", "forward", "slower", "faster", "normal_speed", "next_loop",
        "mark_start", "mark_end", "clear_range",
    )  # fmt: skip
    return {
        **{name: theatre.steering(name) for name in steered},
        **{f"alone_{number}": partial(canvas.alone, number) for number in range(1, 10)},
        "toggle": theatre.toggle,
        "step_back": partial(theatre.step, -1),
        "step_forward": partial(theatre.step, 1),
        "ten_back": partial(theatre.step, -10),
        "ten_forward": partial(theatre.step, 10),
        "previous_clip": partial(panel.step_video, -1),
        "next_clip": partial(panel.step_video, 1),
        "all_panes": canvas.all,
        "toggle_difference": theatre.toggle_difference,
        "next_mode": theatre.next_mode,
        "next_model": desk.models.next,
        "smooth": theatre.smooth,
        "keys": window.show_keys,
        "open": window.ask_file,
        "open_folder": window.ask_folder,
        "save_frame": desk.saving.save_frame,
        "copy_frame": desk.saving.copy_frame,
        "export": desk.saving.export,
        "reload": desk.reload,
        "escape": desk.cancel,
        "full_screen": window.full_screen,
        "quit": window.close,
    }
