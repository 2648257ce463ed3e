"""Map facts: what label maps or instance maps of a data set show, and where it was seen first."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.data.label_table import LabelTable
from kvidgan.data.lossy import without_loss
from kvidgan.data.palette import colour_text, is_grey, packed
from kvidgan.errors import UserError
from kvidgan.media import MapImage


@dataclass
class MapFacts:
    """MapFacts: values and colours, each with the first file that shows it.

    Attributes:
        numbers: Values of grey images.
        entries: Places and packed colours of palettes, as far as pixels use them.
        palettes: Palettes, uint8 (256, 3) as bytes.
        colours: Packed colours of RGB images.
        lossy: First file in a format that changes values; None without one.
        kind: Kind of maps in words, for errors.
        hint: How else the user may say what they mean, for errors.
    """

    numbers: dict[int, Path] = field(default_factory=dict)
    entries: dict[tuple[int, int], Path] = field(default_factory=dict)
    palettes: dict[bytes, Path] = field(default_factory=dict)
    colours: dict[int, Path] = field(default_factory=dict)
    lossy: Path | None = None
    kind: str = "Label maps"
    hint: str = "; --palette FILE (data.palette) tells which colour is which class"

    def add(self, path: Path, image: MapImage, table: LabelTable | None = None) -> None:
        """Take in what an image shows.

        Args:
            path: File of the image.
            image: What is in it.
            table: Table that it is to be read by; None where its values are to be found.

        Raises:
            UserError: If something stands for no class of the table, or coding has changed it.
        """
        if table is not None:
            table.read(path, image)
        if image.lossy:
            self.lossy = self.lossy or path
            if table is not None and table.by_colour:
                return
            image = without_loss(path, image)
        if image.colours is not None:
            _add(self.colours, _present(packed(image.colours), 2**24), path)
            return
        assert image.numbers is not None
        places = np.flatnonzero(np.bincount(image.numbers.ravel())).tolist()
        if image.palette is None:
            _add(self.numbers, places, path)
        else:
            colours = packed(image.palette).tolist()
            _add(self.entries, [(place, colours[place]) for place in places], path)
            self.palettes.setdefault(image.palette.tobytes(), path)

    def merge(self, other: "MapFacts") -> None:
        """Take in what others have found, behind these."""
        for name in ("numbers", "entries", "palettes", "colours"):
            own = getattr(self, name)
            for value, path in getattr(other, name).items():
                own.setdefault(value, path)
        self.lossy = self.lossy or other.lossy

    def ids(self) -> dict[int, Path]:
        """Return all values, where numbers stand for classes."""
        greys = {colour & 255: path for colour, path in self.colours.items()}
        places = {place: path for (place, _), path in reversed(self.entries.items())}
        return {**places, **greys, **self.numbers}

    def all_colours(self) -> dict[int, Path]:
        """Return all packed colours, where colours stand for classes."""
        greys = {value * 0x010101: path for value, path in self.numbers.items()}
        entries = {colour: path for (_, colour), path in reversed(self.entries.items())}
        return {**greys, **entries, **self.colours}

    # ---- Numbers or colours ---------------------------------------------------------------------

    def by_colour(self) -> bool:
        """Return whether colours stand for classes, not numbers.

        They do in RGB images that are not grey throughout, and in palettes of which one has a
        colour at another place than the other.

        Raises:
            UserError: If the files have two meanings.
        """
        colour = next((one for one in self.colours if not is_grey(one)), None)
        if colour is not None:
            for value, path in self.numbers.items():
                raise UserError(
                    f"{self.kind} have two meanings: {path} holds numbers such as {value},"
                    f" {self.colours[colour]} colours such as {colour_text(colour)}: expected one"
                    f" kind in a data set; save all of them alike{self.hint}."
                )
            return True
        self._check_palettes_beside_numbers()
        return self._palettes_differ()

    def _check_palettes_beside_numbers(self) -> None:
        """Refuse palettes beside grey images whose values they show in other colours."""
        greys = {colour & 255: path for colour, path in self.colours.items()} | self.numbers
        for colours, path in self.palettes.items():
            for value, grey in greys.items():
                if value > 255 or colours[3 * value : 3 * value + 3] != bytes([value] * 3):
                    raise UserError(
                        f"{self.kind} have two meanings: {grey} holds numbers such as {value},"
                        f" which the palette of {path} shows in another colour: expected one kind"
                        f" in a data set; save all of them alike{self.hint}."
                    )

    def _palettes_differ(self) -> bool:
        """Return whether palettes have their colours in different orders."""
        colours_at: dict[int, dict[int, Path]] = {}
        places_of: dict[int, set[int]] = {}
        for (place, colour), path in self.entries.items():
            colours_at.setdefault(place, {})[colour] = path
            places_of.setdefault(colour, set()).add(place)
        unlike = [(place, found) for place, found in colours_at.items() if len(found) > 1]
        if not unlike:
            return False
        if any(len(places) > 1 for places in places_of.values()):
            return True
        place, found = unlike[0]
        (one, first), (other, second), *_ = found.items()
        raise UserError(
            f"{self.kind} have two meanings: number {place} is {colour_text(one)} in the palette of"
            f" {first} and {colour_text(other)} in that of {second}: expected palettes that"
            f" agree{self.hint}."
        )


def _add(found: dict[Any, Path], values: Iterable[Any], path: Path) -> None:
    for value in values:
        found.setdefault(value, path)


def _present(values: np.ndarray, count: int) -> list[int]:
    seen = np.zeros(count, bool)
    seen[values.ravel()] = True
    present: list[int] = np.flatnonzero(seen).tolist()
    return present
