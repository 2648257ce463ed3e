"""Rate: the speeds to choose from, and the frames a second that are reached."""

from collections import deque
from collections.abc import Callable

SPEEDS = tuple(2.0**power for power in range(-4, 5))


class Rate:
    """Rate at which frames were painted of late."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._times: deque[float] = deque()
        self._last: int | None = None

    def count(self, index: int) -> None:
        """Count a frame that was painted; painting the same one again does not count."""
        now = self._clock()
        if index != self._last and (not self._times or now > self._times[-1]):
            self._times.append(now)
        self._last = index

    def clear(self) -> None:
        """Forget the frames so far, as after a pause."""
        self._times.clear()

    def fps(self, seconds: float) -> float:
        """Return the frames a second over a number of last seconds; 0 where there were none."""
        while self._times and self._clock() - self._times[0] > seconds:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
