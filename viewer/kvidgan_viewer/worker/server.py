"""Server: the loop of the worker process, which holds one model and plays it for the window.

It must not load Qt, nor Keras before its environment is set; so it imports `kvidgan.rollout` and
`rollouts` late.
"""

import importlib
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvidgan import backends
from kvidgan.data.open import find_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.format import is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.runs import exported
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import FilmFrame
from kvidgan_viewer.worker.messages import Failed, Reply, Request, VideoEntry
from kvidgan_viewer.worker.shared_memory import SharedMemory, Writer

if TYPE_CHECKING:  # both load Keras
    from kvidgan.rollout import Rollout
    from kvidgan_viewer.worker.rollouts import FilmRollout


def serve(connection: Connection, memory: SharedMemory, backend: str) -> None:
    """Run the worker process until the window requests its end, or is gone.

    Args:
        connection: The pipe to the window, for the `messages`.
        memory: The memory that frames are written to.
        backend: Name of the Keras backend.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the window
    with suppress(AttributeError, OSError):
        os.nice(5)  # so that the window stays smooth
    inbox: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    Server(_sender(connection), memory, backend).run(inbox)


def _listen(connection: Connection, inbox: "queue.SimpleQueue[Request]") -> None:
    """Pass requests on; end the process at once, whatever it does, when none can come any more."""
    with suppress(EOFError, OSError):
        while not isinstance(request := connection.recv(), messages.Quit):
            inbox.put(request)
    os._exit(0)


def _sender(connection: Connection) -> Callable[[Reply], None]:
    def send(reply: Reply) -> None:
        try:
            connection.send(reply)
        except OSError:  # the window is gone
            os._exit(0)

    return send


@dataclass
class _Job:
    """Job: a rollout that is being played.

    Attributes:
        number: Number of the job.
        num_frames: Number of frames that are requested.
        rollout: The frames of the film.
        num_sent: Number of frames that were sent.
        pending: A frame that there was no slot for.
        is_waiting: Whether all frames that are requested were sent, and `Waiting` after them.
    """

    number: int
    num_frames: int
    rollout: "FilmRollout"
    num_sent: int = 0
    pending: FilmFrame | None = None
    is_waiting: bool = False


class Server:
    """Server of requests; between them it makes the frames that are requested."""

    def __init__(self, send: Callable[[Reply], None], memory: SharedMemory, backend: str):
        self._send, self._backend = send, backend
        self._writer = Writer(memory)
        self._rollout: Rollout | None = None
        self._job: _Job | None = None
        self._compiled_shapes: set[tuple[int, ...]] = set()  # what the step was compiled for
        self._versions: dict[str, str] | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            messages.Open: self._open,
            messages.ListVideos: self._list_videos,
            messages.Play: self._play,
            messages.Extend: self._extend,
            messages.Cancel: self._cancel,
            messages.ReleaseSlot: lambda request: self._writer.release(request.slot),
        }

    def run(self, inbox: "queue.SimpleQueue[Request]") -> None:
        """Load the backend, then serve; return if that fails, or when a `Quit` is found."""
        self._report_errors(None, self._load)
        if self._versions is None:
            return
        while True:
            try:
                request = inbox.get(block=not self._has_work())
            except queue.Empty:
                assert self._job is not None
                self._report_errors(None, self._advance)
                continue
            if isinstance(request, messages.Quit):
                return
            handler = partial(self._handlers[type(request)], request)
            self._report_errors(request, handler)

    def _report_errors(self, request: Request | None, action: Callable[[], None]) -> None:
        """Run an action; report an error, and end the job that it happened in."""
        job: int | None = getattr(request, "job", None)
        if request is None and self._job is not None:
            job = self._job.number
        try:
            action()
            return
        except UserError as error:
            failed = Failed(job, str(error), request=request)
        except Exception as error:
            what = "The worker" if job is None else "The rollout"
            name, reason = type(error).__name__, (str(error).splitlines() or ["no reason"])[0]
            sentence = (
                f"{what} failed unexpectedly ({name}: {reason[:200]}); try again, and if it fails "
                "again report the details."
            )
            failed = Failed(job, sentence, traceback.format_exc(), request)
        if self._job is not None and self._job.number == job:
            self._job = None
        self._send(failed)

    # --- the backend and the model

    def _load(self) -> None:
        backends.check(self._backend)
        backends.select(self._backend)
        with backends.quiet():
            versions = backends.versions()
            importlib.import_module("kvidgan_viewer.worker.rollouts")  # it is needed soon
        self._versions = versions
        self._send(messages.Ready(self._backend, versions))

    def _open(self, request: messages.Open) -> None:
        self._job = None
        from kvidgan.rollout import Rollout

        with backends.quiet():
            self._rollout = Rollout.open(exported(Path(request.path)))
        self._compiled_shapes.clear()
        self._send(messages.Opened(request.path, self._rollout.description))

    def _list_videos(self, request: messages.ListVideos) -> None:
        self._send(messages.VideoList(request.path, *video_entries(request.path, request.reading)))

    # --- rollouts

    def _play(self, request: messages.Play) -> None:
        self._job = None
        if self._rollout is None:
            raise UserError("There is no model to play: open a .keras file or a run's folder.")
        from kvidgan_viewer.worker.rollouts import begin

        rollout = begin(self._rollout, request.plan)
        self._job = _Job(request.job, request.num_frames, rollout)
        playback = rollout.playback
        fields = (playback.note, playback.fps, playback.num_context, playback.total, rollout.panes)
        self._send(messages.Started(request.job, *fields))

    def _extend(self, request: messages.Extend) -> None:
        job = self._job
        if job is not None and job.number == request.job and request.num_frames > job.num_frames:
            job.num_frames, job.is_waiting = request.num_frames, False

    def _cancel(self, request: messages.Cancel) -> None:
        if self._job is not None and self._job.number == request.job:
            self._job = None
        self._send(messages.Cancelled(request.job))

    def _has_work(self) -> bool:
        job = self._job
        if job is None or job.is_waiting:
            return False
        return job.pending is None or self._writer.has_room(job.pending.panes)

    def _advance(self) -> None:
        """Make a frame, or report that there are enough."""
        job = self._job
        assert job is not None
        if job.pending is None and job.num_sent >= job.num_frames:
            job.is_waiting = True
            self._send(messages.Waiting(job.number, job.num_sent))
            return
        frame = job.pending or self._next_frame(job)
        if frame is None:
            self._job = None
            self._send(messages.Ended(job.number, job.num_sent))
            return
        job.pending = frame
        if self._writer.has_room(frame.panes):
            location = self._writer.write(frame.panes)
            fields = (job.num_sent, location, frame.is_context, dict(frame.scores))
            self._send(messages.FrameReady(job.number, *fields))
            job.pending, job.num_sent = None, job.num_sent + 1

    def _next_frame(self, job: _Job) -> FilmFrame | None:
        rollout, playback = job.rollout, job.rollout.playback
        shape = playback.step_shape
        if job.num_sent == playback.num_before_step and shape not in self._compiled_shapes:
            self._send(messages.Compiling(job.number, job.num_sent))
        frame = next(rollout.frames, None)
        if frame is not None and job.num_sent >= playback.num_before_step:
            self._compiled_shapes.add(shape)
        return frame


def video_entries(path: str, reading: Reading) -> tuple[tuple[VideoEntry, ...], str]:
    """Return the videos of a source of clips, and a line on how the source was read.

    Raises:
        UserError: If there is no such source, or nothing usable.
    """
    if is_store(path) and reading == Reading():
        with ClipStore.open(path) as store:
            rows = store.index[["name", "split", "length"]].tolist()
        entries = tuple(VideoEntry(str(n), str(split), int(length)) for n, split, length in rows)
        return entries, f"clip store: {len(entries)} video{'s' * (len(entries) != 1)}"
    source = find_source(path, reading)
    videos = source.videos
    return tuple(VideoEntry(v.name, v.split, v.length) for v in videos), source.describe()
