"""What the window and its worker process tell each other.

Whatever concerns a rollout carries the number of its job: the window numbers them, and drops what
comes late from an older one.
"""

from dataclasses import dataclass

from kvidgan.playback import Plan
from kvidgan.rollout.description import Description
from kvidgan_viewer.worker.shared_memory import Parcel

Scores = dict[str, tuple[float, float]]


# --- what the window asks for


@dataclass(frozen=True)
class Open:
    """Open an exported file, or the one of a run's folder."""

    path: str


@dataclass(frozen=True)
class Videos:
    """List what a source of clips holds."""

    path: str
    layout: str = "auto"


@dataclass(frozen=True)
class Play:
    """Play until there are `until` moments, given ones included; the job before this one ends."""

    job: int
    plan: Plan
    until: int


@dataclass(frozen=True)
class More:
    """Go on with a job until there are `until` moments."""

    job: int
    until: int


@dataclass(frozen=True)
class Cancel:
    """End a job; answered by `Cancelled`, whether there still was something to end or not."""

    job: int


@dataclass(frozen=True)
class LetGo:
    """A slot's moment was read."""

    slot: int


@dataclass(frozen=True)
class Quit:
    """End at once."""


# --- what the worker process answers


@dataclass(frozen=True)
class Ready:
    """The backend is loaded; versions of it and of Keras, by name."""

    backend: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Opened:
    """A model is open; the path is that of the request."""

    path: str
    description: Description


@dataclass(frozen=True)
class Entry:
    """A video of a source; the length in frames, None where only reading tells."""

    name: str
    split: str
    length: int | None


@dataclass(frozen=True)
class Listed:
    """What a source of clips holds, and how it was understood, in one line."""

    path: str
    videos: tuple[Entry, ...]
    note: str


@dataclass(frozen=True)
class Started:
    """A rollout begins.

    Attributes:
        job: Its number.
        note: What is given, in one line; may be empty.
        fps: Frames per second.
        given: How many moments come first that the model did not make.
        total: How many moments there can be, given ones included; None where only reading tells, or
            there is no end.
        panes: Names of the pictures of each moment, in the order to show them.
    """

    job: int
    note: str
    fps: float
    given: int
    total: int | None
    panes: tuple[str, ...]


@dataclass(frozen=True)
class Compiling:
    """After `number` moments the step is called for the first time, for this number and size."""

    job: int
    number: int


@dataclass(frozen=True)
class Made:
    """A moment is made.

    Attributes:
        job: Of which rollout.
        index: Its place there, from 0.
        parcel: Where it lies in shared memory.
        given: Whether it was given.
        scores: By metric, those of the prediction and of the copy of the last given frame, NaN
            without one; empty without a truth.
    """

    job: int
    index: int
    parcel: Parcel
    given: bool
    scores: Scores


@dataclass(frozen=True)
class Waiting:
    """All `number` moments that were wanted are made; `More` goes on."""

    job: int
    number: int


@dataclass(frozen=True)
class Ended:
    """No more than `number` moments can be made."""

    job: int
    number: int


@dataclass(frozen=True)
class Cancelled:
    """A job is at its end because this was asked for."""

    job: int


@dataclass(frozen=True)
class Failed:
    """Something did not work.

    Attributes:
        job: The rollout that ends with it; None if it was something else.
        sentence: What was expected, what was found, what to do.
        details: The traceback of what nobody foresaw; else empty.
        request: What could not be done; None if it was the backend that could not be loaded, or a
            rollout that failed on the way.
    """

    job: int | None
    sentence: str
    details: str = ""
    request: "Open | Videos | Play | More | Cancel | LetGo | Quit | None" = None


Request = Open | Videos | Play | More | Cancel | LetGo | Quit
Reply = Ready | Opened | Listed | Started | Compiling | Made | Waiting | Ended | Cancelled | Failed
