"""The adversarial step on every Keras backend: `VideoGAN`, `Player`, `minimize`, `input_gradient`.

Imports nothing else of kvidgan: take this folder to write a GAN of your own.
"""

from .gan import Optimizers, Player, VideoGAN
from .grads import input_gradient, minimize, value_and_gradients

__all__ = [
    "Optimizers",
    "Player",
    "VideoGAN",
    "input_gradient",
    "minimize",
    "value_and_gradients",
]
