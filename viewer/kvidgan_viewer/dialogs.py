"""What the window says in windows of their own: errors, and the list of keys."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.shortcuts import KEYS, MOUSE


class ErrorDialog(QDialog):
    """A sentence on what went wrong, details on demand, and a button that copies both."""

    def __init__(
        self,
        sentence: str,
        details: str = "",
        parent: QWidget | None = None,
        remedy: Callable[[], object] | None = None,
    ):
        """Build the dialog.

        Args:
            sentence: What was expected, what was found, what to do.
            details: Shown on demand.
            parent: Of the dialog.
            remedy: What a button "Restart" does; None: there is no such button.
        """
        super().__init__(parent)
        self.setWindowTitle("kvidgan")
        self.setMinimumWidth(460)
        self._text = f"{sentence}\n\n{details}".strip()
        rows = QGridLayout(self)
        picture = QLabel()
        icon = self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
        picture.setPixmap(icon.pixmap(32, 32))
        self.sentence = QLabel(sentence)
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details = QPlainTextEdit(details)
        self.details.setReadOnly(True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setVisible(False)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = self.buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text))
        if remedy is not None:
            role = QDialogButtonBox.ButtonRole.AcceptRole  # closes the dialog
            self.restart = self.buttons.addButton("&Restart", role)
            self.restart.clicked.connect(lambda: remedy())
        if details:
            self.unfold = self.buttons.addButton("&Details", QDialogButtonBox.ButtonRole.ActionRole)
            self.unfold.clicked.connect(self._unfold)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        rows.addWidget(picture, 0, 0, Qt.AlignmentFlag.AlignTop)
        rows.addWidget(self.sentence, 0, 1)
        rows.addWidget(self.details, 1, 0, 1, 2)
        rows.addWidget(self.buttons, 2, 0, 1, 2)
        rows.setColumnStretch(1, 1)

    def _unfold(self) -> None:
        self.details.setVisible(not self.details.isVisible())
        self.adjustSize()


class KeysDialog(QDialog):
    """All keys and what they do."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Keys")
        table = QGridLayout()
        table.setHorizontalSpacing(18)
        said = [(_written(key.keys, key.command), key.does) for key in KEYS if key.does]
        half = -(-(len(said) + len(MOUSE)) // 2)
        for place, (keys, does) in enumerate([*said, *MOUSE]):
            row, column = place % half, place // half * 2
            table.addWidget(QLabel(f"<b>{keys}</b>"), row, column)
            table.addWidget(QLabel(does), row, column + 1)
        note = QLabel("Single letters act while the frames have the focus: click on them.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addLayout(table)
        whole.addWidget(note)
        whole.addWidget(buttons)


def _written(keys: tuple[str, ...], command: str) -> str:
    if command == "alone_1":
        return "1 … 9"
    native = QKeySequence.SequenceFormat.NativeText
    return " &nbsp;".join(QKeySequence(key).toString(native).replace("<", "&lt;") for key in keys)
