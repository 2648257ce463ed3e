"""The Ms. Pac-Man implementation's multi-scale generator, such as `model.ckpt-500000`.

A TensorFlow 1 checkpoint. Each scale K, from 0 for the coarsest, has kernels and biases in turn,
which are named by their number alone: `generator/scale_K/setup/Variable`, `Variable_1`, ...
"""

import re
from collections.abc import Mapping
from typing import Any

from kvidgan.importers import pyramid
from kvidgan.importers.layouts import Array
from kvidgan.importers.weights import Found, Weights

WHAT = "the Ms. Pac-Man implementation's multi-scale generator"
FAMILY = "multiscale"

_NAME = re.compile(r"generator/scale_(\d+)/setup/Variable(?:_(\d+))?")


def is_mine(weights: Weights) -> bool:
    """Return whether there are numbered variables of scales."""
    return any(map(_NAME.fullmatch, weights.arrays))


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that the shapes tell, and those of that code."""
    found = pyramid.frame_options(weights, [kernel for _, kernel, _ in _convolutions(weights)])
    own = {"residual": False, "shrink": "top_left", "enlarge": "top_left", "divisor": 127.0}
    return Found({**found, **own}, [])


def fill(weights: Weights, gan: Any) -> None:
    """Set the generator's weights."""
    pyramid.fill(weights, gan, _convolutions(weights))


def _convolutions(weights: Weights) -> list[tuple[str, Array, Array]]:
    """Return name, kernel and bias of each convolution, coarse to fine."""
    matches = [match for match in map(_NAME.fullmatch, weights.arrays) if match]
    places = sorted((int(match[1]), int(match[2] or 0), match[0]) for match in matches)
    names = [name for _, _, name in places]
    return [
        (kernel, weights.take(kernel), weights.take(bias))
        for kernel, bias in zip(names[::2], names[1::2], strict=False)
    ]
