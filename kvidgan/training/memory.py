"""How much memory training takes: an estimate before the first step, a sentence after a failure.

The estimate runs no step: it adds up what the networks of `VideoGAN.passes` put out at the size
that they are trained at, and what weights and optimizers hold. On a CPU, for all families, batches
of 1 to 128 and peaks from 0.1 to 2.3 GiB, it was 0.6 to 1.4 times what was measured on TensorFlow,
PyTorch and JAX. What a GPU's kernels take beside that, it does not know.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kvidgan.adversarial import VideoGAN
from kvidgan.config import Config
from kvidgan.errors import UserError
from kvidgan.runs import Run
from kvidgan.training.callbacks import Clock
from kvidgan.training.free_memory import device

MIB, GIB = 2**20, 2**30
# How much a backend keeps for each byte that networks put out: TensorFlow frees what no gradient
# needs, PyTorch copies at a convolution's border and keeps both, XLA's CPU code unfolds images.
_KEPT = {"tensorflow": 0.9, "torch": 2.0, "jax": 2.5}
# What its first step takes whatever the networks: compiled code, buffers of threads.
_OWN = {"tensorflow": 200 * MIB, "torch": 50 * MIB, "jax": 500 * MIB}
# A normalisation's gradient needs what goes in, an activation's behind it what comes out of that.
_NOT_KEPT = (layers.BatchNormalization, layers.GroupNormalization, layers.LayerNormalization)
_SHARE = 0.9  # of what is free: no allocator fills memory without a gap
_BYTES = {"bfloat16": 2, "float16": 2, "uint8": 1, "int8": 1, "bool": 1, "int64": 8, "float64": 8}


@dataclass(frozen=True)
class Estimate:
    """What training takes, bytes.

    Attributes:
        fixed: Whatever the batch: weights, gradients, what optimizers keep, the backend's own.
        per_clip: For each sample of a batch.
    """

    fixed: int
    per_clip: int

    def total(self, batch: int) -> int:
        """Return what batches of so many samples take, bytes."""
        return self.fixed + batch * self.per_clip

    def largest(self, free: int) -> int:
        """Return the largest batch that fits into so many bytes, 0 if none does."""
        return max(0, int(_SHARE * free - self.fixed) // self.per_clip)


# ---- Counting -----------------------------------------------------------------------------------


def estimate(gan: VideoGAN) -> Estimate | None:
    """Return what a built and compiled model takes; None if it does not tell its passes."""
    passes = gan.passes()
    if not passes:
        return None
    backend = keras.backend.backend()
    kept = max(sum(p.times * kept_by(p.network, p.size) for p in one) for one in passes)
    state = [*gan.variables, *gan.optimizer.variables, *gan.trainable_variables]  # and gradients
    return Estimate(
        fixed=_OWN[backend] + sum(map(_bytes, state)),
        per_clip=max(1, round(_KEPT[backend] * kept) + _clip_bytes(gan)),
    )


def kept_by(network: keras.Model, size: Sequence[int] = ()) -> int:
    """Return how many bytes of what a network's operations put out for one sample are kept.

    Args:
        network: A functional or sequential model.
        size: What stands for the unknown sizes of each of its inputs, in their order.
    """
    shapes = [_known(x.shape, size) for x in network.inputs]
    samples = [keras.KerasTensor(s, x.dtype) for s, x in zip(shapes, network.inputs, strict=True)]
    counted = _Counted(network.inputs, network.outputs)
    counted.run(samples)
    return counted.bytes


class _Counted(keras.Function):
    """A network's graph that knows shapes alone, and adds up what is kept of it."""

    bytes = 0

    def run(self, inputs):
        return self._run_through_graph(inputs, call_fn=self._call)

    def _call(self, operation, *args, **kwargs):
        if isinstance(operation, keras.Model):
            inner = _Counted(operation.inputs, operation.outputs)
            outputs = inner.run(args)
            self.bytes += inner.bytes
        else:
            outputs = operation.compute_output_spec(*args, **kwargs)
            if not isinstance(operation, _NOT_KEPT):
                self.bytes += sum(map(_bytes, keras.tree.flatten(outputs)))
        return outputs


def _known(shape, size):
    rest = iter(size)
    return (1, *(next(rest) if side is None else side for side in shape[1:]))


def _bytes(x: Any) -> int:
    return prod(x.shape) * _BYTES.get(x.dtype, 4)


def _clip_bytes(gan):
    """Count a sample as it is read, a byte a value, and as it is trained on, four."""
    total = 0
    for spec in getattr(gan, "clips", dict)().values():
        maps = spec.get("maps", ())
        values = spec["channels"] + len(maps) + ("flow" in maps)  # a flow has two
        total += 5 * values * spec["frames"] * spec["height"] * spec["width"]
    return total


# ---- What is said -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """What a run will take, and what there is.

    Attributes:
        batch: Samples in a batch.
        estimate: Of the memory; None if it is not known.
        free: Bytes there are; None if it is not known.
        smaller: The options that, lowered, make a step smaller.
    """

    batch: int
    estimate: Estimate | None
    free: int | None
    smaller: tuple[str, ...] = ()

    @property
    def largest(self) -> int | None:
        """The largest batch that should fit, if that is known."""
        if self.estimate is None or self.free is None:
            return None
        return self.estimate.largest(self.free)

    def sentences(self) -> list[str]:
        """Return what a user should read before training; nothing without an estimate."""
        if self.estimate is None:
            return []
        total = _size(self.estimate.total(self.batch))
        about = f"Memory: about {total} for a batch of {self.batch}"
        if self.free is None or self.largest is None:
            return [f"{about}."]
        fits = "not even a batch of 1 seems to fit"
        if self.largest:
            fits = f"the largest that fits is about {_two_digits(self.largest)}"
        line = f"{about} ({_size(self.free)} free; {fits})."
        if self.largest >= self.batch:
            return [line]
        return [line, f"The run may end out of memory: lower {self._options()}."]

    def failed(self, step: int, kept: Path | None) -> str:
        """Return what a user should read after a step ran out of memory.

        Args:
            step: Its number.
            kept: The last checkpoint.
        """
        good = f"the last checkpoint is {kept}" if kept else "no checkpoint was kept before"
        return (
            f"Out of memory in step {step} with data.batch={self.batch}; {good}. "
            f"Lower {self._options()}."
        )

    def _options(self):
        options = list(self.smaller)
        fits = self.largest
        if fits is None or fits >= self.batch:  # unknown, or known to be wrong
            fits = self.batch // 2
        if fits:
            options.insert(0, f"data.batch (about {_two_digits(fits)} should fit)")
        *most, last = options or ["the sizes of the family's networks"]
        return f"{', '.join(most)} or {last}" if most else last


def need(gan: VideoGAN, config: Config, there: dict[str, int]) -> Need:
    """Return what a run takes.

    Args:
        gan: Its built model.
        config: Its configuration.
        there: What was `free_memory.free` before the model was built.
    """
    options = type(config.family).model_fields
    smaller = [name for name in ("size", "patch", "frames", "backprop_frames") if name in options]
    smaller += [name for name in options if name.endswith("width")][:1]
    return Need(
        config.data.batch,
        estimate(gan),
        there.get(device()),
        tuple(f"family.{name}" for name in smaller),
    )


@contextmanager
def explained(need: Need, clock: Clock, run: Run) -> Iterator[None]:
    """Turn an error that tells of memory into one sentence, for the time of a `with` block.

    Raises:
        UserError: Instead of the error.
    """
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        paths = run.checkpoint_paths()
        kept = paths[-1] if paths else None
        raise UserError(need.failed(clock.position.step + 1, kept)) from error


def out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one behind it, tells that memory ran out, whichever backend raised it.

    TensorFlow has a class for it, as PyTorch has on a GPU; on a CPU PyTorch says it in the message
    of a RuntimeError, as JAX does in that of its own class. A process that the system kills, or
    that crashes, as TensorFlow's may on a CPU, tells nothing.
    """
    names = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
    words = ("resource_exhausted", "out of memory", "can't allocate memory", "unable to allocate")
    for one in _chain(error):
        if isinstance(one, UserError | OSError):
            return getattr(one, "errno", None) == errno.ENOMEM
        if names & {kind.__name__ for kind in type(one).__mro__}:
            return True
        if isinstance(one, RuntimeError) and any(word in str(one).lower() for word in words):
            return True
    return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _size(count: int) -> str:
    unit, name = (GIB, "GiB") if count >= GIB else (MIB, "MiB")
    return f"{count / unit:.0f} {name}" if count >= 10 * unit else f"{count / unit:.1f} {name}"


def _two_digits(count: int) -> int:
    scale = 10 ** max(0, len(str(count)) - 2)
    return count // scale * scale
