"""How things stand with a worker process: what was asked of it, and what it has answered."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import Film
from kvidgan_viewer.worker.messages import Plan, Reply, Request

State = Literal[
    "starting", "opening", "idle", "rolling", "compiling", "cancelling", "died", "closed"
]


@dataclass
class Job:
    """A rollout.

    Attributes:
        number: Each has its own.
        film: What its moments are in.
        plan: What is played; None before the first.
        until: How many moments are wanted.
        alive: Whether there may be more moments.
        started: Whether it is known what the moments are of.
        rolling: Whether moments are wanted that are not there yet.
        compiling: Whether the step is called for the first time.
    """

    number: int = 0
    film: Film = field(default_factory=Film)
    plan: Plan | None = None
    until: int = 0
    alive: bool = False
    started: bool = False
    rolling: bool = False
    compiling: bool = False

    def end(self) -> None:
        """Expect no more moments."""
        self.alive = self.rolling = self.compiling = False


@dataclass
class Standing:
    """How things stand.

    Attributes:
        path: Of the model that is open or being opened.
        opened: Of the model that is open.
        job: The latest rollout.
        lives: Whether there is a process.
        ready: Whether it has loaded its backend.
        opening: How many models it was asked to open, and has not.
        cancelled: The number of a job that it was asked to end, and has not; 0 without one.
        closed: Whether nothing more is wanted.
    """

    path: str | None = None
    opened: str | None = None
    job: Job = field(default_factory=Job)
    lives: bool = False
    ready: bool = False
    opening: int = 0
    cancelled: int = 0
    closed: bool = False

    @property
    def state(self) -> State:
        """The same in one word."""
        if self.closed:
            return "closed"
        if not self.lives:
            return "died"
        if not self.ready:
            return "starting"
        if self.opening:
            return "opening"
        if self.cancelled:
            return "cancelling"
        if self.job.compiling:
            return "compiling"
        return "rolling" if self.job.rolling else "idle"

    def begin(self) -> list[Request]:
        """Take note of a new process; return what it has to be asked."""
        self.lives, self.ready, self.opening, self.cancelled = True, False, 0, 0
        requests: list[Request] = []
        if self.path is not None:
            self.opening = 1
            requests.append(messages.Open(self.path))
        if self.job.alive and self.job.plan is not None:
            requests.append(messages.Play(self.job.number, self.job.plan, self.job.until))
        return requests

    def end(self) -> None:
        """Take note that the process is gone."""
        self.lives = False
        self.job.end()

    def open(self, path: str) -> None:
        """Take note that a model is to be opened: what rolls, ends."""
        self.job.end()
        self.path = path
        self.opening += 1

    def play(self, film: Film, plan: Plan, until: int) -> Job:
        """Return a new job, which ends the one before."""
        self.job = Job(self.job.number + 1, film, plan, until, alive=True, rolling=True)
        return self.job

    def more(self, until: int) -> bool:
        """Take note of how many moments are wanted; return whether that has to be asked for."""
        if not self.job.alive or until <= self.job.until:
            return False
        self.job.until, self.job.rolling = until, True
        return True

    def hear(self, reply: Reply) -> bool:
        """Take note of a reply; return whether it concerns anyone: the window, or the film."""
        match reply:
            case messages.Ready():
                self.ready = True
            case messages.Opened(path=path):
                self.opening -= 1
                self.opened = path
            case messages.Cancelled(job=number):
                if number == self.cancelled:
                    self.cancelled = 0
                return False
            case messages.Failed(job=None, request=messages.Open()):
                self.opening -= 1
                if not self.opening:
                    self.path = self.opened
            case messages.Failed(job=None) | messages.Listed():
                pass
            case _:
                return self._hear_of_job(reply)
        return True

    def _hear_of_job(self, reply: Reply) -> bool:
        job = self.job
        if getattr(reply, "job", None) != job.number:
            return False
        match reply:
            case messages.Started():
                job.started = True
            case messages.Waiting(number=number):
                if number < job.until:  # more was asked for meanwhile
                    return False
                job.rolling = job.compiling = False
            case messages.Compiling(number=number):
                job.compiling = job.alive and len(job.film) <= number
            case messages.Ended() | messages.Failed():
                if not job.alive:
                    return False
                job.end()
        return True
