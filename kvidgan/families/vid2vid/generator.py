"""The generator of vid2vid: labels and past frames to the next frame (Wang et al. 2018, sec. 3).

Names of layers begin with the scale they belong to, `scale0` the coarsest, so that a run of more
scales can begin with the weights of one of fewer.
"""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from kvidgan.families.vid2vid.config import Config
from kvidgan.nn.residual import conv_block, down_block, reflected_conv, residual_block, up_block
from kvidgan.nn.warp import warp

Tensor = Any
FLOW_SCALE = 20.0  # pixels; what the flow's layer gives is multiplied by


class ScaleFeatures(NamedTuple):
    """What heads draw from, at a scale's own size: the image's, and the motion's or None."""

    image: Tensor
    motion: Tensor | None


def generator(config: Config) -> keras.Model:
    """Return G, of any frame size that is a multiple of `config.multiple_of`.

    Inputs: `labels` (batch, L + 1, height, width, classes), the window up to the frame to be drawn;
    with features `looks` (batch, 1, height, width, features), how its objects look; and with flow
    `past` (batch, L, height, width, channels) in [-1, 1], zeros where there is none.

    Outputs: `frame` (batch, height, width, channels) in [-1, 1]; with flow also `raw`, the
    hallucinated image, `flow` (batch, height, width, 2) in pixels, back to the past frame, and
    `mask` (batch, height, width, 1), 1 where the frame is drawn, 0 where it is warped (eq. 4).
    """
    labels = keras.Input((config.past + 1, None, None, config.classes), name="labels")
    inputs = {"labels": labels}
    seen, past = _side_by_side(labels), None
    if config.features:
        inputs["looks"] = keras.Input((1, None, None, config.features), name="looks")
        seen = ops.concatenate([seen, inputs["looks"][:, 0]], axis=-1)
    if config.flow:
        past = keras.Input((config.past, None, None, config.channels), name="past")
        inputs["past"] = past
    features = _pyramid(config, seen, None if past is None else _side_by_side(past))
    name = f"scale{config.scales - 1}"
    raw = _head(features.image, config.channels, f"{name}_image", "tanh")
    if config.foreground_labels:
        raw = overlay(raw, _foreground(config, seen), foreground_mask(config, labels))
    if past is None:
        return keras.Model(inputs, {"frame": raw}, name="generator")
    flow = FLOW_SCALE * _head(features.motion, 2, f"{name}_flow", "linear")
    mask = _head(features.motion, 1, f"{name}_mask", "sigmoid")
    mask = where_drawn(config, mask, labels, past[:, -1])
    outputs = {"frame": compose(raw, warp(past[:, -1], flow), mask)}
    return keras.Model(inputs, outputs | {"raw": raw, "flow": flow, "mask": mask}, name="generator")


def compose(drawn: Tensor, warped: Tensor, mask: Tensor) -> Tensor:
    """Take the drawn pixel where the mask is 1, the warped one where it is 0."""
    return mask * drawn + (1.0 - mask) * warped


def overlay(image: Tensor, foreground: Tensor, mask: Tensor) -> Tensor:
    """Lay the foreground, where its mask (..., 1) is 1, over an image."""
    return mask * foreground + (1.0 - mask) * image


def where_drawn(config: Config, mask: Tensor, labels: Tensor, previous: Tensor) -> Tensor:
    """Return the mask, 1 wherever nothing may be warped.

    That is where the foreground network draws, and everywhere if there is no past frame: it is then
    all zeros, which no 8-bit frame is.
    """
    if config.foreground_labels:
        mask = ops.maximum(mask, foreground_mask(config, labels))
    given = ops.max(ops.abs(previous), axis=(1, 2, 3), keepdims=True) > 0
    return ops.maximum(mask, 1.0 - ops.cast(given, "float32"))


def foreground_mask(config: Config, labels: Tensor) -> Tensor:
    """Return where the last label map shows the foreground's classes: (batch, height, width, 1)."""
    names = config.labels or []
    chosen = [labels[:, -1, ..., names.index(n) : names.index(n) + 1] for n in _chosen(config)]
    return sum(chosen[1:], start=chosen[0])


def _chosen(config: Config) -> list[str]:
    return [name for name in config.labels or [] if name in config.foreground_labels]


# ---- Coarse to fine -----------------------------------------------------------------------------


def _pyramid(config: Config, labels: Tensor, past: Tensor | None) -> ScaleFeatures:
    """Run all scales; each but the coarsest adds its features to those of the one below."""
    sizes = [(labels, past)]
    for _ in range(config.scales - 1):
        labels, past = sizes[-1]
        halved = None if past is None else ops.average_pool(past, 2, 2)
        sizes.append((ops.average_pool(labels, 2, 2), halved))
    features = _coarse(config, *sizes[-1])
    for number, size in enumerate(reversed(sizes[:-1]), start=1):
        features = _finer(config, number, *size, features)
    return features


def _coarse(config: Config, labels: Tensor, past: Tensor | None) -> ScaleFeatures:
    before = config.blocks // 2

    def encoded(x, name):
        x = conv_block(x, config.generator_width, 7, f"{name}_in", norm=config.norm)
        for step in range(1, config.down + 1):
            maps = config.generator_width << step
            x = down_block(x, maps, f"{name}_down{step}", config.norm)
        return _residual(x, before, name, config.norm)

    def decoded(x, name):
        x = _residual(x, config.blocks - before, name, config.norm)
        for step in reversed(range(config.down)):
            x = up_block(x, config.generator_width << step, f"{name}_up{step}", config.norm)
        return x

    x = encoded(labels, "scale0_labels")
    if past is None:
        return ScaleFeatures(decoded(x, "scale0_drawing"), None)
    x = layers.Add(name="scale0_join")([x, encoded(past, "scale0_past")])
    return ScaleFeatures(decoded(x, "scale0_drawing"), decoded(x, "scale0_motion"))


def _finer(
    config: Config, number: int, labels: Tensor, past: Tensor | None, coarse: ScaleFeatures
) -> ScaleFeatures:
    scale, width = f"scale{number}", config.generator_width >> number

    def encoded(x, name):
        x = conv_block(x, width, 7, f"{scale}_{name}_in", norm=config.norm)
        return down_block(x, 2 * width, f"{scale}_{name}_down", config.norm)

    def decoded(below, name):
        x = layers.Add(name=f"{scale}_{name}_join")([*found, below])
        x = _residual(x, config.fine_blocks, f"{scale}_{name}", config.norm)
        return up_block(x, width, f"{scale}_{name}_up", config.norm)

    found = [encoded(labels, "labels")]
    if past is not None:
        found.append(encoded(past, "past"))
    motion = None if coarse.motion is None else decoded(coarse.motion, "motion")
    return ScaleFeatures(decoded(coarse.image, "drawing"), motion)


def _foreground(config: Config, labels: Tensor) -> Tensor:
    """Draw the foreground's classes from the labels alone (sec. 3, foreground-background prior)."""
    name, width = "foreground", config.foreground_width
    x = conv_block(labels, width, 7, f"{name}_in", norm=config.norm)
    halvings = min(2, config.down)
    for step in range(1, halvings + 1):
        x = down_block(x, width << step, f"{name}_down{step}", config.norm)
    x = _residual(x, 2, name, config.norm)
    for step in reversed(range(halvings)):
        x = up_block(x, width << step, f"{name}_up{step}", config.norm)
    return _head(x, config.channels, name, "tanh")


def _residual(x: Tensor, count: int, name: str, norm: str) -> Tensor:
    for number in range(count):
        x = residual_block(x, f"{name}_block{number}", norm)
    return x


def _head(x: Tensor, channels: int, name: str, activation: str) -> Tensor:
    return reflected_conv(x, channels, 7, f"{name}_head", activation=activation, dtype="float32")


def _side_by_side(window: Tensor) -> Tensor:
    """Turn (batch, time, height, width, channels) into (batch, height, width, time * channels)."""
    frames = [window[:, time] for time in range(window.shape[1])]
    return ops.concatenate(frames, axis=-1)
