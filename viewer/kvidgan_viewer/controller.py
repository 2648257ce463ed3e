"""Controller: connects the window's widgets with the open models."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from kvidgan.data.reading import Reading
from kvidgan_viewer.colours import Colours
from kvidgan_viewer.data_dialog import DataDialog
from kvidgan_viewer.exporter import Exporter
from kvidgan_viewer.menus import Menus
from kvidgan_viewer.panel.panel import Panel
from kvidgan_viewer.panel.values import ClipValues
from kvidgan_viewer.panes import session_title
from kvidgan_viewer.player_view import PlayerView
from kvidgan_viewer.plots_view import PlotsView
from kvidgan_viewer.session import Session, Values
from kvidgan_viewer.sessions import Sessions
from kvidgan_viewer.settings import Settings
from kvidgan_viewer.shortcuts import bind
from kvidgan_viewer.theme import Theme
from kvidgan_viewer.worker import messages

Commands = dict[str, Callable[[], object]]

SCORES_INTERVAL = 300  # ms


class Controller(QObject):
    """Controller of player view, panel, plots, menus and sessions.

    Signals:
        open_requested(Path): A path was chosen in a menu.
        failed(str, str, object): A sentence, details, and the function that mends it or None.
    """

    open_requested = Signal(object)
    failed = Signal(str, str, object)

    def __init__(
        self,
        window: QMainWindow,
        pages: QStackedWidget,
        theme: Theme,
        backend: str,
        window_commands: Mapping[str, Callable[[], object]],
    ):
        """Add docks, bars and menus to a window.

        Args:
            window: The window that gets them.
            pages: The window's pages, with the start page as the first; the player view is added.
            theme: The theme whose colours all widgets take.
            backend: Name of the Keras backend that models are opened on.
            window_commands: What the window does for commands of its own, by their names.
        """
        super().__init__(window)
        self.window, self.pages, self.theme, self.backend = window, pages, theme, backend
        self.settings = Settings()
        self.sessions = Sessions(self)
        self.clip: Path | None = None  # what predictors go on with
        self._listed_source = ("", Reading())  # the clip whose videos are known
        self.player_view, self.panel, self.plots_view = PlayerView(), Panel(), PlotsView()
        self.exporter = Exporter(window, self.player_view, self.settings)
        self._scores_timer = QTimer(self, singleShot=True, interval=SCORES_INTERVAL)
        self._lay_out()
        commands = {**window_commands, **self.player_view.commands(), **self._commands()}
        bind(window, self.player_view.canvas, commands)
        generator = self.generator_dock.toggleViewAction()
        self.menus = Menus(window, commands, self.settings, theme, backend, generator)
        self._connect()
        self._restore()

    # --- building

    def _lay_out(self) -> None:
        window, area = self.window, Qt.DockWidgetArea
        self.pages.addWidget(self.player_view)
        self.generator_dock = self._dock("Generator", self.panel, area.RightDockWidgetArea)
        self.plots_dock = self._dock("Plots", self.plots_view, area.BottomDockWidgetArea)
        self.model_chooser = QComboBox()
        self.model_chooser.setAccessibleName("Model")
        self.model_chooser.setToolTip(
            "The model that is shown; Tab on the frames goes to the next."
        )
        self.model_chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model_chooser.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.model_bar = QToolBar("Model", window)
        self.model_bar.setObjectName("model")
        self.model_bar.setMovable(False)
        self.model_bar.addWidget(self.model_chooser)
        window.addToolBar(self.model_bar)
        self.status_label, self.pixel_label = QLabel(), QLabel()
        window.statusBar().addWidget(self.status_label, 1)
        window.statusBar().addPermanentWidget(self.pixel_label)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self.window)
        dock.setObjectName(title.lower())
        dock.setWidget(widget)
        self.window.addDockWidget(area, dock)
        dock.hide()
        return dock

    def _commands(self) -> Commands:
        return {
            "previous_clip": partial(self.panel.step_video, -1),
            "next_clip": partial(self.panel.step_video, 1),
            "next_model": self.sessions.next,
            "restart": self._restart,
            "close_model": self._close_model,
            "save_frame": self.exporter.save_frame,
            "copy_frame": self.exporter.copy_frame,
            "export": self.exporter.export,
            "reload": self.reload,
            "escape": self.cancel,
        }

    def _connect(self) -> None:
        self.sessions.added.connect(self._connect_session)
        self.sessions.changed.connect(self.show_model)
        self.sessions.runs_changed.connect(self._show_runs)
        self.sessions.failed.connect(lambda sentence, text: self.failed.emit(sentence, text, None))
        self.panel.changed.connect(self.play)
        self.panel.data_asked.connect(self._describe_data)
        self.plots_view.seek_requested.connect(self.player_view.seek)
        self.player_view.frame_changed.connect(self.plots_view.scores.set_cursor)
        self.player_view.options_changed.connect(self._show_panes)
        self.player_view.canvas.pointed.connect(self.pixel_label.setText)
        self.model_chooser.activated.connect(lambda n: self.sessions.select(self.sessions.all[n]))
        self.theme.changed.connect(self._set_colours)
        self.exporter.status_changed.connect(self._show_status)
        self.exporter.failed.connect(lambda sentence: self.failed.emit(sentence, "", None))
        self.menus.recent_chosen.connect(self.open_requested)
        self.menus.pane_toggled.connect(
            lambda name, shown: self.player_view.set_hidden(name, not shown)
        )
        self.menus.side_by_side_toggled.connect(self.set_side_by_side)
        self.menus.plots_toggled.connect(self._set_plots_visible)
        self.menus.backend_chosen.connect(self.set_backend)
        self._scores_timer.timeout.connect(self._show_scores)

    def _connect_session(self, session: Session) -> None:
        session.opened.connect(lambda: self._play_opened(session))
        session.rollout_changed.connect(lambda: self._show_rollout(session))
        session.frames_added.connect(lambda: self._show_frames(session))
        session.status_changed.connect(lambda: self._show_frames(session))
        session.videos_listed.connect(self._show_videos)
        session.data_described.connect(self._show_data)
        session.died.connect(lambda sentence: self.failed.emit(sentence, "", session.restart))

    def _restore(self) -> None:
        docks = self.settings.bytes("docks")
        if docks is None:
            QTimer.singleShot(0, self._size_docks)  # once they have a size that can be shared
        else:
            self.window.restoreState(docks)
        self.player_view.playhead.speed = self.settings.value("speed", 1.0)
        self._set_colours(self.theme.colours)

    def _size_docks(self) -> None:
        window = self.window
        window.resizeDocks([self.plots_dock], [window.height() // 4], Qt.Orientation.Vertical)
        window.resizeDocks([self.generator_dock], [290], Qt.Orientation.Horizontal)

    # --- opening

    def open(self, path: Path) -> None:
        """Open a model or a run, or have predictors go on with a clip.

        Raises:
            UserError: If a folder only looks like a run's.
        """
        if path.suffix == ".keras" or (path / "config.yaml").is_file():
            if self.sessions.open(path, self.backend) is None:
                self.menus.plots.setChecked(True)
                self.plots_view.setCurrentWidget(self.plots_view.history)
            return
        self.clip = path
        self._offer_clip()
        if self.sessions.current is None:
            self.player_view.set_hint(f"{path.name}: now open a model that goes on with it")

    def reload(self) -> None:
        """Open the shown model again from disk, and what the runs have logged since."""
        self._restart()
        self.plots_view.history.refresh()
        self.plots_view.samples.refresh()

    def set_backend(self, backend: str) -> None:
        """Play the shown model, and those opened from now on, on another backend."""
        self.backend = backend
        session = self.sessions.current
        if session is not None and session.worker.backend != backend:
            session.restart(backend)
        self.show_model()

    def _restart(self) -> None:
        if self.sessions.current is not None:
            self.sessions.current.restart()

    def _close_model(self) -> None:
        if self.sessions.current is not None:
            self.sessions.close(self.sessions.current)

    # --- playing

    def play(self, values: Values) -> None:
        """Play on the shown model, and on those beside it."""
        session = self.sessions.current
        if session is not None:
            is_first = session.rollout is None
            session.play(values)
            self._list_videos(session, values)
            if self.player_view.options.side_by_side:
                self.sessions.play_on_others()
            if is_first:  # later, who has paused wants to see the same frame of another rollout
                self.player_view.play()

    def _play_opened(self, session: Session) -> None:
        """Play a model as soon as it is known what it needs."""
        if session is not self.sessions.current:
            return
        self._show_panel(session)
        self._offer_clip()
        values = self.panel.values()
        session.values = None
        if values is not None:
            self.play(values)
        self._show_status()

    def _list_videos(self, session: Session, values: Values) -> None:
        """Request the list of the clip's videos, unless it is known."""
        if isinstance(values, ClipValues) and self._listed_source != (values.path, values.reading):
            self._listed_source = values.path, values.reading
            session.worker.list_videos(*self._listed_source)

    def _offer_clip(self) -> None:
        if self.clip is not None:
            self.panel.set_clip(str(self.clip))
        elif self.sessions.current is not None and self.panel.values() is None:
            path = self.sessions.current.training_data()
            if path is not None:
                self.panel.set_clip(path)

    def set_side_by_side(self, side_by_side: bool) -> None:
        """Show all models that can play the same beside each other, or only one."""
        if side_by_side:
            self.sessions.play_on_others()
        self.player_view.set_side_by_side(side_by_side)
        self.show_model()

    def cancel(self) -> None:
        """Cancel what runs; if nothing does, leave full screen."""
        session = self.sessions.current
        if self.exporter.running:
            self.exporter.cancel()
        elif session is not None and session.worker.status in ("rolling", "compiling"):
            session.cancel()
        elif self.window.isFullScreen():
            self.window.showNormal()

    def close(self) -> None:
        """Remember docks and speed, end all processes."""
        self.settings.set_bytes("docks", self.window.saveState())
        self.settings.set_value("speed", self.player_view.playhead.speed)
        self.exporter.close()
        self.sessions.close_all()

    # --- showing

    def show_model(self) -> None:
        """Show the current model, and the others in the list."""
        sessions, current = self.sessions, self.sessions.current
        self.model_chooser.clear()
        self.model_chooser.addItems([session_title(session) for session in sessions.all])
        if current is not self.player_view.session:
            self._show_panel(current)
        if current is not None:
            self.model_chooser.setCurrentIndex(sessions.all.index(current))
        self.player_view.set_session(current, sessions.others())
        self.window.setWindowTitle(f"{current.name} - kvidgan" if current else "kvidgan")
        self._show_panes()
        self._show_runs()
        self.show_page()
        self._show_frames(current)

    def show_page(self) -> None:
        """Show the start page, or the player view with its docks."""
        playing = bool(self.sessions.all or self.sessions.runs or self.clip)
        # The start page is the first of the pages.
        self.pages.setCurrentIndex(self.pages.indexOf(self.player_view) if playing else 0)
        for part in (self.generator_dock, self.plots_dock, self.model_bar):
            wanted = part is not self.plots_dock or self.menus.plots.isChecked()
            part.setVisible(playing and wanted)
        if playing and not self.panel.isAncestorOf(self.window.focusWidget() or self.window):
            self.player_view.canvas.setFocus()

    def _show_panel(self, session: Session | None) -> None:
        self._listed_source = ("", Reading())  # another form knows no videos
        self.panel.set_description(session.description if session else None)
        if session is not None and session.values is not None:
            self.panel.set_values(session.values)
            if session.description is not None:
                self._list_videos(session, session.values)

    def _show_panes(self) -> None:
        options = self.player_view.options
        names = self.player_view.pane_names()
        self.menus.show_panes(names, options.hidden, options.side_by_side)

    def _show_rollout(self, session: Session) -> None:
        if session is self.sessions.current or self.player_view.options.side_by_side:
            self.player_view.reload_film()
            self._show_panes()
            self._show_frames(session)

    def _show_frames(self, session: Session | None) -> None:
        if session is self.sessions.current or self.player_view.options.side_by_side:
            self.player_view.refresh()
            self._show_status()
            if not self._scores_timer.isActive():
                self._scores_timer.start()

    def _show_scores(self) -> None:
        side_by_side = self.player_view.options.side_by_side
        others = self.sessions.others() if side_by_side else []
        self.plots_view.show_scores(self.sessions.current, others)

    def _show_runs(self) -> None:
        self.plots_view.show_runs(self.sessions.runs, self.sessions.current)

    def _set_plots_visible(self, visible: bool) -> None:
        self.settings.set_value("plots", visible)
        self.plots_dock.setVisible(visible)

    def _show_status(self) -> None:
        session = self.sessions.current
        text = self.exporter.status_text() or (session.status_text() if session else "")
        self.status_label.setText(text)

    def _show_videos(self, videos: messages.VideoList) -> None:
        if videos.path == self._listed_source[0]:
            self.panel.set_videos([(v.name, v.split, v.num_frames) for v in videos.videos])

    def _describe_data(self) -> None:
        """Request how the clip of the panel is understood."""
        values, session = self.panel.values(), self.sessions.current
        if isinstance(values, ClipValues) and session is not None:
            session.worker.describe_data(values.path, values.reading)

    def _show_data(self, data: messages.DataDescription) -> None:
        DataDialog(data, self.window).open()

    def _set_colours(self, colours: Colours) -> None:
        self.player_view.set_colours(colours)
        self.plots_view.set_colours(colours)
