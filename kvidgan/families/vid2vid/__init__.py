"""vid2vid: label maps to video (Wang et al., NeurIPS 2018, arXiv 1808.06601)."""

from kvidgan.families.vid2vid.config import Config
from kvidgan.families.vid2vid.family import Family

__all__ = ["Config", "Family"]
