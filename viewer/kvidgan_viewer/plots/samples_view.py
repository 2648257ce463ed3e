"""Samples view: the samples of a run, a picture every few epochs and a moving one at its end."""

import re
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QImage, QMovie, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSlider,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kvidgan.media import natural_key
from kvidgan.runs import Run
from kvidgan_viewer.colours import LIGHT, Colours
from kvidgan_viewer.plots.picture_view import PictureView
from kvidgan_viewer.widgets import named

NO_RUN = "No run is open: open a run's folder to see its samples."


class SamplesView(QWidget):
    """View of a run's samples, with a slider that stays at the newest unless it is moved away."""

    def __init__(self, parent: QWidget | None = None, interval: int = 2000):
        """Show no run yet.

        Args:
            parent: The parent of the widget.
            interval: Milliseconds between two looks at the folder.
        """
        super().__init__(parent)
        self._run: Run | None = None
        self._paths: list[Path] = []
        self._opened_file: tuple[Path, int] | None = None
        self._movie: QMovie | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(interval)
        self._timer.timeout.connect(self.refresh)
        self._compose()
        self.set_run(None)

    def _compose(self) -> None:
        self.view, self.note = PictureView(), QLabel()
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setWordWrap(True)
        self.slider = named(
            QSlider(Qt.Orientation.Horizontal),
            "Step of training",
            "Which step's samples are shown; to the right are the newest.",
        )
        self.label = named(QLabel(), "Sample shown")
        self.pause_button = named(QToolButton(), "Pause", "Stop or go on with the moving picture.")
        self.pause_button.setText("Pause")
        self.pause_button.setCheckable(True)
        bar = QHBoxLayout()
        bar.addWidget(self.slider, 1)
        bar.addWidget(self.label)
        bar.addWidget(self.pause_button)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.note)
        self._pages.addWidget(self.view)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 4, 4, 4)
        whole.addLayout(self._pages, 1)
        whole.addLayout(bar)
        self.slider.valueChanged.connect(self._show)
        self.pause_button.toggled.connect(self._pause)
        self.set_colours(LIGHT)

    def set_run(self, run: Run | None) -> None:
        """Show the samples of a run, the newest first; None: no run."""
        self._run, self._paths = run, []
        self.refresh()

    def refresh(self) -> None:
        """Look for new samples."""
        newest = self.slider.value() >= len(self._paths) - 1
        before = self.path
        self._paths = _found(self._run)
        last = max(0, len(self._paths) - 1)
        place = last if newest or before not in self._paths else self._paths.index(before)
        self.slider.blockSignals(True)
        self.slider.setRange(0, last)
        self.slider.setValue(place)
        self.slider.blockSignals(False)
        self._show()

    def set_colours(self, colours: Colours) -> None:
        """Set the colour around the picture; text takes the palette's."""
        self.view.set_background(colours.base)

    @property
    def path(self) -> Path | None:
        """Path of the file that is shown."""
        place = self.slider.value()
        return self._paths[place] if place < len(self._paths) else None

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the folder from now on."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()
        self._play()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the folder alone, stop the moving picture: nobody looks."""
        super().hideEvent(event)
        self._timer.stop()
        self._play()

    def _show(self) -> None:
        path = self.path
        self.slider.setEnabled(len(self._paths) > 1)
        if path is None:
            self._show_none()
            return
        try:
            file = (path, path.stat().st_mtime_ns)
        except FileNotFoundError:  # the run was started anew: the next look finds what is there
            return
        if file != self._opened_file:
            self._opened_file = file
            self._open(path)
        self.label.setText(f"{_title(path)} ({self.slider.value() + 1} of {len(self._paths)})")

    def _show_none(self) -> None:
        self._opened_file, self._movie = None, None
        self.label.clear()
        self.pause_button.hide()
        name = self._run.name if self._run else ""
        self.note.setText(f"{name} has drawn no samples yet." if self._run else NO_RUN)
        self._pages.setCurrentIndex(0)

    def _open(self, path: Path) -> None:
        self._movie = None
        moving = path.suffix == ".gif"
        self.pause_button.setVisible(moving)
        if moving:
            self._movie = QMovie(str(path))
            self._movie.frameChanged.connect(self._next)
            self._movie.jumpToFrame(0)
            picture = self._movie.currentPixmap()
            self._play()
        else:
            # Not QPixmap(path): its cache takes a file written twice in a second for one.
            picture = QPixmap.fromImage(QImage(str(path)))
        self.note.setText(f"{path} cannot be shown: it is damaged, or no picture.")
        self._pages.setCurrentIndex(0 if picture.isNull() else 1)
        self.view.show_picture(picture)

    def _next(self) -> None:
        if self._movie is not None:
            self.view.show_picture(self._movie.currentPixmap())

    def _play(self) -> None:
        """Let a moving picture move while somebody looks."""
        if self._movie is None:
            return
        if self._movie.state() == QMovie.MovieState.NotRunning:
            self._movie.start()
        self._movie.setPaused(self.pause_button.isChecked() or not self.isVisible())

    def _pause(self, paused: bool) -> None:
        self.pause_button.setText("Play" if paused else "Pause")
        self._play()


def _found(run: Run | None) -> list[Path]:
    """Return a run's samples, those of each step and then the moving ones."""
    if run is None or not run.samples.is_dir():
        return []
    paths = [p for p in run.samples.iterdir() if p.suffix in (".png", ".gif") and p.name[0] != "."]
    return sorted(paths, key=lambda path: (path.suffix == ".gif", natural_key(path)))


def _title(path: Path) -> str:
    step = re.fullmatch(r"step-(\d+)", path.stem)
    return f"step {int(step[1])}" if step else path.name
