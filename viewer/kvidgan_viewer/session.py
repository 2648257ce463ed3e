"""One model of the window: its worker, the film that it makes, and how that stands."""

from dataclasses import fields
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from kvidgan.backends import TITLES
from kvidgan.data.builtin.registry import NAMES
from kvidgan.playback import ClipPlan, NoisePlan, Plan
from kvidgan.rollout.description import Description
from kvidgan.runs import Run
from kvidgan_viewer.panel.values import ClipValues, NoiseValues
from kvidgan_viewer.worker.client import Worker, messages
from kvidgan_viewer.worker.film import Film

Values = NoiseValues | ClipValues

AHEAD = 16  # frames that are made beyond the one that was asked for
ALL = 2**31  # frames: as many as there are label maps
SPEED_OF_NOISE = 12.5


class Session(QObject):
    """A model that was opened, and what it plays.

    Signals:
        opened(): The description is known.
        began(): A rollout began: there is another film, another note and rate.
        grown(): The film has more moments.
        told(): The state or what is expected changed.
        listed(object): `messages.Listed`.
        failed(str, str): A sentence, and details.
        died(str): The process is gone: why, in a sentence.
    """

    opened = Signal()
    began = Signal()
    grown = Signal()
    told = Signal()
    listed = Signal(object)
    failed = Signal(str, str)
    died = Signal(str)

    def __init__(self, path: Path, backend: str, parent: QObject | None = None):
        super().__init__(parent)
        self.path = path
        self.description: Description | None = None
        self.film = Film()
        self.values: Values | None = None
        self.start: messages.Started | None = None
        self.done = True  # no more frames can be made
        self.until = 0
        self._wish: int | None = None
        self.worker = Worker(backend, parent=self)
        self._connect()
        self.worker.open(str(path))

    def _connect(self) -> None:
        worker = self.worker
        worker.opened.connect(self._open)
        worker.started.connect(self._begin)
        worker.made.connect(lambda _count: self.grown.emit())
        worker.waiting.connect(lambda _count: self.told.emit())
        worker.ended.connect(self._end)
        worker.listed.connect(self.listed)
        worker.failed.connect(self._fail)
        worker.died.connect(self._die)
        worker.state_changed.connect(lambda _state: self.told.emit())

    @property
    def name(self) -> str:
        """A run's name, or the file's."""
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
        return self.start.fps if self.start else SPEED_OF_NOISE

    @property
    def total(self) -> int | None:
        """How many moments there can be; None where there is no end, or none is known yet."""
        if self.done:
            return len(self.film)
        return self.start.total if self.start else None

    @property
    def expected(self) -> int:
        """How many moments there will be, as far as they were asked for and that is known."""
        least = len(self.film)
        if self.done:
            return least
        wanted = min(self.until, self.total or self.until)
        return least if wanted == ALL else max(least, wanted)

    @property
    def endless(self) -> bool:
        """Whether frames are being made of all label maps, however many there are."""
        return not self.done and self.until == ALL

    @property
    def growing(self) -> bool:
        """Whether more frames are on their way, or can be asked for."""
        return not self.done

    def trained_on(self) -> str | None:
        """Return where the data lie that the model was trained on, if they are still there."""
        data = self.description.config.get("data", {}) if self.description else {}
        path = data.get("path")
        known = isinstance(path, str) and (path in NAMES or Path(path).exists())
        return path if known else None

    def play(self, values: Values) -> None:
        """Begin another rollout, unless it is the one that plays; then only more frames of it."""
        if self.description is None or self.worker.state in ("died", "closed"):
            self.values = values
            return
        before, self.values = self.values, values
        until = self._until(values)
        if self.start and before and plan_of(before) == plan_of(values) and not self.done:
            self.ask(until - 1 - AHEAD)
            return
        self.film.close()
        self.start, self.done, self.until = None, False, until
        self.film = self.worker.play(plan_of(values), until)
        self.began.emit()

    def ask(self, index: int) -> None:
        """Ask for the frame of an index, and some after it."""
        if not self.done and index + 1 + AHEAD > self.until:
            self.until = index + 1 + AHEAD
            self.worker.more(self.until)
            self.told.emit()

    def cancel(self) -> None:
        """Make no more frames."""
        self.done = True
        self.worker.cancel()
        self.told.emit()

    def restart(self, backend: str | None = None) -> None:
        """Start the process anew, perhaps on another backend, and the rollout with it."""
        self.description, self.done = None, True
        self.worker.restart(backend)
        self.told.emit()

    def close(self) -> None:
        """End the process, forget the film."""
        self.worker.close()
        self.film.close()

    def status(self) -> str:
        """Say in a few words what goes on."""
        backend = TITLES[self.worker.backend]
        made, wanted = len(self.film), self.expected
        match self.worker.state:
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
                return f"frame {made} of {wanted}" if wanted > made else f"frame {made}"
        return self.start.note if self.start else ""

    def _open(self, opened: messages.Opened) -> None:
        self.description = opened.description
        self.opened.emit()

    def _begin(self, start: messages.Started) -> None:
        self.start = start
        self.began.emit()

    def _end(self, _count: int) -> None:
        self.done = True
        self.told.emit()

    def _fail(self, failed: messages.Failed) -> None:
        if isinstance(failed.request, messages.Videos):
            return  # playing it tells the same
        if failed.job is not None or isinstance(failed.request, messages.Play):
            self.done = True
        if self.worker.state == "died":  # the backend could not be loaded
            self.done = True
        self.told.emit()
        self.failed.emit(failed.sentence, failed.details)

    def _die(self, sentence: str) -> None:
        self.done = True
        self.told.emit()
        self.died.emit(sentence)

    def _until(self, values: Values) -> int:
        if values.frames is None:
            return ALL
        if self.description is None or isinstance(values, NoiseValues):
            return values.frames
        return values.frames + self.description.context_frames


def plan_of(values: Values) -> Plan:
    """Return what a worker is to play of what a user chose: all but the number of frames."""
    kind = NoisePlan if isinstance(values, NoiseValues) else ClipPlan
    return kind(**{field.name: getattr(values, field.name) for field in fields(kind)})
