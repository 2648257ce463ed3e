"""What the tests beside PyTorch need; importing it skips them where PyTorch is not installed."""

import numpy as np
import pytest

from tests.families.common import numbers

torch = pytest.importorskip("torch")

# From Keras' order of a kernel's axes to PyTorch's: of a matrix, of 2-D and of 3-D convolutions.
ORDERS = {2: (1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}


def copy(parameter, values):
    """Set a parameter of PyTorch."""
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(np.array(values)))


def copy_weights(network, module):
    """Give a chain of PyTorch layers the weights of a chain of Keras layers, in their order."""
    for variable, parameter in zip(network.trainable_variables, module.parameters(), strict=True):
        values = numbers(variable.value)
        copy(parameter, values.transpose(ORDERS.get(values.ndim, range(values.ndim))))


def stir(variables, sigma=0.1, seed=5):
    """Give weights values at which nothing is hidden by being 0 or 1."""
    rng = np.random.default_rng(seed)
    for variable in variables:
        centre = 1.0 if variable.name == "gamma" else 0.0
        variable.assign(rng.normal(centre, sigma, variable.shape))


def channels_first(frames):
    """Turn (batch, [time,] height, width, channels) into PyTorch's (batch, channels, ...)."""
    return torch.from_numpy(np.moveaxis(numbers(frames), -1, 1).copy())


def channels_last(tensor):
    """Turn PyTorch's (batch, channels, ...) into (batch, ..., channels), in NumPy."""
    return np.moveaxis(tensor.detach().numpy(), 1, -1)
