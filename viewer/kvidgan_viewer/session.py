"""Session: one open model, its worker, and the film that it makes."""

from dataclasses import fields
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from kvidgan.backends import TITLES
from kvidgan.data.builtin.registry import NAMES
from kvidgan.playback import ClipPlan, NoisePlan, Plan
from kvidgan.rollout.description import Description
from kvidgan.runs import Run
from kvidgan_viewer.panel.values import ClipValues, NoiseValues
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.client import WorkerClient
from kvidgan_viewer.worker.film import Film

Values = NoiseValues | ClipValues

NUM_AHEAD = 16  # frames that are made beyond the one that was requested
ALL_FRAMES = 2**31  # as many as there are label maps
NOISE_FPS = 12.5


class Session(QObject):
    """Session of one model: what it plays, and how far that is.

    Signals:
        opened(): The description is known.
        rollout_changed(): A rollout began: there is another film, another note and rate.
        frames_added(): The film has more frames.
        status_changed(): The status, or the number of expected frames, is another one.
        videos_listed(messages.VideoList): The videos of a source of clips.
        data_described(messages.DataDescription): How a source of clips is understood.
        failed(str, str): A sentence, and details.
        died(str): A sentence on why the process is gone.

    Attributes:
        path: The exported file, or the run's folder.
        description: The description of the model, once it is open.
        film: The frames of the latest rollout.
        values: The values that the user chose for the rollout, if any yet.
        rollout: The worker's reply that the rollout begins, once it is there.
        finished: Whether no more frames can be made.
        num_requested: Number of frames that were requested, context frames included.
        damage: Sentences on parts of the clip that are damaged and left out.
        worker: The process that holds the model.
    """

    opened = Signal()
    rollout_changed = Signal()
    frames_added = Signal()
    status_changed = Signal()
    videos_listed = Signal(object)
    data_described = Signal(object)
    failed = Signal(str, str)
    died = Signal(str)

    def __init__(self, path: Path, backend: str, parent: QObject | None = None):
        super().__init__(parent)
        self.path = path
        self.description: Description | None = None
        self.film = Film()
        self.values: Values | None = None
        self.rollout: messages.Started | None = None
        self.finished = True
        self.num_requested = 0
        self.damage: list[str] = []
        self.worker = WorkerClient(backend, parent=self)
        self._connect()
        self.worker.open(str(path))

    def _connect(self) -> None:
        worker = self.worker
        worker.opened.connect(self._set_description)
        worker.started.connect(self._set_rollout)
        worker.damaged.connect(self._note_damage)
        worker.frames_added.connect(lambda _num_frames: self.frames_added.emit())
        worker.waiting.connect(lambda _num_frames: self.status_changed.emit())
        worker.ended.connect(lambda _num_frames: self._finish())
        worker.videos_listed.connect(self.videos_listed)
        worker.data_described.connect(self.data_described)
        worker.failed.connect(self._fail)
        worker.died.connect(self._die)
        worker.status_changed.connect(lambda _status: self.status_changed.emit())

    @property
    def name(self) -> str:
        """Name of the run, or of the file."""
        return self.path.stem if self.path.suffix == ".keras" else self.path.resolve().name

    @property
    def run(self) -> Run | None:
        """The run that the model belongs to, if it lies in one."""
        folder = self.path if self.path.is_dir() else self.path.parent
        run = Run(folder)
        return run if run.config_path.is_file() else None

    @property
    def fps(self) -> float:
        """Frames a second of the film."""
        return self.rollout.fps if self.rollout else NOISE_FPS

    @property
    def total(self) -> int | None:
        """Number of frames that there can be; None without an end, or as long as it is unknown."""
        if self.finished:
            return len(self.film)
        return self.rollout.total if self.rollout else None

    @property
    def num_expected(self) -> int:
        """Number of frames that there will be, as far as requested and known."""
        num_frames = len(self.film)
        if self.finished:
            return num_frames
        expected = min(self.num_requested, self.total or self.num_requested)
        return num_frames if expected == ALL_FRAMES else max(num_frames, expected)

    @property
    def endless(self) -> bool:
        """Whether frames are being made of all label maps, however many there are."""
        return not self.finished and self.num_requested == ALL_FRAMES

    @property
    def growing(self) -> bool:
        """Whether more frames are on their way, or can be requested."""
        return not self.finished

    def training_data(self) -> str | None:
        """Return the path of the data that the model was trained on, if they are still there."""
        data = self.description.config.get("data", {}) if self.description else {}
        path = data.get("path")
        known = isinstance(path, str) and (path in NAMES or Path(path).exists())
        return path if known else None

    def play(self, values: Values) -> None:
        """Begin another rollout; if it is the one that plays, only request more frames of it."""
        if self.description is None or self.worker.status in ("died", "closed"):
            self.values = values
            return
        before, self.values = self.values, values
        num_frames = self._num_frames(values)
        same = before is not None and plan_of(before) == plan_of(values)
        if self.rollout and same and not self.finished:
            self.request(num_frames - 1 - NUM_AHEAD)
            return
        self.film.close()
        self.rollout, self.finished, self.num_requested = None, False, num_frames
        self.damage = []
        self.film = self.worker.play(plan_of(values), num_frames)
        self.rollout_changed.emit()

    def request(self, index: int) -> None:
        """Request the frame of an index, and some after it."""
        num_frames = index + 1 + NUM_AHEAD
        if not self.finished and num_frames > self.num_requested:
            self.num_requested = num_frames
            self.worker.extend(num_frames)
            self.status_changed.emit()

    def cancel(self) -> None:
        """Make no more frames."""
        self.finished = True
        self.worker.cancel()
        self.status_changed.emit()

    def restart(self, backend: str | None = None) -> None:
        """Start the process anew, perhaps on another backend, and the rollout with it."""
        self.description, self.finished = None, True
        self.worker.restart(backend)
        self.status_changed.emit()

    def close(self) -> None:
        """End the process, forget the film."""
        self.worker.close()
        self.film.close()

    def status_text(self) -> str:
        """Return in a few words what the worker does, or the rollout's note."""
        backend = TITLES[self.worker.backend]
        num_frames, expected = len(self.film), self.num_expected
        match self.worker.status:
            case "starting":
                return f"loading {backend}"
            case "opening":
                return f"opening {self.name}"
            case "compiling":
                return f"compiling for {backend}: the first call takes longer"
            case "cancelling":
                return "cancelling"
            case "died":
                return f"the process with {backend} ended: Model, Restart opens {self.name} again"
            case "rolling":
                frame = f"frame {num_frames}"
                return f"{frame} of {expected}" if expected > num_frames else frame
        note = self.rollout.note if self.rollout else ""
        return " ".join([note, *self.damage[:1]]).strip()

    def _set_description(self, opened: messages.Opened) -> None:
        self.description = opened.description
        self.opened.emit()

    def _set_rollout(self, rollout: messages.Started) -> None:
        self.rollout = rollout
        self.rollout_changed.emit()

    def _note_damage(self, sentence: str) -> None:
        self.damage.append(sentence)
        self.status_changed.emit()

    def _finish(self) -> None:
        self.finished = True
        self.status_changed.emit()

    def _fail(self, failed: messages.Failed) -> None:
        if isinstance(failed.request, messages.ListVideos):
            return  # playing the clip fails with the same sentence
        if failed.job is not None or isinstance(failed.request, messages.Play):
            self.finished = True
        if self.worker.status == "died":  # the backend could not be loaded
            self.finished = True
        self.status_changed.emit()
        self.failed.emit(failed.sentence, failed.details)

    def _die(self, sentence: str) -> None:
        self._finish()
        self.died.emit(sentence)

    def _num_frames(self, values: Values) -> int:
        """Return the number of frames to request, context frames included."""
        if values.num_frames is None:
            return ALL_FRAMES
        if self.description is None or isinstance(values, NoiseValues):
            return values.num_frames
        return values.num_frames + self.description.context_frames


def plan_of(values: Values) -> Plan:
    """Return the worker's plan of what a user chose: all of it but the number of frames."""
    kind = NoisePlan if isinstance(values, NoiseValues) else ClipPlan
    return kind(**{field.name: getattr(values, field.name) for field in fields(kind)})
