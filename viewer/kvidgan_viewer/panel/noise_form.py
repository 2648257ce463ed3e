"""Noise form: the fields of models that begin from noise."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kvidgan_viewer.panel.fields import NARROW, SeedField, number
from kvidgan_viewer.panel.values import ClipValues, Needs, NoiseValues
from kvidgan_viewer.widgets import named

_MOST_VIDEOS, _MOST_FRAMES = 256, 100_000


class NoiseForm(QWidget):
    """Form for the number of videos, their seeds and their choices.

    Seeds that the model does not draw from are hidden.

    Signals:
        edited(): A field has another value.
    """

    edited = Signal()

    def __init__(self, needs: Needs):
        super().__init__()
        self._needs, defaults = needs, NoiseValues()
        self.videos = number(
            "Videos", "How many are made at once, side by side.", 1, _MOST_VIDEOS, defaults.videos
        )
        self.num_frames = number(
            "Frames", "Of each video; more than it was trained on is fine.", 1, _MOST_FRAMES, 1
        )
        self.num_frames.setValue(defaults.num_frames)
        self._build_seeds()
        self.choices = {name: _choice(name, labels) for name, labels in needs.choices.items()}
        self._build_buttons()
        self._lay_out()
        self._connect()

    def _build_seeds(self) -> None:
        alone = not (self._needs.content and self._needs.motion)
        self.content = SeedField(
            "Seed" if alone else "Content seed",
            "Of what stays the same in a video. Videos draw from this seed and those after it.",
        )
        self.motion = SeedField(
            "Seed" if alone else "Motion seed",
            "Of what changes in a video. Videos draw from this seed and those after it.",
        )

    def _build_buttons(self) -> None:
        self.interpolation = named(
            QCheckBox("Interpolate between two contents" if self._needs.content else "Interpolate"),
            "Interpolate",
            "All videos have the same motion; the first has the content of this seed, the last that"
            " of the next one, and the others lie on the way.",
        )
        self.new_content = named(
            QPushButton("New content"), "New content", "Go on to the next contents; motion stays."
        )
        self.new_motion = named(
            QPushButton("New motion"), "New motion", "Go on to the next motions; content stays."
        )
        self.new_videos = named(
            QPushButton("New videos"), "New videos", "Go on to the next seeds of all unlocked."
        )

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Videos", self.videos)
        form.addRow("Frame&s", self.num_frames)
        drawn = (self._needs.content, self._needs.motion)
        for field, is_drawn in zip((self.content, self.motion), drawn, strict=True):
            if is_drawn:
                form.addRow(field.box.accessibleName(), field)
        for name, box in self.choices.items():
            form.addRow(name.capitalize(), box)
        buttons = QGridLayout()
        if all(drawn):
            buttons.addWidget(self.new_content, 0, 0)
            buttons.addWidget(self.new_motion, 0, 1)
        if any(drawn):
            buttons.addWidget(self.new_videos, 1, 0, 1, 2)
        column = QVBoxLayout(self)
        column.addLayout(form)
        if self._needs.can_interpolate:
            column.addWidget(self.interpolation)
        column.addLayout(buttons)
        column.addStretch(1)

    def _connect(self) -> None:
        for box in (self.videos, self.num_frames):
            box.valueChanged.connect(self.edited)
        for field in (self.content, self.motion):
            field.changed.connect(self.edited)
            field.locked.connect(self._update_buttons)
        for choice in self.choices.values():
            choice.currentIndexChanged.connect(self.edited)
        self.interpolation.toggled.connect(self.edited)
        self.new_content.clicked.connect(lambda: self.content.advance(self._seed_step()))
        self.new_motion.clicked.connect(lambda: self.motion.advance(self._seed_step()))
        self.new_videos.clicked.connect(self.advance_seeds)

    def advance_seeds(self) -> None:
        """Advance the seeds that are not locked."""
        self.content.advance(self._seed_step())
        self.motion.advance(self._seed_step())

    def _seed_step(self) -> int:
        """Return the distance to seeds not shown yet; the next way begins where this one ends."""
        return 1 if self.interpolation.isChecked() else self.videos.value()

    def _update_buttons(self) -> None:
        free = [not field.lock.isChecked() for field in (self.content, self.motion)]
        self.new_content.setEnabled(free[0])
        self.new_motion.setEnabled(free[1])
        drawn = (self._needs.content, self._needs.motion)
        self.new_videos.setEnabled(any(a and b for a, b in zip(free, drawn, strict=True)))

    def values(self) -> NoiseValues:
        """Return the chosen values; a seed that the model does not draw from is the other one."""
        content, motion = self.content.seed(), self.motion.seed()
        interpolates = self._needs.can_interpolate and self.interpolation.isChecked()
        return NoiseValues(
            videos=self.videos.value(),
            num_frames=self.num_frames.value(),
            content_seed=content if self._needs.content else motion,
            motion_seed=motion if self._needs.motion else content,
            choices={n: box.currentData() for n, box in self.choices.items() if box.currentData()},
            arrangement="interpolate" if interpolates else "plain",
        )

    def set_values(self, values: NoiseValues | ClipValues) -> None:
        """Show values, as far as the model has them; nothing of those of another form."""
        if not isinstance(values, NoiseValues):
            return
        self.videos.setValue(values.videos)
        self.num_frames.setValue(values.num_frames)
        self.content.set_seed(values.content_seed)
        self.motion.set_seed(values.motion_seed)
        self.interpolation.setChecked(values.arrangement == "interpolate")
        for name, box in self.choices.items():
            box.setCurrentIndex(max(0, box.findData(values.choices.get(name))))


def _choice(name: str, labels: list[str]) -> QComboBox:
    tip = "One for all videos; drawn: by each video's content seed."
    box = named(QComboBox(), name.capitalize(), tip)
    box.setMinimumWidth(NARROW)
    box.addItem("drawn", None)
    for label in labels:
        box.addItem(label, label)
    return box
