"""A backend is fixed per process: tests marked `every_backend` run here on the one in use, and
`test_backends.py` runs them again in a process for each of the others."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).parent.parent
BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]


def run(*command, backend="tensorflow", check=True, **options):
    """Run a command of this Python in a process of its own; return the completed process."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment |= options.pop("env", {})
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
        **options,
    )
    if check and done.returncode:
        raise AssertionError(f"{command} on {backend} failed:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture
def real_data():
    """The folder of real data sets that KVIDGAN_REAL_DATA names."""
    folder = os.environ.get("KVIDGAN_REAL_DATA")
    if not folder:
        pytest.skip("KVIDGAN_REAL_DATA is not set: no real data to try")
    return Path(folder)
