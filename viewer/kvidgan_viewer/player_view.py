"""Canvas, transport bar and player together: what is played, and how it is steered."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kvidgan_viewer.canvas.canvas import Canvas, Shown
from kvidgan_viewer.canvas.pane import PaneSpec
from kvidgan_viewer.colours import Colours
from kvidgan_viewer.panes import MODES, Look, names, shown, specs
from kvidgan_viewer.playback.playhead import Player
from kvidgan_viewer.session import Session
from kvidgan_viewer.transport.scrub_bar import Track
from kvidgan_viewer.transport.transport import Transport, TransportState

TICK = 7  # ms: screens show a new frame every 16 at most, and a tick that changes nothing is cheap
RATE_EVERY = 250  # ms between two updates of the achieved rate


class Theatre(QWidget):
    """Plays the film of a model, alone or beside those of others.

    Signals:
        moved(int): Another frame is shown.
        looked(): What is to be seen was changed: other panes, another difference.
    """

    moved = Signal(int)
    looked = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.canvas, self.transport = Canvas(), Transport()
        self.player, self.look = Player(), Look()
        self.session: Session | None = None
        self._others: Sequence[Session] = ()
        self._hint = "Open a model: drop it here"
        self._clock = QTimer(self, interval=TICK)
        self._clock.setTimerType(self._clock.timerType().PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._rate = QTimer(self, interval=RATE_EVERY)
        self._rate.timeout.connect(self._show_state)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.transport)
        self._connect()

    def _connect(self) -> None:
        player, bar = self.player, self.transport
        self.canvas.painted.connect(player.shown)
        bar.play_pressed.connect(self.toggle)
        bar.stepped.connect(self.step)
        bar.sought.connect(self.seek)
        bar.loop_pressed.connect(self.steering("next_loop"))
        bar.speed_chosen.connect(self._set_speed)

    def set_session(self, session: Session | None, others: Sequence[Session] = ()) -> None:
        """Play another model's film; the frame that is shown stays the same if it can."""
        self.session, self._others = session, others
        self.renew()

    def set_hint(self, hint: str) -> None:
        """Say what to do as long as there is no model."""
        self._hint = hint
        self.renew()

    def renew(self) -> None:
        """Take up another film, or other panes."""
        session = self.session
        if session is None:
            self.player.set_length(0)
            self.canvas.set_panes([PaneSpec("none", "", {})])
        else:
            self.player.fps = session.fps
            self.canvas.set_panes(specs(session, self._others, self.look) or _waiting(session))
        self.refresh()

    def refresh(self) -> None:
        """Take up what became of the film: more frames, or its end."""
        session = self.session
        if session is not None:
            # First the length: a frame that was sought is forgotten when no more are to come.
            self.player.set_length(len(session.film))
            self.player.growing = session.expected > len(session.film) or session.endless
        self._display()
        self._show_state()

    # --- steering

    def toggle(self) -> None:
        """Play or pause."""
        self.player.toggle()
        self._steered()

    def play(self) -> None:
        """Play."""
        self.player.play()
        self._steered()

    def step(self, count: int) -> None:
        """Go by frames."""
        self.player.step(count)
        self._steered()

    def seek(self, index: int) -> None:
        """Go to a frame; one past the last is asked for."""
        self.player.seek(index)
        self._steered()

    def steering(self, name: str) -> Callable[[], None]:
        """Return a command of the player's by name."""

        def steer() -> None:
            getattr(self.player, name)()
            self._steered()

        return steer

    def _set_speed(self, speed: float) -> None:
        self.player.speed = speed
        self._steered()

    def _steered(self) -> None:
        playing = self.player.playing
        if playing != self._clock.isActive():
            for timer in (self._clock, self._rate):
                (timer.start if playing else timer.stop)()
        if self.session is not None and self.player.beyond() > 0:
            self.session.ask(self.player.length + self.player.beyond() - 1)
        self._display()
        self._show_state()

    def _tick(self) -> None:
        if self.player.tick():
            self._display()
            self._show_state()
        if not self.player.playing:
            self._steered()

    # --- looking

    def set_hidden(self, name: str, hidden: bool) -> None:
        """Show a pane or not."""
        self.look.hidden = self.look.hidden | {name} if hidden else self.look.hidden - {name}
        self._looked()

    def toggle_difference(self) -> None:
        """Show the difference, or not."""
        self.set_hidden("difference", "difference" not in self.look.hidden)

    def next_mode(self) -> None:
        """Show the difference in another way, and at all."""
        self.look.mode = MODES[(MODES.index(self.look.mode) + 1) % len(MODES)]
        self.set_hidden("difference", False)

    def set_side_by_side(self, together: bool) -> None:
        """Show all models beside each other, or one."""
        self.look.side_by_side = together
        self._looked()

    def smooth(self) -> None:
        """Draw enlarged frames smoothly, or as sharp squares."""
        self.canvas.smooth = not self.canvas.smooth

    def pane_names(self) -> list[str]:
        """Return the names of all panes that there are, shown or not."""
        return names(self.session) if self.session else []

    def set_colours(self, colours: Colours) -> None:
        """Take other colours."""
        self.canvas.set_colours(colours)
        self.transport.set_colours(colours)

    def _looked(self) -> None:
        self.renew()
        self.looked.emit()

    def _display(self) -> None:
        session = self.session
        if session is None:
            self.canvas.display(Shown({"none": self._hint}))
            return
        index = self.player.index
        if len(session.film):
            self.canvas.display(shown(session, self._others, index, self.look))
        else:
            panes = specs(session, self._others, self.look) or _waiting(session)
            reason = session.status() or "Nothing to show yet: choose what to play"
            self.canvas.display(Shown({pane.name: reason for pane in panes}))
        self.moved.emit(index)

    def _show_state(self) -> None:
        player, session = self.player, self.session
        track = Track(player.index, player.length, marks=player.marks)
        if session is not None:
            opened = session.growing and session.total is None
            given = session.film.given
            track = Track(
                player.index, player.length, session.expected, opened, given, player.marks
            )
        self.transport.update_state(
            TransportState(
                track,
                player.playing,
                player.waiting,
                player.direction,
                player.loop,
                player.speed,
                player.wanted_fps,
                player.achieved_fps,
            )
        )


def _waiting(session: Session) -> list[PaneSpec]:
    """Return the one pane of a model that plays nothing yet."""
    return [PaneSpec("waiting", session.name, borders={})]
