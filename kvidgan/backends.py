"""Backends: the frameworks that Keras can compute with; checked, and loaded quietly.

Loads none of them by being imported.
"""

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from kvidgan.errors import UserError

TITLES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def installed() -> list[str]:
    """Return the names of the backends that are installed."""
    return [name for name in TITLES if importlib.util.find_spec(name)]


def chosen() -> str:
    """Return the backend that the environment chooses by KERAS_BACKEND; TensorFlow by default.

    Raises:
        UserError: If there is no backend of this name, or it is not installed.
    """
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    check(name, "KERAS_BACKEND: expected")
    return name


def check(name: str, expected: str = "Expected a backend,") -> None:
    """Refuse the name of a backend that does not exist or is not installed.

    Args:
        name: The name of a backend.
        expected: How the sentence about an unknown name begins.

    Raises:
        UserError: If it is refused.
    """
    if name not in TITLES:
        *most, last = TITLES
        raise UserError(f"{expected} {', '.join(most)} or {last}, found {name!r}.")
    if importlib.util.find_spec(name) is None:
        raise UserError(
            f"The backend {name} is not installed: choose another, or pip install "
            f"'kvidgan[{name}]'."
        )


def select(name: str) -> None:
    """Choose the backend for Keras, before Keras is imported."""
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Beside any other process, PyTorch's threads else wait busily: steps took twenty times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def versions() -> dict[str, str]:
    """Import Keras and its backend; return the version of each by name."""
    import keras

    name = keras.backend.backend()
    # PyTorch's version is of a class of its own: pickled, it would load PyTorch elsewhere.
    return {"keras": keras.version(), name: str(importlib.import_module(name).__version__)}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a backend's messages off the terminal, those of its native parts too.

    They are shown after all if the block raises an exception.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(terminal, messages.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
