"""MoCoGAN: motion and content decomposed (Tulyakov et al., CVPR 2018, arXiv 1707.04993)."""

from kvidgan.families.mocogan.config import Config
from kvidgan.families.mocogan.family import LOSSES, SMALL, Family

__all__ = ["LOSSES", "SMALL", "Config", "Family"]
