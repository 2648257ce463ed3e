"""State of a worker process, as its client knows it: what it was asked, and what it answered."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.playback import Plan
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import Film
from kvidgan_viewer.worker.messages import Reply, Request

# "starting" loads the backend, "opening" a model; "rolling" makes frames.
Status = Literal[
    "starting", "opening", "idle", "rolling", "compiling", "cancelling", "died", "closed"
]


@dataclass
class Job:
    """Job of the worker: one rollout.

    Attributes:
        number: Number of the job, another for each.
        film: The frames of the rollout.
        plan: What is played; None before the first.
        num_frames: Number of frames that are requested.
        alive: Whether there may be more frames.
        started: Whether the worker has replied that the rollout begins.
        rolling: Whether frames are requested that are not there yet.
        compiling: Whether the step is called for the first time.
    """

    number: int = 0
    film: Film = field(default_factory=Film)
    plan: Plan | None = None
    num_frames: int = 0
    alive: bool = False
    started: bool = False
    rolling: bool = False
    compiling: bool = False

    def end(self) -> None:
        """Expect no more frames."""
        self.alive = self.rolling = self.compiling = False


@dataclass
class WorkerState:
    """State of a worker process.

    Attributes:
        path: Path of the model that is open or being opened.
        opened_path: Path of the model that is open.
        job: The latest rollout.
        running: Whether there is a process.
        ready: Whether the process has loaded its backend.
        num_opening: Number of models that it was asked to open, and has not.
        cancelled: Number of the job that it was asked to end, and has not; 0 without one.
        closed: Whether the client was closed.
    """

    path: str | None = None
    opened_path: str | None = None
    job: Job = field(default_factory=Job)
    running: bool = False
    ready: bool = False
    num_opening: int = 0
    cancelled: int = 0
    closed: bool = False

    @property
    def status(self) -> Status:
        """The state in one word."""
        if self.closed:
            return "closed"
        if not self.running:
            return "died"
        if not self.ready:
            return "starting"
        if self.num_opening:
            return "opening"
        if self.cancelled:
            return "cancelling"
        if self.job.compiling:
            return "compiling"
        return "rolling" if self.job.rolling else "idle"

    def begin(self) -> list[Request]:
        """Note that there is a new process; return the requests that bring it to this state."""
        self.running, self.ready, self.num_opening, self.cancelled = True, False, 0, 0
        requests: list[Request] = []
        if self.path is not None:
            self.num_opening = 1
            requests.append(messages.Open(self.path))
        if self.job.alive and self.job.plan is not None:
            requests.append(messages.Play(self.job.number, self.job.plan, self.job.num_frames))
        return requests

    def end(self) -> None:
        """Note that the process is gone."""
        self.running = False
        self.job.end()

    def open(self, path: str) -> None:
        """Note that a model is to be opened: the rollout ends."""
        self.job.end()
        self.path = path
        self.num_opening += 1

    def play(self, film: Film, plan: Plan, num_frames: int) -> Job:
        """Return a new job, which ends the one before."""
        self.job = Job(self.job.number + 1, film, plan, num_frames, alive=True, rolling=True)
        return self.job

    def extend(self, num_frames: int) -> bool:
        """Note how many frames are wanted; return whether they have to be requested."""
        if not self.job.alive or num_frames <= self.job.num_frames:
            return False
        self.job.num_frames, self.job.rolling = num_frames, True
        return True

    def receive(self, reply: Reply) -> bool:
        """Note a reply; return whether it concerns the window or the film."""
        match reply:
            case messages.Ready():
                self.ready = True
            case messages.Opened(path=path):
                self.num_opening -= 1
                self.opened_path = path
            case messages.Cancelled(job=number):
                if number == self.cancelled:
                    self.cancelled = 0
                return False
            case messages.Failed(job=None, request=messages.Open()):
                self.num_opening -= 1
                if not self.num_opening:
                    self.path = self.opened_path
            case messages.Failed(job=None) | messages.VideoList() | messages.DataDescription():
                pass
            case _:
                return self._receive_of_job(reply)
        return True

    def _receive_of_job(self, reply: Reply) -> bool:
        job = self.job
        if getattr(reply, "job", None) != job.number:
            return False
        match reply:
            case messages.Started():
                job.started = True
            case messages.Waiting(num_frames=num_frames):
                if num_frames < job.num_frames:  # more were requested meanwhile
                    return False
                job.rolling = job.compiling = False
            case messages.Compiling(num_frames=num_frames):
                job.compiling = job.alive and len(job.film) <= num_frames
            case messages.Ended() | messages.Failed():
                if not job.alive:
                    return False
                job.end()
        return True
