"""Networks of MoCoGAN: the motion's cell, the decoder of frames, and both discriminators."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kvidgan.families.mocogan.config import Config
from kvidgan.nn.convolutions import Conv2DTranspose, Conv3D

Tensor = Any


def cell(config: Config) -> keras.Layer:
    """Return the recurrent cell R_M: (batch, motion) noise and state to the next state."""
    if config.projected:
        return _lstm_that_keeps(config)
    kind = layers.GRUCell if config.cell == "gru" else layers.LSTMCell
    return kind(config.motion, name="motion_cell", **_cell_weights(config))


def _lstm_that_keeps(config: Config) -> keras.Layer:
    # The course's first weights: Glorot's, and a forget bias of 1 in each of PyTorch's two biases.
    made = layers.LSTMCell(
        config.hidden, recurrent_initializer="glorot_uniform", name="motion_cell"
    )
    made.build((None, config.motion))
    made.bias.assign(np.repeat([0.0, 2.0, 0.0, 0.0], config.hidden))  # input, forget, new, output
    return made


def projection(config: Config) -> keras.Model:
    """Return what makes a motion code (batch, motion) of the state (batch, hidden) of one frame.

    Its batch norm has no gain and no bias. It sees the videos of a batch at one frame: each frame
    is normalized by itself in training, and all share one running average.
    """
    hidden = keras.Input((config.hidden,), name="hidden")
    x = layers.Dense(config.motion, name="projection")(hidden)
    norm = _batch_norm(config, center=False, scale=False, dtype="float32")
    return keras.Model(hidden, norm(x), name="projection")


def motion(
    config: Config, motion_cell: keras.Layer, projected: keras.Model | None = None
) -> keras.Model:
    """Return R_M over time: noise and first states to codes (batch, steps, motion).

    Noise is (batch, steps, motion), or (batch, motion) where a projection makes the codes.
    """
    shape = (config.motion,) if projected else (config.steps, config.motion)
    noise = keras.Input(shape, name="noise")
    states = [keras.Input((config.state_size,), name=name) for name in state_names(config)]
    each = layers.RepeatVector(config.steps)(noise) if projected else noise
    codes = layers.RNN(motion_cell, return_sequences=True)(each, initial_state=states)
    if projected:
        codes = ops.stack([projected(codes[:, t]) for t in range(config.steps)], axis=1)
    return keras.Model([noise, *states], codes, name="motion")


def decoder(config: Config) -> keras.Model:
    """Return G_I: code (batch, content + categories + motion) to a frame in [-1, 1]."""
    code = keras.Input((_code_size(config),), name="code")
    width = config.generator_width << (config.blocks - 1)
    x = layers.Reshape((1, 1, -1))(code)
    x = _up(config, x, width, config.smallest, strides=1, padding="valid")
    for _ in range(config.blocks - 1):
        width //= 2
        x = _up(config, x, width, 4, strides=2, padding="same")
    weights = _weights(config, "fan_out")
    x = Conv2DTranspose(config.channels, 4, strides=2, padding="same", use_bias=False, **weights)(x)
    frame = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(code, frame, name="decoder")


def image_discriminator(config: Config) -> keras.Model:
    """Return D_I: frames (batch, size, size, channels) to logits (batch, rows, columns, 1)."""
    frame = keras.Input((config.size, config.size, config.channels), name="frame")
    patch = config.image_discriminator == "patch"
    x, width = frame, config.image_width
    for block in range(3 if patch else config.blocks):
        x = _noise(x, config.image_noise)
        conv = layers.Conv2D(width, 4, 2, padding="same", use_bias=False, **_weights(config))
        x = _activate(config, conv(x), normalize=block > 0)
        width *= 2
    x = _noise(x, config.image_noise if config.image_last_noise else 0.0)
    last = (4, 2, "same") if patch else (config.smallest, 1, "valid")
    x = layers.Conv2D(1, *last, use_bias=False, **_weights(config))(x)
    return keras.Model(frame, _logits(x), name="image_discriminator")


def video_discriminator(config: Config) -> keras.Model:
    """Return D_V: clips (batch, T, size, size, channels) to logits, one real/generated, K classes.

    The logits are (batch, t, rows, columns, 1 + K), with t = rows = columns = 1 when "full".
    """
    clip = keras.Input((config.frames, config.size, config.size, config.channels), name="clip")
    patch = config.video_discriminator == "patch"
    outputs = 1 + len(config.categories or [])
    x, width, time = clip, config.video_width, config.time_kernel
    for block in range(3 if patch else config.blocks):
        x = _down3d(config, _noise(x, config.video_noise), width, time)
        x = _activate(config, x, normalize=block > 0)
        width *= 2
    x = _noise(x, config.video_noise if config.video_last_noise else 0.0)
    if patch:
        x = _down3d(config, x, outputs, time)
    else:
        x = Conv3D(outputs, x.shape[1:4], use_bias=False, **_weights(config))(x)
    return keras.Model(clip, _logits(x), name="video_discriminator")


def state_names(config: Config) -> list[str]:
    """Return the names of the recurrent cell's states."""
    return ["hidden"] if config.cell == "gru" else ["hidden", "carry"]


def _code_size(config: Config) -> int:
    return config.content + len(config.categories or []) + config.motion


def _weights(config: Config, inputs: str = "fan_in") -> dict[str, Any]:
    if config.first_weights == "normal":
        return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    # From -1 / sqrt(n) to 1 / sqrt(n), with n values that an output is made of. Of a transposed
    # convolution PyTorch then took all of a kernel; Keras calls those its fan_out.
    uniform = keras.initializers.VarianceScaling(1 / 3, inputs, "uniform")
    return {"kernel_initializer": uniform}


def _cell_weights(config: Config) -> dict[str, Any]:
    if config.first_weights == "normal":
        return {}
    limit = 1 / math.sqrt(config.motion)
    names = [f"{part}_initializer" for part in ("kernel", "recurrent", "bias")]
    uniform = {name: keras.initializers.RandomUniform(-limit, limit) for name in names}
    return uniform if config.cell == "gru" else {**uniform, "unit_forget_bias": False}


def _up(config, x, width, kernel, strides, padding):
    weights = _weights(config, "fan_out")
    x = Conv2DTranspose(width, kernel, strides, padding, use_bias=False, **weights)(x)
    return layers.ReLU()(_batch_norm(config)(x))


def _down3d(config, x, width, time):
    # Padded in space, not in time: the clip shortens by time - 1 frames a layer.
    x = layers.ZeroPadding3D((0, 1, 1))(x)
    return Conv3D(width, (time, 4, 4), (1, 2, 2), use_bias=False, **_weights(config))(x)


def _activate(config, x, normalize):
    return layers.LeakyReLU(0.2)(_batch_norm(config)(x) if normalize else x)


def _batch_norm(config, **options):
    if config.first_weights == "pytorch":
        options["gamma_initializer"] = keras.initializers.RandomUniform(0.0, 1.0)
    momentum = config.batch_norm_momentum
    return layers.BatchNormalization(momentum=momentum, epsilon=1e-5, **options)


def _noise(x, sigma):
    return layers.GaussianNoise(sigma)(x) if sigma else x


def _logits(x):
    return layers.Activation("linear", dtype="float32")(x)
