"""Instance maps in files: numbers of objects, or a colour for each."""

from pathlib import Path

import numpy as np

from kvidgan.data.layouts.map_facts import MapFacts
from kvidgan.data.lossy import without_loss
from kvidgan.data.palette import packed
from kvidgan.errors import UserError
from kvidgan.media import MapImage, read_map

_MOST = 2**16


def instance_facts() -> MapFacts:
    """Return room for what instance maps show."""
    return MapFacts(kind="Instance maps", hint="")


def colour_ids(facts: MapFacts) -> dict[int, int] | None:
    """Return the number of an object by its packed colour; None where maps hold numbers.

    Black is no object. The others are numbered in the order of their colours.

    Raises:
        UserError: If the maps have two meanings, or there are more than 65536 colours.
    """
    if not facts.by_colour():
        return None
    colours = facts.all_colours()
    ordered = [0, *sorted(colours.keys() - {0})]
    if len(ordered) > _MOST:
        raise UserError(
            f"Instance maps have {len(ordered)} colours, the last found in"
            f" {[*colours.values()][-1]}: expected at most {_MOST}, one for each object; save maps"
            " without smoothing."
        )
    return {colour: number for number, colour in enumerate(ordered)}


def read_instances(path: Path, by_colour: dict[int, int] | None) -> np.ndarray:
    """Read the numbers of objects, uint16 (height, width), 0 for none.

    Args:
        path: File of the instance map.
        by_colour: Numbers by packed colours; None where the map holds the numbers themselves.
    """
    image = read_map(path)
    if image.lossy:
        image = without_loss(path, image)
    if by_colour is None:
        return _numbers(image)
    values = packed(image.as_colours)
    known = np.array(sorted(by_colour), np.int64)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    if (known[places] != values).any():
        raise UserError(f"{path} has changed while it was read: start again.")
    return np.array([by_colour[colour] for colour in known.tolist()], np.uint16)[places]


def _numbers(image: MapImage) -> np.ndarray:
    if image.numbers is not None:
        return image.numbers.astype(np.uint16)
    assert image.colours is not None
    return image.colours[..., 0].astype(np.uint16)
