"""The worker process: holds one model, and plays it for the window.

It must not load Qt, nor Keras before its environment is set; so it imports both the model's room
and its own `rolling` late.
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
from kvidgan.data.open import find_source, is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.runs import exported
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import Moment
from kvidgan_viewer.worker.messages import Entry, Failed, Reply, Request
from kvidgan_viewer.worker.shared_memory import Memory, Writer

if TYPE_CHECKING:  # both load Keras
    from kvidgan.rollout import Rollout
    from kvidgan_viewer.worker.rollouts import FilmRollout


def serve(connection: Connection, memory: Memory, backend: str) -> None:
    """Be the worker process until the window asks for its end, or is gone.

    Args:
        connection: Brings requests, takes replies; see `messages`.
        memory: Where the frames are laid.
        backend: Of Keras.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the window
    with suppress(AttributeError, OSError):
        os.nice(5)  # so that the window stays smooth
    inbox: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    Serving(_sender(connection), memory, backend).run(inbox)


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
        except OSError:  # nobody is there to hear it
            os._exit(0)

    return send


@dataclass
class _Job:
    """A rollout that is being played; `waits` once all that was wanted has been told."""

    number: int
    until: int
    rolling: "FilmRollout"
    made: int = 0
    held: Moment | None = None  # there was no slot for it
    waits: bool = False


class Serving:
    """Answers requests; between them it makes the frames that are wanted."""

    def __init__(self, send: Callable[[Reply], None], memory: Memory, backend: str):
        self._send, self._backend = send, backend
        self._writer = Writer(memory)
        self._rollout: Rollout | None = None
        self._job: _Job | None = None
        self._called: set[tuple[int, ...]] = set()  # what the step was compiled for
        self._versions: dict[str, str] | None = None
        self._answers: dict[type, Callable[[Any], None]] = {
            messages.Open: self._open,
            messages.Videos: self._list,
            messages.Play: self._play,
            messages.More: self._more,
            messages.Cancel: self._cancel,
            messages.LetGo: lambda request: self._writer.let_go(request.slot),
        }

    def run(self, inbox: "queue.SimpleQueue[Request]") -> None:
        """Load the backend, then serve; return if that fails, or when a `Quit` is found."""
        self._guarded(None, self._load)
        if self._versions is None:
            return
        while True:
            try:
                request = inbox.get(block=not self._can_go_on())
            except queue.Empty:
                assert self._job is not None
                self._guarded(None, self._advance)
                continue
            if isinstance(request, messages.Quit):
                return
            answer = partial(self._answers[type(request)], request)
            self._guarded(request, answer)

    def _guarded(self, request: Request | None, does: Callable[[], None]) -> None:
        """Tell what goes wrong, and end the job that it went wrong in."""
        job: int | None = getattr(request, "job", None)
        if request is None and self._job is not None:
            job = self._job.number
        try:
            does()
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
        self._called.clear()
        self._send(messages.Opened(request.path, self._rollout.description))

    def _list(self, request: messages.Videos) -> None:
        self._send(messages.Listed(request.path, *listed(request.path, request.layout)))

    # --- rollouts

    def _play(self, request: messages.Play) -> None:
        self._job = None
        if self._rollout is None:
            raise UserError("There is no model to play: open a .keras file or a run's folder.")
        from kvidgan_viewer.worker.rollouts import begin

        rolling = begin(self._rollout, request.plan)
        self._job = _Job(request.job, request.until, rolling)
        playback = rolling.playback
        told = (playback.note, playback.fps, playback.num_context, playback.total, rolling.panes)
        self._send(messages.Started(request.job, *told))

    def _more(self, request: messages.More) -> None:
        job = self._job
        if job is not None and job.number == request.job and request.until > job.until:
            job.until, job.waits = request.until, False

    def _cancel(self, request: messages.Cancel) -> None:
        if self._job is not None and self._job.number == request.job:
            self._job = None
        self._send(messages.Cancelled(request.job))

    def _can_go_on(self) -> bool:
        job = self._job
        if job is None or job.waits:
            return False
        return job.held is None or self._writer.has_room(job.held.panes)

    def _advance(self) -> None:
        """Make a moment, or tell that there are enough."""
        job = self._job
        assert job is not None
        if job.held is None and job.made >= job.until:
            job.waits = True
            self._send(messages.Waiting(job.number, job.made))
            return
        moment = job.held or self._next(job)
        if moment is None:
            self._job = None
            self._send(messages.Ended(job.number, job.made))
            return
        job.held = moment
        if self._writer.has_room(moment.panes):
            parcel = self._writer.write(moment.panes)
            made = (job.made, parcel, moment.given, dict(moment.scores))
            self._send(messages.Made(job.number, *made))
            job.held, job.made = None, job.made + 1

    def _next(self, job: _Job) -> Moment | None:
        rolling, playback = job.rolling, job.rolling.playback
        shape = playback.step_shape
        if job.made == playback.num_before_step and shape not in self._called:
            self._send(messages.Compiling(job.number, job.made))
        moment = next(rolling.frames, None)
        if moment is not None and job.made >= playback.num_before_step:
            self._called.add(shape)
        return moment


def listed(path: str, layout: str) -> tuple[tuple[Entry, ...], str]:
    """Return the videos of a source of clips, and how it was understood, in one line.

    Raises:
        UserError: If there is no such source, or nothing usable.
    """
    if is_store(path) and layout == "auto":
        with ClipStore.open(path) as store:
            rows = store.index[["name", "split", "length"]].tolist()
        entries = tuple(Entry(str(n), str(split), int(length)) for n, split, length in rows)
        return entries, f"clip store: {len(entries)} video{'s' * (len(entries) != 1)}"
    source = find_source(path, layout)
    videos = source.videos
    return tuple(Entry(v.name, v.split, v.length) for v in videos), source.describe()
