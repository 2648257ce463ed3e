"""Main window: on the screen at once with the start page; all that plays is loaded after that."""

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
    from kvidgan_viewer.controller import Controller

DEMO = demo_model()
SUFFIXES = (
    ".keras .h5 .hdf5 .npy .npz .mat .tfrecords .mp4 .avi .mov .mkv .webm .gif .png .jpg .jpeg .tif"
)


class MainWindow(QMainWindow):
    """Main window of the viewer: its pages, what was dropped on it, and its dialogs."""

    def __init__(self, backend: str = "tensorflow", parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("kvidgan")
        self.setAcceptDrops(True)
        self.settings, self.theme = Settings(), Theme(self)
        self._backend = backend
        self._paths_to_open: list[Path] | None = None  # until the window is painted
        self.start_page = StartPage(DEMO.is_file())
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.setCentralWidget(self.pages)
        self.resize(1180, 720)
        geometry = self.settings.bytes("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.theme.set_scheme(self.settings.value("theme", "system"))
        self._show_recent()
        self.pages.currentChanged.connect(self._show_recent)
        self.start_page.open_pressed.connect(self.ask_file)
        self.start_page.folder_pressed.connect(self.ask_folder)
        self.start_page.demo_pressed.connect(lambda: self.open(DEMO))
        self.start_page.chosen.connect(lambda path: self.open(Path(path)))

    @cached_property
    def controller(self) -> Controller:
        """The controller of all that plays; made on first use."""
        from kvidgan_viewer.controller import Controller

        commands = {
            "keys": self.show_keys,
            "open": self.ask_file,
            "open_folder": self.ask_folder,
            "full_screen": self.toggle_full_screen,
            "quit": self.close,
        }
        controller = Controller(self, self.pages, self.theme, self._backend, commands)
        controller.open_requested.connect(self.open)
        controller.failed.connect(self.show_error)
        return controller

    def begin(self, paths: Sequence[Path]) -> None:
        """Show the window, and open paths once it is on the screen."""
        self._paths_to_open = list(paths)
        self.show()

    def open_all(self, paths: Sequence[Path]) -> None:
        """Open several paths."""
        self.controller.show_page()
        for path in paths:
            self.open(path)

    def open(self, path: Path) -> None:
        """Open a model, a run or a clip."""
        try:
            if not path.exists():
                raise UserError(f"Expected a model, a run or a clip, found nothing at {path}.")
            self.controller.open(path)
        except UserError as error:
            self.show_error(str(error))
            return
        self.settings.remember(path)
        self._show_recent()
        self.controller.show_page()

    def ask_file(self) -> None:
        """Ask for a file, and open it."""
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES.split())
        name, _ = QFileDialog.getOpenFileName(
            self,
            "Open",
            str(self.settings.folder),
            f"Models and clips ({patterns});;All files (*)",
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

    def show_error(
        self, sentence: str, details: str = "", remedy: Callable[[], object] | None = None
    ) -> None:
        """Show an error in a dialog of its own, with a button that mends it if there is one."""
        dialog = ErrorDialog(sentence, details, self, remedy)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_keys(self) -> None:
        """Show the list of keys."""
        dialog = KeysDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def toggle_full_screen(self) -> None:
        """Enter or leave full screen."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint; after the first time, open what waits for that."""
        super().paintEvent(event)
        if self._paths_to_open is not None:
            paths, self._paths_to_open = self._paths_to_open, None
            QTimer.singleShot(0, lambda: self.open_all(paths))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped files and folders."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.open(Path(url.toLocalFile()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window's state, end all processes."""
        self.settings.set_bytes("geometry", self.saveGeometry())
        self.settings.set_value("theme", str(self.theme.scheme))
        if "controller" in vars(self):
            self.controller.close()
        super().closeEvent(event)

    def _show_recent(self) -> None:
        self.start_page.set_recent(self.settings.recent())
