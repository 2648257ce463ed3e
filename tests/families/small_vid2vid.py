"""A vid2vid that is small enough for tests."""

import keras
import numpy as np

from kvidgan.families.vid2vid import Config, Family

SMALL = {
    "size": [16, 24],
    "labels": ["road", "car", "sky"],
    "generator_width": 2,
    "down": 1,
    "blocks": 2,
    "discriminator_width": 2,
    "discriminator_layers": 1,
    "discriminator_scales": 1,
    "temporal_scales": 1,
}


def family(**options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.allocate(2)
    gan.compile(run_eagerly=True)
    rng = np.random.default_rng(1)
    for variable in gan.trainable_variables:  # weights that make every gradient show in float32
        variable.assign(rng.standard_normal(variable.shape) * 0.3)
    return gan
