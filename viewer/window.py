"""The main window: puts the pieces together, and passes on what each of them wants."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from kvidgan.errors import UserError
from kvidgan.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES

from . import messages
from .colours import Colours
from .dialogs import ErrorDialog, KeysDialog
from .menus import Menus
from .models import Models
from .panel import Panel
from .plotting import Plots
from .saving import Saving
from .session import BACKENDS, Session, Values
from .settings import Settings
from .showing import titled
from .start import StartPage
from .theatre import Theatre
from .theme import Theme

DEMO = Path(__file__).parent.parent / "models" / "shapes.keras"
SCORES_EVERY = 300  # ms


class Window(QMainWindow):
    """The window of the viewer."""

    def __init__(self, backend: str = "tensorflow", parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("kvidgan")
        self.setAcceptDrops(True)
        self.settings, self.theme, self.backend = Settings(), Theme(self), backend
        self.models = Models(self)
        self.clip: Path | None = None  # what predictors are to go on with
        self.theatre, self.panel, self.plots = Theatre(), Panel(), Plots()
        self.saving = Saving(self)
        self.start = StartPage(DEMO.is_file())
        self._late = QTimer(self, singleShot=True, interval=SCORES_EVERY)
        self._lay_out()
        self.menus = Menus(self)
        self._connect()
        self._restore()
        self._show_page()

    # --- building

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.pages.addWidget(self.theatre)
        self.setCentralWidget(self.pages)
        self.right = self._dock("Generator", self.panel, Qt.DockWidgetArea.RightDockWidgetArea)
        self.bottom = self._dock("Plots", self.plots, Qt.DockWidgetArea.BottomDockWidgetArea)
        bar = QToolBar("Model")
        bar.setObjectName("model")
        bar.setMovable(False)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Model")
        self.chooser.setToolTip("The model that is shown; Tab on the frames goes to the next.")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.chooser.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        bar.addWidget(self.chooser)
        self.addToolBar(bar)
        self.bar = bar
        self.status, self.pointed = QLabel(), QLabel()
        self.statusBar().addWidget(self.status, 1)
        self.statusBar().addPermanentWidget(self.pointed)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title.lower())
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        self.models.changed.connect(self._show_model)
        self.models.runs_changed.connect(self._show_runs)
        self.models.failed.connect(self.complain)
        self.panel.changed.connect(self._play)
        self.plots.seek.connect(self.theatre.seek)
        self.theatre.moved.connect(self.plots.scores.set_cursor)
        self.theatre.looked.connect(self.menus.show_panes)
        self.theatre.canvas.pointed.connect(self.pointed.setText)
        self.chooser.activated.connect(lambda n: self.models.show(self.models.sessions[n]))
        self.theme.changed.connect(self._set_colours)
        self.saving.told.connect(self._show_status)
        self.saving.failed.connect(lambda sentence: self.complain(sentence, ""))
        self._late.timeout.connect(self._show_scores)
        self.start.open_pressed.connect(self.ask_file)
        self.start.folder_pressed.connect(self.ask_folder)
        self.start.demo_pressed.connect(lambda: self.open(DEMO))
        self.start.chosen.connect(lambda path: self.open(Path(path)))

    def _restore(self) -> None:
        self.resize(1180, 720)
        for name, take in (("geometry", self.restoreGeometry), ("docks", self.restoreState)):
            packed = self.settings.bytes(name)
            if packed is not None:
                take(packed)
        if self.settings.bytes("docks") is None:  # once they have a size that can be shared
            QTimer.singleShot(0, self._share_out)
        self.theme.choose(self.settings.value("theme", "system"))
        self.theatre.player.speed = self.settings.value("speed", 1.0)
        self._set_colours(self.theme.colours)

    def _share_out(self) -> None:
        self.resizeDocks([self.bottom], [self.height() // 4], Qt.Orientation.Vertical)
        self.resizeDocks([self.right], [290], Qt.Orientation.Horizontal)

    # --- opening

    def open(self, path: Path) -> None:
        """Open a model, a run or a clip."""
        try:
            self._open(path)
        except UserError as error:
            self.complain(str(error), "")
            return
        self.settings.remember(path)
        self._show_page()

    def open_all(self, paths: Sequence[Path]) -> None:
        """Open several."""
        for path in paths:
            self.open(path)

    def _open(self, path: Path) -> None:
        if not path.exists():
            raise UserError(f"Expected a model, a run or a clip, found nothing at {path}.")
        if path.suffix == ".keras" or (path / "config.yaml").is_file():
            if self.models.open(path, self.backend) is None:
                self.bottom.show()
                self.plots.setCurrentWidget(self.plots.history)
            return
        self.clip = path
        self._offer_clip()
        if self.models.current is None:
            self.say(f"{path.name}: now open a model that goes on with it.")

    def ask_file(self) -> None:
        """Ask for a file, and open it."""
        videos = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        kinds = f"Models and clips (*.keras *.h5 *.npy *.npz {videos});;All files (*)"
        brief = QFileDialog.Option.HideNameFilterDetails
        folder = str(self.settings.folder)
        name, _ = QFileDialog.getOpenFileName(self, "Open", folder, kinds, options=brief)
        if name:
            self.open(Path(name))

    def ask_folder(self) -> None:
        """Ask for a folder, and open it."""
        title = "Open a run's folder, or one of frames or label maps"
        name = QFileDialog.getExistingDirectory(self, title, str(self.settings.folder))
        if name:
            self.open(Path(name))

    def reload(self) -> None:
        """Open the shown model again from disk, and what the runs have logged since."""
        if self.models.current is not None:
            self.models.current.restart()
        self.plots.history.refresh()
        self.plots.samples.refresh()

    def set_backend(self, backend: str) -> None:
        """Play the shown model, and those opened from now on, on another backend."""
        self.backend = backend
        if self.models.current is not None and self.models.current.worker.backend != backend:
            self.models.current.restart(backend)
        self._show_model()

    @staticmethod
    def backends() -> list[str]:
        """Return the backends that are installed."""
        return [name for name in BACKENDS if importlib.util.find_spec(name)]

    # --- playing

    def _play(self, values: Values) -> None:
        session = self.models.current
        if session is not None:
            session.play(values)
            if self.theatre.look.side_by_side:
                self.models.together()
            self.theatre.play()

    def _opened(self, session: Session) -> None:
        """Play a model as soon as it is known what it needs."""
        if session is not self.models.current:
            return
        before = session.values
        self.panel.set_description(session.description)
        if before is not None:
            self.panel.set_values(before)
        self._offer_clip()
        values = self.panel.values()
        session.values = None
        if values is not None:
            self._play(values)
        self._show_status()

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
        self._show_model()

    def cancel(self) -> None:
        """Cancel what runs; if nothing does, leave full screen."""
        session = self.models.current
        if self.saving.running:
            self.saving.cancel()
        elif session is not None and session.worker.state in ("rolling", "compiling"):
            session.cancel()
        elif self.isFullScreen():
            self.full_screen()

    # --- showing

    def _watch(self, session: Session) -> None:
        session.opened.connect(lambda: self._opened(session))
        session.began.connect(lambda: self._began(session))
        session.grown.connect(lambda: self._grown(session))
        session.told.connect(lambda: self._grown(session))
        session.listed.connect(self._list)

    def _show_model(self) -> None:
        models, theatre = self.models, self.theatre
        current = models.current
        for session in models.sessions:
            if not session.property("watched"):
                session.setProperty("watched", True)
                self._watch(session)
        self.chooser.clear()
        self.chooser.addItems([titled(session) for session in models.sessions])
        if current is not theatre.session:
            self.panel.set_description(current.description if current else None)
            if current is not None and current.values is not None:
                self.panel.set_values(current.values)
        if current is not None:
            self.chooser.setCurrentIndex(models.sessions.index(current))
        theatre.set_session(current, models.others())
        self.setWindowTitle(f"{current.name} - kvidgan" if current else "kvidgan")
        self.menus.show_panes()
        self._show_runs()
        self._show_page()
        self._grown(current)

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

    def _show_page(self) -> None:
        playing = bool(self.models.sessions or self.models.runs or self.clip)
        self.pages.setCurrentWidget(self.theatre if playing else self.start)
        self.start.set_recent(self.settings.recent())
        for part in (self.right, self.bottom, self.bar):
            part.setVisible(playing and (part is not self.bottom or self.menus.plots_wanted))
        if playing and not self.panel.isAncestorOf(self.focusWidget() or self):
            self.theatre.canvas.setFocus()

    def _show_status(self) -> None:
        session = self.models.current
        self.status.setText(self.saving.status() or (session.status() if session else ""))

    def _list(self, listed: messages.Listed) -> None:
        entries = [(entry.name, entry.split, entry.length) for entry in listed.videos]
        self.panel.set_videos(entries)

    def say(self, sentence: str) -> None:
        """Tell something in the status line."""
        self.status.setText(sentence)

    def complain(self, sentence: str, details: str) -> None:
        """Tell in a window of its own what went wrong."""
        dialog = ErrorDialog(sentence, details, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_keys(self) -> None:
        """Show the list of keys."""
        dialog = KeysDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def full_screen(self) -> None:
        """Enter or leave full screen."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _set_colours(self, colours: Colours) -> None:
        self.theatre.set_colours(colours)
        self.plots.set_colours(colours)

    # --- what Qt asks for

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.open(Path(url.toLocalFile()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window's state, end all processes."""
        self.settings.set_bytes("geometry", self.saveGeometry())
        self.settings.set_bytes("docks", self.saveState())
        self.settings.set_value("theme", str(self.theme.choice))
        self.settings.set_value("speed", self.theatre.player.speed)
        self.saving.close()
        self.models.close_all()
        super().closeEvent(event)
