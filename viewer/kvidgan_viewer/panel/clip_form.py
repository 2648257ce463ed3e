"""Clip form: the fields of models that go on with a clip, or follow label maps."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kvidgan.data.layouts.registry import LAYOUTS
from kvidgan.data.reading import Reading, parse_reading, reading_text
from kvidgan.errors import UserError
from kvidgan_viewer.panel.fields import LAST_SEED, NARROW, PathField, number
from kvidgan_viewer.panel.values import ClipValues, Needs, NoiseValues, parsed_size
from kvidgan_viewer.widgets import named

VideoRow = tuple[str, str, int | None]  # name, split or "", frames if known

_MOST = 1_000_000


class ClipForm(QWidget):
    """Form for a clip, the frames of it to begin with, and the number of frames to predict.

    Signals:
        edited(): A field has another value.
    """

    edited = Signal()

    def __init__(self, needs: Needs, stride: int):
        super().__init__()
        self._needs, self._stride = needs, stride
        self._build_source()
        self._build_frames()
        self._build_beginning()
        self._build_looks()
        self._lay_out()
        self.set_videos([])
        self._connect()

    def _build_source(self) -> None:
        follows = self._needs.kind == "labels"
        what = "Label maps" if follows else "Clip"
        tip = "A video, GIF, frame folder, array, clip store or the name of a built-in set"
        more = "; data with label maps, or a folder of such." if follows else "."
        self.clip = PathField(what, tip + more, "Drop or browse")
        self.video = named(
            QComboBox(), "Video", "Which one. Default: the first of the test split, else of all."
        )
        self.layouts = named(QComboBox(), "Layout", "How the files are to be read.")
        self.layouts.addItems(["auto", *LAYOUTS])
        self.options = named(
            QLineEdit(),
            "Reading",
            "How the files are to be read where they leave a choice, as fps=10 or axes=NTHWC: "
            f"{', '.join(name for name in Reading.model_fields if name != 'layout')}.",
        )
        self.options.setPlaceholderText("as they say")
        self.options.setMinimumWidth(NARROW)
        self.about = named(
            QPushButton("What is in it…"), "About the data", "How the files are understood."
        )
        for box in (self.video, self.layouts):
            box.setMinimumWidth(NARROW)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def _build_frames(self) -> None:
        follows = self._needs.kind == "labels"
        self.start = number("Start", "The frame to begin with, counted from 0.", 0, _MOST, 0)
        self.stride = number(
            "Stride",
            f"Distance of the frames used; the model was trained with {self._stride}.",
            1,
            _MOST,
            self._stride,
        )
        self.default_num_frames = None if follows else 64
        self.num_frames = number("Frames", "How many to make.", 0 if follows else 1, _MOST, 64)
        if follows:
            self.num_frames.setSpecialValueText("all")
            self.num_frames.setValue(0)

    def _build_beginning(self) -> None:
        self.first = PathField(
            "Begin with",
            "An image, a clip, or a model that draws each frame by itself. Empty: the frames that "
            "come with the label maps.",
            "The data's own frames",
        )
        self.frame_size = named(
            QLineEdit(),
            "Size",
            "WIDTHxHEIGHT of the frames. Empty: as the model was trained, or the clip's own.",
        )
        height, width = self._needs.size or (0, 0)
        self.frame_size.setPlaceholderText(f"{width}x{height}" if width else "the clip's own")
        self.frame_size.setMinimumWidth(NARROW)
        self.problem = QLabel()
        self.problem.setWordWrap(True)

    def _build_looks(self) -> None:
        tip = "Objects are drawn in looks of their class; another seed draws others."
        self.seed = number("Seed of looks", tip, 0, LAST_SEED, 0)
        self.looks = {
            name: number(f"Look of {name}", "The commonest is 0.", -1, count - 1, -1)
            for name, count in self._needs.looks.items()
        }
        for box in self.looks.values():
            box.setSpecialValueText("drawn")

    def _lay_out(self) -> None:
        self._form = form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.clip.line.accessibleName(), self.clip)
        form.addRow("&Video", self.video)
        form.addRow("&Layout", self.layouts)
        form.addRow("&Reading", self.options)
        form.addRow("", self.about)
        form.addRow("S&tart", self.start)
        form.addRow("Str&ide", self.stride)
        form.addRow("Frame&s", self.num_frames)
        if self._needs.takes_first:
            form.addRow("Begin with", self.first)
        if self._needs.takes_size:
            form.addRow("Si&ze", self.frame_size)
        if self.looks:
            form.addRow("Seed of looks", self.seed)
        for name, box in self.looks.items():
            form.addRow(f"Look of {name}", box)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addStretch(1)

    def _connect(self) -> None:
        self.clip.changed.connect(self._forget_videos)
        self.layouts.currentIndexChanged.connect(self._forget_videos)
        self.options.editingFinished.connect(self._forget_videos)
        self.video.currentIndexChanged.connect(self.edited)
        for box in (self.start, self.stride, self.num_frames, self.seed, *self.looks.values()):
            box.valueChanged.connect(self.edited)
        self.first.changed.connect(self.edited)
        self.frame_size.editingFinished.connect(self.edited)

    def set_clip(self, path: str) -> None:
        """Set another clip, whose videos are not known yet."""
        if path != self.clip.path():
            self.clip.set_path(path)
            self._forget_videos()

    def _forget_videos(self) -> None:
        self.set_videos([])
        self.edited.emit()

    def set_videos(self, videos: Sequence[VideoRow]) -> None:
        """Offer the videos of the clip's source; the one chosen stays so, if it is among them."""
        before = self.video.currentData()
        self.video.blockSignals(True)
        self.video.clear()
        self.video.addItem("default", None)
        for name, split, length in videos:
            about = [split] if split else []
            about += [] if length is None else [f"{length} frames"]
            self.video.addItem(f"{name} ({', '.join(about)})" if about else name, name)
        self.video.setCurrentIndex(max(0, self.video.findData(before)))
        self.video.blockSignals(False)
        self._form.setRowVisible(self.video, len(videos) > 1)
        if self.video.currentData() != before:
            self.edited.emit()

    def step_video(self, by: int) -> None:
        """Go to the next video, or back; after the last comes the first."""
        count = self.video.count() - 1
        if count > 1:
            place = self.video.currentIndex() - 1
            # The default can be any video: from there it is one step to the first or the last.
            place = (place if place >= 0 else (-1 if by > 0 else 0)) + by
            self.video.setCurrentIndex(1 + place % count)

    def values(self) -> ClipValues | None:
        """Return the chosen values; None as long as one is missing or wrong."""
        try:
            size = parsed_size(self.frame_size.text()) if self._needs.takes_size else None
            reading = parse_reading(self.layouts.currentText(), self.options.text())
        except UserError as error:
            self.problem.setText(str(error))
            return None
        self.problem.setText("")
        if not self.clip.path():
            return None
        return ClipValues(
            path=self.clip.path(),
            video=self.video.currentData(),
            reading=reading,
            start=self.start.value(),
            stride=self.stride.value(),
            first=(self.first.path() or None) if self._needs.takes_first else None,
            size=size,
            seed=self.seed.value(),
            looks={name: box.value() for name, box in self.looks.items() if box.value() >= 0},
            num_frames=self.num_frames.value() or None,
        )

    def set_values(self, values: NoiseValues | ClipValues) -> None:
        """Show values, as far as the model takes them; nothing of those of another form."""
        if not isinstance(values, ClipValues):
            return
        if values.path != self.clip.path():
            self.set_videos([])
        self.clip.set_path(values.path)
        self.layouts.setCurrentIndex(max(0, self.layouts.findText(values.reading.layout)))
        self.options.setText(reading_text(values.reading))
        if values.video is not None and self.video.findData(values.video) < 0:
            self.set_videos([(values.video, "", None)])
        self.video.setCurrentIndex(max(0, self.video.findData(values.video)))
        self.start.setValue(values.start)
        self.stride.setValue(values.stride or 1)
        self.num_frames.setValue(values.num_frames or 0)
        self.first.set_path(values.first or "")
        height, width = values.size or (0, 0)
        self.frame_size.setText(f"{width}x{height}" if values.size else "")
        self.seed.setValue(values.seed)
        for name, box in self.looks.items():
            box.setValue(values.looks.get(name, -1))
