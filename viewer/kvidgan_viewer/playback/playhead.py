"""Playhead: the index of the frame to show, moved by a clock that can be any function."""

import math
import time
from collections.abc import Callable

from kvidgan_viewer.playback.loop import Loop, walk
from kvidgan_viewer.playback.rate import SPEEDS, Rate

# A screen's ticks tremble: a frame may come a quarter of its time early rather than a tick late.
EARLY = 0.75


class Playhead:
    """Playhead of a film: moved by a clock, and by the user.

    The index follows the clock: where drawing is slow, frames are dropped and the film keeps its
    pace; where the screen can follow, every frame is shown. A film may still grow at its end.
    Methods that move the index return whether they did.

    Attributes:
        playing: Whether `tick` moves the index.
        direction: 1 forward, -1 backward.
        speed: Factor of the film's own frames a second, one of `SPEEDS`.
        loop: What follows the last frame.
    """

    def __init__(self, fps: float = 25.0, clock: Callable[[], float] = time.perf_counter):
        self.playing = False
        self.direction = 1
        self.speed = 1.0
        self.loop = Loop.LOOP
        self.fps = fps
        self._clock = clock
        self._num_frames = self._index = 0
        self._growing = False
        self._pending_seek: int | None = None
        self._marks: tuple[int | None, int | None] = (None, None)
        self._time, self._lag = clock(), 0.0  # frames that the clock is ahead of the index
        self._rate = Rate(clock)

    @property
    def fps(self) -> float:
        """Frames a second of the film at its normal speed."""
        return self._fps

    @fps.setter
    def fps(self, fps: float) -> None:
        if not fps > 0:
            raise ValueError(f"Expected frames a second above 0, received {fps}.")
        self._fps = fps

    @property
    def index(self) -> int:
        """Index of the frame to show; 0 also of an empty film."""
        return self._index

    @property
    def num_frames(self) -> int:
        """Number of frames that there are."""
        return self._num_frames

    def set_num_frames(self, num_frames: int) -> bool:
        """Set the number of frames: there are more of this film, or the first of a new one.

        A paused playhead stays at its frame if it can, and otherwise goes back there, as to a frame
        that was sought, when there are enough again.
        """
        before, self._num_frames = self._index, num_frames
        if 0 < num_frames <= before or num_frames == 0 < before:
            self._pending_seek = self._pending_seek or (None if self.playing else before)
        if self._pending_seek is not None:
            return self.seek(self._pending_seek)
        self._index = min(before, max(0, num_frames - 1))
        return self._index != before

    @property
    def growing(self) -> bool:
        """Whether more frames will come: the playhead then waits at the last instead of looping."""
        return self._growing

    @growing.setter
    def growing(self, growing: bool) -> None:
        self._growing = growing
        if not growing:
            self._pending_seek = None

    @property
    def waiting(self) -> bool:
        """Whether the film is played, but the next frame is still to come."""
        return (
            self.playing
            and self.direction > 0
            and self._more_to_come()
            and self._index >= self._num_frames - 1
        )

    def num_missing(self) -> int:
        """Return the number of frames up to one that was sought, which are still to come."""
        return 0 if self._pending_seek is None else self._pending_seek - self._num_frames + 1

    @property
    def wanted_fps(self) -> float:
        """Frames a second at the chosen speed."""
        return self.fps * self.speed

    @property
    def achieved_fps(self) -> float:
        """Frames a second that were painted over about the last second; 0 when paused."""
        return self._rate.fps(max(1.0, 3 / self.wanted_fps)) if self.playing else 0.0

    def count_painted(self) -> None:
        """Count the frame at the index as painted; painting it again does not count."""
        self._rate.count(self._index)

    def tick(self) -> bool:
        """Move as the clock says. Call it as often as the screen can show a frame."""
        now = self._clock()
        self._lag += (now - self._time) * self.wanted_fps
        self._time = now
        if not self.playing or self._lag < EARLY:
            return False
        if self.waiting:
            self._lag = 1.0  # the next frame is shown as soon as it comes, and sets the pace anew
            return False
        # One frame at a time as long as the lag stays below 2.5; beyond that frames are dropped.
        steps = max(1, math.floor(self._lag - 0.5))
        self._lag -= steps
        return self._advance(steps)

    def play(self) -> None:
        """Play; a film that was played once to its end begins again."""
        low, high = self.range
        start, end = (low, high) if self.direction > 0 else (high, low)
        at_end = (self._index - end) * self.direction >= 0
        if not self.playing:
            self._rate.clear()
        self.playing = True
        self._restart_clock()
        if self.loop is Loop.ONCE and at_end and not self.waiting:
            self.seek(start)

    def pause(self) -> None:
        """Stay at the frame."""
        self.playing = False

    def toggle(self) -> None:
        """Play when paused, pause when playing."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def forward(self) -> None:
        """Play forward; when that is so already, faster."""
        self._play_towards(1)

    def backward(self) -> None:
        """Play backward; when that is so already, faster."""
        self._play_towards(-1)

    def faster(self) -> None:
        """Play at the next higher speed."""
        self.speed = min((s for s in SPEEDS if s > self.speed), default=SPEEDS[-1])

    def slower(self) -> None:
        """Play at the next lower speed."""
        self.speed = max((s for s in SPEEDS if s < self.speed), default=SPEEDS[0])

    def normal_speed(self) -> None:
        """Play at the film's own frames a second."""
        self.speed = 1.0

    def next_loop(self) -> None:
        """Change to the next of once, loop, ping-pong."""
        modes = list(Loop)
        self.loop = modes[(modes.index(self.loop) + 1) % len(modes)]

    @property
    def marks(self) -> tuple[int | None, int | None]:
        """The marked start and end, None where there is none."""
        return self._marks

    @property
    def range(self) -> tuple[int, int]:
        """The first and the last frame that is played: the marked ones or the film's."""
        start, end = self._marks
        last = max(0, self._num_frames - 1)
        high = last if end is None else min(end, last)
        return min(start or 0, high), high

    def mark_start(self) -> None:
        """Begin the range at this frame; an end before it is cleared."""
        end = self._marks[1]
        self._marks = (self._index, end if end is not None and end >= self._index else None)

    def mark_end(self) -> None:
        """End the range with this frame; a start after it is cleared."""
        start = self._marks[0]
        self._marks = (start if start is not None and start <= self._index else None, self._index)

    def clear_range(self) -> None:
        """Play the whole film."""
        self._marks = (None, None)

    def seek(self, index: int) -> bool:
        """Go to a frame; past the last one go there when it comes (see `num_missing`)."""
        before, last = self._index, max(0, self._num_frames - 1)
        self._pending_seek = index if index >= max(1, self._num_frames) else None
        self._index = min(max(index, 0), last)
        self._restart_clock()
        return self._index != before

    def step(self, count: int) -> bool:
        """Pause and move by frames; at the range's ends wrap around if looping, else stop."""
        self.pause()
        low, high = self.range
        target = self._index + count
        if target > high and self._more_to_come():
            return self.seek(target)
        if low <= self._index <= high and self.loop is Loop.LOOP:
            target = low + (target - low) % (high - low + 1)
        elif low <= self._index <= high:
            target = min(max(target, low), high)
        return self.seek(min(target, max(0, self._num_frames - 1)))

    def home(self) -> bool:
        """Go to the first frame of the range."""
        return self.seek(self.range[0])

    def end(self) -> bool:
        """Go to the last frame of the range."""
        return self.seek(self.range[1])

    def _advance(self, steps: int) -> bool:
        before, (low, high) = self._index, self.range
        self._pending_seek = None
        if self.direction > 0 and self._more_to_come():
            self._index = min(before + steps, high)
            return self._index != before
        self._index, turned = walk(before, steps, self.direction, (low, high), self.loop)
        if turned:
            self.direction = turned
        else:
            self.playing = False
        return self._index != before

    def _play_towards(self, direction: int) -> None:
        if self.playing and self.direction == direction:
            self.faster()
        elif self.playing:
            self.speed = min(self.speed, 1.0)
        self.direction = direction
        self.play()

    def _more_to_come(self) -> bool:
        """Whether frames that are still to come belong to the range."""
        end = self._marks[1]
        return self._growing and (end is None or end >= self._num_frames)

    def _restart_clock(self) -> None:
        self._time, self._lag = self._clock(), 0.0
