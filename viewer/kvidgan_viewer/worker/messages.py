"""Messages between the window and its worker process: requests and replies.

Every message that concerns a rollout carries the number of its job: the window numbers them, and
drops what comes late from an older one.
"""

from dataclasses import dataclass

import numpy as np

from kvidgan.data.reading import Reading
from kvidgan.playback import Plan
from kvidgan.rollout.description import Description
from kvidgan_viewer.worker.film import FrameScores
from kvidgan_viewer.worker.shared_memory import FrameLocation

# --- requests of the window


@dataclass(frozen=True)
class Open:
    """Request to open an exported file, or the one of a run's folder."""

    path: str


@dataclass(frozen=True)
class ListVideos:
    """Request for the list of the videos of a source of clips."""

    path: str
    reading: Reading = Reading()


@dataclass(frozen=True)
class DescribeData:
    """Request to say how a source of clips is understood."""

    path: str
    reading: Reading = Reading()


@dataclass(frozen=True)
class Play:
    """Request to play until there are so many frames, context frames included.

    The job before this one ends.
    """

    job: int
    plan: Plan
    num_frames: int


@dataclass(frozen=True)
class Extend:
    """Request to go on with a job until there are so many frames."""

    job: int
    num_frames: int


@dataclass(frozen=True)
class Cancel:
    """Request to end a job; `Cancelled` follows, even if there was nothing to end any more."""

    job: int


@dataclass(frozen=True)
class ReleaseSlot:
    """Note that the frame in a slot was read: the slot may be used again."""

    slot: int


@dataclass(frozen=True)
class Quit:
    """Request to end the process at once."""


# --- replies of the worker process


@dataclass(frozen=True)
class Ready:
    """Reply that the backend is loaded, with the versions of it and of Keras by name."""

    backend: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Opened:
    """Reply that a model is open; the path is that of the request."""

    path: str
    description: Description


@dataclass(frozen=True)
class VideoEntry:
    """Entry of a list of videos; the number of frames is None where only reading tells it."""

    name: str
    split: str
    num_frames: int | None


@dataclass(frozen=True)
class VideoList:
    """List of the videos of a source of clips, with a line on how the source was read."""

    path: str
    videos: tuple[VideoEntry, ...]
    note: str


@dataclass(frozen=True)
class DataDescription:
    """How a source of clips was understood.

    Attributes:
        path: Path of the source.
        lines: What was understood, (what, value) in the order to show.
        sheet: Contact sheet, uint8 (height, width, 3).
    """

    path: str
    lines: tuple[tuple[str, str], ...]
    sheet: np.ndarray


@dataclass(frozen=True)
class Started:
    """Reply that a rollout begins.

    Attributes:
        job: Number of the job.
        note: A line on what the rollout begins with; may be empty.
        fps: Frames per second.
        num_context: Number of context frames, which come first.
        total: Number of frames that there can be, context frames included; None where only reading
            tells it, or there is no end.
        panes: Names of the pictures of each frame, in the order to show them.
    """

    job: int
    note: str
    fps: float
    num_context: int
    total: int | None
    panes: tuple[str, ...]


@dataclass(frozen=True)
class Damage:
    """Reply that a part of what is played is damaged and left out, in a sentence."""

    job: int
    sentence: str


@dataclass(frozen=True)
class Compiling:
    """Reply that after so many frames the step is called for the first time, for their size."""

    job: int
    num_frames: int


@dataclass(frozen=True)
class FrameReady:
    """Reply that a frame is made.

    Attributes:
        job: Number of the job.
        index: Index of the frame in the film.
        location: Location of its pictures in shared memory.
        is_context: Whether it is a context frame.
        scores: Scores of the prediction; empty without a truth.
    """

    job: int
    index: int
    location: FrameLocation
    is_context: bool
    scores: FrameScores


@dataclass(frozen=True)
class Waiting:
    """Reply that all frames that were requested are made, so many; `Extend` goes on."""

    job: int
    num_frames: int


@dataclass(frozen=True)
class Ended:
    """Reply that no more than so many frames can be made."""

    job: int
    num_frames: int


@dataclass(frozen=True)
class Cancelled:
    """Reply that a job is at its end because this was requested."""

    job: int


@dataclass(frozen=True)
class Failed:
    """Reply that something failed.

    Attributes:
        job: Number of the job that ends with it; None if it was something else.
        sentence: What was expected, what was found, what to do.
        details: The traceback of an unexpected error; else empty.
        request: The request that failed; None if it was the backend that could not be loaded, or a
            rollout that failed on the way.
    """

    job: int | None
    sentence: str
    details: str = ""
    request: "Request | None" = None


Request = Open | ListVideos | DescribeData | Play | Extend | Cancel | ReleaseSlot | Quit
Reply = (
    Ready
    | Opened
    | VideoList
    | DataDescription
    | Damage
    | Started
    | Compiling
    | FrameReady
    | Waiting
    | Ended
    | Cancelled
    | Failed
)
