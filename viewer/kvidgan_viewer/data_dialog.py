"""Dialog on data: how it was understood, in a table and a contact sheet."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.worker.messages import DataDescription


class DataDialog(QDialog):
    """Dialog with what was understood of data: layout, counts, guesses, and some frames.

    Args:
        data: What the worker found.
        parent: The widget that the dialog belongs to.

    Attributes:
        rows: The labels of the table, (what, value) each.
        sheet: The label that shows the contact sheet.
    """

    def __init__(self, data: DataDescription, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle(data.path)
        table = QGridLayout()
        table.setColumnStretch(1, 1)
        self.rows = [(_text(f"{what}:", bold=True), _text(value)) for what, value in data.lines]
        for row, (what, value) in enumerate(self.rows):
            table.addWidget(what, row, 0, Qt.AlignmentFlag.AlignTop)
            table.addWidget(value, row, 1)
        self.sheet = QLabel()
        self.sheet.setPixmap(_pixmap(data))
        self.sheet.setAccessibleName("First, middle and last frame of eight videos")
        content = QWidget()
        column = QVBoxLayout(content)
        column.addLayout(table)
        column.addWidget(self.sheet)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(area)
        whole.addWidget(buttons)
        wanted = content.sizeHint()
        self.resize(min(wanted.width() + 60, 1160), min(wanted.height() + 80, 860))


def _text(text: str, bold: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(not bold)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    font = label.font()
    font.setBold(bold)
    label.setFont(font)
    return label


def _pixmap(data: DataDescription) -> QPixmap:
    height, width = data.sheet.shape[:2]
    image = QImage(data.sheet.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
