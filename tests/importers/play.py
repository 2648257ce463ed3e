"""Playing an imported file by hand, so that frames can be compared with the original's."""

import keras
import numpy as np

from kvidgan.importers.importing import import_checkpoint


def imported(path, *overrides, **options):
    """Import a checkpoint beside itself; return the model of its step and what was said."""
    output = path.with_name("imported.keras")
    outcome = import_checkpoint(path, overrides, output, overwrite=True, **options)
    return keras.models.load_model(output, compile=False), outcome


def step(model, **inputs):
    """Run one step; return its outputs as arrays."""
    given = {name: keras.ops.convert_to_tensor(np.float32(value)) for name, value in inputs.items()}
    return {name: keras.ops.convert_to_numpy(value) for name, value in model(given).items()}


def assert_close(found, expected, within=1e-4):
    """The arrays have one shape, and no value differs by more; nor is all of them alike."""
    assert found.shape == expected.shape
    assert expected.std() > 0.01, "nothing to compare"
    assert np.abs(found - expected).max() < within
