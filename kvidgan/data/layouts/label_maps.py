"""Label maps in files: which classes they have, found in all maps of a data set."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kvidgan.data.label_table import LabelTable, asked_labels
from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.map_facts import MapFacts
from kvidgan.data.palette import colour_text, read_palette
from kvidgan.data.text import counted
from kvidgan.errors import UserError
from kvidgan.media import read_map

_MASK = ("background", "foreground")
_MOST = 256
_BY_PLACE = (
    "that classes are the numbers of the label maps' palettes, not their colours, is a guess:"
    " --palette FILE goes by colour"
)
_VOID = (255, 2**16 - 1)  # the highest numbers of 8 and 16 bit, mostly of no class


class FoundLabels(NamedTuple):
    """FoundLabels: how the label maps of a data set were understood.

    Attributes:
        labels: Their classes.
        note: Remark on them, for all to see.
        guesses: What may be understood otherwise, one sentence each, with the option for it.
    """

    labels: LabelSet
    note: str = ""
    guesses: tuple[str, ...] = ()


def stated_labels(palette: str | None) -> LabelTable | None:
    """Return the table that label maps are to be read by; None where it is to be found in them.

    Args:
        palette: File of a palette; None for the classes of a model, if somebody asked for those.
    """
    if palette is not None:
        where, advice = f"in the palette {palette}", "add it there, or mend the label map"
        return LabelTable(read_palette(palette), where, advice)
    asked = asked_labels()
    if asked is None:
        return None
    return LabelTable(asked, "that the model was trained on", "use label maps of those")


def inspect_labels(paths: Iterable[Path], table: LabelTable | None = None) -> MapFacts:
    """Read label maps to find what is in them.

    Raises:
        UserError: If one cannot be read, or does not fit the table.
    """
    facts = MapFacts()
    for path in paths:
        facts.add(path, read_map(path), table)
    return facts


def read_labels(paths: Sequence[Path], labels: LabelSet) -> Iterator[np.ndarray]:
    """Read label maps, uint8 (height, width) each: places in the classes' names, or NO_CLASS."""
    table = LabelTable(labels)
    return (table.read(path, read_map(path)) for path in paths)


def found_labels(
    facts: MapFacts,
    classes: int | None = None,
    table: LabelTable | None = None,
    names: Sequence[str] | None = None,
) -> FoundLabels:
    """Return the classes of label maps.

    Args:
        facts: What is in all of them.
        classes: Number of classes; None for as many as are found, or named.
        table: Table that they are to be read by; None where it is to be found in them.
        names: Names of the ids from 0; None for their numbers.

    Raises:
        UserError: If the files have two meanings, an id is beyond the classes, or there are more
            than 256.
    """
    if table is not None:
        return _stated(facts, classes, table)
    if facts.by_colour():
        return _by_colour(facts, classes)
    ids = facts.ids()
    if facts.lossy is not None and not ids.keys() <= {0, 255}:
        raise UserError(
            f"{facts.lossy} is a JPEG or lossy WebP, which changes class numbers, beside label maps"
            " of others than 0 and 255: expected a mask throughout; save label maps as PNG."
        )
    found = _by_number(ids, classes or (len(names) if names else None))
    note = "masks in JPEG or lossy WebP cleaned at half" if facts.lossy else found.note
    guesses = (*([_BY_PLACE] if facts.entries else []), *found.guesses)
    return FoundLabels(_named(found.labels, names), note, guesses)


def _stated(facts: MapFacts, classes: int | None, table: LabelTable) -> FoundLabels:
    if classes is not None and classes != len(table.labels):
        raise UserError(
            f"classes: expected the {len(table.labels)} {table.where}, found {classes}; leave out"
            " --classes (data.classes)."
        )
    lossy = facts.lossy is not None and table.by_colour
    note = "colours in JPEG or lossy WebP taken for the nearest of the palette" if lossy else ""
    return FoundLabels(table.labels, note)


def _by_colour(facts: MapFacts, classes: int | None) -> FoundLabels:
    colours = facts.all_colours()
    if len(colours) != (classes or len(colours)) or len(colours) > _MOST:
        wanted = f"{classes}" if classes else f"at most {_MOST}"
        raise UserError(
            f"Label maps have {len(colours)} colours, the last found in {[*colours.values()][-1]}:"
            f" expected {wanted}, one for each class; name the classes' with --palette FILE"
            " (data.palette), and save maps without smoothing."
        )
    names = [colour_text(colour) for colour in sorted(colours)]
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    guess = (
        f"that each of the {counted(len(names), 'colour')} of the label maps ({shown}) is a class,"
        " in this order, is a guess: --palette FILE names them"
    )
    labels = LabelSet("ids", tuple(names), {name: name for name in names})
    return FoundLabels(labels, f"{counted(len(names), 'colour')} found", (guess,))


# --- numbers


def _by_number(ids: dict[int, Path], classes: int | None) -> FoundLabels:
    highest = max(ids)
    if classes in (None, 2) and ids.keys() in ({0, 255}, {0, 65535}):
        values: dict[str, str | None] = dict(zip(map(str, sorted(ids)), _MASK, strict=True))
        return FoundLabels(LabelSet("ids", _MASK, values))
    if classes is not None and highest < classes:
        return FoundLabels(LabelSet("ids", tuple(map(str, range(classes)))))
    below = sorted(ids.keys() - {highest})
    if highest in _VOID and below and _is_void(below, classes):
        return _without_void(highest, classes or below[-1] + 1)
    if classes is None and _dense(ids) and highest < _MOST:
        return FoundLabels(LabelSet("ids", tuple(map(str, range(highest + 1)))))
    if len(ids) > (classes or _MOST):
        raise _beyond(ids, classes)
    if classes is not None and (len(ids) != classes or _dense(ids)):
        raise _beyond(ids, classes)
    return _sparse(sorted(ids))


def _is_void(below: list[int], classes: int | None) -> bool:
    """Return whether the highest number of 8 or 16 bit is of no class, by those below it."""
    if classes is not None:
        return below[-1] < classes < _MOST
    return _dense(below) and below[-1] < 254


def _dense(ids: Iterable[int]) -> bool:
    """Return whether at least half of the numbers up to the highest are there."""
    found = set(ids)
    return len(found) * 2 > max(found)


def _without_void(void: int, classes: int) -> FoundLabels:
    names = tuple(map(str, range(classes)))
    guess = f"that {void} in the label maps is of no class, and not learned from, is a guess"
    option = f": --classes {_MOST} makes it one" if void == 255 else ""
    return FoundLabels(
        LabelSet("ids", names, {**{name: name for name in names}, str(void): None}),
        guesses=(f"{guess}{option}",) if option else (),
        note="" if option else f"{void} is of no class",
    )


def _sparse(ids: list[int]) -> FoundLabels:
    names = tuple(map(str, ids))
    note = f"{counted(len(ids), 'id')} found, numbered in their order"
    guess = (
        f"that the ids of the label maps are {counted(len(ids), 'class', 'es')} and those between"
        f" are none is a guess: --classes {ids[-1] + 1} keeps all from 0 to {ids[-1]}"
    )
    labels = LabelSet("ids", names, {name: name for name in names})
    return FoundLabels(labels, note, (guess,) if ids[-1] < _MOST else ())


def _beyond(ids: dict[int, Path], classes: int | None) -> UserError:
    highest = max(ids)
    if classes is None:
        return UserError(
            f"Label maps have {len(ids)} ids, the highest, {highest}, in {ids[highest]}: expected"
            f" at most {_MOST} classes; give label maps of classes, not of objects."
        )
    others = [one for one in ids if one != highest]
    if highest == 255 and others and max(others) >= classes:  # with enough classes it is of none
        highest = max(others)
    enough = f"declare {highest + 1} with" if highest < _MOST else "leave out"
    return UserError(
        f"{ids[highest]}: expected class ids from 0 to {classes - 1}, found {highest}:"
        f" {enough} --classes (data.classes), or mend the label maps."
    )


def _named(labels: LabelSet, names: Sequence[str] | None) -> LabelSet:
    """Name classes by their ids; what has no name keeps its number."""
    if names is None:
        return labels
    if labels.names == _MASK:
        given = dict(zip(_MASK, names, strict=False))
    else:
        given = {name: names[int(name)] for name in labels.names if int(name) < len(names)}
    renamed = tuple(given.get(name, name) for name in labels.names)
    values = labels.values and {
        value: None if name is None else given.get(name, name)
        for value, name in labels.values.items()
    }
    return LabelSet(labels.kind, renamed, values)
