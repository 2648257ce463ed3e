"""Export job: writes a film in a thread, while the window goes on; and the estimate of its size."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from PySide6.QtCore import QObject, Signal

from kvidgan.errors import UserError
from kvidgan_viewer.export.composition import (
    Array,
    Exportable,
    ExportSettings,
    ReadPanes,
    pictures,
)
from kvidgan_viewer.export.files import estimated_bytes, num_bytes, size_text, write

_INTERVAL = 0.05  # seconds between two reports

# Tasks whose thread runs. Qt's half of one must not end in that thread, as with its last user.
_RUNNING: set["_BackgroundTask"] = set()


class _Cancelled(Exception):
    """The task was cancelled."""


class _BackgroundTask(QObject):
    """Task in a thread; its signals come in the thread of the object."""

    _called_back = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Queued, since it is emitted in the other thread.
        self._called_back.connect(self._call)

    def _start(self, work: Callable[[], None]) -> None:
        """Run a function in the thread.

        Nobody keeps the function but the thread, which forgets it at its end: as an attribute it
        would close a circle, and Qt's half of the object could end in any thread.
        """

        def run() -> None:
            work()
            self._call_in_window(partial(_RUNNING.discard, self))

        _RUNNING.add(self)
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Have the task end before the next frame; returns at once."""
        self._stop.set()

    def close(self, timeout: float = 5.0) -> None:
        """Cancel and wait for the end, so that nothing is left behind.

        Args:
            timeout: Seconds to wait at most.
        """
        self.cancel()
        if self._thread is not None:
            self._thread.join(timeout)

    @property
    def running(self) -> bool:
        """Whether the task has begun and not ended."""
        return self._thread is not None and self._thread.is_alive()

    def _call(self, callback: Callable[[], None]) -> None:
        callback()

    def _call_in_window(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the window, and Qt's half of this object, are gone
            self._called_back.emit(callback)

    def _check_cancelled(self) -> None:
        if self._stop.is_set():
            raise _Cancelled


class ExportJob(_BackgroundTask):
    """Job that writes the frames of an export in a thread.

    Signals:
        progress(int, int): Number of frames written, and of all frames; about 20 times a second.
        finished(str, str): The path written, and a sentence on the file.
        failed(str): A sentence on the error. Nothing is left behind.
        cancelled(): The job was cancelled. Nothing is left behind.
    """

    progress = Signal(int, int)
    finished = Signal(str, str)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(
        self,
        source: Exportable,
        settings: ExportSettings,
        read: ReadPanes,
        parent: QObject | None = None,
    ):
        """Prepare the job; `start` begins it.

        Args:
            source: The film.
            settings: The settings of the export.
            read: Function that returns the panes of a frame by name; it is called in the thread.
            parent: The parent of the QObject.
        """
        super().__init__(parent)
        self._source, self._settings, self._read = source, settings, read

    def start(self) -> None:
        """Begin."""
        self._start(self._run)

    def _run(self) -> None:
        try:
            text = self._export()
            self._call_in_window(lambda: self.finished.emit(str(self._settings.path), text))
        except _Cancelled:
            self._call_in_window(self.cancelled.emit)
        except UserError as error:
            sentence = str(error)
            self._call_in_window(lambda: self.failed.emit(sentence))
        except Exception as error:
            sentence = f"Cannot write {self._settings.path}: {type(error).__name__}: {error}."
            self._call_in_window(lambda: self.failed.emit(sentence))

    def _export(self) -> str:
        settings = self._settings
        fps = write(settings, self._counted(pictures(self._source, settings, self._read)))
        rate = "" if settings.format == "png" else f" at {fps:.4g} fps"
        size = size_text(num_bytes(settings.path))
        return f"{settings.path.name}: {len(settings.frame_range)} frames{rate}, {size}."

    def _counted(self, frames: Iterator[Array]) -> Iterator[Array]:
        """Yield frames until the job is cancelled, and report how many were written."""
        total, reported = len(self._settings.frame_range), 0.0
        for number, picture in enumerate(frames, start=1):
            self._check_cancelled()
            yield picture
            now = time.monotonic()
            if number == total or now - reported >= _INTERVAL:
                reported = now
                self._call_in_window(partial(self.progress.emit, number, total))


class Estimate(_BackgroundTask):
    """Estimate of the bytes that an export will take.

    Signals:
        size_found(float): The number of bytes; a float, since Qt's integers end at 2 GB.
    """

    size_found = Signal(float)

    def __init__(
        self,
        source: Exportable,
        settings: ExportSettings,
        read: ReadPanes,
        parent: QObject | None = None,
    ):
        """Prepare the estimate, with the arguments of an `ExportJob`; `start` begins it."""
        super().__init__(parent)
        self._source, self._settings, self._read = source, settings, read

    def start(self) -> None:
        """Begin."""
        self._start(self._run)

    def _run(self) -> None:
        with suppress(Exception):  # an estimate that fails is left out; the job will say why
            size = estimated_bytes(self._source, self._settings, self._read_unless_cancelled)
            self._call_in_window(lambda: self.size_found.emit(float(size)))

    def _read_unless_cancelled(self, index: int) -> Mapping[str, Array | None]:
        self._check_cancelled()
        return self._read(index)
