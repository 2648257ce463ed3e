"""Checkpoint: all of a GAN's state in one file, from networks to seed counters and position.

Keras' `save_weights` leaves out the seed counters, without which a resumed run differs.
"""

import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from kvidgan.adversarial import Player, VideoGAN
from kvidgan.errors import UserError
from kvidgan.files import replacing

_POSITION, _NAMES = "position", "names"


@dataclass
class Position:
    """How far training has come.

    Attributes:
        step: Steps done in all.
        epoch: Epochs completed.
    """

    step: int = 0
    epoch: int = 0


def save(gan: VideoGAN, position: Position, path: Path) -> None:
    """Write a checkpoint; it appears under its name only when it is complete.

    Raises:
        FloatingPointError: If a value is no number, as after a loss that exploded; names it.
        UserError: If it cannot be written, as on a full disk; nothing is left under the name.
    """
    arrays = {name: keras.ops.convert_to_numpy(v.value) for name, v in _named(gan).items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FloatingPointError(_named(gan)[name].path)
    arrays[_POSITION] = np.array(json.dumps(asdict(position)))
    arrays[_NAMES] = np.array(json.dumps(_own_names(gan)))
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())  # the old checkpoint is deleted next


def load(gan: VideoGAN, path: Path) -> Position:
    """Restore everything that `save` wrote.

    Raises:
        UserError: If the file is damaged or belongs to another model.
    """
    arrays, position, _ = _read(path)
    variables = _named(gan)
    found = {name: array.shape for name, array in arrays.items()}
    expected = {name: tuple(v.shape) for name, v in variables.items()}
    if found != expected:
        differing = sorted(set(found.items()) ^ set(expected.items()))[0][0]
        raise UserError(
            f"{path} belongs to another model (they differ in {differing!r}); resume with the "
            "options that the run was started with."
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
    return position


def carry_over(gan: VideoGAN, path: Path) -> list[str]:
    """Begin with what fits from another model's checkpoint, as for a second stage of training.

    Networks are matched by name, and their variables by those of their layers, so that a network
    may have grown new ones. It is taken up to the first variable of another shape; what lies behind
    it would see inputs of another meaning, and stays fresh. A player's optimizer goes on if all
    that it trains was taken.

    Args:
        gan: A built and compiled model.
        path: A checkpoint.

    Returns:
        The names of the variables that stay fresh.

    Raises:
        UserError: If the file is damaged.
    """
    arrays, _, names = _read(path)
    own = _own_names(gan)
    places = {name: place for place, name in (names or own).items()}  # older files have none
    fresh: set[int] = set()
    for variables in _networks(gan).values():
        known = True
        for place, variable in variables.items():
            found = arrays.get(places.get(own[place], ""))
            known = known and (found is None or found.shape == tuple(variable.shape))
            if known and found is not None:
                variable.assign(found)
            else:
                fresh.add(id(variable))
    for name, player in gan.players.items():
        state = _optimizer(name, player)
        same = all(n in arrays and arrays[n].shape == tuple(v.shape) for n, v in state.items())
        if same and not fresh & {id(v) for v in player.variables}:
            for key, variable in state.items():
                variable.assign(arrays[key])
    return [v.path for v in gan.variables if id(v) in fresh]


def _read(path: Path) -> tuple[dict[str, np.ndarray], Position, dict[str, str]]:
    try:
        with path.open("rb") as file, np.load(file) as archive:
            arrays = dict(archive)
        names = json.loads(str(arrays.pop(_NAMES, "{}")))
        return arrays, Position(**json.loads(str(arrays.pop(_POSITION)))), names
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise UserError(
            f"{path} is damaged; remove it to go on from the checkpoint before."
        ) from error


def _named(gan: VideoGAN) -> dict[str, keras.Variable]:
    """Name all state by its network or player: Keras' own names hold counters of the process."""
    named: dict[str, keras.Variable] = {}
    for variables in _networks(gan).values():
        named |= variables
    frozen = [part for _, part in _parts(gan) if not part.trainable]
    known = {id(v) for v in [*named.values(), *(v for part in frozen for v in part.variables)]}
    others = [variable for variable in gan.variables if id(variable) not in known]
    named |= {f"own/{i:04d}": v for i, v in enumerate(others)}
    for name, player in gan.players.items():
        named |= _optimizer(name, player)
    return named


def _networks(gan: VideoGAN) -> dict[str, dict[str, keras.Variable]]:
    """Return the variables of each network; those that are frozen come from elsewhere each time."""
    return {
        name: {f"{name}/{i:04d}": v for i, v in enumerate(part.variables)}
        for name, part in _parts(gan)
        if part.trainable
    }


def _parts(gan: VideoGAN) -> Iterator[tuple[str, keras.Layer]]:
    """Yield each attribute that is a network, and each in a list of such, with its name.

    PyTorch keeps a module's modules apart from its other attributes.
    """
    attributes = vars(gan) | getattr(gan, "_modules", {})
    for attribute, value in attributes.items():
        if attribute.startswith("_"):
            continue
        parts = list(value) if isinstance(value, list) else [value]
        for number, part in enumerate(parts):
            if isinstance(part, keras.Layer):
                yield f"{attribute}.{number}" if isinstance(value, list) else attribute, part


def _own_names(gan: VideoGAN) -> dict[str, str]:
    """Name the networks' variables by their layers; what Keras counts is counted by attribute."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for network, variables in _networks(gan).items():
        attribute = network.partition(".")[0]  # a list of networks may have grown in between
        for place, variable in variables.items():
            name = f"{attribute}/{re.sub(r'_[0-9]+(?=/)', '', variable.path)}"
            names[place] = f"{name}.{counts[name]}"
            counts[name] += 1
    return names


def _optimizer(name: str, player: Player) -> dict[str, keras.Variable]:
    """Return an optimizer's state; its learning rate is the config's, also when that changes."""
    kind = type(player.optimizer).__name__
    state = [v for v in player.optimizer.variables if v.name != "learning_rate"]
    return {f"{name}.{kind}/{i:04d}": v for i, v in enumerate(state)}
