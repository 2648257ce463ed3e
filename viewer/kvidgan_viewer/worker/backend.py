"""Load Keras on a backend, quietly: in the worker process."""

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from kvidgan.errors import UserError

BACKENDS = ("tensorflow", "jax", "torch")


def load_backend(name: str) -> dict[str, str]:
    """Load Keras on a backend, before anything else does.

    Returns:
        The versions of both, by name.

    Raises:
        UserError: If there is no such backend, or it is not installed.
    """
    if name not in BACKENDS:
        raise UserError(f"Expected a backend of {', '.join(BACKENDS)}, found {name!r}.")
    if importlib.util.find_spec(name) is None:
        raise UserError(
            f"The backend {name} is not installed: choose another, or pip install "
            f"'kvidgan[{name}]'."
        )
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # PyTorch's threads else wait busily
    import keras

    # PyTorch's version is of a class of its own: pickled, it would load PyTorch in the window.
    return {"keras": keras.version(), name: str(importlib.import_module(name).__version__)}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a backend's chatter off the terminal, also that of its native parts."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
