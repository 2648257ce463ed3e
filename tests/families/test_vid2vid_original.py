"""The generator against numbers that were recorded once from the original network, in PyTorch.

Both had weights by the formula below, in PyTorch's order of axes; the numbers are every fifth row's
every seventh pixel of the original's outputs, one scale of 9 blocks and two halvings.
"""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from kvidgan.families.vid2vid.config import Config
from kvidgan.families.vid2vid.generator import generator
from tests.families.common import numbers

HEIGHT, WIDTH = 16, 24


def formula(shape, number, scale):
    return (scale * np.sin(1.7 * np.arange(np.prod(shape)) + 0.9 * number)).reshape(shape)


def layers_in_order(model):
    """The layers with weights in the original's order: of each part the convolutions and norms."""
    encoder = ["in", "down1", "down2", *(f"block{n}_{m}" for n in range(5) for m in (1, 2))]
    decoder = [*(f"block{n}_{m}" for n in range(4) for m in (1, 2)), "up1", "up0"]
    for part, steps, heads in (
        ("labels", encoder, []),
        ("past", encoder, []),
        ("drawing", decoder, ["image"]),
        ("motion", decoder, ["flow", "mask"]),
    ):
        for step in steps:
            yield from (
                model.get_layer(f"scale0_{part}_{step}_{kind}") for kind in ("conv", "norm")
            )
        yield from (model.get_layer(f"scale0_{head}_head") for head in heads)


def set_weights(model):
    for number, layer in enumerate(layers_in_order(model), start=1):
        if isinstance(layer, keras.layers.GroupNormalization):
            shape = layer.gamma.shape
            layer.gamma.assign(1 + formula(shape, number, 0.2))
            layer.beta.assign(formula(shape, number + 0.5, 0.2))
            continue
        rows, columns, *channels = layer.kernel.shape  # in, out; transposed out, in
        small = 0.1 if "flow_head" in layer.name else 1.0
        kernel = small * formula((*channels[::-1], rows, columns), number, 0.1)
        layer.kernel.assign(kernel.transpose(2, 3, 1, 0))
        if layer.use_bias:  # before a norm the original's bias has no effect
            layer.bias.assign(small * formula(layer.bias.shape, number, 0.3))


def inputs():
    time, y, x = np.meshgrid(np.arange(3), np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")
    labels = np.eye(3)[(x // 5 + y // 3 + time) % 3]
    phase = 0.3 * x[:2] + 0.2 * y[:2] + time[:2]
    past = np.stack([0.8 * np.sin(phase + channel) for channel in range(3)], axis=-1)
    return {"labels": labels[None].astype("float32"), "past": past[None].astype("float32")}


@pytest.mark.every_backend
def test_one_scale_draws_what_the_original_draws():
    config = Config(
        size=[HEIGHT, WIDTH],
        labels=["a", "b", "c"],
        generator_width=4,
        down=2,
        blocks=9,
        discriminator_layers=2,
        discriminator_scales=1,
    )
    model = generator(config)
    assert len(list(layers_in_order(model))) == 95
    set_weights(model)
    expected = json.loads(Path(__file__).with_name("vid2vid_original.json").read_text())
    for name, output in model(inputs(), training=True).items():
        found = numbers(output)[0, ::5, ::7].ravel()
        scale = 20 if name == "flow" else 1  # pixels
        np.testing.assert_allclose(found, expected[name], atol=1e-4 * scale, err_msg=name)
