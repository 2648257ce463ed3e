"""Callbacks of training: the log, samples, checkpoints, and the reasons to stop."""

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import keras

from kvidgan.errors import UserError
from kvidgan.media import write_image
from kvidgan.rollout import Rollout
from kvidgan.runs import Run
from kvidgan.training import checkpoint
from kvidgan.training.checkpoint import Position
from kvidgan.training.samples import SampleInputs, sample_strip


class Clock(keras.callbacks.Callback):
    """Keeps the position up to date; goes first, so that the others read it.

    Attributes:
        position: Steps and whole epochs done.
        total: Steps that the run will have in the end.
        stopping: Whether the user asked to stop after this step.
    """

    def __init__(self, position: Position, epochs: int, steps_per_epoch: int):
        super().__init__()
        self.position, self.steps_per_epoch = position, steps_per_epoch
        self.total = epochs * steps_per_epoch
        self.stopping = False
        self._epoch_start = position.step

    def on_epoch_begin(self, epoch, logs=None):
        """Remember where this (part of an) epoch begins."""
        self._epoch_start = self.position.step

    def on_train_batch_end(self, batch, logs=None):
        """Count steps; `batch` is the number of the last one in this epoch."""
        self.position.step = self._epoch_start + batch + 1
        self.position.epoch = self.position.step // self.steps_per_epoch

    @property
    def epoch_done(self) -> bool:
        """Whether the position is the end of an epoch."""
        return self.position.step % self.steps_per_epoch == 0


class FiniteLosses(keras.callbacks.Callback):
    """Stops a run whose loss is no number, before anything of it is kept."""

    def __init__(self, clock: Clock, run: Run):
        super().__init__()
        self.clock, self.run = clock, run

    def on_train_batch_end(self, batch, logs=None):
        """Raise UserError, naming the loss and the last good checkpoint."""
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise _exploded(f"The loss {bad[0]!r} became {logs[bad[0]]}", self.clock, self.run)


def _exploded(what: str, clock: Clock, run: Run) -> UserError:
    kept = run.checkpoint_paths()
    good = f"the last good checkpoint is {kept[-1]}" if kept else "no checkpoint was kept before"
    return UserError(
        f"{what} at step {clock.position.step}; {good}. Try a lower learning rate, or a clipnorm "
        "for its optimizer."
    )


class HistoryLog(keras.callbacks.Callback):
    """Appends to history.jsonl: losses averaged since the line before, step, epoch, wall time.

    A line is written every `every` steps of an epoch and at its end.
    """

    def __init__(self, clock: Clock, run: Run, every: int):
        super().__init__()
        self.clock, self.run, self.every = clock, run, every
        self.sinks: list[Callable[[int, dict[str, float]], None]] = []
        self._sums: dict[str, float] = {}
        self._count, self._since = 0, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Add to the averages; write a line when one is due."""
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        step = self.clock.position.step % self.clock.steps_per_epoch
        if step % self.every == 0 or self.clock.stopping:
            self._write()

    def _write(self):
        losses = {name: total / self._count for name, total in self._sums.items()}
        now, position = time.monotonic(), self.clock.position
        rate = self._count / max(now - self._since, 1e-9)
        point = {"step": position.step, "epoch": position.epoch, "wall_time": time.time()}
        with self.run.history_path.open("a") as file:
            file.write(json.dumps(point | {"steps_per_second": rate} | losses) + "\n")
        for sink in self.sinks:
            sink(position.step, losses)
        self._sums, self._count, self._since = {}, 0, now


class Samples(keras.callbacks.Callback):
    """Draws the same videos every few epochs: see `samples.sample_strip`.

    Uses the generator's moving averages where they are kept, as the exported file will.
    """

    def __init__(
        self,
        clock: Clock,
        run: Run,
        rollout: Rollout,
        every: int,
        inputs: SampleInputs,
        num_frames: int,
    ):
        super().__init__()
        self.clock, self.run, self.rollout = clock, run, rollout
        self.every, self.inputs, self.num_frames = every, inputs, num_frames
        self.sinks: list[Callable[[int, Any], None]] = []

    def on_epoch_end(self, epoch, logs=None):
        """Write samples/step-N.png when one is due."""
        last = self.clock.position.step == self.clock.total
        due = self.clock.epoch_done and self.clock.position.epoch % self.every == 0
        if due or last:
            with self.model.averaged():
                image = sample_strip(self.rollout, self.inputs, self.num_frames)
            write_image(self.run.samples / f"step-{self.clock.position.step:08d}.png", image)
            for sink in self.sinks:
                sink(self.clock.position.step, image)


class Checkpoints(keras.callbacks.Callback):
    """Saves all state every few epochs and when training stops early; keeps the last ones."""

    def __init__(self, clock: Clock, run: Run, every: int, keep: int):
        super().__init__()
        self.clock, self.run, self.every, self.keep = clock, run, every, keep

    def on_epoch_end(self, epoch, logs=None):
        """Save when due: at every few epochs, at the end, and where a user stopped."""
        position = self.clock.position
        due = self.clock.epoch_done and position.epoch % self.every == 0
        if due or position.step == self.clock.total or self.clock.stopping:
            path = self.run.checkpoint_path(position.step)
            try:
                checkpoint.save(self.model, position, path)
            except FloatingPointError as error:  # the step's loss was finite, its update was not
                raise _exploded(
                    f"The variable {error} became no number", self.clock, self.run
                ) from error
            self.run.forget_replaced()
            for old in self.run.checkpoint_paths()[: -self.keep]:
                old.unlink()


# What asks a process to end: the keyboard, batch systems and containers, a closed terminal.
SIGNALS = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
]


class Interrupt(keras.callbacks.Callback):
    """Lets a signal finish the step and save; a second one stops at once.

    Attributes:
        signal: Number of the signal that came; None before.
    """

    def __init__(self, clock: Clock, say: Callable[[str], None]):
        super().__init__()
        self.clock, self.say = clock, say
        self.signal: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals over for the time of a `with` block, where the main thread trains."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_train_batch_end(self, batch, logs=None):
        """Stop after this step if asked to."""
        if self.clock.stopping:  # asking JAX for the model each step would cost a state transfer
            self.model.stop_training = True

    def _handle(self, number, frame):
        if self.clock.stopping:
            raise KeyboardInterrupt
        self.clock.stopping, self.signal = True, number
        with suppress(OSError):  # a terminal that is gone hears nothing
            self.say("Stopping after this step; Ctrl-C again stops at once, without a checkpoint.")


class Histograms(keras.callbacks.Callback):
    """Hands all trainable weights to a sink at the end of each epoch, by player."""

    def __init__(self, clock: Clock, sink: Callable[[int, str, Any], None]):
        super().__init__()
        self.clock, self.sink = clock, sink

    def on_epoch_end(self, epoch, logs=None):
        """Name a variable by its player, its place there and its own name."""
        for name, player in self.model.players.items():
            for place, variable in enumerate(player.variables):
                values = keras.ops.convert_to_numpy(variable.value)
                self.sink(self.clock.position.step, f"{name}/{place:02d}_{variable.name}", values)


class TensorBoard:
    """Writes what the other callbacks hand on as TensorBoard's event files."""

    def __init__(self, folder: Path):
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def losses(self, step: int, losses: dict[str, float]) -> None:
        """Write scalars."""
        for name, value in losses.items():
            self._writer.add_scalar(f"loss/{name}", value, step)
        self._writer.flush()

    def samples(self, step: int, strip: Any) -> None:
        """Write a sample strip, uint8 (height, width, channels)."""
        self._writer.add_image("samples", strip, step, dataformats="HWC")
        self._writer.flush()

    def weights(self, step: int, name: str, values: Any) -> None:
        """Write a variable's histogram."""
        self._writer.add_histogram(f"weights/{name}", values, step)
