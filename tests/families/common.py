"""What the tests of every family need."""

import numpy as np
from keras import ops


def batch(gan, count=2, seed=0):
    """Noise in the shape of a family's batches, in two classes."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, spec in gan.clips().items():
        shape = (count, spec["frames"], spec["height"], spec["width"], spec["channels"])
        made[name] = rng.integers(0, 256, shape, dtype=np.uint8)
        made[f"{name}_class"] = np.arange(count, dtype="int32") % 2
    return made


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def values(variables):
    return [numbers(v.value).copy() for v in variables]


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)
