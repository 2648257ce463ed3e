"""Ask how a film is to be written, and say what that comes to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMessageBox, QVBoxLayout, QWidget

from kvidgan_viewer.export.composition import Exportable, Plan, Read, picture_size, written_fps
from kvidgan_viewer.export.export_form import Choices
from kvidgan_viewer.export.export_job import Estimate
from kvidgan_viewer.export.files import in_words
from kvidgan_viewer.widgets import named

_PAUSE = 300  # milliseconds without a change, before the size is estimated


class ExportDialog(QDialog):
    """Format, rate, size, panes, range and name; when it was accepted, `plan` tells them."""

    def __init__(
        self,
        source: Exportable,
        read: Read,
        remembered: Mapping[str, Any] | None = None,
        parent: QWidget | None = None,
    ):
        """Build the dialog.

        Args:
            source: The film.
            read: Returns the panes of one moment by name; called in a thread, for the estimate.
            remembered: What `remembered` returned the last time.
            parent: Of the dialog.
        """
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._source, self._read = source, read
        self._estimate: Estimate | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._begin_estimate)
        self._lay_out(remembered or {})
        self._update()

    def _lay_out(self, remembered: Mapping[str, Any]) -> None:
        self.choices = Choices(self._source, remembered)
        self.outcome = named(QLabel(), "What will be written")
        self.outcome.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        whole = QVBoxLayout(self)
        for widget in (self.choices, self.outcome, self.buttons):
            whole.addWidget(widget)
        self.choices.changed.connect(self._update)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def plan(self) -> Plan:
        """Return what is to be written."""
        return self.choices.plan()

    def remembered(self) -> dict[str, Any]:
        """Return what the next dialog may begin with: plain values, for settings."""
        return self.choices.remembered()

    def _update(self) -> None:
        problem = self.choices.problem()
        self.outcome.setText(problem or self._outcome("…"))
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)
        self._pause.start()

    def _outcome(self, size: str) -> str:
        plan = self.plan()
        height, width = picture_size(self._source, plan)
        count = len(plan.frames)
        parts = [f"{width}x{height} pixels", f"{count} frame{'' if count == 1 else 's'}"]
        if plan.form != "png":
            parts.append(f"{count / written_fps(plan.form, plan.fps):.3g} s")
        return ", ".join([*parts, f"about {size}"])

    def _begin_estimate(self) -> None:
        self._end_estimate()
        if self.isVisible() and not self.choices.problem():
            self._estimate = Estimate(self._source, self.plan(), self._read)
            self._estimate.found.connect(self._show_estimate)
            self._estimate.start()

    def _show_estimate(self, size: float) -> None:
        self.outcome.setText(self._outcome(in_words(size)))

    def _end_estimate(self) -> None:
        if self._estimate is not None:
            self._estimate.found.disconnect(self._show_estimate)
            self._estimate.cancel()
            self._estimate = None

    def accept(self) -> None:
        """Close with a plan, if what is there already may be replaced."""
        path = self.plan().path
        if not _taken(path) or self._may_replace(path):
            super().accept()

    def done(self, result: int) -> None:
        """Close."""
        self._pause.stop()
        self._end_estimate()
        super().done(result)

    def _may_replace(self, path: Path) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"{path} exists already. Do you want to replace it?")
        box.setStandardButtons(yes | no)
        box.setDefaultButton(no)
        return box.exec() == yes


def _taken(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()
