"""Weights: the arrays of one network by name, as a checkpoint of any format holds them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from kvidgan.errors import UserError

Array = np.ndarray


class Found(NamedTuple):
    """What a checkpoint tells of itself.

    Attributes:
        options: Options of the family, by name.
        notes: What it does not tell, and which option does: a sentence each.
    """

    options: dict[str, Any]
    notes: list[str]


@dataclass
class Weights:
    """Named arrays, of which an importer takes each once.

    Attributes:
        path: The file that they came from.
        arrays: Arrays by name, float32 where they are floats.
        facts: Other plain attributes of the network, where a file tells them: "video_length".
        kind: The name of the network's class, or "" where a file does not tell it.
        coarser: Weights in files of their own that this network draws upon, the coarsest first.
    """

    path: Path
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    coarser: list["Weights"] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array.

        Raises:
            UserError: If there is none of that name.
        """
        return self._get(name).shape

    def take(self, name: str) -> Array:
        """Return an array and note that it was used.

        Raises:
            UserError: If there is none of that name, or one of its values is no number.
        """
        array = self._get(name)
        if not np.isfinite(array).all():
            raise UserError(f"{self.path}: {name} holds values that are no numbers.")
        self.taken.add(name)
        return array

    def skip(self, names: Iterable[str]) -> None:
        """Note that arrays are left out on purpose, since they change no frame."""
        self.taken.update(names)

    def check_all_taken(self, prefixes: tuple[str, ...] = ("",)) -> None:
        """Raise UserError if an array whose name begins with one of some prefixes was not used."""
        rest = [n for n in self.arrays if n.startswith(prefixes) and n not in self.taken]
        if rest:
            raise UserError(
                f"{self.path} also holds {rest[0]} {self.arrays[rest[0]].shape}, which no option of"
                " this family makes; its network was changed, so it cannot be imported."
            )

    def check_count(self, found: int, expected: int, what: str) -> None:
        """Raise UserError if the file has more or fewer layers of a kind than the network."""
        if found != expected:
            raise UserError(
                f"{self.path}: expected {expected} {what}, found {found}; its network is of "
                "another size or build."
            )

    def put(self, layer: keras.Layer, arrays: list[Array], name: str) -> None:
        """Set a layer's weights.

        Args:
            layer: A built layer.
            arrays: In the order and the layout of the layer's weights.
            name: What they are called in the file.

        Raises:
            UserError: If their number or shapes are not the layer's.
        """
        expected = [tuple(v.shape) for v in layer.weights]
        found = [array.shape for array in arrays]
        if found != expected:
            raise UserError(
                f"{self.path}: expected {name} of the shapes {_list(expected)} in the order of "
                f"Keras, found {_list(found)}; its network is of another size or build."
            )
        layer.set_weights(arrays)

    def _get(self, name: str) -> Array:
        if name not in self.arrays:
            raise UserError(
                f"{self.path} has no {name}: it was cut off, or its network was changed."
            )
        return self.arrays[name]


def numbered(weights: Weights, pattern: str) -> list[int]:
    """Return the numbers that a pattern's group matches in the names, in order."""
    matches = (re.fullmatch(pattern, name) for name in weights.arrays)
    return sorted(int(match[1]) for match in matches if match)


def layers_of(network: keras.Model, kind: str) -> list[keras.Layer]:
    """Return the layers of a network that are of a Keras class, or of a subclass, in order."""
    parent = getattr(keras.layers, kind)
    return [layer for layer in network.layers if isinstance(layer, parent)]


def _list(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "none"
