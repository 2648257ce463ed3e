"""The multi-scale generator of Mathieu et al., a file of Torch 7 such as `new_adv_big_64.t7`.

A table with the `model`, a graph of modules in the order in which they run, and the options `opt`.
No file of the authors was at hand when this was written: it follows their code.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.importers import pyramid
from kvidgan.importers.layouts import Array, conv
from kvidgan.importers.torch7 import TorchObject
from kvidgan.importers.weights import Found, Weights

WHAT = "the multi-scale generator of Mathieu et al."
FAMILY = "multiscale"


def is_mine(weights: Weights) -> bool:
    """Return whether it is a file of Torch 7 with convolutions in it."""
    return any(_is_convolution(module) for module in _modules(_model(weights)))


def options(weights: Weights, given: Mapping[str, Any]) -> Found:
    """Return the options of the family that shapes and classes of modules tell."""
    modules = list(_modules(_model(weights)))
    found = pyramid.frame_options(weights, [kernel for _, kernel, _ in _convolutions(weights)])
    smooth = any(module.kind == "nn.SpatialUpSample" for module in modules)
    enlarge = "bilinear" if smooth else "nearest"
    return Found(
        {**found, "residual": True, "shrink": "average", "enlarge": enlarge}, _notes(weights)
    )


def fill(weights: Weights, gan: Any) -> None:
    """Set the generator's weights."""
    pyramid.fill(weights, gan, _convolutions(weights))


def _notes(weights: Weights) -> list[str]:
    """Say which layers are left out: those of the latent branch, whose input is zero at test."""
    modules = list(_modules(_model(weights)))
    others = [m for m in modules if _has_weights(m) and not _is_convolution(m)]
    if not others:
        return []
    kinds = ", ".join(sorted({module.kind for module in others}))
    if any("Normalization" in module.kind for module in others):
        raise UserError(
            f"{weights.path} has layers {kinds} beside its convolutions: there is no such model "
            "here."
        )
    biases = [module["bias"] for module in others if isinstance(module["bias"], np.ndarray)]
    if any(bias.any() for bias in biases):
        return [f"Its layers {kinds} are left out, a latent branch; frames may differ by the "
                "biases that they have."]  # fmt: skip
    return [f"Its layers {kinds} are left out: a latent branch, they add nothing at test."]


def _model(weights: Weights) -> Any:
    saved = weights.facts.get("saved")
    return saved.get("model") if isinstance(saved, dict) else saved


def _modules(model: Any) -> Iterator[TorchObject]:
    """Yield the modules of a graph or a container, and those within them, in order, each once."""
    seen: set[int] = set()

    def walk(module: Any) -> Iterator[TorchObject]:
        if not isinstance(module, TorchObject) or id(module) in seen:
            return
        seen.add(id(module))
        yield module
        inner = module["modules"]
        for number in sorted(inner) if isinstance(inner, dict) else ():
            yield from walk(inner[number])

    return walk(model)


def _is_convolution(module: TorchObject) -> bool:
    return "SpatialConvolution" in module.kind and _has_weights(module)


def _has_weights(module: TorchObject) -> bool:
    return isinstance(module["weight"], np.ndarray)


def _convolutions(weights: Weights) -> list[tuple[str, Array, Array]]:
    """Return name, kernel in the order of Keras, and bias of each convolution, coarse to fine."""
    found: list[tuple[str, Array, Array]] = []
    for module in filter(_is_convolution, _modules(_model(weights))):
        sides = (int(module[key] or 0) for key in ("nOutputPlane", "nInputPlane", "kH", "kW"))
        kernel = np.asarray(module["weight"], "float32")
        if kernel.ndim == 2:  # nn.SpatialConvolutionMM
            kernel = kernel.reshape(tuple(sides))
        bias = np.asarray(module["bias"], "float32")
        found.append((f"{module.kind} {len(found) + 1}", conv(kernel), bias))
    return found
