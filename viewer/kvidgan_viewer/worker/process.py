"""The worker process as the window's process sees it. Knows no Qt."""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

import numpy as np

from kvidgan_viewer.worker.messages import LetGo, Made, Quit, Reply, Request
from kvidgan_viewer.worker.server import serve
from kvidgan_viewer.worker.shared_memory import Memory, Reader

Pictures = dict[str, np.ndarray | None]
Hears = Callable[["Remote", Reply, Pictures | None], None]
Ends = Callable[["Remote", int | None], None]

_PATIENCE = 5.0  # seconds for a process that says nothing more, to be gone


class Remote:
    """A process of its own, and a thread that listens to it. It starts at once, in the background.

    Args:
        backend: Of Keras.
        hears: Called from the thread with each reply, and with the pictures that belong to it.
        ends: Called from the thread when the process is gone without having been asked to go, with
            its exit code, negative for a signal; None if it could not even be started.
    """

    def __init__(self, backend: str, hears: Hears, ends: Ends):
        spawning = multiprocessing.get_context("spawn")
        self._ours, theirs = spawning.Pipe()
        self._memory = Memory()
        self._process = spawning.Process(
            target=serve, args=(theirs, self._memory, backend), name="kvidgan-viewer", daemon=True
        )
        self._hears, self._ends = hears, ends
        self._sending, self._starting = threading.Lock(), threading.Lock()
        self._leaves = False
        # Starting a process takes longer than a window may stand still.
        self._thread = threading.Thread(target=self._live, args=(theirs,), daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Of the process, once it is started."""
        return self._process.pid

    def send(self, request: Request) -> None:
        """Ask for something; a process that is gone does not mind."""
        with self._sending, suppress(OSError):
            self._ours.send(request)

    def kill(self) -> None:
        """End the process at once, whatever it does, and hear nothing more of it."""
        with self._starting:
            self._leaves = True
            if self._process.pid is not None:
                self._process.kill()

    def close(self, patience: float = 1.0) -> None:
        """End the process: ask, then terminate, then kill it, with so many seconds in between."""
        self._leaves = True
        self.send(Quit())
        self._thread.join(patience)
        if self._thread.is_alive():
            with self._starting:
                if self._process.pid is not None:
                    self._process.terminate()
            self._thread.join(patience)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(patience)

    def _live(self, theirs: Connection) -> None:
        """Be the thread: start the process, pass on what it says until its end."""
        try:
            if self._started(theirs):
                with suppress(EOFError, OSError):
                    self._listen()
        finally:
            self._end()

    def _started(self, theirs: Connection) -> bool:
        with self._starting, theirs:  # closed here, or its end would not be seen
            if self._leaves:
                return False
            try:
                self._process.start()
            except OSError:  # as where there is no memory for one
                return False
            return True

    def _end(self) -> None:
        """Make sure that the process is gone, tell it, and tidy up."""
        if self._process.pid is not None:
            self._process.join(_PATIENCE)
            self._process.kill()
            self._process.join()
        self._memory.close()
        if not self._leaves:
            self._ends(self, self._process.exitcode)
        with self._sending:
            self._ours.close()

    def _listen(self) -> None:
        reader = Reader(self._memory)
        while True:
            reply: Reply = self._ours.recv()
            pictures = None
            if isinstance(reply, Made):
                pictures = reader.read(reply.parcel)
                self.send(LetGo(reply.parcel.slot))
            if not self._leaves:
                self._hears(self, reply, pictures)


def how_it_ended(code: int | None) -> str:
    """Say in one sentence how a process ended: by its exit code, as `Remote` tells it."""
    again = "open the model again"
    if code is None:
        return f"The model's process could not be started: close other programs, then {again}."
    if code >= 0:
        return f"The model's process ended unexpectedly, with exit code {code}: {again}."
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    memory = ", as when memory runs out" if -code == signal.SIGKILL else ""
    return f"The model's process was ended by {name}{memory}: {again}."
