"""Levels of arrays: which values are black and white, from all values of a source's arrays."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

import numpy as np

from kvidgan.data.layouts.array_files import Header, blocks
from kvidgan.errors import UserError
from kvidgan.media import Extent, Levels, depth_levels, guess_levels

_KINDS = {"b": "bool", "u": "integers", "i": "integers", "f": "fractions"}
_BLACK_AND_WHITE = Levels(0, 1)

Member = tuple[Path, Header, Extent]  # an array, and the extent of its values


@dataclass
class FoundLevels:
    """FoundLevels: the levels of a source's arrays, by the kind of their values.

    Attributes:
        by_kind: Levels of "bool", "bytes" (uint8), "integers" and "fractions".
        notes: Remarks on what was understood.
        guesses: What may be understood otherwise.
    """

    by_kind: dict[str, Levels] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)

    def of(self, header: Header) -> Levels:
        """Return the levels of one of the arrays."""
        return self.by_kind[_kind(header)]


def array_extent(path: Path, header: Header, bit_depth: int | None = None) -> Extent:
    """Look at all values of an array; of uint8 at no more than tells them from 0 and 1.

    Args:
        path: File of the array.
        header: Header of the array.
        bit_depth: Bit depth that is stated; None if it is to be guessed.

    Raises:
        UserError: If there is NaN or infinity among them, or the file is damaged.
    """
    kind = _kind(header)
    if kind == "bool" or (kind == "bytes" and bit_depth is not None):
        return Extent(0, 1)
    found: Extent | None = None
    for block in blocks(path, header):
        extent = Extent.of(block)
        found = extent if found is None else found.merged(extent)
        if kind == "bytes" and found.highest > 1:
            break
    found = found or Extent(0, 0)
    if not np.isfinite([found.lowest, found.highest]).all():
        raise UserError(
            f"{path}: expected numbers, found {header.dtype} with {found.describe()}; replace what"
            " is none and save it again."
        )
    return found


def find_levels(members: Sequence[Member], bit_depth: int | None = None) -> FoundLevels:
    """Tell what is black and what is white in the arrays of a source.

    Arrays of one kind of values have the same levels, so that they compare. True and false, and
    whole numbers that are 0 or 1, are white and black. uint8 is 0 to 255, other whole numbers are
    of the least bit depth that holds them, fractions are 0 to 1, -1 to 1 or 0 to 255.

    Args:
        members: Path, header and `array_extent` of each array.
        bit_depth: Bit depth of the values; None to guess it.

    Raises:
        UserError: If values do not fit; it names the file and what was found.
    """
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[_kind(member[1])].append(member)
    if bit_depth is not None:
        _check_depth(groups, bit_depth)
    found = FoundLevels()
    for kind, group in groups.items():
        _settle(found, kind, group, bit_depth)
    return found


def _kind(header: Header) -> str:
    return "bytes" if header.dtype == np.uint8 else _KINDS[header.dtype.kind]


def _check_depth(groups: dict[str, list[Member]], bit_depth: int) -> None:
    """Refuse a bit depth that no array can have."""
    if groups and not groups.keys() - {"bool", "bytes"} and bit_depth > 8:
        path, header, _ = next(iter(groups.values()))[0]
        raise UserError(
            f"{path}: expected more than 8 bit for --bit-depth {bit_depth}, found {header.dtype};"
            " leave it out."
        )


def _settle(found: FoundLevels, kind: str, group: list[Member], bit_depth: int | None) -> None:
    """Add the levels of one kind of values."""
    whole = reduce(Extent.merged, (extent for _, _, extent in group))
    types = " and ".join(sorted({str(header.dtype) for _, header, _ in group}))
    levels, guess = _levels(kind, whole, bit_depth)
    if levels is None:
        raise _unfitting(group)
    for path, _, extent in group:
        if not levels.hold(extent):
            raise _beyond(path, levels, extent)
    found.by_kind[kind] = levels
    found.notes.append(_note(types, kind, levels))
    found.guesses += [f"{types}: {guess}"] if guess else []


def _levels(kind: str, whole: Extent, bit_depth: int | None) -> tuple[Levels | None, str]:
    """Return the levels of one kind of values, None where nothing fits, and a guess if it is."""
    if kind == "bool":
        return _BLACK_AND_WHITE, ""
    if bit_depth is not None:
        return depth_levels(8 if kind == "bytes" else bit_depth), ""
    if kind != "fractions" and whole.lowest >= 0 and whole.highest == 1:
        guess = "0 and 1 alone as black and white are a guess: --bit-depth 8 says otherwise"
        return _BLACK_AND_WHITE, guess
    if kind == "bytes":
        return depth_levels(8), ""
    levels = guess_levels(whole)
    if levels is None or kind == "fractions":
        return levels, ""
    return levels, (
        f"{levels.describe()} is a guess, the least that holds {whole.describe()}: --bit-depth"
        " says otherwise"
    )


def _note(types: str, kind: str, levels: Levels) -> str:
    if kind == "integers" and levels.white > 1:
        return f"{types} of {levels.describe()}"
    usual = {"bytes": depth_levels(8), "bool": _BLACK_AND_WHITE}
    if levels == usual.get(kind):
        return types
    return f"{types} from {levels.black:g} to {levels.white:g}"


def _unfitting(group: list[Member]) -> UserError:
    """Return the sentence on the first array whose values do not fit, or else the first."""
    odd = (member for member in group if guess_levels(member[2]) is None)
    path, header, extent = next(odd, group[0])
    ranges = "from 0 to 1, -1 to 1 or 0 to 255" if extent.fractions else "from 0 to 65535"
    return UserError(
        f"{path}: expected {'fractions' if extent.fractions else 'whole numbers'} {ranges}, found"
        f" {header.dtype} with {extent.describe()}; bring them there and save it again."
    )


def _beyond(path: Path, levels: Levels, extent: Extent) -> UserError:
    return UserError(
        f"{path}: expected {levels.describe()}, from {levels.black:g} to {levels.white:g}, found"
        f" {extent.describe()}; say --bit-depth otherwise, or mend the values."
    )
