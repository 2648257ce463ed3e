"""Client of the worker process, for the window: calls go in, signals and a film come out.

Nothing here takes more than a few milliseconds on the window's thread: starting the process,
reading its pipe and copying frames are the business of a thread of Python's.
"""

from contextlib import suppress

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.playback import Plan
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import BUDGET, Film
from kvidgan_viewer.worker.messages import Failed, FrameReady, Reply, Request
from kvidgan_viewer.worker.process import WorkerProcess, exit_sentence
from kvidgan_viewer.worker.shared_memory import Panes
from kvidgan_viewer.worker.state import Status, WorkerState

CANCEL_TIMEOUT = 2000  # ms; a process that does not answer by then is replaced
COALESCE_INTERVAL = 15  # ms from new frames to the one signal for them all


class WorkerClient(QObject):
    """Client of a process that holds one model and plays it on a backend of its own.

    The process starts at once. One that died is started again by the next request, or by `restart`.

    Signals:
        ready(messages.Ready): The backend is loaded.
        opened(messages.Opened): A model is open, perhaps again, in a new process.
        videos_listed(messages.VideoList): The videos of a source of clips.
        data_described(messages.DataDescription): How a source of clips is understood.
        started(messages.Started): A rollout begins.
        damaged(str): A sentence on a part of the clip that is damaged and left out.
        compiling(): The step is called for the first time, which takes longer.
        frames_added(int): Number of frames in the film; one signal may tell of several new ones.
        waiting(int): Number of frames in the film: all that were requested.
        ended(int): Number of frames in the film: there can be no more.
        failed(messages.Failed): A request, the rollout or the backend failed.
        died(str): A sentence on how the process ended.
        status_changed(str): The new status, see `Status`.

    Args:
        backend: Name of the Keras backend.
        budget: Bytes of pictures that a film keeps in memory.
        parent: The parent of the QObject.
    """

    ready = Signal(object)
    opened = Signal(object)
    videos_listed = Signal(object)
    data_described = Signal(object)
    started = Signal(object)
    damaged = Signal(str)
    compiling = Signal()
    frames_added = Signal(int)
    waiting = Signal(int)
    ended = Signal(int)
    failed = Signal(object)
    died = Signal(str)
    status_changed = Signal(str)

    _reply_received = Signal(object, object)  # the WorkerProcess, and its reply or its exit code
    _frames_received = Signal()

    def __init__(
        self, backend: str = "tensorflow", budget: int = BUDGET, parent: QObject | None = None
    ):
        super().__init__(parent)
        self._backend, self._budget = backend, budget
        self._state, self._last_status = WorkerState(), ""
        self._num_announced, self._announcement_due = 0, False
        self._cancel_timer = QTimer(self, singleShot=True, interval=CANCEL_TIMEOUT)
        self._cancel_timer.timeout.connect(self._replace)
        self._coalesce_timer = QTimer(self, singleShot=True, interval=COALESCE_INTERVAL)
        self._coalesce_timer.timeout.connect(self._announce_frames)
        self._reply_received.connect(self._handle, Qt.ConnectionType.QueuedConnection)
        self._frames_received.connect(
            self._coalesce_timer.start, Qt.ConnectionType.QueuedConnection
        )
        self._process: WorkerProcess | None = None
        self._start()

    @property
    def backend(self) -> str:
        """Name of the Keras backend."""
        return self._backend

    @property
    def status(self) -> Status:
        """Status of the process."""
        return self._state.status

    @property
    def pid(self) -> int | None:
        """Number of the process, once it is started."""
        return self._process.pid if self._process else None

    # --- requests

    def open(self, path: str) -> None:
        """Open an exported file, or that of a run's folder; `opened` or `failed` follows."""
        self._ensure_process()
        self._state.open(path)
        self._send(messages.Open(path))

    def list_videos(self, path: str, reading: Reading = Reading()) -> None:
        """List the videos of a source of clips; `videos_listed` or `failed` follows."""
        self._ensure_process()
        self._send(messages.ListVideos(path, reading))

    def describe_data(self, path: str, reading: Reading = Reading()) -> None:
        """Say how a source of clips is understood; `data_described` or `failed` follows."""
        self._ensure_process()
        self._send(messages.DescribeData(path, reading))

    def play(self, plan: Plan, num_frames: int) -> Film:
        """Begin a rollout; the one before it ends.

        Args:
            plan: What to play.
            num_frames: Number of frames to make for now, context frames included.

        Returns:
            The film that the frames are added to; the caller closes it.
        """
        self._ensure_process()
        job = self._state.play(Film(self._budget), plan, num_frames)
        self._num_announced = 0
        self._send(messages.Play(job.number, plan, num_frames))
        return job.film

    def extend(self, num_frames: int) -> None:
        """Make more frames, up to a number, context frames included; not after a cancel."""
        if self._state.extend(num_frames):
            self._send(messages.Extend(self._state.job.number, num_frames))

    def cancel(self) -> None:
        """End the rollout: a process that does not answer in time is replaced.

        The frames so far stay in the film; then comes the status "idle".
        """
        job, status = self._state.job, self.status
        if not job.alive:
            return
        job.end()
        if status in ("rolling", "compiling"):
            self._state.cancelled = job.number
            self._cancel_timer.start()
        self._send(messages.Cancel(job.number))

    def restart(self, backend: str | None = None) -> None:
        """Start a new process, which opens the same model again; what rolls, ends.

        Args:
            backend: Name of the Keras backend of the new process; None: the same as before.
        """
        self._state.job.end()
        self._backend = backend or self._backend
        self._replace()

    def close(self) -> None:
        """End the process, within seconds even if it hangs; no signal comes after that."""
        self._state.closed = True
        self._emit_status()
        self._cancel_timer.stop()
        self._coalesce_timer.stop()
        self._state.job.end()
        if self._process is not None:
            self._process.close()
            self._process = None

    # --- the process

    def _start(self) -> None:
        if self._state.closed:
            return
        self._process = WorkerProcess(self._backend, self._receive, self._forward)
        for request in self._state.begin():
            self._process.send(request)
        self._emit_status()

    def _ensure_process(self) -> None:
        if self._process is None:
            self._start()

    def _send(self, request: Request) -> None:
        if self._process is not None:
            self._process.send(request)
        self._emit_status()

    def _replace(self) -> None:
        self._kill_process()
        self._start()

    def _kill_process(self) -> None:
        """Kill the process, and ignore its last replies."""
        self._cancel_timer.stop()
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _emit_status(self) -> None:
        if self.status != self._last_status:
            self._last_status = self.status
            self.status_changed.emit(self._last_status)

    # --- replies, in the thread that listens

    def _receive(self, process: WorkerProcess, reply: Reply, panes: Panes | None) -> None:
        if isinstance(reply, FrameReady) and panes is not None:
            self._append(process, reply, panes)
        else:
            self._forward(process, reply)

    def _append(self, process: WorkerProcess, reply: FrameReady, panes: Panes) -> None:
        job = self._state.job
        if reply.job != job.number or reply.index != len(job.film):
            return
        try:
            job.film.append(panes, reply.is_context, reply.scores)
        except UserError as error:
            process.send(messages.Cancel(job.number))
            self._forward(process, Failed(job.number, str(error)))
        if not self._announcement_due:
            self._announcement_due = True
            with suppress(RuntimeError):  # the window is gone
                self._frames_received.emit()

    def _forward(self, process: WorkerProcess, reply: Reply | int | None) -> None:
        with suppress(RuntimeError):
            self._reply_received.emit(process, reply)

    # --- replies, in the window's thread

    def _handle(self, process: WorkerProcess, reply: Reply | int | None) -> None:
        if process is not self._process:
            return
        if reply is None or isinstance(reply, int):
            self._process_died(reply)
            return
        self._announce_frames()
        relevant = self._state.receive(reply)
        if not self._state.cancelled:
            self._cancel_timer.stop()
        if isinstance(reply, Failed) and not self._state.ready:  # there is no backend
            self._kill_process()
            self._state.end()
        self._emit_status()
        if relevant:
            self._emit_signal(reply)
        if isinstance(reply, messages.Started):
            self._announce_frames()

    def _emit_signal(self, reply: Reply) -> None:
        match reply:
            case messages.Ready():
                self.ready.emit(reply)
            case messages.Opened():
                self.opened.emit(reply)
            case messages.VideoList():
                self.videos_listed.emit(reply)
            case messages.DataDescription():
                self.data_described.emit(reply)
            case messages.Started():
                self.started.emit(reply)
            case messages.Compiling():
                self.compiling.emit()
            case messages.Damage():
                self.damaged.emit(reply.sentence)
            case messages.Waiting():
                self.waiting.emit(reply.num_frames)
            case messages.Ended():
                self.ended.emit(reply.num_frames)
            case messages.Failed():
                self.failed.emit(reply)

    def _announce_frames(self) -> None:
        """Emit one signal for all frames that came since the last one."""
        self._announcement_due = False
        job = self._state.job
        num_frames = len(job.film)
        if job.started and num_frames > self._num_announced:
            self._num_announced, job.compiling = num_frames, False
            self._emit_status()
            self.frames_added.emit(num_frames)

    def _process_died(self, code: int | None) -> None:
        self._process = None
        self._cancel_timer.stop()
        self._announce_frames()
        self._state.end()
        self._emit_status()
        self.died.emit(exit_sentence(code))
