"""Run what must hold on every backend on those that this process does not use."""

import keras
import pytest

from tests.conftest import BACKENDS, ROOT, run

pytestmark = pytest.mark.slow

OTHERS = [backend for backend in BACKENDS if backend != keras.backend.backend()]


@pytest.mark.parametrize("backend", OTHERS)
def test_every_backend(backend):
    tests = [ROOT / "tests" / part for part in ("adversarial", "nn", "families", "rollout")]
    run("-m", "pytest", "-q", "-m", "every_backend", "-n", "0", "-p", "no:cacheprovider", *tests,
        ROOT / "tests" / "training", backend=backend, cwd=ROOT)  # fmt: skip
