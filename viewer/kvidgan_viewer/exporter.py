"""What leaves the viewer: a frame to a file or the clipboard, a film to a GIF, MP4 or PNGs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QDialog, QFileDialog

from kvidgan_viewer.export import ExportDialog, ExportJob
from kvidgan_viewer.export.composition import Exportable, Read
from kvidgan_viewer.panes import Look, of_moment
from kvidgan_viewer.session import Session

if TYPE_CHECKING:
    from kvidgan_viewer.main_window import Window

NOTHING = "There is no frame to save yet: play a model first."


class Saving(QObject):
    """Saves what the window shows.

    Signals:
        told(): What goes on is something else now.
        failed(str): A sentence.
    """

    told = Signal()
    failed = Signal(str)

    def __init__(self, window: Window):
        super().__init__(window)
        self._window = window
        self._job: ExportJob | None = None
        self._said = ""

    @property
    def running(self) -> bool:
        """Whether a film is being written."""
        return self._job is not None and self._job.running

    def status(self) -> str:
        """Say what goes on, or what was written last."""
        return self._said

    def copy_frame(self) -> None:
        """Put what is seen on the clipboard."""
        QGuiApplication.clipboard().setImage(self._window.desk.theatre.canvas.grab_frame())
        self._say("Copied what is seen.")

    def save_frame(self) -> None:
        """Ask for a name, and write what is seen as a picture."""
        theatre = self._window.desk.theatre
        if theatre.session is None or not len(theatre.session.film):
            self.failed.emit(NOTHING)
            return
        image = theatre.canvas.grab_frame()
        name = f"{theatre.session.name}-{theatre.player.index:04d}.png"
        place = str(self._window.settings.folder / name)
        path, _ = QFileDialog.getSaveFileName(self._window, "Save frame", place, "PNG (*.png)")
        if path:
            self.write_frame(image, Path(path))

    def write_frame(self, image: QImage, path: Path) -> None:
        """Write a picture."""
        path = path if path.suffix else path.with_suffix(".png")
        if image.save(str(path)):
            self._say(f"{path} written.")
        else:
            self.failed.emit(f"Cannot write {path}: choose another folder, or another ending.")

    def export(self) -> None:
        """Ask how, and write the film aside."""
        theatre, settings = self._window.desk.theatre, self._window.settings
        session = theatre.session
        if session is None or not len(session.film) or self.running:
            self.failed.emit("An export is running: Esc cancels it." if self.running else NOTHING)
            return
        source, read = (
            offered(session, theatre.look, theatre.player.marks),
            reader(session, theatre.look),
        )
        dialog = ExportDialog(source, read, settings.value("export", {}), self._window)
        dialog.setObjectName("export")
        dialog.finished.connect(lambda result: self._begin(dialog, source, read, result))
        dialog.open()

    def _begin(self, dialog: ExportDialog, source: Exportable, read: Read, result: int) -> None:
        dialog.deleteLater()
        if result != QDialog.DialogCode.Accepted:
            return
        self._window.settings.set_value("export", dialog.remembered())
        self._job = ExportJob(source, dialog.plan(), read, self)
        self._job.progress.connect(lambda k, n: self._say(f"writing frame {k} of {n}"))
        self._job.finished.connect(lambda _path, text: self._say(text))
        self._job.cancelled.connect(lambda: self._say("The export was cancelled."))
        self._job.failed.connect(self._fail)
        self._job.start()

    def cancel(self) -> None:
        """Cancel an export; nothing of it is left."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Cancel an export, and wait for its end."""
        if self._job is not None:
            self._job.close()

    def _fail(self, sentence: str) -> None:
        self._say("")
        self.failed.emit(sentence)

    def _say(self, text: str) -> None:
        self._said = text
        self.told.emit()


def offered(session: Session, look: Look, marks: tuple[int | None, int | None]) -> Exportable:
    """Return what of a film can be written: the panes that are shown first, at their own sizes."""
    sizes: dict[str, tuple[int, int]] = {}
    for index in {0, min(session.film.given, len(session.film) - 1), len(session.film) - 1}:
        for name, frame in _frames(session, index, look).items():
            if frame is not None:
                sizes.setdefault(name, frame.shape[:2])
    shown = {name: size for name, size in sizes.items() if name not in look.hidden}
    film, (first, last) = session.film, marks
    loop = None
    if marks != (None, None):
        end = len(film) - 1
        loop = (first or 0, end if last is None else min(last, end))
    return Exportable(shown or sizes, len(film), film.given, session.fps, loop, session.name)


def reader(session: Session, look: Look) -> Read:
    """Return what reads the panes of a moment: None where one is empty."""
    return lambda index: _frames(session, index, look)


def _frames(session: Session, index: int, look: Look) -> dict[str, np.ndarray | None]:
    found = of_moment(session, index, session.film[index], look.mode)
    return {name: None if isinstance(frame, str) else frame for name, frame in found.items()}
