"""Transport: the bar below the canvas, to play, step, loop, change the speed and scrub."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from kvidgan_viewer.colours import LIGHT, Colours
from kvidgan_viewer.icons import icon
from kvidgan_viewer.playback.loop import Loop
from kvidgan_viewer.playback.rate import SPEEDS
from kvidgan_viewer.transport.scrub_bar import ScrubBar, Track

LOOPS = {Loop.ONCE: "Once", Loop.LOOP: "Loop", Loop.PING_PONG: "Ping-pong"}


@dataclass(frozen=True)
class TransportState:
    """State that the transport bar shows.

    Attributes:
        track: The frames of the film.
        playing: Whether the film is played.
        waiting: Whether the next frame is still to come.
        direction: 1 forward, -1 backward.
        loop: What follows the last frame.
        speed: Factor of the film's own frames a second.
        wanted_fps: Frames a second at that speed.
        achieved_fps: Frames a second that are really shown; 0 where that is not known.
    """

    track: Track = field(default_factory=Track)
    playing: bool = False
    waiting: bool = False
    direction: int = 1
    loop: Loop = Loop.LOOP
    speed: float = 1.0
    wanted_fps: float = 25.0
    achieved_fps: float = 0.0


class Transport(QWidget):
    """Transport bar: buttons, numbers and the scrub bar, which change nothing by themselves.

    Signals:
        play_pressed(): The film is to be played, or paused.
        stepped(int): Number of frames to go by.
        loop_pressed(): The next way of looping is to be used.
        speed_chosen(float): Factor of the film's own frames a second.
        seek_requested(int): Index of a frame to go to; it may be one that does not exist yet.
    """

    play_pressed = Signal()
    stepped = Signal(int)
    loop_pressed = Signal()
    speed_chosen = Signal(float)
    seek_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._colours = LIGHT
        self._state = TransportState()
        self.scrub_bar = ScrubBar(self)
        self.scrub_bar.seek_requested.connect(self.seek_requested)
        self.back_button = self._button("One frame back", lambda: self.stepped.emit(-1))
        self.play_button = self._button("Play", self.play_pressed.emit)
        self.forward_button = self._button("One frame forward", lambda: self.stepped.emit(1))
        self.loop_button = self._button("What follows the last frame", self.loop_pressed.emit)
        self.speed_button = self._button("Speed")
        self.speed_button.setMenu(self._speeds())
        self.speed_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.rate_label, self.frame_label = self._label("Frames a second"), self._label("Frame")
        self._lay_out()
        self.set_colours(LIGHT)
        self._show_state()

    def update_state(self, state: TransportState) -> None:
        """Show a state; what is the same is not drawn again."""
        before, self._state = self._state, state
        if state == before:
            return
        self._show_state()
        if (state.playing, state.direction) != (before.playing, before.direction):
            self._draw_play()

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self._colours = colours
        self.scrub_bar.set_colours(colours)
        self.back_button.setIcon(icon("step back", colours.text))
        self.forward_button.setIcon(icon("step forward", colours.text))
        self._draw_play()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 2, 8, 4)
        rows.setSpacing(2)
        rows.addWidget(self.scrub_bar)
        row = QHBoxLayout()
        for button in (
            self.back_button,
            self.play_button,
            self.forward_button,
            self.loop_button,
            self.speed_button,
        ):
            row.addWidget(button)
        row.addStretch()
        row.addWidget(self.rate_label)
        row.addSpacing(12)
        row.addWidget(self.frame_label)
        rows.addLayout(row)

    def _button(self, name: str, pressed: Callable[[], None] | None = None) -> QToolButton:
        button = QToolButton(self)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setAutoRaise(True)
        # Reached by Tab, but a click leaves the keys with the canvas.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if pressed is not None:
            button.clicked.connect(pressed)
        return button

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(name)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label

    def _speeds(self) -> QMenu:
        menu = QMenu(self)
        for speed in SPEEDS:
            action = menu.addAction(f"{speed:g}x")
            action.triggered.connect(lambda _checked, speed=speed: self.speed_chosen.emit(speed))
        return menu

    def _show_state(self) -> None:
        state = self._state
        self.scrub_bar.set_track(state.track)
        _set_text(self.loop_button, LOOPS[state.loop])
        _set_text(self.speed_button, f"{state.speed:g}x" + (" back" if state.direction < 0 else ""))
        _set_text(self.rate_label, _rate(state))
        _set_text(self.frame_label, _frame(state.track))
        longest = _frame(replace(state.track, index=max(0, state.track.num_frames - 1)))
        self.frame_label.setMinimumWidth(self.frame_label.fontMetrics().horizontalAdvance(longest))

    def _draw_play(self) -> None:
        back = self._state.direction < 0
        name = "pause" if self._state.playing else "play back" if back else "play"
        self.play_button.setIcon(icon(name, self._colours.text))
        word = "Pause" if self._state.playing else "Play backward" if back else "Play"
        self.play_button.setAccessibleName(word)
        self.play_button.setToolTip(word)


def _set_text(widget: QToolButton | QLabel, text: str) -> None:
    """Set a text if it is another: setting the same lays the bar out again."""
    if widget.text() != text:
        widget.setText(text)


def _rate(state: TransportState) -> str:
    if state.waiting:
        return "waiting for frames"
    if state.playing and state.achieved_fps:
        return f"{state.achieved_fps:.1f} of {state.wanted_fps:.4g} fps"
    return f"{state.wanted_fps:.4g} fps"


def _frame(track: Track) -> str:
    return f"frame {track.index + 1} / {track.num_frames}" if track.num_frames else "no frames"
