"""Networks of the LSTM video GAN: the LSTM's step, the decoder of frames, and the critic."""

from typing import Any

import keras
from keras import layers, ops

from kvidgan.families.lstm_wgan.config import Config
from kvidgan.nn.convolutions import Conv2DTranspose, Conv3D

Tensor = Any


def lstm(config: Config) -> keras.Model:
    """Return the LSTM's step: [frame (batch, H, W, C),] hidden, cell (batch, latent) to the next.

    gates = LN(hidden U) [+ LN(frame W)] + b, forget bias 1; the new cell is normalised before the
    output's tanh (Ba et al. 2016, eq. 20 to 22).
    """
    hidden = keras.Input((config.latent,), name="hidden")
    memory = keras.Input((config.latent,), name="cell")
    inputs = {"hidden": hidden, "cell": memory}
    gates = layers.LayerNormalization(epsilon=1e-5, name="recurrent_norm")(
        layers.Dense(4 * config.latent, use_bias=False, name="recurrent", **_normal(0.1))(hidden)
    )
    if config.feed_back_frame:
        frame = keras.Input((config.size, config.size, config.channels), name="previous")
        inputs["previous"] = frame
        x = layers.GaussianNoise(config.input_noise)(frame) if config.input_noise else frame
        sigma = 0.1 if config.first_weights == "project" else 0.02
        x = layers.Dense(4 * config.latent, use_bias=False, name="input", **_normal(sigma))(
            layers.Flatten()(x)
        )
        x = layers.LayerNormalization(epsilon=1e-5, name="input_norm")(x)
        gates = layers.Add()([gates, x])
    take, forget, new, show = ops.split(gates, 4, axis=-1)
    kept = ops.sigmoid(forget + 1.0) * memory
    following = kept + ops.sigmoid(take) * ops.tanh(new)
    normed = layers.LayerNormalization(epsilon=1e-5, name="cell_norm")(following)
    outputs = {"hidden": ops.sigmoid(show) * ops.tanh(normed), "cell": following}
    return keras.Model(inputs, outputs, name="lstm")


def decoder(config: Config) -> keras.Model:
    """Return the DCGAN: hidden (batch, latent) to a frame (batch, size, size, channels), -1..1."""
    hidden = keras.Input((config.latent,), name="hidden")
    width = config.decoder_width << (config.blocks - 1)
    x = layers.Reshape((1, 1, config.latent))(hidden)
    biases = config.decoder_biases
    x = _up(config, x, width, strides=1, padding="valid", use_bias=biases)
    for _ in range(config.blocks - 1):
        x, width = _normalized(x), width // 2
        x = _up(config, x, width, use_bias=biases)
    x = _up(config, _normalized(x), config.channels)
    frame = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(hidden, frame, name="decoder")


def critic(config: Config) -> keras.Model:
    """Return the critic: clips (batch, T, size, size, channels) to scores or logits (batch, 1).

    With the loss "alternative" there are two logits, of generated and of real. Nothing in it is
    normalised: the penalty is on single samples.
    """
    clip = keras.Input((config.frames, config.size, config.size, config.channels), name="clip")
    x = layers.GaussianNoise(config.instance_noise)(clip) if config.instance_noise else clip
    for block in range(config.blocks):
        x = Conv3D(config.critic_width << block, 4, 2, padding="same", **_small(config))(x)
        x = layers.LeakyReLU(0.2)(x)
        if config.critic_dropout and block >= config.first_dropout:
            x = layers.Dropout(config.critic_dropout)(x)
    logits = 2 if config.loss == "alternative" else 1
    score = layers.Dense(logits, dtype="float32", **_small(config))(layers.Flatten()(x))
    return keras.Model(clip, score, name="critic")


def _up(config: Config, x: Tensor, maps: int, **options: Any) -> Tensor:
    options = {"strides": 2, "padding": "same", **_small(config), **options}
    return Conv2DTranspose(maps, 4, **options)(x)


def _normalized(x: Tensor) -> Tensor:
    # One group: all of a sample's values, with a gain and a bias a map.
    return layers.ReLU()(layers.GroupNormalization(groups=1, epsilon=1e-5)(x))


def _normal(sigma: float) -> dict[str, Any]:
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=sigma)}


def _small(config: Config) -> dict[str, Any]:
    if config.first_weights == "normal":
        return _normal(0.02)
    return {"kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.02)}
