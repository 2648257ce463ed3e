"""Checkpoints of TensorFlow 1, in the format V1 (one file) or V2 (.index and .data files)."""

import re
from pathlib import Path

import numpy as np

from kvidgan.errors import UserError

MAGIC = bytes.fromhex("57fb808b247547db")  # ends the table of names in both formats
_PARTS = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")


def prefix(path: Path) -> Path | None:
    """Return the name that TensorFlow calls a checkpoint by, or None where there is none.

    Args:
        path: That name, or one of the checkpoint's files.
    """
    name = path.with_name(_PARTS.sub("", path.name))
    for table in (name, name.with_name(f"{name.name}.index")):
        if table.is_file() and _ends_with_magic(table):
            return name
    return None


def read(path: Path) -> dict[str, np.ndarray]:
    """Read the variables of a checkpoint by name.

    Args:
        path: The name that TensorFlow calls it by: see `prefix`.

    Raises:
        UserError: If the checkpoint is damaged, or one of its files is missing.
    """
    import tensorflow as tf  # takes seconds, which files of other formats need not wait for

    try:
        reader = tf.train.load_checkpoint(str(path))
        names = sorted(reader.get_variable_to_shape_map())
        return {name: np.asarray(reader.get_tensor(name)) for name in names}
    except (tf.errors.OpError, RuntimeError, ValueError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is no complete TensorFlow checkpoint "
            f"({str(error).splitlines()[0]}): copy all of its files again."
        ) from error


def _ends_with_magic(path: Path) -> bool:
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(length - len(MAGIC), 0))
        return file.read() == MAGIC
