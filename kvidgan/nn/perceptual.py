"""Perceptual loss: the distance of frames in VGG-19's features (Johnson et al. 2016).

Weighted as in pix2pixHD."""

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from kvidgan.errors import UserError

Tensor = Any
WEIGHTS = {  # relu1_1 to relu5_1, by the convolution that each of them ends
    "block1_conv1": 1 / 32,
    "block2_conv1": 1 / 16,
    "block3_conv1": 1 / 8,
    "block4_conv1": 1 / 4,
    "block5_conv1": 1.0,
}
MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, values 0..255
FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{FILE}"
_MD5 = "253f8cb515780f3b799900260a226db6"
_PATIENCE = 15.0  # seconds without a byte, after which a download has failed


def perceptual_loss(network: keras.Model, truth: Tensor, generated: Tensor) -> Tensor:
    """Compare frames by what a network sees in them.

    Args:
        network: From `perceptual_network`.
        truth: True frames (batch, height, width, 3), RGB in [-1, 1], sides of at least 16 pixels.
            A fixed aim: no gradient flows into them.
        generated: Generated frames, likewise; gradients flow into them.

    Returns:
        A float32 scalar: the layers' mean absolute differences, weighted and summed.
    """
    loss = 0.0
    pairs = zip(network(truth, training=False), network(generated, training=False), strict=True)
    for weight, (true, found) in zip(WEIGHTS.values(), pairs, strict=True):
        difference = ops.cast(ops.stop_gradient(true), "float32") - ops.cast(found, "float32")
        loss += weight * ops.mean(ops.abs(difference))
    return loss


def perceptual_network(weights: str | Path = "imagenet") -> keras.Model:
    """Return VGG-19 up to relu5_1, frozen.

    Args:
        weights: "imagenet", which Keras' folder holds or the network is asked for once, or a file
            of weights of `keras.applications.VGG19(include_top=False)`.

    Returns:
        A model from RGB frames (batch, height, width, 3) in [-1, 1] to the features of the layers
        of `WEIGHTS`, in their order, at 1/1, 1/2, 1/4, 1/8 and 1/16 of the size.

    Raises:
        UserError: If the weights cannot be had.
    """
    path = _imagenet() if weights == "imagenet" else Path(weights).expanduser()
    if not path.is_file():
        raise _unavailable(f"there is no file {path}")
    vgg = keras.applications.VGG19(include_top=False, weights=None, input_shape=(None, None, 3))
    try:
        vgg.load_weights(path)
    except Exception as error:  # Keras and h5py have a kind for each way of not being such a file
        raise _unavailable(f"{path} holds no weights of it") from error
    seen = keras.Model(vgg.input, [vgg.get_layer(name).output for name in WEIGHTS], name="vgg19")
    frames = keras.Input((None, None, 3), name="frames")
    network = keras.Model(frames, seen(preprocess(frames)), name="perceptual")
    network.trainable = False
    return network


def preprocess(frames: Tensor) -> Tensor:
    """Turn RGB frames in [-1, 1] into what VGG-19 was trained on: BGR 0..255, centred."""
    mean = np.array(MEAN_BGR, "float32")
    return ops.subtract(ops.flip((frames + 1.0) * 127.5, axis=-1), mean)


def _imagenet() -> Path:
    """Return Keras' own copy of the weights, downloaded if it is not there."""
    path = _folder() / FILE
    if not path.exists():
        try:
            with _patience(_PATIENCE):
                keras.utils.get_file(FILE, URL, cache_subdir=str(path.parent), file_hash=_MD5)
        except Exception as error:
            path.unlink(missing_ok=True)  # a broken download must not be found the next time
            raise _unavailable("they could not be downloaded") from error
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != _MD5:
        raise _unavailable(f"{path} is damaged")
    return path


def _folder() -> Path:
    home = os.environ.get("KERAS_HOME", "~/.keras")
    return Path(home).expanduser() / "models"


def _unavailable(reason: str) -> UserError:
    return UserError(
        f"The perceptual loss needs VGG-19's ImageNet weights, but {reason}: put {FILE} into "
        f"{_folder()} (it is {URL}, described at https://keras.io/api/applications/vgg), or set "
        "family.perceptual=none."
    )


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Let connections fail that are silent for so long."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
