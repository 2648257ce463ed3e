"""The main window: on the screen at once with the first page; what plays comes after that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QStackedWidget, QWidget

from kvidgan.errors import UserError
from kvidgan.shipped import demo_model
from kvidgan_viewer.dialogs import ErrorDialog, KeysDialog
from kvidgan_viewer.settings import Settings
from kvidgan_viewer.start_page import StartPage
from kvidgan_viewer.theme import Theme

if TYPE_CHECKING:  # it loads what draws, which takes longer than Qt itself
    from kvidgan_viewer.controller import Desk

DEMO = demo_model()
SUFFIXES = ".keras .h5 .hdf5 .npy .npz .mp4 .avi .mov .mkv .webm .gif .png .jpg .jpeg"


class Window(QMainWindow):
    """The window of the viewer."""

    def __init__(self, backend: str = "tensorflow", parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("kvidgan")
        self.setAcceptDrops(True)
        self.settings, self.theme, self.backend = Settings(), Theme(self), backend
        self._waiting: list[Path] | None = None  # to be opened once the window is painted
        self.start = StartPage(DEMO.is_file())
        self.start.set_recent(self.settings.recent())
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start)
        self.setCentralWidget(self.pages)
        self.resize(1180, 720)
        packed = self.settings.bytes("geometry")
        if packed is not None:
            self.restoreGeometry(packed)
        self.theme.choose(self.settings.value("theme", "system"))
        self.start.open_pressed.connect(self.ask_file)
        self.start.folder_pressed.connect(self.ask_folder)
        self.start.demo_pressed.connect(lambda: self.open(DEMO))
        self.start.chosen.connect(lambda path: self.open(Path(path)))

    @cached_property
    def desk(self) -> Desk:
        """Everything that plays; made when it is asked for."""
        from kvidgan_viewer.controller import Desk

        return Desk(self)

    def begin(self, paths: Sequence[Path]) -> None:
        """Show the window, and open things once it is on the screen."""
        self._waiting = list(paths)
        self.show()

    def open_all(self, paths: Sequence[Path]) -> None:
        """Open several."""
        self.desk.show_page()
        for path in paths:
            self.open(path)

    def open(self, path: Path) -> None:
        """Open a model, a run or a clip."""
        try:
            if not path.exists():
                raise UserError(f"Expected a model, a run or a clip, found nothing at {path}.")
            self.desk.open(path)
        except UserError as error:
            self.complain(str(error))
            return
        self.settings.remember(path)
        self.desk.show_page()

    def ask_file(self) -> None:
        """Ask for a file, and open it."""
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES.split())
        name, _ = QFileDialog.getOpenFileName(
            self,
            "Open",
            str(self.settings.folder),
            f"Models and clips ({kinds});;All files (*)",
            options=QFileDialog.Option.HideNameFilterDetails,
        )
        if name:
            self.open(Path(name))

    def ask_folder(self) -> None:
        """Ask for a folder, and open it."""
        title = "Open a run's folder, or one of frames or label maps"
        name = QFileDialog.getExistingDirectory(self, title, str(self.settings.folder))
        if name:
            self.open(Path(name))

    def complain(
        self, sentence: str, details: str = "", remedy: Callable[[], object] | None = None
    ) -> None:
        """Tell in a window of its own what went wrong, and offer what mends it."""
        dialog = ErrorDialog(sentence, details, self, remedy)
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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint; after the first time come those things that take longer."""
        super().paintEvent(event)
        if self._waiting is not None:
            paths, self._waiting = self._waiting, None
            QTimer.singleShot(0, lambda: self.open_all(paths))

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
        self.settings.set_value("theme", str(self.theme.choice))
        if "desk" in vars(self):
            self.desk.close()
        super().closeEvent(event)
