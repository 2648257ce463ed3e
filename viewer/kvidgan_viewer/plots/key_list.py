"""A list of names to choose from, with a search."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.plots.meanings import meaning
from kvidgan_viewer.widgets import named


class KeyList(QWidget):
    """What can be drawn; the rows that are selected are drawn.

    Signals:
        changed: Another choice was made.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.search = named(QLineEdit(), "Search the curves", "Show the names that hold this text.")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.list = named(QListWidget(), "Curves", "Click or press Space on what is to be drawn.")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self.list)
        self.search.textChanged.connect(self._filter)
        self.list.itemSelectionChanged.connect(self.changed)

    def offered(self) -> list[str]:
        """Return all names."""
        return [item.text() for item in self._items()]

    def set_keys(self, keys: Sequence[str]) -> None:
        """Offer other names; what was chosen stays so, where it is still there."""
        if list(keys) == self.offered():
            return
        before = self.chosen()
        self.list.blockSignals(True)
        self.list.clear()
        for key in keys:
            QListWidgetItem(key, self.list).setToolTip(meaning(key))
        self.list.blockSignals(False)
        self.choose(before)
        self._filter(self.search.text())

    def chosen(self) -> list[str]:
        """Return the names chosen, in the order of the list."""
        return [item.text() for item in self._items() if item.isSelected()]

    def choose(self, keys: Sequence[str]) -> None:
        """Choose these, as far as they are there, and no others."""
        self.list.blockSignals(True)
        for item in self._items():
            item.setSelected(item.text() in keys)
        self.list.blockSignals(False)
        self.changed.emit()

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _filter(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.strip().lower() not in item.text().lower())
