"""Benchmark: the speed and memory of training steps, for `kvidgan bench`."""

import itertools
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import keras

from kvidgan.config import Config
from kvidgan.data.batches import ClipBatches
from kvidgan.data.open import open_data
from kvidgan.training.checkpoint import Position
from kvidgan.training.fit import Say, batches, build, for_data

WARM_UP = 2


def bench(config: Config, steps: int, say: Say = print) -> dict[str, Any]:
    """Time training steps, with and without the data pipeline, in one run.

    Args:
        config: What to train; data.batch is the batch size.
        steps: Steps to time, after two to warm up.
        say: Receives what a user should read meanwhile.

    Returns:
        Backend, device, sizes, median `seconds_per_step`, `clips_per_second`, `data_share` (the
        share of a step's time that goes when its batch is ready in memory: waiting and the
        pipeline's own use of the processor), and `peak_memory_mib` of this process, the program
        itself included.
    """
    store = open_data(config.data, say=say)
    config = for_data(config, store)
    per_epoch = WARM_UP + steps
    train = config.train.model_copy(update={"steps_per_epoch": per_epoch, "steps_per_execution": 1})
    config = config.model_copy(update={"train": train})
    gan = build(config)
    data = batches(config, gan, store, Position())
    say(f"Timing {steps} steps, after {WARM_UP} that compile and warm up.")
    seconds = _seconds_per_step(gan, data)
    ready = _seconds_per_step(gan, _Ready(data, per_epoch))
    return {
        "family": config.family.name,
        "backend": keras.backend.backend(),
        "device": str(keras.ops.convert_to_tensor(0.0).device),
        "precision": config.train.precision,
        "batch": config.data.batch,
        "steps": steps,
        "seconds_per_step": seconds,
        "clips_per_second": config.data.batch / seconds,
        "data_share": max(0.0, 1 - ready / seconds),
        "peak_memory_mib": _peak_memory(),
    }


class _Ready(keras.utils.PyDataset):
    """The same batch again and again, without any work."""

    def __init__(self, data: ClipBatches, steps: int):
        super().__init__()
        self.batch, self.steps = data[0], steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batch


class _Timer(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.times: list[float] = []

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def _seconds_per_step(gan: keras.Model, data: keras.utils.PyDataset) -> float:
    timer = _Timer()
    gan.fit(data, steps_per_epoch=len(data), shuffle=False, callbacks=[timer], verbose=0)
    times = timer.times[WARM_UP - 1 :]
    return statistics.median(b - a for a, b in itertools.pairwise(times))


def _peak_memory() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # where getrusage begins with the peak of the process that started this one
        told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(told["VmHWM"].split()[0]) / 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
