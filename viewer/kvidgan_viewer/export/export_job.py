"""What runs aside while the window goes on: writing a film, and telling how large it will be."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from PySide6.QtCore import QObject, Signal

from kvidgan.errors import UserError
from kvidgan_viewer.export.composition import Array, Exportable, Plan, Read, pictures
from kvidgan_viewer.export.files import estimate, in_words, size_of, write

_EVERY = 0.05  # seconds between two reports

# Objects whose thread runs. Qt's half of one must not end in that thread, as with its last user.
_ALIVE: set["_Aside"] = set()


class _Cancelled(Exception):
    """The user has thought better of it."""


class _Aside(QObject):
    """Runs one function in a thread; its signals come in the thread of the object."""

    _say = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        # Queued, since it is emitted in the other thread.
        self._say.connect(self._hear)

    def start(self) -> None:
        """Begin."""
        _ALIVE.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask to end before the next frame; returns at once."""
        self._stop.set()

    def close(self, timeout: float = 5.0) -> None:
        """Cancel and wait for the end, so that nothing is left behind.

        Args:
            timeout: Seconds to wait at most.
        """
        self.cancel()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread.is_alive()

    def _hear(self, tell: Callable[[], None]) -> None:
        tell()

    def _tell(self, tell: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the window, and Qt's half of this object, are gone
            self._say.emit(tell)

    def _work(self) -> None:
        self._run()
        self._tell(partial(_ALIVE.discard, self))

    def _run(self) -> None:
        raise NotImplementedError

    def _watched(self, shown: Iterator[Array]) -> Iterator[Array]:
        for picture in shown:
            if self._stop.is_set():
                raise _Cancelled
            yield picture


class ExportJob(_Aside):
    """Writes a plan's frames in a thread.

    Signals:
        progress: Frames written, and how many there will be; about 20 times a second.
        finished: The path written (str), and a sentence on what it is.
        failed: Why not, in one sentence. Nothing is left behind.
        cancelled: It was. Nothing is left behind.
    """

    progress = Signal(int, int)
    finished = Signal(str, str)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, source: Exportable, plan: Plan, read: Read, parent: QObject | None = None):
        """Prepare; `start` begins.

        Args:
            source: The film.
            plan: What to write of it.
            read: Returns the panes of one moment by name; it is called in the thread.
            parent: Of the object.
        """
        super().__init__(parent)
        self._source, self._plan, self._read = source, plan, read

    def _run(self) -> None:
        try:
            text = self._written()
            self._tell(lambda: self.finished.emit(str(self._plan.path), text))
        except _Cancelled:
            self._tell(self.cancelled.emit)
        except UserError as error:
            sentence = str(error)
            self._tell(lambda: self.failed.emit(sentence))
        except Exception as error:
            sentence = f"Cannot write {self._plan.path}: {type(error).__name__}: {error}."
            self._tell(lambda: self.failed.emit(sentence))

    def _written(self) -> str:
        plan = self._plan
        shown = self._watched(pictures(self._source, plan, self._read))
        fps = write(plan, self._counted(shown))
        rate = "" if plan.form == "png" else f" at {fps:.4g} fps"
        size = in_words(size_of(plan.path))
        return f"{plan.path.name}: {len(plan.frames)} frames{rate}, {size}."

    def _counted(self, shown: Iterator[Array]) -> Iterator[Array]:
        total, told = len(self._plan.frames), 0.0
        for number, picture in enumerate(shown, start=1):
            yield picture
            now = time.monotonic()
            if number == total or now - told >= _EVERY:
                told = now
                self._tell(partial(self.progress.emit, number, total))


class Estimate(_Aside):
    """Tells about how many bytes a plan will take.

    Signals:
        found: The bytes (a float: Qt's integers end at 2 GB).
    """

    found = Signal(float)

    def __init__(self, source: Exportable, plan: Plan, read: Read, parent: QObject | None = None):
        """Prepare as for an `ExportJob`."""
        super().__init__(parent)
        self._source, self._plan, self._read = source, plan, read

    def _run(self) -> None:
        with suppress(Exception):  # an estimate that fails is left out; the job will say why
            size = estimate(self._source, self._plan, self._stoppable)
            self._tell(lambda: self.found.emit(float(size)))

    def _stoppable(self, index):
        if self._stop.is_set():
            raise _Cancelled
        return self._read(index)
