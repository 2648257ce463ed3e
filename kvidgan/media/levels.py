"""Levels: which stored value is black and which is white, where 8 bit do not say it."""

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import numpy as np

DEPTHS = (8, 10, 12, 14, 16)  # bit depths that cameras and files have
_DARKEST = 32.0  # of 255: fractions above 1 whose highest is lower are not said to reach to 255
_CENTRED = -0.5  # fractions that reach from -1 to 1 come at least so low


class Extent(NamedTuple):
    """Extent: the lowest and the highest of some values.

    Attributes:
        lowest: Lowest value; NaN if there is a NaN among them.
        highest: Highest value; NaN if there is a NaN among them.
        fractions: Whether they are numbers of floating point.
    """

    lowest: float
    highest: float
    fractions: bool = False

    @classmethod
    def of(cls, values: np.ndarray) -> "Extent":
        """Return the extent of an array with one value or more."""
        return cls(float(values.min()), float(values.max()), values.dtype.kind == "f")

    def merged(self, other: "Extent") -> "Extent":
        """Return the extent of the values of both."""
        lowest = float(np.minimum(self.lowest, other.lowest))  # which passes NaN on
        highest = float(np.maximum(self.highest, other.highest))
        return Extent(lowest, highest, self.fractions or other.fractions)

    def describe(self) -> str:
        """Return in words what was found."""
        if np.isnan(self.lowest):
            return "NaN among the values"
        if np.isinf([self.lowest, self.highest]).any():
            return "infinity among the values"
        return f"values from {self.lowest:.6g} to {self.highest:.6g}"


class Levels(NamedTuple):
    """Levels: the stored values that mean black and white.

    Attributes:
        black: Value of black.
        white: Value of white.
    """

    black: float
    white: float

    def describe(self) -> str:
        """Return in words what is black and what is white."""
        depth = np.log2(self.white + 1)
        if self.black == 0 and depth in range(8, 17):
            return f"{int(depth)} bit"
        return f"{self.black:g} to {self.white:g}"

    def hold(self, extent: Extent) -> bool:
        """Return whether values lie between black and white; fractions, to half a grey level."""
        room = 0.499 * (self.white - self.black) / 255 if extent.fractions else 0.0
        return extent.lowest >= self.black - room and extent.highest <= self.white + room

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Return values as grey levels, uint8, rounded.

        Raises:
            ValueError: If some are beyond black or white.
        """
        extent = Extent.of(values)
        if not self.hold(extent):
            raise ValueError(f"expected {self.describe()}, found {extent.describe()}")
        scale = 255.0 / (self.white - self.black)
        return np.rint((values.astype(np.float64) - self.black) * scale).astype(np.uint8)


def depth_levels(depth: int) -> Levels:
    """Return the levels of a bit depth: from 0 to 2**depth - 1."""
    return Levels(0.0, 2.0**depth - 1)


def least_depth(highest: float) -> int | None:
    """Return the least usual bit depth that holds a value; None where none does."""
    return next((depth for depth in DEPTHS if highest <= 2**depth - 1), None)


def guess_levels(extent: Extent) -> Levels | None:
    """Return the levels that values are most likely meant in; None where nothing fits.

    Whole numbers from 0 up are taken in the least bit depth that holds them; fractions as 0 to 1,
    -1 to 1 or 0 to 255, where they use what these have and the others lack.
    """
    if not np.isfinite([extent.lowest, extent.highest]).all():
        return None
    if not extent.fractions:
        depth = least_depth(extent.highest)
        return None if extent.lowest < 0 or depth is None else depth_levels(depth)
    if Levels(0, 1).hold(extent):
        return Levels(0.0, 1.0)
    if extent.lowest < _CENTRED and Levels(-1, 1).hold(extent):
        return Levels(-1.0, 1.0)
    bright = extent.highest >= _DARKEST
    return Levels(0.0, 255.0) if bright and Levels(0, 255).hold(extent) else None


class ImageLevels(NamedTuple):
    """ImageLevels: the levels of all deep images of one source, so that they compare.

    Attributes:
        integers: Levels of those of whole numbers; None where there were none to look at.
        fractions: Levels of those of fractions; None where there were none to look at.
    """

    integers: Levels | None = None
    fractions: Levels | None = None

    @classmethod
    def guessed(cls, extents: Iterable[Extent]) -> "ImageLevels":
        """Return the levels that images of these extents are most likely meant in."""
        groups: dict[bool, list[Extent]] = {False: [], True: []}
        for extent in extents:
            groups[extent.fractions].append(extent)
        wholes = (reduce(Extent.merged, group) if group else None for group in groups.values())
        return cls(*(None if whole is None else guess_levels(whole) for whole in wholes))

    def of(self, extent: Extent) -> Levels | None:
        """Return the levels of an image."""
        return self.fractions if extent.fractions else self.integers

    def needed(self, extent: Extent) -> Levels:
        """Return the levels of an image.

        Raises:
            ValueError: If there are none.
        """
        levels = self.of(extent)
        if levels is None:
            kind = "fractions from 0 to 1" if extent.fractions else "whole numbers from 0 to 65535"
            raise ValueError(f"expected {kind}, found {extent.describe()}")
        return levels
