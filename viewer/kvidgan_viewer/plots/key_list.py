"""Key list: names to choose from, with a search."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.widgets import named


class KeyList(QWidget):
    """List of the keys that can be drawn; the rows that are selected are drawn.

    Signals:
        changed(): Other rows are selected.
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

    def all_keys(self) -> list[str]:
        """Return all keys."""
        return [item.text() for item in self._items()]

    def set_keys(self, keys: Sequence[str], meanings: Mapping[str, str]) -> None:
        """Offer other names; what was chosen stays so, where it is still there.

        Args:
            keys: Names of curves.
            meanings: The meaning of a name, for its tooltip, as far as it is known.
        """
        if list(keys) == self.all_keys():
            return
        before = self.chosen_keys()
        self.list.blockSignals(True)
        self.list.clear()
        for key in keys:
            QListWidgetItem(key, self.list).setToolTip(meanings.get(key, ""))
        self.list.blockSignals(False)
        self.choose(before)
        self._filter(self.search.text())

    def chosen_keys(self) -> list[str]:
        """Return the selected keys, in the order of the list."""
        return [item.text() for item in self._items() if item.isSelected()]

    def choose(self, keys: Sequence[str]) -> None:
        """Select keys, as far as they are there, and no others."""
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
