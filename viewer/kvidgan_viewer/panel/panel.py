"""What a user chooses for a rollout, in fields that follow from the model's description alone."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from kvidgan.errors import UserError
from kvidgan.rollout.description import Description
from kvidgan_viewer.panel.clip_form import ClipForm, Video
from kvidgan_viewer.panel.noise_form import NoiseForm
from kvidgan_viewer.panel.values import ClipValues, NoiseValues, needs

__all__ = ["Panel"]

NO_MODEL = "No model is open: open an exported .keras file or a run's folder."

WIDTH = 240  # pixels, at least
_PAUSE = 150  # milliseconds: a button that is held down asks for one rollout, not for fifty


class Panel(QScrollArea):
    """The form of the model that is open.

    Signals:
        changed: Another `NoiseValues` or `ClipValues` was chosen, and nothing more for 150 ms.
    """

    changed = Signal(object)

    def __init__(self, description: Description | None = None, parent: QWidget | None = None):
        super().__init__(parent)
        self.form: NoiseForm | ClipForm | None = None
        self._kind, self._stride = "", 1
        self._told: NoiseValues | ClipValues | None = None
        self._noise: NoiseValues | None = None
        self._clip: tuple[str, int, ClipValues] | None = None  # of which kind and stride of model
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._tell)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(WIDTH)
        self.setAccessibleName("Generator")
        self.set_description(description)

    def set_description(self, description: Description | None) -> None:
        """Show the form of another model; what it shares with those before stays. No signal."""
        self._keep()
        self._pause.stop()
        self.form, self._kind = None, ""
        if description is None:
            self._say(NO_MODEL)
            return
        try:
            wanted = needs(description)
        except UserError as error:
            self._say(str(error))
            return
        self._kind, self._stride = wanted.kind, description.stride
        noise = wanted.kind == "noise"
        self.form = NoiseForm(wanted) if noise else ClipForm(wanted, self._stride)
        self.setWidget(self.form)
        # Nothing may lie under the bar that scrolls.
        beside = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(max(WIDTH, self.form.minimumSizeHint().width() + beside))
        self._recall()
        self.form.edited.connect(self._pause.start)

    def values(self) -> NoiseValues | ClipValues | None:
        """Return what is chosen; None as long as something is missing or wrong, or without form."""
        return self.form.values() if self.form is not None else None

    def set_values(self, values: NoiseValues | ClipValues) -> None:
        """Show these, if the model asks for such. No signal."""
        if (isinstance(self.form, NoiseForm) and isinstance(values, NoiseValues)) or (
            isinstance(self.form, ClipForm) and isinstance(values, ClipValues)
        ):
            self.form.set_values(values)
        self._pause.stop()
        self._told = self.values()

    def set_clip(self, path: str) -> None:
        """Go on with another clip, as if it was typed; nothing where the model takes none."""
        if isinstance(self.form, ClipForm):
            self.form.set_clip(path)

    def set_videos(self, videos: Sequence[Video]) -> None:
        """Offer the videos that the clip's source holds: (name, split or "", frames or None)."""
        if isinstance(self.form, ClipForm):
            self.form.set_videos(videos)

    def step_video(self, by: int) -> None:
        """Go to the next of several videos (1), or back (-1)."""
        if isinstance(self.form, ClipForm):
            self.form.step_video(by)

    def _tell(self) -> None:
        values = self.values()
        if values is not None and values != self._told:
            self._told = values
            self.changed.emit(values)

    def _keep(self) -> None:
        """Remember what the form shows, for the next one like it."""
        values = self.values()
        if isinstance(values, NoiseValues):
            self._noise = values
        elif isinstance(values, ClipValues):
            self._clip = self._kind, self._stride, values

    def _recall(self) -> None:
        """Show what was chosen for the last model like this; what was its own, as this one's."""
        if isinstance(self.form, NoiseForm) and self._noise is not None:
            self.set_values(self._noise)
        elif isinstance(self.form, ClipForm) and self._clip is not None:
            kind, stride, values = self._clip
            if values.stride == stride:
                values = replace(values, stride=self._stride)
            if kind != self._kind:
                values = replace(values, first=None, frames=self.form.default_frames)
            self.set_values(values)
        self._told = self.values()

    def _say(self, sentence: str) -> None:
        label = QLabel(sentence)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setMargin(8)
        self.setWidget(label)
