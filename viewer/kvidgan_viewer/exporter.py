"""Exporter: writes a frame to a file or the clipboard, and a film to a GIF, an MP4 or PNGs."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from kvidgan_viewer.export import ExportDialog, ExportJob
from kvidgan_viewer.export.composition import Exportable, ReadPanes
from kvidgan_viewer.panes import ViewOptions, pane_frames
from kvidgan_viewer.player_view import PlayerView
from kvidgan_viewer.session import Session
from kvidgan_viewer.settings import Settings

NO_FRAME = "There is no frame to save yet: play a model first."


class Exporter(QObject):
    """Exporter of what the player view shows.

    Signals:
        status_changed(): The status text is another one.
        failed(str): A sentence on what could not be written.
    """

    status_changed = Signal()
    failed = Signal(str)

    def __init__(self, window: QWidget, player_view: PlayerView, settings: Settings):
        """Export nothing yet.

        Args:
            window: The window that dialogs belong to.
            player_view: The view whose film and frames are exported.
            settings: The settings that keep the last folder and the last choices.
        """
        super().__init__(window)
        self._window, self._player_view, self._settings = window, player_view, settings
        self._job: ExportJob | None = None
        self._status_text = ""

    @property
    def running(self) -> bool:
        """Whether a film is being written."""
        return self._job is not None and self._job.running

    def status_text(self) -> str:
        """Return how far an export is, or what was written last."""
        return self._status_text

    def copy_frame(self) -> None:
        """Copy the canvas to the clipboard."""
        QGuiApplication.clipboard().setImage(self._player_view.canvas.grab_frame())
        self._set_status_text("Copied what is seen.")

    def save_frame(self) -> None:
        """Ask for a name, and write the canvas as a picture."""
        session = self._player_view.session
        if session is None or not len(session.film):
            self.failed.emit(NO_FRAME)
            return
        image = self._player_view.canvas.grab_frame()
        name = f"{session.name}-{self._player_view.playhead.index:04d}.png"
        place = str(self._settings.folder / name)
        path, _ = QFileDialog.getSaveFileName(self._window, "Save frame", place, "PNG (*.png)")
        if path:
            self.write_frame(image, Path(path))

    def write_frame(self, image: QImage, path: Path) -> None:
        """Write a picture."""
        path = path if path.suffix else path.with_suffix(".png")
        if image.save(str(path)):
            self._set_status_text(f"{path} written.")
        else:
            self.failed.emit(f"Cannot write {path}: choose another folder, or another ending.")

    def export(self) -> None:
        """Ask for the settings of an export, and write the film in the background."""
        session, options = self._player_view.session, self._player_view.options
        if session is None or not len(session.film) or self.running:
            self.failed.emit("An export is running: Esc cancels it." if self.running else NO_FRAME)
            return
        source = exportable(session, options, self._player_view.playhead.marks)
        read = panes_reader(session, options)
        dialog = ExportDialog(source, read, self._settings.value("export", {}), self._window)
        dialog.setObjectName("export")
        dialog.finished.connect(lambda result: self._begin(dialog, source, read, result))
        dialog.open()

    def _begin(
        self, dialog: ExportDialog, source: Exportable, read: ReadPanes, result: int
    ) -> None:
        dialog.deleteLater()
        if result != QDialog.DialogCode.Accepted:
            return
        self._settings.set_value("export", dialog.remembered())
        self._job = ExportJob(source, dialog.settings(), read, self)
        self._job.progress.connect(lambda k, n: self._set_status_text(f"writing frame {k} of {n}"))
        self._job.finished.connect(lambda _path, text: self._set_status_text(text))
        self._job.cancelled.connect(lambda: self._set_status_text("The export was cancelled."))
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
        self._set_status_text("")
        self.failed.emit(sentence)

    def _set_status_text(self, text: str) -> None:
        self._status_text = text
        self.status_changed.emit()


def exportable(
    session: Session, options: ViewOptions, marks: tuple[int | None, int | None]
) -> Exportable:
    """Return what of a film can be exported: the visible panes, at their own sizes."""
    sizes: dict[str, tuple[int, int]] = {}
    film = session.film
    for index in {0, min(film.num_context, len(film) - 1), len(film) - 1}:
        for name, frame in _arrays(session, index, options).items():
            if frame is not None:
                sizes.setdefault(name, (frame.shape[0], frame.shape[1]))
    visible = {name: size for name, size in sizes.items() if name not in options.hidden}
    first, last = marks
    loop = None
    if marks != (None, None):
        end = len(film) - 1
        loop = (first or 0, end if last is None else min(last, end))
    return Exportable(
        visible or sizes, len(film), film.num_context, session.fps, loop, session.name
    )


def panes_reader(session: Session, options: ViewOptions) -> ReadPanes:
    """Return the function that reads the panes of a frame of the film: None where one is empty."""
    return lambda index: _arrays(session, index, options)


def _arrays(session: Session, index: int, options: ViewOptions) -> dict[str, np.ndarray | None]:
    frames = pane_frames(session, index, session.film[index], options.difference_mode)
    return {name: None if isinstance(frame, str) else frame for name, frame in frames.items()}
