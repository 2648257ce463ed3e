"""Layouts: how the arrays of other libraries are turned into those of Keras."""

import numpy as np

Array = np.ndarray


def conv(kernel: Array) -> Array:
    """Turn (out, in, height, width), as Torch has it, into (height, width, in, out)."""
    return kernel.transpose(2, 3, 1, 0)


def transposed_conv(kernel: Array) -> Array:
    """Turn (in, out, height, width), as PyTorch has it, into (height, width, out, in)."""
    return kernel.transpose(2, 3, 1, 0)


def gates(array: Array, order: tuple[int, ...]) -> Array:
    """Put the gates, which share the last axis in equal parts, in another order."""
    parts = np.split(array, len(order), axis=-1)
    return np.concatenate([parts[number] for number in order], axis=-1)


def gru(weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array) -> list[Array]:
    """Turn the weights of PyTorch's GRU cell into those of Keras', with `reset_after`.

    Gates r, z, n become z, r, h. Both biases stay apart, since that of n lies inside the reset.

    Args:
        weight_ih: (3 * units, inputs).
        weight_hh: (3 * units, units).
        bias_ih: (3 * units,).
        bias_hh: (3 * units,).

    Returns:
        Kernel (inputs, 3 * units), recurrent kernel (units, 3 * units), biases (2, 3 * units).
    """
    order = (1, 0, 2)
    biases = np.stack([gates(bias_ih, order), gates(bias_hh, order)])
    return [gates(weight_ih.T, order), gates(weight_hh.T, order), biases]
