"""Pyramid: what the two implementations of multi-scale prediction share, once they are read."""

from collections.abc import Sequence
from typing import Any

from kvidgan.errors import UserError
from kvidgan.importers.layouts import Array
from kvidgan.importers.weights import Weights, layers_of

FULL_WIDTH = 128  # maps of the first layer in the paper's table
KERNELS = ((3, 3, 3, 3), (5, 3, 3, 5), (5, 3, 3, 3, 3, 5), (7, 5, 5, 5, 5, 7))  # by scale


def frame_options(weights: Weights, kernels: Sequence[Array]) -> dict[str, Any]:
    """Return the options that the shapes of the convolutions tell.

    Args:
        weights: Where they come from.
        kernels: Of all scales, coarse to fine, in the order of Keras.

    Raises:
        UserError: If they are not those of the paper's table, in some width.
    """
    found = [kernel.shape[0] for kernel in kernels]
    expected = [side for scale in KERNELS for side in scale]
    if found != expected:
        raise UserError(
            f"{weights.path}: expected convolutions of the sides {_list(expected)} over four "
            f"scales, found {_list(found)}; its network is of another size or build."
        )
    joined = kernels[3].shape[3]  # predicted frames, joined on channels
    channels = 3 if joined % 3 == 0 else 1
    return {
        "history": kernels[0].shape[2] // channels,
        "frames": joined // channels,
        "channels": channels,
        "width": kernels[0].shape[3] / FULL_WIDTH,
    }


def fill(weights: Weights, gan: Any, arrays: Sequence[tuple[str, Array, Array]]) -> None:
    """Set the generator's weights.

    Args:
        weights: Where they come from.
        gan: The family's model.
        arrays: Name, kernel and bias of each convolution, coarse to fine.
    """
    layers = layers_of(gan.generator, "Conv2D")
    weights.check_count(len(arrays), len(layers), "convolutions")
    for (name, kernel, bias), layer in zip(arrays, layers, strict=True):
        weights.put(layer, [kernel, bias], name)


def _list(sides: Sequence[int]) -> str:
    return " ".join(map(str, sides)) or "none"
