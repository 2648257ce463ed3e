"""Player view: canvas, transport bar and playhead together, playing the film of a session."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kvidgan_viewer.canvas.canvas import Canvas, CanvasContent
from kvidgan_viewer.canvas.difference import MODES
from kvidgan_viewer.canvas.pane import PaneSpec
from kvidgan_viewer.colours import Colours
from kvidgan_viewer.panes import ViewOptions, canvas_content, pane_names, pane_specs
from kvidgan_viewer.playback.playhead import Playhead
from kvidgan_viewer.session import Session
from kvidgan_viewer.transport.scrub_bar import Track
from kvidgan_viewer.transport.transport import Transport, TransportState

TICK = 7  # ms: screens show a new frame every 16 at most, and a tick that changes nothing is cheap
RATE_INTERVAL = 250  # ms between two updates of the achieved rate


class PlayerView(QWidget):
    """View that plays the film of a model, alone or beside those of others.

    Signals:
        frame_changed(int): The index of the frame that is shown.
        options_changed(): Other panes are to be shown, or another difference.
    """

    frame_changed = Signal(int)
    options_changed = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.canvas, self.transport = Canvas(), Transport()
        self.playhead, self.options = Playhead(), ViewOptions()
        self.session: Session | None = None
        self._others: Sequence[Session] = ()
        self._hint = "Open a model: drop it here"
        self._clock = QTimer(self, interval=TICK)
        self._clock.setTimerType(self._clock.timerType().PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._rate_timer = QTimer(self, interval=RATE_INTERVAL)
        self._rate_timer.timeout.connect(self._update_transport)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.transport)
        self._connect()

    def _connect(self) -> None:
        bar = self.transport
        self.canvas.painted.connect(self.playhead.count_painted)
        bar.play_pressed.connect(self.toggle)
        bar.stepped.connect(self.step)
        bar.seek_requested.connect(self.seek)
        bar.loop_pressed.connect(partial(self._steer, self.playhead.next_loop))
        bar.speed_chosen.connect(self._set_speed)

    def set_session(self, session: Session | None, others: Sequence[Session] = ()) -> None:
        """Play another model's film; the frame that is shown stays the same if it can."""
        self.session, self._others = session, others
        self.reload_film()

    def set_hint(self, hint: str) -> None:
        """Set the text that is shown as long as there is no model."""
        self._hint = hint
        self.reload_film()

    def reload_film(self) -> None:
        """Show the session's film anew: it is another one, or other panes are to be shown."""
        session = self.session
        if session is None:
            self.playhead.set_num_frames(0)
            self.canvas.set_panes([PaneSpec("none", "", {})])
        else:
            self.playhead.fps = session.fps
            self.canvas.set_panes(self._pane_specs(session))
        self.refresh()

    def refresh(self) -> None:
        """Show how far the film is: it has more frames, or is at its end."""
        session = self.session
        if session is not None:
            # The number first: a frame that was sought is forgotten when no more are to come.
            self.playhead.set_num_frames(len(session.film))
            self.playhead.growing = session.num_expected > len(session.film) or session.endless
        self._display()
        self._update_transport()

    # --- playing

    def commands(self) -> dict[str, Callable[[], None]]:
        """Return what the view does for commands, by their names."""
        head, canvas = self.playhead, self.canvas
        moves: dict[str, Callable[[], object]] = {
            "home": head.home,
            "end": head.end,
            "backward": head.backward,
            "forward": head.forward,
            "slower": head.slower,
            "faster": head.faster,
            "normal_speed": head.normal_speed,
            "next_loop": head.next_loop,
            "mark_start": head.mark_start,
            "mark_end": head.mark_end,
            "clear_range": head.clear_range,
        }
        return {
            **{name: partial(self._steer, move) for name, move in moves.items()},
            **{f"alone_{number}": partial(canvas.show_pane, number) for number in range(1, 10)},
            "toggle": self.toggle,
            "step_back": partial(self.step, -1),
            "step_forward": partial(self.step, 1),
            "ten_back": partial(self.step, -10),
            "ten_forward": partial(self.step, 10),
            "all_panes": canvas.show_all,
            "fit": canvas.fit,
            "smooth": self.toggle_smooth,
            "toggle_difference": self.toggle_difference,
            "next_mode": self.next_difference_mode,
        }

    def toggle(self) -> None:
        """Play when paused, pause when playing."""
        self._steer(self.playhead.toggle)

    def play(self) -> None:
        """Play."""
        self._steer(self.playhead.play)

    def step(self, count: int) -> None:
        """Move by a number of frames."""
        self._steer(partial(self.playhead.step, count))

    def seek(self, index: int) -> None:
        """Move to a frame; one past the last is requested."""
        self._steer(partial(self.playhead.seek, index))

    def _set_speed(self, speed: float) -> None:
        self.playhead.speed = speed
        self._update()

    def _steer(self, move: Callable[[], object]) -> None:
        """Move the playhead, and show where it is."""
        move()
        self._update()

    def _update(self) -> None:
        playing = self.playhead.playing
        if playing != self._clock.isActive():
            for timer in (self._clock, self._rate_timer):
                (timer.start if playing else timer.stop)()
        num_missing = self.playhead.num_missing()
        if self.session is not None and num_missing > 0:
            self.session.request(self.playhead.num_frames + num_missing - 1)
        self._display()
        self._update_transport()

    def _tick(self) -> None:
        if self.playhead.tick():
            self._display()
            self._update_transport()
        if not self.playhead.playing:
            self._update()

    # --- view options

    def set_hidden(self, name: str, hidden: bool) -> None:
        """Hide or show a pane."""
        names = self.options.hidden
        self.options.hidden = names | {name} if hidden else names - {name}
        self._apply_options()

    def toggle_difference(self) -> None:
        """Show or hide the difference."""
        self.set_hidden("difference", "difference" not in self.options.hidden)

    def next_difference_mode(self) -> None:
        """Show the difference, drawn in the next mode."""
        place = MODES.index(self.options.difference_mode)
        self.options.difference_mode = MODES[(place + 1) % len(MODES)]
        self.set_hidden("difference", False)

    def set_side_by_side(self, side_by_side: bool) -> None:
        """Show all models beside each other, or one."""
        self.options.side_by_side = side_by_side
        self._apply_options()

    def toggle_smooth(self) -> None:
        """Draw enlarged frames smoothly, or as sharp squares."""
        self.canvas.smooth = not self.canvas.smooth

    def pane_names(self) -> list[str]:
        """Return the names of all panes that there are, hidden or not."""
        return pane_names(self.session) if self.session else []

    def set_colours(self, colours: Colours) -> None:
        """Set other colours."""
        self.canvas.set_colours(colours)
        self.transport.set_colours(colours)

    def _apply_options(self) -> None:
        self.reload_film()
        self.options_changed.emit()

    def _pane_specs(self, session: Session) -> list[PaneSpec]:
        """Return the panes to show; one that only names the model as long as nothing plays."""
        waiting = [PaneSpec("waiting", session.name, borders={})]
        return pane_specs(session, self._others, self.options) or waiting

    def _display(self) -> None:
        session = self.session
        if session is None:
            self.canvas.display(CanvasContent({"none": self._hint}))
            return
        index = self.playhead.index
        if len(session.film):
            self.canvas.display(canvas_content(session, self._others, index, self.options))
        else:
            reason = session.status_text() or "Nothing to show yet: choose what to play"
            frames = {pane.name: reason for pane in self._pane_specs(session)}
            self.canvas.display(CanvasContent(frames))
        self.frame_changed.emit(index)

    def _update_transport(self) -> None:
        head, session = self.playhead, self.session
        track = Track(head.index, head.num_frames, marks=head.marks)
        if session is not None:
            track = Track(
                index=head.index,
                num_frames=head.num_frames,
                num_expected=session.num_expected,
                open_ended=session.growing and session.total is None,
                num_context=session.film.num_context,
                marks=head.marks,
            )
        self.transport.update_state(
            TransportState(
                track,
                head.playing,
                head.waiting,
                head.direction,
                head.loop,
                head.speed,
                head.wanted_fps,
                head.achieved_fps,
            )
        )
