"""The window's side of the worker process: wishes go in, signals and a film come out.

Nothing here takes more than a few milliseconds on the window's thread: starting the process,
reading its pipe and copying frames are the business of a thread of Python's.
"""

from contextlib import suppress

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from kvidgan.errors import UserError
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import BUDGET, Film
from kvidgan_viewer.worker.messages import Failed, Made, Plan, Reply, Request
from kvidgan_viewer.worker.process import Pictures, Remote, how_it_ended
from kvidgan_viewer.worker.state import Standing, State

CANCEL_PATIENCE = 2000  # ms; a process that does not answer by then is replaced
COALESCE = 15  # ms from new frames to the signal that tells of them all


class Worker(QObject):
    """A process that holds one model and plays it on a backend of its own.

    It starts at once. States, as `state_changed` tells them: "starting" (the backend is loaded),
    "opening" (a model), "idle", "rolling", "compiling", "cancelling", "died", "closed". A process
    that died is started again by the next wish, or by `restart`.

    Args:
        backend: Of Keras.
        budget: Bytes of pictures that a film keeps in memory.
        parent: As of every QObject.
    """

    # What they carry is of `messages`, or a number of moments in the film.
    ready = Signal(object)
    opened = Signal(object)  # also when a new process has opened the model again
    listed = Signal(object)
    started = Signal(object)
    compiling = Signal()
    made = Signal(int)  # not one for each
    waiting = Signal(int)  # all that were wanted are there
    ended = Signal(int)  # there can be no more
    failed = Signal(object)
    died = Signal(str)  # one sentence
    state_changed = Signal(str)

    _heard = Signal(object, object)  # of which Remote, and its reply, or its exit code
    _grown = Signal()

    def __init__(
        self, backend: str = "tensorflow", budget: int = BUDGET, parent: QObject | None = None
    ):
        super().__init__(parent)
        self._backend, self._budget = backend, budget
        self._standing, self._state = Standing(), ""
        self._told, self._telling = 0, False
        self._patience = QTimer(self, singleShot=True, interval=CANCEL_PATIENCE)
        self._patience.timeout.connect(self._replace)
        self._coalescing = QTimer(self, singleShot=True, interval=COALESCE)
        self._coalescing.timeout.connect(self._tell)
        self._heard.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        self._grown.connect(self._coalescing.start, Qt.ConnectionType.QueuedConnection)
        self._remote: Remote | None = None
        self._start()

    @property
    def backend(self) -> str:
        """Of Keras."""
        return self._backend

    @property
    def state(self) -> State:
        """See the class."""
        return self._standing.state

    @property
    def pid(self) -> int | None:
        """Of the process, once it is started."""
        return self._remote.pid if self._remote else None

    # --- wishes

    def open(self, path: str) -> None:
        """Open an exported file, or that of a run's folder; `opened` or `failed` follows."""
        self._awake()
        self._standing.open(path)
        self._ask(messages.Open(path))

    def videos(self, path: str, layout: str = "auto") -> None:
        """List what a source of clips holds; `listed` or `failed` follows."""
        self._awake()
        self._ask(messages.Videos(path, layout))

    def play(self, plan: Plan, until: int) -> Film:
        """Begin a rollout; the one before it ends.

        Args:
            plan: What to play.
            until: Moments to make for now, given ones included.

        Returns:
            What the moments will be in; its owner closes it.
        """
        self._awake()
        job = self._standing.play(Film(self._budget), plan, until)
        self._told = 0
        self._ask(messages.Play(job.number, plan, until))
        return job.film

    def more(self, until: int) -> None:
        """Go on until there are so many moments, given ones included; not after a cancel."""
        if self._standing.more(until):
            self._ask(messages.More(self._standing.job.number, until))

    def cancel(self) -> None:
        """End the rollout, in earnest: a process that does not answer in time is replaced.

        What was made stays in the film; then comes the state "idle".
        """
        job, state = self._standing.job, self.state
        if not job.alive:
            return
        job.end()
        if state in ("rolling", "compiling"):
            self._standing.cancelled = job.number
            self._patience.start()
        self._ask(messages.Cancel(job.number))

    def restart(self, backend: str | None = None) -> None:
        """Start a new process, which opens the same model again; what rolls, ends.

        Args:
            backend: Of the new one; None: the same.
        """
        self._standing.job.end()
        self._backend = backend or self._backend
        self._replace()

    def close(self) -> None:
        """End the process, within seconds even if it hangs; nothing is told after that."""
        self._standing.closed = True
        self._settle()
        self._patience.stop()
        self._coalescing.stop()
        self._standing.job.end()
        if self._remote is not None:
            self._remote.close()
            self._remote = None

    # --- the process

    def _start(self) -> None:
        if self._standing.closed:
            return
        self._remote = Remote(self._backend, self._hear, self._tell_window)
        for request in self._standing.begin():
            self._remote.send(request)
        self._settle()

    def _awake(self) -> None:
        if self._remote is None:
            self._start()

    def _ask(self, request: Request) -> None:
        if self._remote is not None:
            self._remote.send(request)
        self._settle()

    def _replace(self) -> None:
        self._drop()
        self._start()

    def _drop(self) -> None:
        """Kill the process, and hear no more of it."""
        self._patience.stop()
        if self._remote is not None:
            self._remote.kill()
            self._remote = None

    def _settle(self) -> None:
        if self.state != self._state:
            self._state = self.state
            self.state_changed.emit(self._state)

    # --- replies, in the thread that listens

    def _hear(self, remote: Remote, reply: Reply, pictures: Pictures | None) -> None:
        if isinstance(reply, Made) and pictures is not None:
            self._append(remote, reply, pictures)
        else:
            self._tell_window(remote, reply)

    def _append(self, remote: Remote, reply: Made, pictures: Pictures) -> None:
        job = self._standing.job
        if reply.job != job.number or reply.index != len(job.film):
            return
        try:
            job.film.append(pictures, reply.given, reply.scores)
        except UserError as error:
            remote.send(messages.Cancel(job.number))
            self._tell_window(remote, Failed(job.number, str(error)))
        if not self._telling:
            self._telling = True
            with suppress(RuntimeError):  # the window is gone
                self._grown.emit()

    def _tell_window(self, remote: Remote, what: Reply | int | None) -> None:
        with suppress(RuntimeError):
            self._heard.emit(remote, what)

    # --- replies, in the window's thread

    def _answer(self, remote: Remote, reply: Reply | int | None) -> None:
        if remote is not self._remote:
            return
        if reply is None or isinstance(reply, int):
            self._die(reply)
            return
        self._tell()
        wanted = self._standing.hear(reply)
        if not self._standing.cancelled:
            self._patience.stop()
        if isinstance(reply, Failed) and not self._standing.ready:  # there is no backend
            self._drop()
            self._standing.end()
        self._settle()
        if wanted:
            self._pass_on(reply)
        if isinstance(reply, messages.Started):
            self._tell()

    def _pass_on(self, reply: Reply) -> None:
        one = getattr(self, type(reply).__name__.lower())  # the signal of that name
        if isinstance(reply, messages.Waiting | messages.Ended):
            one.emit(reply.number)
        else:
            one.emit(*([] if isinstance(reply, messages.Compiling) else [reply]))

    def _tell(self) -> None:
        """Tell of the moments that came since this was told last."""
        self._telling = False
        job = self._standing.job
        number = len(job.film)
        if job.started and number > self._told:
            self._told, job.compiling = number, False
            self._settle()
            self.made.emit(number)

    def _die(self, code: int | None) -> None:
        self._remote = None
        self._patience.stop()
        self._tell()
        self._standing.end()
        self._settle()
        self.died.emit(how_it_ended(code))
