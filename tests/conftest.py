"""A backend is fixed per process: tests marked `every_backend` run here on the one in use, and
`test_backends.py` runs them again in a process for each of the others."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # `test_real_window.py` alone opens one
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it
# Steps run once or twice here: XLA's passes take longer than they save, by half of all JAX tests.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # The same small step is compiled by many tests, in several processes: once is enough.
    cache = tempfile.TemporaryDirectory(prefix="kvidgan-jax-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = cache.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"

ROOT = Path(__file__).parent.parent
BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]


def process(*command, backend="tensorflow", **options):
    """Start this Python on a backend; return the process, its output in pipes."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'viewer'}",
    }
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def run(*command, **options):
    """Run this Python on a backend to its end; return the output, or fail with all of it."""
    started = process(*command, **options)
    out, err = started.communicate(timeout=800)
    assert started.returncode == 0, f"{command} {options} failed:\n{out}\n{err}"
    return out


@pytest.fixture
def real_data():
    """The folder of real data sets that KVIDGAN_REAL_DATA names."""
    folder = os.environ.get("KVIDGAN_REAL_DATA")
    if not folder:
        pytest.skip("KVIDGAN_REAL_DATA is not set: no real data to try")
    return Path(folder)


@pytest.fixture
def kvidgan(monkeypatch, capfd):
    """Call the command line here; return (status, stdout, stderr)."""
    from kvidgan import cli

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kvidgan", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out, err

    return call


TINY = {
    "family": {
        "name": "mocogan",
        "size": 32,
        "frames": 5,
        "content": 2,
        "motion": 2,
        "generator_width": 1,
        "image_width": 1,
        "video_width": 1,
        "time_kernel": 2,
        "image_noise": 0.1,
    },
    "train": {"epochs": 4, "steps_per_epoch": 10, "log_every": 1, "ema": 0.9},
}


@pytest.fixture
def tiny(tmp_path):
    """A YAML of a MoCoGAN that trains in seconds, its data beside it; runs go to `runs`."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "clips.npy", noise)
    data = {"path": str(tmp_path / "clips.npy"), "axes": "NTHWC", "batch": 2}
    data["cache"] = str(tmp_path / "cache")
    config = {**TINY, "data": data, "run": {"folder": str(tmp_path / "runs")}}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "tiny.yaml"
