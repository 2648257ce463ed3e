"""Sessions: the open models, one of them shown, and the runs whose plots are shown."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from kvidgan.errors import UserError
from kvidgan.rollout.description import read_description
from kvidgan.runs import Run, exported
from kvidgan_viewer.panel.values import NoiseValues, needs
from kvidgan_viewer.session import Session, Values


class Sessions(QObject):
    """Sessions of the open models, in the order of opening.

    Signals:
        added(Session): A model is being opened.
        changed(): Another model is current, or there are more or fewer of them.
        runs_changed(): There are more runs.
        failed(str, str): A sentence, and details.

    Attributes:
        all: The sessions of all open models.
        current: The session that is shown, if any.
        runs: The runs whose curves and samples can be looked at.
    """

    added = Signal(object)
    changed = Signal()
    runs_changed = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self.all: list[Session] = []
        self.current: Session | None = None
        self.runs: list[Run] = []

    def open(self, path: Path, backend: str) -> Session | None:
        """Open a model or a run; a run without an exported model gives its plots alone.

        Raises:
            UserError: If it is neither, or its file is broken, foreign or newer.
        """
        if path.is_dir():
            self.add_run(Run.open(path))
            try:
                exported(path)
            except UserError:
                return None
        read_description(exported(path))  # at once, where the process would take seconds
        known = next((s for s in self.all if _same(s, path, backend)), None)
        session = known or self._start(path, backend)
        self.select(session)
        return session

    def _start(self, path: Path, backend: str) -> Session:
        session = Session(path, backend, self)
        session.failed.connect(self.failed)
        self.all.append(session)
        self.added.emit(session)
        if session.run is not None:
            self.add_run(session.run)
        return session

    def add_run(self, run: Run) -> None:
        """Add a run, unless it is there already."""
        if all(run.folder.resolve() != other.folder.resolve() for other in self.runs):
            self.runs.append(run)
            self.runs_changed.emit()

    def select(self, session: Session) -> None:
        """Make a session the current one."""
        self.current = session
        self.changed.emit()

    def next(self) -> None:
        """Make the next session the current one; it plays the same if it can."""
        if len(self.all) < 2 or self.current is None:
            return
        place = self.all.index(self.current)
        before, self.current = self.current, self.all[(place + 1) % len(self.all)]
        self._follow(self.current, before.values)
        self.changed.emit()

    def others(self) -> list[Session]:
        """Return the other sessions that can play what the current one plays."""
        current = self.current
        if current is None:
            return []
        return [s for s in self.all if s is not current and _same_kind(s, current)]

    def play_on_others(self) -> None:
        """Let the others play what the current session plays."""
        for session in self.others():
            self._follow(session, self.current.values if self.current else None)

    def _follow(self, session: Session, values: Values | None) -> None:
        """Let a session play what another does, if it can; what plays already goes on."""
        current = self.current
        comparable = current is None or session is current or _same_kind(session, current)
        if (
            values is not None
            and comparable
            and session.values != values
            and _accepts(session, values)
        ):
            session.play(values)

    def close(self, session: Session) -> None:
        """Close a model and its process."""
        self.all.remove(session)
        session.close()
        session.deleteLater()
        if session is self.current:
            self.current = self.all[-1] if self.all else None
        self.changed.emit()

    def close_all(self) -> None:
        """Close all models, as when the window closes."""
        for session in self.all:
            session.close()
        self.all = []


def _same(session: Session, path: Path, backend: str) -> bool:
    return session.path.resolve() == path.resolve() and session.worker.backend == backend


def _same_kind(one: Session, other: Session) -> bool:
    """Whether two models begin from the same kind of input."""
    if one.description is None or other.description is None:
        return False
    return needs(one.description).kind == needs(other.description).kind


def _accepts(session: Session, values: Values) -> bool:
    if session.description is None:
        return False
    return (needs(session.description).kind == "noise") == isinstance(values, NoiseValues)
