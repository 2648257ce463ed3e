"""Panel: the choices for a rollout, in fields that follow from the model's description alone."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from kvidgan.errors import UserError
from kvidgan.rollout.description import Description
from kvidgan_viewer.panel.clip_form import ClipForm, VideoRow
from kvidgan_viewer.panel.noise_form import NoiseForm
from kvidgan_viewer.panel.values import ClipValues, NoiseValues, needs

__all__ = ["Panel"]

NO_MODEL = "No model is open: open an exported .keras file or a run's folder."

WIDTH = 240  # pixels, at least
_INTERVAL = 150  # milliseconds: a button that is held down requests one rollout, not fifty


class Panel(QScrollArea):
    """Panel with the form of the current model.

    Signals:
        changed(NoiseValues | ClipValues): Other values were chosen, and nothing more for 150 ms.
        data_asked(): Somebody wants to know how the clip's data is understood.

    Attributes:
        form: The form of the current model; None without a model, or for one that takes no input.
    """

    changed = Signal(object)
    data_asked = Signal()

    def __init__(self, description: Description | None = None, parent: QWidget | None = None):
        super().__init__(parent)
        self.form: NoiseForm | ClipForm | None = None
        self._kind, self._stride = "", 1
        self._last_values: NoiseValues | ClipValues | None = None
        self._noise_values: NoiseValues | None = None
        # With the kind and stride of the model that they were chosen for.
        self._clip_values: tuple[str, int, ClipValues] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self._emit_changed)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(WIDTH)
        self.setAccessibleName("Generator")
        self.set_description(description)

    def set_description(self, description: Description | None) -> None:
        """Show the form of another model; values that it shares with those before stay. No signal.

        Args:
            description: The description of the model; None: there is no model.
        """
        self._remember()
        self._timer.stop()
        self.form, self._kind = None, ""
        if description is None:
            self._show_sentence(NO_MODEL)
            return
        try:
            needed = needs(description)
        except UserError as error:
            self._show_sentence(str(error))
            return
        self._kind, self._stride = needed.kind, description.stride
        noise = needed.kind == "noise"
        self.form = NoiseForm(needed) if noise else ClipForm(needed, self._stride)
        self.setWidget(self.form)
        # Nothing may lie under the scroll bar.
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(max(WIDTH, self.form.minimumSizeHint().width() + bar))
        self._restore()
        self.form.edited.connect(self._timer.start)
        if isinstance(self.form, ClipForm):
            self.form.about.clicked.connect(self.data_asked)

    def values(self) -> NoiseValues | ClipValues | None:
        """Return the chosen values; None as long as one is missing or wrong, or without form."""
        return self.form.values() if self.form is not None else None

    def set_values(self, values: NoiseValues | ClipValues) -> None:
        """Show values, if they are for such a model. No signal."""
        if (isinstance(self.form, NoiseForm) and isinstance(values, NoiseValues)) or (
            isinstance(self.form, ClipForm) and isinstance(values, ClipValues)
        ):
            self.form.set_values(values)
        self._timer.stop()
        self._last_values = self.values()

    def set_clip(self, path: str) -> None:
        """Go on with another clip, as if it was typed; nothing where the model takes none."""
        if isinstance(self.form, ClipForm):
            self.form.set_clip(path)

    def set_videos(self, videos: Sequence[VideoRow]) -> None:
        """Offer the videos that the clip's source holds: (name, split or "", frames or None)."""
        if isinstance(self.form, ClipForm):
            self.form.set_videos(videos)

    def step_video(self, by: int) -> None:
        """Go to the next of several videos (1), or back (-1)."""
        if isinstance(self.form, ClipForm):
            self.form.step_video(by)

    def _emit_changed(self) -> None:
        values = self.values()
        if values is not None and values != self._last_values:
            self._last_values = values
            self.changed.emit(values)

    def _remember(self) -> None:
        """Remember the form's values, for the next form like it."""
        values = self.values()
        if isinstance(values, NoiseValues):
            self._noise_values = values
        elif isinstance(values, ClipValues):
            self._clip_values = self._kind, self._stride, values

    def _restore(self) -> None:
        """Show the values of the last model like this; its own stride becomes this one's."""
        if isinstance(self.form, NoiseForm) and self._noise_values is not None:
            self.set_values(self._noise_values)
        elif isinstance(self.form, ClipForm) and self._clip_values is not None:
            kind, stride, values = self._clip_values
            if values.stride == stride:
                values = replace(values, stride=self._stride)
            if kind != self._kind:
                values = replace(values, first=None, num_frames=self.form.default_num_frames)
            self.set_values(values)
        self._last_values = self.values()

    def _show_sentence(self, sentence: str) -> None:
        label = QLabel(sentence)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setMargin(8)
        self.setWidget(label)
