"""Export dialog: asks for the settings of an export, and shows what will be written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMessageBox, QVBoxLayout, QWidget

from kvidgan_viewer.export.composition import (
    Exportable,
    ExportSettings,
    ReadPanes,
    picture_size,
    written_fps,
)
from kvidgan_viewer.export.export_form import ExportForm
from kvidgan_viewer.export.export_job import Estimate
from kvidgan_viewer.export.files import size_text
from kvidgan_viewer.widgets import named

_INTERVAL = 300  # milliseconds without a change, before the size is estimated


class ExportDialog(QDialog):
    """Dialog with the form of an export; when it was accepted, `settings` returns them."""

    def __init__(
        self,
        source: Exportable,
        read: ReadPanes,
        remembered: Mapping[str, Any] | None = None,
        parent: QWidget | None = None,
    ):
        """Build the dialog.

        Args:
            source: The film.
            read: Function that returns the panes of a frame by name; called in a thread, for the
                estimate.
            remembered: The values that `remembered` returned the last time.
            parent: The widget that the dialog belongs to.
        """
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._source, self._read = source, read
        self._estimate: Estimate | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self._begin_estimate)
        self._lay_out(remembered or {})
        self._update()

    def _lay_out(self, remembered: Mapping[str, Any]) -> None:
        self.form = ExportForm(self._source, remembered)
        self.outcome = named(QLabel(), "What will be written")
        self.outcome.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        whole = QVBoxLayout(self)
        for widget in (self.form, self.outcome, self.buttons):
            whole.addWidget(widget)
        self.form.changed.connect(self._update)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def settings(self) -> ExportSettings:
        """Return the settings of the export."""
        return self.form.settings()

    def remembered(self) -> dict[str, Any]:
        """Return plain values for the next dialog to begin with."""
        return self.form.remembered()

    def _update(self) -> None:
        problem = self.form.problem()
        self.outcome.setText(problem or self._outcome("…"))
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)
        self._timer.start()

    def _outcome(self, size: str) -> str:
        settings = self.settings()
        height, width = picture_size(self._source, settings)
        count = len(settings.frame_range)
        parts = [f"{width}x{height} pixels", f"{count} frame{'' if count == 1 else 's'}"]
        if settings.format != "png":
            parts.append(f"{count / written_fps(settings.format, settings.fps):.3g} s")
        return ", ".join([*parts, f"about {size}"])

    def _begin_estimate(self) -> None:
        self._end_estimate()
        if self.isVisible() and not self.form.problem():
            self._estimate = Estimate(self._source, self.settings(), self._read)
            self._estimate.size_found.connect(self._show_estimate)
            self._estimate.start()

    def _show_estimate(self, size: float) -> None:
        self.outcome.setText(self._outcome(size_text(size)))

    def _end_estimate(self) -> None:
        if self._estimate is not None:
            self._estimate.size_found.disconnect(self._show_estimate)
            self._estimate.cancel()
            self._estimate = None

    def accept(self) -> None:
        """Close with settings, if a file that is there already may be replaced."""
        path = self.settings().path
        if not _exists(path) or self._may_replace(path):
            super().accept()

    def done(self, result: int) -> None:
        """Close."""
        self._timer.stop()
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


def _exists(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()
