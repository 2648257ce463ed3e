"""Take one training step from equal weights and equal noise, and write down what came of it.

Run as a script in a process of each backend: `first_step.py OUTPUT.npz`.
"""

import sys

import keras
import numpy as np
from keras import ops

from kvidgan.families.mocogan import Config, Family

OPTIONS = {
    "size": 32,
    "frames": 7,
    "content": 3,
    "motion": 4,
    "generator_width": 2,
    "image_width": 2,
    "video_width": 2,
    "time_kernel": 2,
    "categories": ["walk", "run"],
    "image_noise": 0.1,
}


def same_noise():
    """Replace Keras' draws, whose bits differ between backends, by NumPy's in call order."""
    rng = np.random.default_rng(0)

    def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        seed.next()
        drawn = rng.standard_normal([int(n) for n in shape]).astype("float32")
        return ops.convert_to_tensor(drawn * stddev + mean)

    def randint(shape, minval, maxval, dtype="int32", seed=None):
        seed.next()
        return ops.convert_to_tensor(rng.integers(minval, maxval, [int(n) for n in shape]), dtype)

    keras.random.normal, keras.random.randint = normal, randint
    keras.src.backend.random.normal = normal  # what GaussianNoise calls


def main(output):
    gan = Family(Config(**OPTIONS), seed=1)
    rng = np.random.default_rng(1)
    for variable in gan.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape).astype("float32") * 0.1)
    gan.compile(run_eagerly=True)
    batch = {"video_class": np.array([0, 1, 1], "int32"), "image_class": np.zeros(3, "int32")}
    for name, spec in gan.clips().items():
        shape = (3, spec["frames"], spec["height"], spec["width"], spec["channels"])
        batch[name] = rng.integers(0, 256, shape, dtype=np.uint8)
    same_noise()
    losses = gan.train_on_batch(batch, return_dict=True)
    statistics = [v for v in gan.non_trainable_variables if "moving" in v.name]
    counters = [v for v in gan.variables if v.name == "seed_generator_state"]
    np.savez(
        output,
        statistics=np.concatenate([ops.convert_to_numpy(v.value).ravel() for v in statistics]),
        counters=np.array([int(ops.convert_to_numpy(v.value)[1]) for v in counters]),
        **{f"loss_{name}": value for name, value in losses.items()},
    )


if __name__ == "__main__":
    main(sys.argv[1])
