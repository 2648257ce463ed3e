"""All of a GAN's state in one file: networks, optimizers, averages, seed counters, position.

Keras' `save_weights` leaves out the seed counters, without which a resumed run differs.
"""

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from kvidgan.adversarial import VideoGAN
from kvidgan.errors import UserError
from kvidgan.media import replacing

_POSITION = "position"


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
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())  # the old checkpoint is deleted next


def load(gan: VideoGAN, path: Path) -> Position:
    """Restore everything that `save` wrote.

    Raises:
        UserError: If the file is damaged or belongs to another model.
    """
    try:
        with path.open("rb") as file, np.load(file) as archive:
            arrays = dict(archive)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UserError(
            f"{path} is damaged; remove it to go on from the checkpoint before."
        ) from error
    position = Position(**json.loads(str(arrays.pop(_POSITION))))
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


def _named(gan: VideoGAN) -> dict[str, keras.Variable]:
    """Number all state: Keras' own names hold counters of the process."""
    names = {f"net{i:04d}": v for i, v in enumerate(gan.variables)}
    return names | {f"opt{i:04d}": v for i, v in enumerate(gan.optimizer.variables)}
