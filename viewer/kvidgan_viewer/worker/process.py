"""Worker process, as the window's process holds it: starting, listening and ending, without Qt."""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from kvidgan_viewer.worker.messages import FrameReady, Quit, ReleaseSlot, Reply, Request
from kvidgan_viewer.worker.server import serve
from kvidgan_viewer.worker.shared_memory import Panes, Reader, SharedMemory

OnReply = Callable[["WorkerProcess", Reply, Panes | None], None]
OnEnd = Callable[["WorkerProcess", int | None], None]

_EXIT_TIMEOUT = 5.0  # seconds for a process that says nothing more, to be gone


class WorkerProcess:
    """Process of the worker, and a thread that listens to it. It starts at once, in the background.

    Args:
        backend: Name of the Keras backend.
        on_reply: Function called from the thread with each reply, and with the pictures that
            belong to it.
        on_end: Function called from the thread when the process is gone without having been closed,
            with its exit code, negative for a signal; None if it could not even be started.
    """

    def __init__(self, backend: str, on_reply: OnReply, on_end: OnEnd):
        context = multiprocessing.get_context("spawn")
        self._connection, child_end = context.Pipe()
        self._memory = SharedMemory()
        self._process = context.Process(
            target=serve,
            args=(child_end, self._memory, backend),
            name="kvidgan-viewer",
            daemon=True,
        )
        self._on_reply, self._on_end = on_reply, on_end
        self._send_lock, self._start_lock = threading.Lock(), threading.Lock()
        self._closing = False
        # Starting a process takes longer than a window may stand still.
        self._thread = threading.Thread(target=self._run, args=(child_end,), daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Number of the process, once it is started."""
        return self._process.pid

    def send(self, request: Request) -> None:
        """Send a request; nothing happens if the process is gone."""
        with self._send_lock, suppress(OSError):
            self._connection.send(request)

    def kill(self) -> None:
        """End the process at once, whatever it does, and ignore its last replies."""
        with self._start_lock:
            self._closing = True
            if self._process.pid is not None:
                self._process.kill()

    def close(self, timeout: float = 1.0) -> None:
        """End the process: ask, then terminate, then kill it, with so many seconds in between."""
        self._closing = True
        self.send(Quit())
        self._thread.join(timeout)
        if self._thread.is_alive():
            with self._start_lock:
                if self._process.pid is not None:
                    self._process.terminate()
            self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
            self._thread.join(timeout)

    def _run(self, child_end: Connection) -> None:
        """Start the process and pass on its replies until its end, in the thread."""
        try:
            if self._start_process(child_end):
                with suppress(EOFError, OSError):
                    self._listen()
        finally:
            self._finish()

    def _start_process(self, child_end: Connection) -> bool:
        with self._start_lock, child_end:  # open here, it would hide the end of the process
            if self._closing:
                return False
            try:
                self._process.start()
            except OSError:  # as where there is no memory for one
                return False
            return True

    def _finish(self) -> None:
        """Make sure that the process is gone, report its end, and tidy up."""
        if self._process.pid is not None:
            self._process.join(_EXIT_TIMEOUT)
            self._process.kill()
            self._process.join()
        self._memory.close()
        if not self._closing:
            self._on_end(self, self._process.exitcode)
        with self._send_lock:
            self._connection.close()

    def _listen(self) -> None:
        reader = Reader(self._memory)
        while True:
            reply: Reply = self._connection.recv()
            panes = None
            if isinstance(reply, FrameReady):
                panes = reader.read(reply.location)
                self.send(ReleaseSlot(reply.location.slot))
            if not self._closing:
                self._on_reply(self, reply, panes)


def exit_sentence(code: int | None) -> str:
    """Return a sentence on how a process ended, from the exit code that `WorkerProcess` reports."""
    again = "open the model again"
    if code is None:
        return f"The model's process could not be started: close other programs, then {again}."
    if code >= 0:
        return f"The model's process ended unexpectedly, with exit code {code}: {again}."
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    memory = ", as when memory runs out" if -code == signal.SIGKILL else ""
    return f"The model's process was ended by {name}{memory}: {again}."
