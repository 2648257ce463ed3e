"""vid2vid: label maps to video (Wang et al., NeurIPS 2018, arXiv 1808.06601)."""

from kvidgan.families.vid2vid.config import Config
from kvidgan.families.vid2vid.family import SMALL, Family
from kvidgan.families.vid2vid.losses import LOSSES

__all__ = ["LOSSES", "SMALL", "Config", "Family"]
