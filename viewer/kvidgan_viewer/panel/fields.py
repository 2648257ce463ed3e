"""Fields of the panel's forms: a path with browse buttons, a seed with a lock."""

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.widgets import named

LAST_SEED = 2**31 - 1
NARROW = 60  # pixels that a field can shrink to, so that a label fits beside it


def number(name: str, tip: str, low: int, high: int, value: int) -> QSpinBox:
    """Return a box for a whole number."""
    box = named(QSpinBox(), name, tip)
    box.setRange(low, high)
    box.setValue(value)
    box.setMinimumWidth(NARROW)
    box.setAccelerated(True)
    return box


class PathField(QWidget):
    """Field for the path of a file or a folder, typed, dropped or browsed for.

    Signals:
        changed(): Another path was entered.
    """

    changed = Signal()

    def __init__(self, name: str, tip: str, hint: str = ""):
        super().__init__()
        self._name, self._path = name, ""
        self.line = named(QLineEdit(), name, tip)
        self.line.setPlaceholderText(hint)
        self.line.setMinimumWidth(NARROW)
        self.file = named(QPushButton("File…"), f"{name}: browse for a file")
        self.folder = named(QPushButton("Folder…"), f"{name}: browse for a folder")
        buttons = QHBoxLayout()
        buttons.addWidget(self.file)
        buttons.addWidget(self.folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.line)
        column.addLayout(buttons)
        self.line.editingFinished.connect(self._finish)
        self.file.clicked.connect(
            lambda: self._set_browsed(QFileDialog.getOpenFileName(self, name)[0])
        )
        self.folder.clicked.connect(
            lambda: self._set_browsed(QFileDialog.getExistingDirectory(self, name))
        )

    def path(self) -> str:
        """Return the path that was entered last; "" if none was."""
        return self._path

    def set_path(self, path: str) -> None:
        """Show another path."""
        self._path = _local(path)
        self.line.setText(self._path)

    def _set_browsed(self, path: str) -> None:
        if path:
            self.line.setText(path)
            self._finish()

    def _finish(self) -> None:
        before = self._path
        self.set_path(self.line.text())
        if self._path != before:
            self.changed.emit()


def _local(text: str) -> str:
    """Return the path of a dropped file:// address; other text as it is."""
    text = text.strip()
    return QUrl(text).toLocalFile() if text.startswith("file:") else text


class SeedField(QWidget):
    """Field for a seed, which can be locked.

    Signals:
        changed(): The seed is another one.
        locked(bool): Whether the seed is locked.
    """

    changed = Signal()
    locked = Signal(bool)

    def __init__(self, name: str, tip: str):
        super().__init__()
        self.box = number(name, tip, 0, LAST_SEED, 0)
        self.lock = named(QToolButton(), f"Lock the {name.lower()}", "Locked: it stays as it is.")
        self.lock.setText("Lock")
        self.lock.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box, 1)
        row.addWidget(self.lock)
        self.box.valueChanged.connect(self.changed)
        self.lock.toggled.connect(self.box.setDisabled)
        self.lock.toggled.connect(self.locked)

    def seed(self) -> int:
        """Return the seed."""
        return self.box.value()

    def set_seed(self, seed: int) -> None:
        """Show another seed, locked or not."""
        self.box.setValue(seed)

    def advance(self, count: int) -> None:
        """Advance the seed by `count`, unless it is locked; after the last comes the first."""
        if not self.lock.isChecked():
            self.box.setValue((self.seed() + count) % (LAST_SEED + 1))
