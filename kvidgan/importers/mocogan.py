"""MoCoGAN's generator, saved whole by PyTorch as `generator_NNNNN.pytorch`, or its state dict.

It holds a GRU cell, `recurrent`, and transposed convolutions with batch normalisation, `main`.
"""

from collections.abc import Mapping
from typing import Any

from kvidgan.errors import UserError
from kvidgan.importers.layouts import gru, transposed_conv
from kvidgan.importers.weights import Found, Weights, layers_of, numbered

WHAT = "MoCoGAN's generator"
FAMILY = "mocogan"


def is_mine(weights: Weights) -> bool:
    """Return whether there is a GRU cell and a stack of transposed convolutions."""
    stack = weights.arrays.get("main.0.weight")
    return "recurrent.weight_ih" in weights and stack is not None and stack.ndim == 4


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that the shapes and attributes tell.

    Raises:
        UserError: If the file does not tell how long the content code is, and nothing is given.
    """
    shapes = [weights.shape(f"main.{number}.weight") for number in _convolutions(weights)]
    code, _, smallest, _ = shapes[0]
    motion = weights.shape("recurrent.weight_hh")[1]
    content, categories = _split(weights, code - motion, given)
    found = {
        "size": smallest << (len(shapes) - 1),
        "channels": shapes[-1][1],
        "content": content,
        "motion": motion,
        "categories": [str(number) for number in range(categories)],
        "cell": "gru",
        "generator_width": shapes[-1][0],
    }
    frames = weights.facts.get("video_length")
    notes = []
    if isinstance(frames, int) and frames > 1:
        found["frames"] = frames
    if categories and "categories" not in given:
        notes.append(
            f"The names of its {categories} categories are not in the file, so they are numbered; "
            "family.categories=[NAME,...] names them."
        )
    return Found(found, notes)


def fill(weights: Weights, gan: Any) -> None:
    """Set the weights of the cell and of the decoder."""
    cell = [weights.take(f"recurrent.{part}_{of}") for part in ("weight", "bias")
            for of in ("ih", "hh")]  # fmt: skip
    weights.put(gan.cell, gru(*cell), "recurrent")
    convolutions = layers_of(gan.decoder, "Conv2DTranspose")
    numbers = _convolutions(weights)
    weights.check_count(len(numbers), len(convolutions), "transposed convolutions")
    for number, layer in zip(numbers, convolutions, strict=True):
        name = f"main.{number}.weight"
        weights.put(layer, [transposed_conv(weights.take(name))], name)
    for number, layer in zip(numbers, layers_of(gan.decoder, "BatchNormalization"), strict=False):
        name = f"main.{number + 1}"
        parts = ("weight", "bias", "running_mean", "running_var")
        weights.put(layer, [weights.take(f"{name}.{part}") for part in parts], name)
    weights.skip(name for name in weights.arrays if name.endswith("num_batches_tracked"))
    weights.check_all_taken()


def _convolutions(weights: Weights) -> list[int]:
    return [n for n in numbered(weights, r"main\.(\d+)\.weight") if
            len(weights.shape(f"main.{n}.weight")) == 4]  # fmt: skip


def _split(weights: Weights, rest: int, given: Mapping[str, Any]) -> tuple[int, int]:
    """Return the length of the content code and the number of categories, which are `rest`."""
    named = given.get("categories")
    content = given.get("content", weights.facts.get("dim_z_content"))
    if content is None and named is not None:
        content = rest - len(named)
    if not isinstance(content, int):
        raise UserError(
            f"{weights.path} does not tell how many of the {rest} numbers of its code are content, "
            "and how many are categories; say family.content=N."
        )
    if named is not None and len(named) != rest - content:
        raise UserError(
            f"family.categories: expected {rest - content} names, found {len(named)}: so many "
            f"categories has {weights.path}."
        )
    return content, rest - content
