"""LSTM video GAN: an LSTM walks through noise space, a DCGAN draws each frame, WGAN-GP judges."""

from kvidgan.families.lstm_wgan.config import Config
from kvidgan.families.lstm_wgan.family import LOSSES, SMALL, Family

__all__ = ["LOSSES", "SMALL", "Config", "Family"]
