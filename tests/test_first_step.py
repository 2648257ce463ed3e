"""From equal weights and equal noise, every backend takes the same first step."""

import numpy as np
import pytest

from kvidgan import families
from tests.conftest import BACKENDS, ROOT, run
from tests.first_step import OPTIONS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    found = {}
    for backend in BACKENDS:
        folder = tmp_path_factory.mktemp(backend)
        run("-m", "tests.first_step", folder, backend=backend, cwd=ROOT)
        found[backend] = {name: dict(np.load(folder / f"{name}.npz")) for name in OPTIONS}
    return found


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "tensorflow"])
def test_losses_statistics_and_counters_agree(steps, backend, name):
    expected, found = steps["tensorflow"][name], steps[backend][name]
    assert expected.keys() == found.keys()
    losses = [key for key in expected if key.startswith("loss_")]
    assert {loss.removeprefix("loss_") for loss in losses} <= set(families.load(name).LOSSES)
    for loss in losses:
        assert abs(found[loss] - expected[loss]) < 1e-4, loss
    np.testing.assert_allclose(found["statistics"], expected["statistics"], atol=1e-4)
    np.testing.assert_allclose(found["weights"], expected["weights"], rtol=1e-3)
    np.testing.assert_array_equal(found["counters"], expected["counters"])
    if name == "mocogan":
        # 18 draws of the step, none of the cell (no dropout), three passes of each noise layer.
        assert found["counters"].tolist() == [18, 0, 3, 3, 3, 3]
