"""The fields in which a user says how a film is to be written."""

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

from kvidgan_viewer.export.composition import Exportable, Form, Plan, written_fps
from kvidgan_viewer.export.files import SUFFIXES, named_so
from kvidgan_viewer.widgets import named

_FORMATS: dict[Form, str] = {"gif": "GIF", "mp4": "MP4", "png": "PNG sequence"}
_WIDEST = 4096  # pixels of a pane, beyond which a remembered enlargement is not taken over


class Choices(QWidget):
    """Format, rate, enlargement, panes, edges, range and name.

    Signals:
        changed: Any of them did.
    """

    changed = Signal()

    def __init__(self, source: Exportable, remembered: Mapping[str, Any]):
        super().__init__()
        self._source = source
        self._build()
        self._lay_out()
        self._recall(remembered)
        self._connect()
        self._adapt()

    def _build(self) -> None:
        self.form = named(QComboBox(), "Format", "GIF plays anywhere; MP4 has more colours.")
        for key, title in _FORMATS.items():
            self.form.addItem(title, key)
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
        for title, frames in self._ranges().items():
            self.range.addItem(f"{title} ({len(frames)} frames)", title)
        self.path = named(QLineEdit(), "File name", "Of PNGs, the folder's name.")
        self.browse = named(QPushButton("Browse…"), "Browse", "Choose a folder and a name.")

    def _lay_out(self) -> None:
        rate, name, panes = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        rate.addWidget(self.fps)
        rate.addWidget(self.rate, 1)
        name.addWidget(self.path, 1)
        name.addWidget(self.browse)
        for box in self.panes.values():
            panes.addWidget(box)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("&Format", self.form)
        form.addRow(_label("F&rames per second", self.fps), rate)
        form.addRow("", self.repeat)
        form.addRow("&Enlargement", self.scale)
        form.addRow("Panes", panes)
        form.addRow("", self.borders)
        form.addRow("Ran&ge", self.range)
        form.addRow(_label("&Name", self.path), name)

    def _connect(self) -> None:
        self.form.currentIndexChanged.connect(self._rename)
        self.range.currentIndexChanged.connect(self._adapt)
        self.path.textChanged.connect(self._adapt)
        for spin in (self.fps, self.scale):
            spin.valueChanged.connect(self._adapt)
        for box in (self.repeat, self.borders, *self.panes.values()):
            box.toggled.connect(self._adapt)
        self.browse.clicked.connect(self._browse)

    def _ranges(self) -> dict[str, range]:
        source = self._source
        ranges = {"All": range(source.frames)}
        if source.loop is not None:
            ranges["Loop range"] = range(source.loop[0], source.loop[1] + 1)
        if 0 < source.given < source.frames:
            ranges["Made only"] = range(source.given, source.frames)
        return ranges

    def plan(self) -> Plan:
        """Return what is to be written, as far as it was said."""
        form: Form = self.form.currentData()
        typed = self._folder / os.path.expanduser(self.path.text().strip())
        return Plan(
            path=named_so(typed, form),
            form=form,
            panes=tuple(name for name, box in self.panes.items() if box.isChecked()),
            frames=self._ranges()[self.range.currentData()],
            fps=self.fps.value(),
            scale=self.scale.value(),
            borders=self.borders.isChecked(),
            repeat=self.repeat.isChecked(),
        )

    def problem(self) -> str:
        """Return in a sentence what is missing in the plan; "" if it can be written."""
        plan = self.plan()
        if not plan.frames:
            return "There is no frame to write yet: play first."
        if not plan.panes:
            return "Choose at least one pane."
        if not self.path.text().strip() or self.path.text().strip().endswith("/"):
            return "Give the file a name."
        return ""

    def remembered(self) -> dict[str, Any]:
        """Return what the next ones may begin with: plain values, for settings."""
        return {
            "form": self.form.currentData(),
            "scale": self.scale.value(),
            "hidden": [name for name, box in self.panes.items() if not box.isChecked()],
            "range": self.range.currentData(),
            "borders": self.borders.isChecked(),
            "repeat": self.repeat.isChecked(),
            "folder": str(self.plan().path.parent),
        }

    def _recall(self, values: Mapping[str, Any]) -> None:
        """Begin with what was remembered, as far as it fits this film."""
        self.form.setCurrentIndex(max(0, self.form.findData(values.get("form"))))
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
        self.path.setText(str(self._folder / (name + SUFFIXES[self.form.currentData()])))

    def _rename(self) -> None:
        if self.path.text().strip():
            self.path.setText(str(named_so(Path(self.path.text()), self.form.currentData())))
        self._adapt()

    def _adapt(self) -> None:
        form, fps = self.form.currentData(), self.fps.value()
        real = written_fps(form, fps)
        same = abs(real - fps) < 0.005
        self.rate.setText("" if same else f"written as {real:.4g}: a GIF counts 1/100 s")
        self.repeat.setEnabled(form == "gif")
        self.fps.setEnabled(form != "png")
        self.changed.emit()

    def _browse(self) -> None:
        plan = self.plan()
        kinds = {"gif": "GIF (*.gif)", "mp4": "MP4 (*.mp4)", "png": ""}
        asked_later = QFileDialog.Option.DontConfirmOverwrite  # of typed names too
        name, _ = QFileDialog.getSaveFileName(
            self, "Export to", str(plan.path), kinds[plan.form], options=asked_later
        )
        if name:
            self.path.setText(str(named_so(Path(name), plan.form)))


def _label(text: str, buddy: QWidget) -> QLabel:
    """Return a label whose key leads to a field that does not stand alone in its row."""
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
