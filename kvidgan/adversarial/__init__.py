"""The adversarial step on every Keras backend: `VideoGAN`, `Player`, `minimize`, `when`, ...

Imports nothing else of kvidgan: take this folder to write a GAN of your own.
"""

from kvidgan.adversarial.gan import Optimizers, Player, VideoGAN
from kvidgan.adversarial.grads import (
    apply_gradients,
    input_gradient,
    minimize,
    value_and_gradients,
    when,
)
from kvidgan.adversarial.penalty import gradient_penalty

__all__ = [
    "Optimizers",
    "Player",
    "VideoGAN",
    "apply_gradients",
    "gradient_penalty",
    "input_gradient",
    "minimize",
    "value_and_gradients",
    "when",
]
