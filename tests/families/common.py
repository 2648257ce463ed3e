"""What the tests of every family need."""

import numpy as np
from keras import ops

SMALL_MOCOGAN = {
    "size": 32,
    "frames": 8,
    "content": 3,
    "generator_width": 2,
    "image_width": 2,
    "video_width": 2,
    "time_kernel": 2,
    "categories": ["walk", "run"],
}


def batch(gan, count=2, seed=0, position=0):
    """Noise in the shape of a family's batches, in two classes; maps of three label classes."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, spec in gan.clips().items():
        shape = (count, spec.num_frames, spec.height, spec.width)
        made[name] = rng.integers(0, 256, (*shape, spec.channels), dtype=np.uint8)
        made[f"{name}_class"] = np.arange(count, dtype="int32") % 2
        maps = {
            "labels": rng.integers(0, 3, shape, dtype=np.uint8),
            "instances": rng.integers(0, 3, shape, dtype=np.int32),
            "flow": rng.normal(0, 3, (*shape, 2)).astype("float32"),
            "confidence": rng.integers(0, 2, shape, dtype=np.uint8),
        }
        made |= {f"{name}_{one}": maps[one] for one in spec.maps}
        if spec.position:
            made[f"{name}_position"] = np.full(count, position, np.int32)
    return made


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def values(variables):
    return [numbers(v.value).copy() for v in variables]


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)
