"""A mirrored input gives a mirrored output with mirrored kernels: no network shifts the image."""

import keras
import numpy as np
import pytest

from kvidgan.families import lstm_wgan, mocogan, multiscale, vid2vid
from kvidgan.families.lstm_wgan.networks import critic
from kvidgan.families.lstm_wgan.networks import decoder as lstm_decoder
from kvidgan.families.mocogan.networks import decoder as mocogan_decoder
from kvidgan.families.mocogan.networks import image_discriminator, video_discriminator
from kvidgan.families.vid2vid.discriminators import DiscriminatorGroup
from kvidgan.families.vid2vid.features import encoder
from kvidgan.families.vid2vid.generator import generator
from tests.families.common import numbers

MOCOGAN = mocogan.Config(**mocogan.SMALL, categories=["a", "b"])
MULTISCALE = multiscale.Config(width=1 / 32, discriminator_width=1 / 32)
LSTM_WGAN = lstm_wgan.Config(**lstm_wgan.SMALL)
VID2VID = {
    "size": [64, 96],
    "labels": ["road", "car"],
    "foreground_labels": ["car"],
    "generator_width": 4,
    "down": 2,
    "blocks": 2,
    "features": 2,
    "encoder_width": 2,
    "discriminator_width": 2,
}


VID2VID_4 = vid2vid.Config(**VID2VID, resampling_kernel=4)
BATCH = {"norm": "batch"}  # of the whole batch, at rest: each pixel by itself
NETWORKS = {
    "mocogan decoder": lambda: mocogan_decoder(MOCOGAN),
    "mocogan patch image discriminator": lambda: image_discriminator(judges("patch")),
    "mocogan full image discriminator": lambda: image_discriminator(judges("full")),
    "mocogan patch video discriminator": lambda: video_discriminator(judges("patch")),
    "mocogan full video discriminator": lambda: video_discriminator(judges("full")),
    "lstm_wgan decoder": lambda: lstm_decoder(LSTM_WGAN),
    "lstm_wgan critic": lambda: critic(LSTM_WGAN),
    "multiscale generator": lambda: multiscale.generator(MULTISCALE),
    "multiscale discriminator 1": lambda: multiscale.discriminator(MULTISCALE, 1),
    "multiscale discriminator 2": lambda: multiscale.discriminator(MULTISCALE, 2),
    "multiscale discriminator 3": lambda: multiscale.discriminator(MULTISCALE, 3),
    "multiscale discriminator 4": lambda: multiscale.discriminator(MULTISCALE, 4),
    "vid2vid generator": lambda: generator(VID2VID_4),
    "vid2vid encoder": lambda: encoder(VID2VID_4),
    "vid2vid discriminator": lambda: DiscriminatorGroup(VID2VID_4, 5, "image").networks[0],
}
ABOUT_A_PIXEL = {
    "generator": lambda: generator(vid2vid.Config(**VID2VID, **BATCH)),
    "encoder": lambda: encoder(vid2vid.Config(**VID2VID, **BATCH)),
    "generator of two scales": lambda: generator(vid2vid.Config(**VID2VID, **BATCH, scales=2)),
}


def judges(kind):
    """MoCoGAN with patch or full discriminators."""
    own = {"image_discriminator": kind, "video_discriminator": kind, "frames": 16}
    return MOCOGAN.model_copy(update=own)


def randomize(network):
    """Give weights of some size to all layers, biases and gains too."""
    rng = np.random.default_rng(0)
    for variable in network.variables:
        if variable.dtype == "float32":
            fan_in = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 9
            drawn = rng.normal(size=variable.shape) / np.sqrt(fan_in)
            if "flow_head" in variable.path:
                drawn /= 20  # so that it does not reach the border
            gain = "gamma" in variable.path or "variance" in variable.path
            variable.assign(np.abs(1 + drawn) if gain else drawn)


def mirror_kernels(network):
    """Mirror all kernels left to right, those of dense layers behind a flattened image too."""
    image = None
    for layer in network.layers:
        if isinstance(layer, keras.layers.Flatten):
            image = layer.input.shape[1:]
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        values = numbers(kernel.value)
        if values.ndim > 2:  # (..., height, width, channels, channels)
            kernel.assign(np.flip(values, -3))
        elif image is not None:  # (height * width * channels, units)
            unrolled = values.reshape(*image, -1)
            kernel.assign(np.flip(unrolled, -3).reshape(values.shape))
            image = None


def inputs_of(network, height=None, width=None):
    rng = np.random.default_rng(0)
    # Zeros around a patch discriminator's layers lie alike on both sides where all sizes are even.
    side = 66 if network.name.startswith("image_0") else 64
    sides = height or side, width or side

    def one(tensor):
        coarse = tensor.name.startswith("past_scale0")
        own = iter([side >> coarse for side in sides])
        shape = (2, *(next(own) if side is None else side for side in tensor.shape[1:]))
        return rng.uniform(-1, 1, shape).astype("float32")

    return keras.tree.map_structure(one, network.input)


def called(network, inputs):
    outputs = network(inputs, training=False)
    if not isinstance(outputs, dict):
        outputs = dict(enumerate(keras.tree.flatten(outputs)))
    return {name: numbers(x) for name, x in outputs.items()}


def flip(x):
    """Mirror (..., height, width, channels); codes and scores (batch, n) stay."""
    return np.flip(x, -2).copy() if x.ndim > 3 else x


def mirror(network, outputs):
    """Mirror the kernels, and what moves to one side to the other; return what is expected now."""
    expected = {key: flip(x) for key, x in outputs.items()}
    if "flow" in expected:  # to the other side
        expected["flow"][..., 0] *= -1
    for layer in network.layers:
        if layer.name.endswith("flow_head"):
            for weight in (layer.kernel, layer.bias):
                weight.assign(numbers(weight.value) * [-1, 1])
    mirror_kernels(network)
    return expected


@pytest.mark.parametrize("name", NETWORKS)
def test_a_mirrored_input_gives_a_mirrored_output(name):
    network = NETWORKS[name]()
    randomize(network)
    inputs = inputs_of(network)
    expected = mirror(network, called(network, inputs))
    for key, found in called(network, keras.tree.map_structure(flip, inputs)).items():
        scale = np.abs(expected[key]).max()
        np.testing.assert_allclose(found, expected[key], atol=2e-4 * scale, err_msg=str(key))
        if found.ndim > 3 and found.shape[-2] > 1:
            assert np.abs(found - flip(found)).max() > 0.01 * scale, "symmetric by itself"


@pytest.mark.parametrize("name", ABOUT_A_PIXEL)
def test_kernels_of_three_keep_the_place_of_every_pixel(name):
    """They sample pixels 0, 2, 4...: a grid that is mirrored into itself about a pixel of it.

    About pixel 0, so that pixel j of a row of `width` goes to width - j; far from the border, whose
    zeros lie on one side.
    """
    network, width = ABOUT_A_PIXEL[name](), 256
    randomize(network)
    inputs = inputs_of(network, 32, width)
    expected = mirror(network, called(network, inputs))
    turned = keras.tree.map_structure(lambda x: np.roll(flip(x), 1, -2), inputs)
    for key, found in called(network, turned).items():
        columns = found.shape[-2]
        inside = np.s_[..., 2 * columns // 5 : 3 * columns // 5, :]
        close = np.abs(found - np.roll(expected[key], 1, -2))[inside].max()
        shifted = np.abs(found - expected[key])[inside].max()
        assert close < 2e-4 * np.abs(found).max() < shifted, key
