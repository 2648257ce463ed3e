"""Out of memory: the error of a step that takes more than there is, in one sentence."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kvidgan.errors import UserError
from kvidgan.runs import Run
from kvidgan.training.callbacks import Clock


@contextmanager
def one_sentence(batch: int, clock: Clock, run: Run) -> Iterator[None]:
    """Turn an error that tells of memory into one sentence, for the time of a `with` block.

    Args:
        batch: Samples in a batch.
        clock: The clock of the run, which knows the step.
        run: The run, which knows its checkpoints.

    Raises:
        UserError: Instead of the error.
    """
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        paths = run.checkpoint_paths()
        kept = f"the last checkpoint is {paths[-1]}" if paths else "no checkpoint was kept before"
        lower = f"data.batch (to {batch // 2}, say) or " if batch > 1 else ""
        raise UserError(
            f"Out of memory in step {clock.position.step + 1} with data.batch={batch}; {kept}. "
            f"Lower {lower}the sizes and widths of the family's networks."
        ) from error


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
