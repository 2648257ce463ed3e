"""Dialogs of the window: an error, and the list of keys."""

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

from kvidgan_viewer.shortcuts import MOUSE, SHORTCUTS


class ErrorDialog(QDialog):
    """Dialog with a sentence on an error, details on demand, and a button that copies both."""

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
            details: A text that is shown on demand, such as a traceback.
            parent: The widget that the dialog belongs to.
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
        role = QDialogButtonBox.ButtonRole
        self.copy_button = self.buttons.addButton("&Copy", role.ActionRole)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text))
        if remedy is not None:
            self.restart_button = self.buttons.addButton("&Restart", role.AcceptRole)  # closes
            self.restart_button.clicked.connect(lambda: remedy())
        if details:
            self.details_button = self.buttons.addButton("&Details", role.ActionRole)
            self.details_button.clicked.connect(self._toggle_details)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        rows.addWidget(picture, 0, 0, Qt.AlignmentFlag.AlignTop)
        rows.addWidget(self.sentence, 0, 1)
        rows.addWidget(self.details, 1, 0, 1, 2)
        rows.addWidget(self.buttons, 2, 0, 1, 2)
        rows.setColumnStretch(1, 1)

    def _toggle_details(self) -> None:
        self.details.setVisible(not self.details.isVisible())
        self.adjustSize()


class KeysDialog(QDialog):
    """Dialog with all keys and what they do."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Keys")
        table = QGridLayout()
        table.setHorizontalSpacing(18)
        entries = [(_keys_text(s.keys, s.command), s.text) for s in SHORTCUTS if s.text]
        entries += MOUSE
        half = -(-len(entries) // 2)
        for place, (keys, text) in enumerate(entries):
            row, column = place % half, place // half * 2
            table.addWidget(QLabel(f"<b>{keys}</b>"), row, column)
            table.addWidget(QLabel(text), row, column + 1)
        note = QLabel("Single letters act while the frames have the focus: click on them.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addLayout(table)
        whole.addWidget(note)
        whole.addWidget(buttons)


def _keys_text(keys: tuple[str, ...], command: str) -> str:
    if command == "alone_1":
        return "1 … 9"
    native = QKeySequence.SequenceFormat.NativeText
    return " &nbsp;".join(QKeySequence(key).toString(native).replace("<", "&lt;") for key in keys)
