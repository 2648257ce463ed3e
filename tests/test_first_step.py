"""From equal weights and equal noise, every backend takes the same first step."""

import numpy as np
import pytest

from .conftest import BACKENDS, ROOT, run


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    found = {}
    for backend in BACKENDS:
        path = tmp_path_factory.mktemp(backend) / "step.npz"
        run("-m", "tests.first_step", path, backend=backend, cwd=ROOT)
        found[backend] = dict(np.load(path))
    return found


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "tensorflow"])
def test_losses_statistics_and_counters_agree(steps, backend):
    expected, found = steps["tensorflow"], steps[backend]
    assert expected.keys() == found.keys()
    losses = [name for name in expected if name.startswith("loss_")]
    assert len(losses) == 5
    for name in losses:
        assert abs(found[name] - expected[name]) < 1e-4, name
    np.testing.assert_allclose(found["statistics"], expected["statistics"], atol=1e-4)
    np.testing.assert_array_equal(found["counters"], expected["counters"])
    # 18 draws of the step, none of the cell (no dropout), three passes of each noise layer.
    assert found["counters"].tolist() == [18, 0, 3, 3, 3, 3]
