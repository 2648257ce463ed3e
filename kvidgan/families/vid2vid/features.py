"""The looks of objects (Wang et al. 2018, sec. 3.3, after pix2pixHD, Wang et al. CVPR 2018, 3.4).

An encoder draws features from a frame; averaged over each object they say how it looks, and the
generator draws it so. Those of the latest steps are remembered class by class: clustered, they are
the looks that a user may choose from.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from kvidgan.families.vid2vid.config import Config
from kvidgan.nn.residual import enlarged, reflected_conv, shrunk

Tensor = Any
OBJECTS = 256  # of a class in a frame, that are told apart: by their numbers modulo this
REMEMBERED = 256  # features of a class


def encoder(config: Config) -> keras.Model:
    """Return E: frames (batch, height, width, channels) in [-1, 1] to features, in [-1, 1] too."""
    frames = keras.Input((None, None, config.channels), name="frames")
    options = config.encoder_width, config.down, "features", config.norm, config.resampling_kernel
    x = enlarged(shrunk(frames, *options), *options)
    head = reflected_conv(
        x, config.features, 7, "features_head", activation="tanh", dtype="float32"
    )
    return keras.Model(frames, head, name="encoder")


def over_objects(
    features: Tensor, labels: Tensor, instances: Tensor, classes: int
) -> tuple[Tensor, Tensor]:
    """Average features over each object of a frame, and over what of a class is of no object.

    Args:
        features: (batch, height, width, features), a batch of a size that is known.
        labels: Class numbers (batch, height, width); those from `classes` on are of no class, and
            have features of zeros.
        instances: Numbers of objects (batch, height, width), 0: of none.
        classes: How many there are.

    Returns:
        The features, each pixel with its object's; and (batch, classes, OBJECTS, features + 1): the
        average of each object, and its share of the frame's pixels, 0 where there is none.
    """
    batch, channels = features.shape[0], features.shape[-1]
    segments = batch * classes * OBJECTS
    known = ops.cast(labels, "int32") < classes
    number = ops.cast(labels, "int32") * OBJECTS + ops.cast(instances, "int32") % OBJECTS
    number = ops.where(known, number, 0)
    first = ops.arange(batch, dtype="int32")[:, None, None] * (classes * OBJECTS)
    place = ops.reshape(number + first, (-1,))
    known = known[..., None]
    counted = ops.concatenate([features, ops.ones_like(features[..., :1])], axis=-1)
    counted = ops.where(known, counted, 0.0)
    sums = ops.segment_sum(ops.reshape(counted, (-1, channels + 1)), place, segments)
    means = sums[:, :channels] / ops.maximum(sums[:, channels:], 1.0)
    painted = ops.reshape(ops.take(means, place, axis=0), ops.shape(features))
    painted = ops.where(known, painted, 0.0)
    pixels = ops.cast(ops.shape(features)[1] * ops.shape(features)[2], "float32")
    table = ops.concatenate([means, sums[:, channels:] / pixels], axis=-1)
    return painted, ops.reshape(table, (batch, classes, OBJECTS, channels + 1))


def remember(memory: Tensor, objects: Tensor, step: Tensor) -> Tensor:
    """Put one object of each class that is there in the memory's oldest place.

    Args:
        memory: (classes, REMEMBERED, features + 1); the last number is 1 where there is something.
        objects: Features of each object, as `over_objects` returns them.
        step: How many steps were taken: says which place, and which of the objects.

    Returns:
        The memory.
    """
    batch, classes, count, channels = objects.shape
    every = ops.reshape(ops.transpose(objects, (1, 0, 2, 3)), (classes, batch * count, channels))
    there = every[..., -1] > 0
    # A different one each time: steps are multiplied by a prime to go through all in turn.
    order = (ops.arange(batch * count, dtype="int32") + ops.cast(step, "int32") * 101) % (
        batch * count
    )
    chosen = ops.argmax(ops.where(there, order + 1, 0), axis=1)
    found = ops.take_along_axis(every, ops.cast(chosen, "int32")[:, None, None], axis=1)[:, 0]
    found = ops.concatenate([found[:, :-1], ops.ones_like(found[:, :1])], axis=-1)
    place = ops.equal(ops.arange(REMEMBERED, dtype="int32"), ops.cast(step, "int32") % REMEMBERED)
    written = ops.logical_and(place[None], ops.any(there, axis=1, keepdims=True))
    return ops.where(written[..., None], found[:, None], memory)


def clusters(memory: np.ndarray, count: int) -> list[list[list[float]]]:
    """Return for each class at most `count` vectors of features, by k-means, the commonest first.

    Args:
        memory: Remembered features, as `remember` returns them.
        count: How many looks a class may have.
    """
    return [_of_class(one[one[:, -1] > 0, :-1], count) for one in memory]


def _of_class(found: np.ndarray, count: int) -> list[list[float]]:
    centres, sizes = np.unique(found, axis=0, return_counts=True)
    if len(centres) > count:
        centres, sizes = _k_means(found, count)
    commonest = np.argsort(-sizes, kind="stable")
    return [[round(float(x), 4) for x in centre] for centre in centres[commonest]]


def _k_means(found: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres (count, features) of clusters and how many belong to each."""
    import cv2  # takes half a second

    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-5)
    data = np.ascontiguousarray(found, np.float32)
    _, places, centres = cv2.kmeans(data, count, None, ends, 5, cv2.KMEANS_PP_CENTERS)
    return centres, np.bincount(places[:, 0], minlength=count)
