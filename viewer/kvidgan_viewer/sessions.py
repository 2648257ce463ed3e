"""The models that are open: which one is shown, and what all of them play."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from kvidgan.errors import UserError
from kvidgan.rollout.description import read_description
from kvidgan.runs import Run, exported
from kvidgan_viewer.panel.values import NoiseValues, needs
from kvidgan_viewer.session import Session, Values


class Models(QObject):
    """Sessions in the order of opening, one of them shown.

    Signals:
        changed(): Another model is shown, or there are more or fewer of them.
        runs_changed(): There are more or fewer runs.
        failed(str, str): A sentence, and details.
    """

    changed = Signal()
    runs_changed = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self.sessions: list[Session] = []
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
        known = next((s for s in self.sessions if _same(s, path, backend)), None)
        session = known or self._start(path, backend)
        self.show(session)
        return session

    def _start(self, path: Path, backend: str) -> Session:
        session = Session(path, backend, self)
        session.failed.connect(self.failed)
        self.sessions.append(session)
        if session.run is not None:
            self.add_run(session.run)
        return session

    def add_run(self, run: Run) -> None:
        """Take up a run, whose curves and samples can be looked at."""
        if all(run.folder.resolve() != other.folder.resolve() for other in self.runs):
            self.runs.append(run)
            self.runs_changed.emit()

    def show(self, session: Session) -> None:
        """Show a model."""
        self.current = session
        self.changed.emit()

    def next(self) -> None:
        """Show the next model, which plays the same if it can."""
        if len(self.sessions) < 2 or self.current is None:
            return
        place = self.sessions.index(self.current)
        before, self.current = self.current, self.sessions[(place + 1) % len(self.sessions)]
        self.follow(self.current, before.values)
        self.changed.emit()

    def others(self) -> list[Session]:
        """Return the models that can play what the shown one plays."""
        current = self.current
        if current is None:
            return []
        return [s for s in self.sessions if s is not current and _alike(s, current)]

    def together(self) -> None:
        """Let the others play what the shown one plays."""
        for session in self.others():
            self.follow(session, self.current.values if self.current else None)

    def follow(self, session: Session, values: Values | None) -> None:
        """Let a model play what another does, if it can; what plays already goes on."""
        alike = self.current is None or session is self.current or _alike(session, self.current)
        if values is not None and alike and session.values != values and _takes(session, values):
            session.play(values)

    def close(self, session: Session) -> None:
        """Close a model and its process."""
        self.sessions.remove(session)
        session.close()
        session.deleteLater()
        if session is self.current:
            self.current = self.sessions[-1] if self.sessions else None
        self.changed.emit()

    def close_all(self) -> None:
        """Close all, as when the window closes."""
        for session in self.sessions:
            session.close()
        self.sessions = []


def _same(session: Session, path: Path, backend: str) -> bool:
    return session.path.resolve() == path.resolve() and session.worker.backend == backend


def _alike(one: Session, other: Session) -> bool:
    """Whether two models begin from the same kind of thing."""
    if one.description is None or other.description is None:
        return False
    return needs(one.description).kind == needs(other.description).kind


def _takes(session: Session, values: Values) -> bool:
    if session.description is None:
        return False
    return (needs(session.description).kind == "noise") == isinstance(values, NoiseValues)
