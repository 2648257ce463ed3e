"""Start page: buttons to open something or try the demo, and what was opened before."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

WELCOME = "Open a trained model, a run or a clip"
HINT = "… or drop a .keras file, a run's folder or a video anywhere on this window."
WIDTH = 560  # pixels


class StartPage(QWidget):
    """Start page of the window.

    Signals:
        open_pressed(): A file is to be chosen.
        folder_pressed(): A folder is to be chosen.
        demo_pressed(): The demo is to be opened.
        chosen(str): Path of something that was opened before.
    """

    open_pressed = Signal()
    folder_pressed = Signal()
    demo_pressed = Signal()
    chosen = Signal(str)

    def __init__(self, demo: bool, parent: QWidget | None = None):
        """Build the page.

        Args:
            demo: Whether there is a demo.
            parent: The parent of the widget.
        """
        super().__init__(parent)
        self.open_button = _button("&Open a file…", self.open_pressed)
        self.folder_button = _button("Open a &folder…", self.folder_pressed)
        self.demo_button = _button("Try the &demo", self.demo_pressed)
        self.demo_button.setVisible(demo)
        self.open_button.setDefault(True)
        self.recent = QListWidget()
        self.recent.setAccessibleName("Opened before")
        self.recent.itemActivated.connect(self._choose)
        self.recent.itemClicked.connect(self._choose)
        self.title = QLabel("Opened before")
        self._lay_out()

    def set_recent(self, paths: Sequence[Path]) -> None:
        """Show the paths that were opened before."""
        self.recent.clear()
        for path in paths:
            item = QListWidgetItem(f"{path.name}\n{path.parent}")
            item.setData(Qt.ItemDataRole.UserRole, str(path))
            item.setToolTip(str(path))
            self.recent.addItem(item)
        for widget in (self.title, self.recent):
            widget.setVisible(bool(paths))

    def _lay_out(self) -> None:
        welcome = QLabel(WELCOME)
        font = welcome.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        welcome.setFont(font)
        hint = QLabel(HINT)
        hint.setWordWrap(True)
        row = QHBoxLayout()
        for button in (self.open_button, self.folder_button, self.demo_button):
            row.addWidget(button)
        inner = QWidget()
        inner.setMaximumWidth(WIDTH)
        rows = QVBoxLayout(inner)
        rows.setSpacing(12)
        rows.addStretch(1)
        rows.addWidget(welcome)
        rows.addLayout(row)
        rows.addWidget(hint)
        rows.addSpacing(12)
        rows.addWidget(self.title)
        rows.addWidget(self.recent, 3)
        rows.addStretch(1)
        whole = QHBoxLayout(self)
        whole.addStretch(1)
        whole.addWidget(inner, 8)
        whole.addStretch(1)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


def _button(text: str, pressed: SignalInstance) -> QPushButton:
    button = QPushButton(text)
    button.setMinimumHeight(40)
    button.clicked.connect(lambda: pressed.emit())  # without Qt's own argument
    return button
