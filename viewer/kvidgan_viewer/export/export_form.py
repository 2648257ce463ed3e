"""Export form: the fields for the settings of an export."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.export.composition import Exportable, ExportSettings, Format, written_fps
from kvidgan_viewer.export.files import SUFFIXES, with_suffix
from kvidgan_viewer.widgets import named

_FORMATS: dict[Format, str] = {"gif": "GIF", "mp4": "MP4", "png": "PNG sequence"}
_WIDEST = 4096  # pixels of a pane, beyond which a remembered enlargement is not taken over


class ExportForm(QWidget):
    """Form with format, rate, enlargement, panes, edges, range and name.

    Signals:
        changed(): A field has another value.
    """

    changed = Signal()

    def __init__(self, source: Exportable, remembered: Mapping[str, Any]):
        super().__init__()
        self._source = source
        self._build()
        self._lay_out()
        self._restore(remembered)
        self._connect()
        self._update()

    def _build(self) -> None:
        self.format = named(QComboBox(), "Format", "GIF plays anywhere; MP4 has more colours.")
        for key, title in _FORMATS.items():
            self.format.addItem(title, key)
        self.fps = named(QDoubleSpinBox(), "Frames per second")
        self.fps.setRange(0.1, 1000.0)
        self.rate = QLabel()
        self.repeat = named(QCheckBox("Play for ever"), "Play for ever", "Else a GIF plays once.")
        self.scale = named(QSpinBox(), "Enlargement", "Pixels are repeated so often, both ways.")
        self.scale.setRange(1, 64)
        self.scale.setSuffix("x")
        self.panes = {
            name: named(QCheckBox(name.capitalize()), f"Pane {name}", "Panes stand side by side.")
            for name in self._source.panes
        }
        self.borders = named(
            QCheckBox("Edges: given green, predicted red"), "Edges", "As on the screen."
        )
        self.range = named(QComboBox(), "Range", "Which frames are written.")
        for title, frame_range in self._ranges().items():
            self.range.addItem(f"{title} ({len(frame_range)} frames)", title)
        self.path = named(QLineEdit(), "File name", "Of PNGs, the folder's name.")
        self.browse_button = named(QPushButton("Browse…"), "Browse", "Choose a folder and a name.")

    def _lay_out(self) -> None:
        rate, name, panes = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        rate.addWidget(self.fps)
        rate.addWidget(self.rate, 1)
        name.addWidget(self.path, 1)
        name.addWidget(self.browse_button)
        for box in self.panes.values():
            panes.addWidget(box)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("&Format", self.format)
        form.addRow(_label("F&rames per second", self.fps), rate)
        form.addRow("", self.repeat)
        form.addRow("&Enlargement", self.scale)
        form.addRow("Panes", panes)
        form.addRow("", self.borders)
        form.addRow("Ran&ge", self.range)
        form.addRow(_label("&Name", self.path), name)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._rename)
        self.range.currentIndexChanged.connect(self._update)
        self.path.textChanged.connect(self._update)
        for spin in (self.fps, self.scale):
            spin.valueChanged.connect(self._update)
        for box in (self.repeat, self.borders, *self.panes.values()):
            box.toggled.connect(self._update)
        self.browse_button.clicked.connect(self._browse)

    def _ranges(self) -> dict[str, range]:
        source = self._source
        ranges = {"All": range(source.num_frames)}
        if source.loop is not None:
            ranges["Loop range"] = range(source.loop[0], source.loop[1] + 1)
        if 0 < source.num_context < source.num_frames:
            ranges["Made only"] = range(source.num_context, source.num_frames)
        return ranges

    def settings(self) -> ExportSettings:
        """Return the settings, as far as they were chosen."""
        format: Format = self.format.currentData()
        typed = self._folder / os.path.expanduser(self.path.text().strip())
        return ExportSettings(
            path=with_suffix(typed, format),
            format=format,
            panes=tuple(name for name, box in self.panes.items() if box.isChecked()),
            frame_range=self._ranges()[self.range.currentData()],
            fps=self.fps.value(),
            scale=self.scale.value(),
            borders=self.borders.isChecked(),
            repeat=self.repeat.isChecked(),
        )

    def problem(self) -> str:
        """Return a sentence on what is missing in the settings; "" if nothing is."""
        settings = self.settings()
        if not settings.frame_range:
            return "There is no frame to write yet: play first."
        if not settings.panes:
            return "Choose at least one pane."
        if not self.path.text().strip() or self.path.text().strip().endswith("/"):
            return "Give the file a name."
        return ""

    def remembered(self) -> dict[str, Any]:
        """Return plain values for the next form to begin with."""
        return {
            "format": self.format.currentData(),
            "scale": self.scale.value(),
            "hidden": [name for name, box in self.panes.items() if not box.isChecked()],
            "range": self.range.currentData(),
            "borders": self.borders.isChecked(),
            "repeat": self.repeat.isChecked(),
            "folder": str(self.settings().path.parent),
        }

    def _restore(self, values: Mapping[str, Any]) -> None:
        """Set remembered values, as far as they fit this film."""
        self.format.setCurrentIndex(max(0, self.format.findData(values.get("format"))))
        self.fps.setValue(self._source.fps)
        longest = max(max(size) for size in self._source.panes.values())
        scale = values.get("scale", 0)
        fits = 0 < scale * longest <= _WIDEST
        self.scale.setValue(scale if fits else max(1, 512 // longest))
        hidden = set(values.get("hidden", ()))
        for name, box in self.panes.items():
            box.setChecked(name not in hidden or hidden >= set(self.panes))
        self.range.setCurrentIndex(max(0, self.range.findData(values.get("range"))))
        self.borders.setChecked(bool(values.get("borders", True)))
        self.repeat.setChecked(bool(values.get("repeat", True)))
        folder = Path(values.get("folder") or Path.home())
        self._folder = folder if folder.is_dir() else Path.home()
        name = re.sub(r"[^\w-]+", "-", self._source.name).strip("-") or "video"
        self.path.setText(str(self._folder / (name + SUFFIXES[self.format.currentData()])))

    def _rename(self) -> None:
        if self.path.text().strip():
            self.path.setText(str(with_suffix(Path(self.path.text()), self.format.currentData())))
        self._update()

    def _update(self) -> None:
        format, fps = self.format.currentData(), self.fps.value()
        written = written_fps(format, fps)
        same = abs(written - fps) < 0.005
        self.rate.setText("" if same else f"written as {written:.4g}: a GIF counts 1/100 s")
        self.repeat.setEnabled(format == "gif")
        self.fps.setEnabled(format != "png")
        self.changed.emit()

    def _browse(self) -> None:
        settings = self.settings()
        patterns = {"gif": "GIF (*.gif)", "mp4": "MP4 (*.mp4)", "png": ""}
        # The dialog asks before it replaces a file, also one whose name was typed.
        unasked = QFileDialog.Option.DontConfirmOverwrite
        name, _ = QFileDialog.getSaveFileName(
            self, "Export to", str(settings.path), patterns[settings.format], options=unasked
        )
        if name:
            self.path.setText(str(with_suffix(Path(name), settings.format)))


def _label(text: str, buddy: QWidget) -> QLabel:
    """Return a label with a key for a field that does not stand alone in its row."""
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
