"""The gradient penalty of Wasserstein GANs."""

from collections.abc import Callable
from typing import Any

from keras import ops

from kvidgan.adversarial.grads import input_gradient

Tensor = Any


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, generated: Tensor, mix: Tensor
) -> Tensor:
    """Return the mean of (||grad_x critic(x)||_2 - 1)^2 between real and generated samples.

    Gulrajani et al. 2017, eq. 3. To be weighted, added to the critic's loss and differentiated
    again, inside `minimize`. The critic must treat samples independently: no batch statistics.

    Args:
        critic: Takes a batch, returns one score a sample.
        real: (batch, ...).
        generated: Generated samples of the same shape.
        mix: (batch,): where on the segment each sample's x lies, 0 real, 1 generated; drawn
            uniformly from [0, 1], one a sample.

    Returns:
        A scalar; the norm is over all of a sample's values.
    """
    mix = ops.reshape(mix, (-1, *[1] * (len(real.shape) - 1)))
    slope = input_gradient(critic, real + mix * (generated - real))
    squares = ops.sum(slope**2, axis=tuple(range(1, len(real.shape))))
    return ops.mean((ops.sqrt(squares + 1e-12) - 1.0) ** 2)  # sqrt(0) has an infinite slope
