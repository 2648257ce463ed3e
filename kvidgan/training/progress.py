"""Progress: the live line of a run on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import keras
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from kvidgan.training.callbacks import Clock


class _Output(Console):
    """Console whose reader may go away, as in `kvidgan fit ... | head`: then the run stops."""

    def __init__(self, clock: Clock):
        super().__init__(highlight=False)
        self._clock = clock

    def on_broken_pipe(self) -> None:
        """Ask the run to stop and save, and write to nobody from now on."""
        self._clock.stopping, self.quiet = True, True
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Progress(keras.callbacks.Callback):
    """Shows step, losses, rate and time left, live or every 15 seconds.

    Losses come in the order of `names`, and then any others.
    """

    def __init__(
        self,
        clock: Clock,
        console: Console | None = None,
        every: float = 15.0,
        names: Sequence[str] = (),
    ):
        super().__init__()
        self.names = list(names)
        self.clock, self.every = clock, every
        self.console = console or _Output(clock)
        self._bar: Bar | None = None
        self._first = (0.0, -1)
        self._said = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the line for the time of a `with` block; the last one stays."""
        if not self.console.is_terminal:
            self.console.print("Compiling the training step.")
            yield
            return
        with Bar(
            BarColumn(20), TextColumn("{task.description}"), console=self.console
        ) as self._bar:
            self._task = self._bar.add_task("compiling the training step", total=self.clock.total)
            yield

    def on_train_batch_end(self, batch, logs=None):
        """Show this step."""
        now, step = time.monotonic(), self.clock.position.step
        if self._first[1] < 0:  # the first step also compiles: not counted in the rate
            self._first = (now, step)
        line = self._line(now, step, logs or {})
        if self._bar is not None:
            self._bar.update(self._task, completed=step, description=line)
        elif now - self._said > self.every or step == self.clock.total:
            self._said = now
            self.console.print(line, soft_wrap=True)

    def _line(self, now, step, logs):
        since, start = self._first
        rate = (step - start) / (now - since) if step > start else 0.0
        left = (self.clock.total - step) / rate if rate else 0.0
        speed = f"{rate:.2f} steps/s  {_duration(left)} left" if rate else "measuring the rate"
        known = [name for name in self.names if name in logs]
        order = [*known, *(name for name in logs if name not in known)]
        losses = "  ".join(f"{name} {logs[name]:.3f}" for name in order)
        return f"step {step}/{self.clock.total}  {speed}  {losses}"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
