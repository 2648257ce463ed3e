"""The models that are open on what plays them: passes on what each piece of the window wants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QDockWidget, QLabel, QToolBar, QWidget

from kvidgan_viewer.colours import Colours
from kvidgan_viewer.exporter import Saving
from kvidgan_viewer.menus import Menus
from kvidgan_viewer.panel.panel import Panel
from kvidgan_viewer.panel.values import ClipValues
from kvidgan_viewer.panes import titled
from kvidgan_viewer.player_view import Theatre
from kvidgan_viewer.plots_view import Plots
from kvidgan_viewer.session import Session, Values
from kvidgan_viewer.sessions import Models
from kvidgan_viewer.worker import messages

if TYPE_CHECKING:
    from kvidgan_viewer.main_window import Window

SCORES_EVERY = 300  # ms


class Desk(QObject):
    """What the window has besides its first page: theatre, panel, plots, menus and models."""

    def __init__(self, window: Window):
        super().__init__(window)
        self.window = window
        self.models = Models(self)
        self.clip: Path | None = None  # what predictors are to go on with
        self._listed = ("", "")  # the clip's path and layout, whose videos are known
        self.theatre, self.panel, self.plots = Theatre(), Panel(), Plots()
        self.saving = Saving(window)
        self._late = QTimer(self, singleShot=True, interval=SCORES_EVERY)
        self._lay_out()
        self.menus = Menus(window, self)
        self._connect()
        self._restore()

    # --- building

    def _lay_out(self) -> None:
        window = self.window
        window.pages.addWidget(self.theatre)
        self.right = self._dock("Generator", self.panel, Qt.DockWidgetArea.RightDockWidgetArea)
        self.bottom = self._dock("Plots", self.plots, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Model")
        self.chooser.setToolTip("The model that is shown; Tab on the frames goes to the next.")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.chooser.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.bar = QToolBar("Model", window)
        self.bar.setObjectName("model")
        self.bar.setMovable(False)
        self.bar.addWidget(self.chooser)
        window.addToolBar(self.bar)
        self.status, self.pointed = QLabel(), QLabel()
        window.statusBar().addWidget(self.status, 1)
        window.statusBar().addPermanentWidget(self.pointed)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self.window)
        dock.setObjectName(title.lower())
        dock.setWidget(widget)
        self.window.addDockWidget(area, dock)
        dock.hide()
        return dock

    def _connect(self) -> None:
        self.models.changed.connect(self.show_model)
        self.models.runs_changed.connect(self._show_runs)
        self.models.failed.connect(self.window.complain)
        self.panel.changed.connect(self.play)
        self.plots.seek.connect(self.theatre.seek)
        self.theatre.moved.connect(self.plots.scores.set_cursor)
        self.theatre.looked.connect(self.menus.show_panes)
        self.theatre.canvas.pointed.connect(self.pointed.setText)
        self.chooser.activated.connect(lambda n: self.models.show(self.models.sessions[n]))
        self.window.theme.changed.connect(self._set_colours)
        self.saving.told.connect(self._show_status)
        self.saving.failed.connect(self.window.complain)
        self._late.timeout.connect(self._show_scores)

    def _restore(self) -> None:
        settings = self.window.settings
        packed = settings.bytes("docks")
        if packed is None:
            QTimer.singleShot(0, self._share_out)  # once they have a size that can be shared
        else:
            self.window.restoreState(packed)
        self.theatre.player.speed = settings.value("speed", 1.0)
        self._set_colours(self.window.theme.colours)

    def _share_out(self) -> None:
        window = self.window
        window.resizeDocks([self.bottom], [window.height() // 4], Qt.Orientation.Vertical)
        window.resizeDocks([self.right], [290], Qt.Orientation.Horizontal)

    # --- opening

    def open(self, path: Path) -> None:
        """Open a model or a run, or have predictors go on with a clip.

        Raises:
            UserError: If a folder only looks like a run's.
        """
        if path.suffix == ".keras" or (path / "config.yaml").is_file():
            if self.models.open(path, self.window.backend) is None:
                self.menus.plots.setChecked(True)
                self.plots.setCurrentWidget(self.plots.history)
            return
        self.clip = path
        self._offer_clip()
        if self.models.current is None:
            self.theatre.set_hint(f"{path.name}: now open a model that goes on with it")

    def reload(self) -> None:
        """Open the shown model again from disk, and what the runs have logged since."""
        if self.models.current is not None:
            self.models.current.restart()
        self.plots.history.refresh()
        self.plots.samples.refresh()

    def set_backend(self, backend: str) -> None:
        """Play the shown model, and those opened from now on, on another backend."""
        self.window.backend = backend
        if self.models.current is not None and self.models.current.worker.backend != backend:
            self.models.current.restart(backend)
        self.show_model()

    # --- playing

    def play(self, values: Values) -> None:
        """Play on the shown model, and on those beside it."""
        session = self.models.current
        if session is not None:
            first = session.start is None
            session.play(values)
            self._list_videos(session, values)
            if self.theatre.look.side_by_side:
                self.models.together()
            if first:  # later, who has paused wants to see the same moment of another rollout
                self.theatre.play()

    def _opened(self, session: Session) -> None:
        """Play a model as soon as it is known what it needs."""
        if session is not self.models.current:
            return
        self._show_panel(session)
        self._offer_clip()
        values = self.panel.values()
        session.values = None
        if values is not None:
            self.play(values)
        self._show_status()

    def _list_videos(self, session: Session, values: Values) -> None:
        """Ask what there is to choose from where the clip lies, unless that is known."""
        if isinstance(values, ClipValues) and self._listed != (values.path, values.layout):
            self._listed = values.path, values.layout
            session.worker.videos(*self._listed)

    def _offer_clip(self) -> None:
        if self.clip is not None:
            self.panel.set_clip(str(self.clip))
        elif self.models.current is not None and self.panel.values() is None:
            trained_on = self.models.current.trained_on()
            if trained_on is not None:
                self.panel.set_clip(trained_on)

    def set_side_by_side(self, together: bool) -> None:
        """Show all models that can play the same beside each other."""
        if together:
            self.models.together()
        self.theatre.set_side_by_side(together)
        self.show_model()

    def cancel(self) -> None:
        """Cancel what runs; if nothing does, leave full screen."""
        session = self.models.current
        if self.saving.running:
            self.saving.cancel()
        elif session is not None and session.worker.state in ("rolling", "compiling"):
            session.cancel()
        elif self.window.isFullScreen():
            self.window.full_screen()

    def close(self) -> None:
        """Remember how things are, end all processes."""
        self.window.settings.set_bytes("docks", self.window.saveState())
        self.window.settings.set_value("speed", self.theatre.player.speed)
        self.saving.close()
        self.models.close_all()

    # --- showing

    def _watch(self, session: Session) -> None:
        session.setProperty("watched", True)
        session.opened.connect(lambda: self._opened(session))
        session.began.connect(lambda: self._began(session))
        session.grown.connect(lambda: self._grown(session))
        session.told.connect(lambda: self._grown(session))
        session.listed.connect(self._list)
        session.died.connect(lambda why: self.window.complain(why, remedy=session.restart))

    def show_model(self) -> None:
        """Show the model that is to be shown, and the others in the list."""
        models, theatre = self.models, self.theatre
        current = models.current
        for session in models.sessions:
            if not session.property("watched"):
                self._watch(session)
        self.chooser.clear()
        self.chooser.addItems([titled(session) for session in models.sessions])
        if current is not theatre.session:
            self._show_panel(current)
        if current is not None:
            self.chooser.setCurrentIndex(models.sessions.index(current))
        theatre.set_session(current, models.others())
        self.window.setWindowTitle(f"{current.name} - kvidgan" if current else "kvidgan")
        self.menus.show_panes()
        self._show_runs()
        self.show_page()
        self._grown(current)

    def _show_panel(self, session: Session | None) -> None:
        self._listed = ("", "")  # another form knows no videos
        self.panel.set_description(session.description if session else None)
        if session is not None and session.values is not None:
            self.panel.set_values(session.values)
            if session.description is not None:
                self._list_videos(session, session.values)

    def _began(self, session: Session) -> None:
        if session is self.models.current or self.theatre.look.side_by_side:
            self.theatre.renew()
            self.menus.show_panes()
            self._grown(session)

    def _grown(self, session: Session | None) -> None:
        if session is self.models.current or self.theatre.look.side_by_side:
            self.theatre.refresh()
            self._show_status()
            if not self._late.isActive():
                self._late.start()

    def _show_scores(self) -> None:
        together = self.theatre.look.side_by_side
        others = self.models.others() if together else []
        self.plots.show_scores(self.models.current, others)

    def _show_runs(self) -> None:
        self.plots.show_runs(self.models.runs, self.models.current)

    def show_page(self) -> None:
        """Show the first page, or what plays."""
        playing = bool(self.models.sessions or self.models.runs or self.clip)
        self.window.pages.setCurrentWidget(self.theatre if playing else self.window.start)
        self.window.start.set_recent(self.window.settings.recent())
        for part in (self.right, self.bottom, self.bar):
            part.setVisible(playing and (part is not self.bottom or self.menus.plots.isChecked()))
        if playing and not self.panel.isAncestorOf(self.window.focusWidget() or self.window):
            self.theatre.canvas.setFocus()

    def _show_status(self) -> None:
        session = self.models.current
        self.status.setText(self.saving.status() or (session.status() if session else ""))

    def _list(self, listed: messages.Listed) -> None:
        if listed.path != self._listed[0]:
            return
        entries = [(entry.name, entry.split, entry.length) for entry in listed.videos]
        self.panel.set_videos(entries)

    def _set_colours(self, colours: Colours) -> None:
        self.theatre.set_colours(colours)
        self.plots.set_colours(colours)
