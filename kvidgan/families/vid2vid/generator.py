"""The generator of vid2vid: labels and past frames to the next frame (Wang et al. 2018, sec. 3).

Names of layers begin with the scale they belong to, `scale0` the coarsest, so that a run of more
scales can begin with the weights of one of fewer.
"""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from kvidgan.families.vid2vid.config import Config
from kvidgan.nn.patches import halved
from kvidgan.nn.residual import enlarged, reflected_conv, residual_block, shrunk
from kvidgan.nn.warp import warp

Tensor = Any
FLOW_SCALE = 20.0  # pixels of the coarsest scale; what the flow's layer gives is multiplied by


class ScaleFeatures(NamedTuple):
    """What heads draw from, at a scale's own size; without flow or foreground classes None."""

    image: Tensor
    motion: Tensor | None
    foreground: Tensor | None


def generator(config: Config) -> keras.Model:
    """Return G, of any frame size that is a multiple of `config.multiple_of`.

    Inputs: `labels` (batch, L + 1, height, width, classes), the window up to the frame to be drawn;
    with features `looks` (batch, 1, height, width, features), how its objects look; and with flow
    `past` (batch, L, height, width, channels) in [-1, 1], zeros where there is none, and for each
    scale but the finest its own, `past_scale0` the coarsest, of half the size of the next.

    Outputs: `frame` (batch, height, width, channels) in [-1, 1]; with flow also `raw`, the
    hallucinated image, `flow` (batch, height, width, 2) in pixels, back to the past frame, `mask`
    (batch, height, width, 1), 1 where the frame is drawn, 0 where it is warped (eq. 4), and what
    the coarser scales go on with, `past_scale0_next`.
    """
    labels = keras.Input((config.past + 1, None, None, config.classes), name="labels")
    inputs = {"labels": labels}
    seen = [_side_by_side(labels)]
    if config.features:
        inputs["looks"] = keras.Input((1, None, None, config.features), name="looks")
        seen[0] = ops.concatenate([seen[0], inputs["looks"][:, 0]], axis=-1)
    masks = [foreground_mask(config, labels)] if config.foreground_labels else None
    for _ in range(config.scales - 1):
        seen.insert(0, halved(seen[0]))
        masks = masks and [halved(masks[0]), *masks]
    features: ScaleFeatures | None = None
    outputs: dict[str, Tensor] = {}
    for number in range(config.scales):
        past, name = None, past_name(config, number)
        if config.flow:
            past = keras.Input((config.past, None, None, config.channels), name=name)
            inputs[name] = past
        features = _scale(config, number, seen[number], past, features)
        drawn = _drawn(config, number, features, past, masks and masks[number])
        if number == config.scales - 1:
            outputs |= drawn
        elif past is not None:
            outputs[f"{name}_next"] = ops.concatenate(
                [past[:, 1:], drawn["frame"][:, None]], axis=1
            )
    return keras.Model(inputs, outputs, name="generator")


def past_name(config: Config, number: int) -> str:
    """Return the name of the input of a scale's past frames; scale 0 is the coarsest."""
    return "past" if number == config.scales - 1 else f"past_scale{number}"


def _drawn(
    config: Config,
    number: int,
    features: ScaleFeatures,
    past: Tensor | None,
    foreground: Tensor | None,
) -> dict[str, Tensor]:
    """Return the outputs of a scale's heads; `foreground` is where the foreground's classes are."""
    name = f"scale{number}"
    raw = _head(features.image, config.channels, f"{name}_image", "tanh")
    drawn = {"frame": raw}
    if past is not None:
        flow = FLOW_SCALE * 2**number * _head(features.motion, 2, f"{name}_flow", "linear")
        mask = where_drawn(_head(features.motion, 1, f"{name}_mask", "sigmoid"), past[:, -1])
        frame = compose(raw, warp(past[:, -1], flow), mask)
        drawn = {"frame": frame, "raw": raw, "flow": flow, "mask": mask}
    if features.foreground is not None:
        own = _head(features.foreground, config.channels, f"{name}_foreground", "tanh")
        drawn |= {k: overlay(drawn[k], own, foreground) for k in ("frame", "raw") if k in drawn}
        if "mask" in drawn:
            drawn["mask"] = ops.maximum(drawn["mask"], foreground)
    return drawn


def compose(drawn: Tensor, warped: Tensor, mask: Tensor) -> Tensor:
    """Take the drawn pixel where the mask is 1, the warped one where it is 0."""
    return mask * drawn + (1.0 - mask) * warped


def overlay(image: Tensor, foreground: Tensor, mask: Tensor) -> Tensor:
    """Lay the foreground, where its mask (..., 1) is 1, over an image."""
    return mask * foreground + (1.0 - mask) * image


def where_drawn(mask: Tensor, previous: Tensor) -> Tensor:
    """Return the mask, 1 everywhere if there is no past frame to warp.

    It is then all zeros, which no 8-bit frame is.
    """
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


def _scale(
    config: Config,
    number: int,
    labels: Tensor,
    past: Tensor | None,
    coarser: ScaleFeatures | None,
) -> ScaleFeatures:
    """Return a scale's features; each but the coarsest adds its own to those of the one below."""
    if coarser is None:
        return _coarsest(config, labels, None if past is None else _side_by_side(past))
    return _finer(config, number, labels, None if past is None else _side_by_side(past), coarser)


def _coarsest(config: Config, labels: Tensor, past: Tensor | None) -> ScaleFeatures:
    width, blocks = config.generator_width, config.blocks
    after = blocks // 2  # of 9 blocks 5 stand before the encoders join, and 4 behind

    def encoded(x, name):
        return _residual(config, _shrunk(config, x, width, config.down, name), blocks - after, name)

    def decoded(x, name):
        return _enlarged(config, _residual(config, x, after, name), width, config.down, name)

    x = encoded(labels, "scale0_labels")
    foreground = _foreground(config, labels) if config.foreground_labels else None
    if past is None:
        return ScaleFeatures(decoded(x, "scale0_drawing"), None, foreground)
    x = layers.Add(name="scale0_join")([x, encoded(past, "scale0_past")])
    image, motion = decoded(x, "scale0_drawing"), decoded(x, "scale0_motion")
    return ScaleFeatures(image, motion, foreground)


def _foreground(config: Config, labels: Tensor) -> Tensor:
    """Draw the foreground's classes from the labels alone (sec. 3, foreground-background prior)."""
    name, width = "scale0_foreground", config.foreground_maps
    x = _shrunk(config, labels, width, config.down, name)
    x = _residual(config, x, config.foreground_blocks or config.blocks, name)
    return _enlarged(config, x, width, config.down, name)


def _finer(
    config: Config, number: int, labels: Tensor, past: Tensor | None, coarse: ScaleFeatures
) -> ScaleFeatures:
    """Add what a scale's own encoders see, of half its size, to the features of the one below."""
    width, widths = config.generator_width >> number, config.foreground_maps >> number

    def encoded(x, width, name):
        return _shrunk(config, x, width, 1, f"scale{number}_{name}")

    def decoded(below, found, width, name):
        if below is None:
            return None
        name = f"scale{number}_{name}"
        x = layers.Add(name=f"{name}_join")([*found, below])
        return _enlarged(config, _residual(config, x, config.fine_blocks, name), width, 1, name)

    found = [encoded(labels, width, "labels")]
    if past is not None:
        found.append(encoded(past, width, "past"))
    foreground = None
    if coarse.foreground is not None:
        seen = encoded(labels, widths, "foreground")
        foreground = decoded(coarse.foreground, [seen], widths, "foreground")
    image = decoded(coarse.image, found, width, "drawing")
    return ScaleFeatures(image, decoded(coarse.motion, found, width, "motion"), foreground)


def _shrunk(config: Config, x: Tensor, width: int, times: int, name: str) -> Tensor:
    return shrunk(x, width, times, name, config.norm, config.resampling_kernel)


def _enlarged(config: Config, x: Tensor, width: int, times: int, name: str) -> Tensor:
    return enlarged(x, width, times, name, config.norm, config.resampling_kernel)


def _residual(config: Config, x: Tensor, count: int, name: str) -> Tensor:
    for number in range(count):
        x = residual_block(x, f"{name}_block{number}", config.norm)
    return x


def _head(x: Tensor, channels: int, name: str, activation: str) -> Tensor:
    return reflected_conv(x, channels, 7, f"{name}_head", activation=activation, dtype="float32")


def _side_by_side(window: Tensor) -> Tensor:
    """Turn (batch, time, height, width, channels) into (batch, height, width, time * channels)."""
    frames = [window[:, time] for time in range(window.shape[1])]
    return ops.concatenate(frames, axis=-1)
