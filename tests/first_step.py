"""Take one training step from equal weights and equal noise, and write down what came of it.

Run as a script in a process of each backend: `first_step.py FOLDER`, one file a family.
"""

import sys

import keras
import numpy as np
from keras import ops

from kvidgan import families
from tests.families.common import batch

# Beside a family's own small options: those that bring more of its networks into the step.
RICHER = {
    "mocogan": {"categories": ["walk", "run"], "image_noise": 0.1},
    "vid2vid": {
        "size": [16, 24],
        "labels": ["road", "car", "sky"],
        "foreground_labels": ["car"],
        "instance_edges": True,
        "features": 2,
        "scales": 2,
        "generator_width": 2,
        "norm": "batch",
        "temporal_scales": 1,
    },
}
OPTIONS = {name: {**families.load(name).SMALL, **RICHER.get(name, {})} for name in families.names()}


def same_noise():
    """Replace Keras' draws, whose bits differ between backends, by NumPy's.

    A draw depends on its shape alone: JAX traces some of a step twice.
    """

    def drawn(method, shape, *arguments):
        shape = [int(n) for n in shape]
        return getattr(np.random.default_rng(shape), method)(*arguments, shape)

    def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        seed.next()
        return ops.cast(drawn("normal", shape, mean, stddev), "float32")

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        seed.next()
        return ops.cast(drawn("uniform", shape, minval, maxval), "float32")

    def randint(shape, minval, maxval, dtype="int32", seed=None):
        seed.next()
        return ops.cast(drawn("integers", shape, minval, maxval), dtype)

    keras.random.normal, keras.random.uniform, keras.random.randint = normal, uniform, randint
    keras.src.backend.random.normal = normal  # what GaussianNoise calls


def built(name):
    family = families.load(name)
    gan = family.Family(family.Config(**OPTIONS[name]), seed=1)
    gan.allocate(3)
    gan.compile()
    return gan


def first_step(gan):
    """Return the losses, batch statistics, seed counters and weights after one step."""
    rng = np.random.default_rng(1)
    for variable in gan.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape).astype("float32") * 0.1)
    losses = gan.train_on_batch(batch(gan, count=3), return_dict=True)
    statistics = [v for v in gan.non_trainable_variables if "moving" in v.name]
    counters = [v for v in gan.variables if v.name == "seed_generator_state"]
    flat = [ops.convert_to_numpy(v.value).ravel() for v in statistics]
    return {
        "statistics": np.concatenate([*flat, np.zeros(0)]),
        "counters": np.array([int(ops.convert_to_numpy(v.value)[1]) for v in counters]),
        "weights": np.array([float(ops.sum(ops.abs(v.value))) for v in gan.trainable_variables]),
        **{f"loss_{loss}": value for loss, value in losses.items()},
    }


if __name__ == "__main__":
    gans = {name: built(name) for name in OPTIONS}
    same_noise()
    for each, gan in gans.items():
        np.savez(f"{sys.argv[1]}/{each}.npz", **first_step(gan))
