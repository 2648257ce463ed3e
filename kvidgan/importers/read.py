"""Read: a file's format is recognised by what is in it, and its networks are read as arrays."""

import zipfile
from pathlib import Path
from typing import Any

from kvidgan.errors import UserError
from kvidgan.importers import tensorflow_checkpoint, torch7, torch_pickle
from kvidgan.importers.weights import Weights


def read_weights(path: str | Path) -> list[Weights]:
    """Read the networks in a checkpoint; nothing in the file is executed.

    Args:
        path: A file of `torch.save` (PyTorch, or Lua's Torch 7), or a checkpoint of TensorFlow 1 by
            its name or by one of its files.

    Raises:
        UserError: If there is nothing, nothing of these formats, or a damaged file.
    """
    path = Path(path)
    name = tensorflow_checkpoint.prefix(path)
    if name is not None:
        return [Weights(name, tensorflow_checkpoint.read(name))]
    if not path.is_file():
        what = "a folder" if path.is_dir() else "nothing"
        raise UserError(f"Expected a checkpoint's file, found {what} at {path}.")
    with path.open("rb") as file:
        start = file.read(len(torch_pickle.MAGIC))
    if _is_keras(path):
        raise UserError(f"{path} is a .keras file already: nothing is to be imported.")
    if start.startswith((b"PK\x03\x04", b"\x80")):
        return [_network(path, one) for one in torch_pickle.networks(torch_pickle.read(path))]
    if start.startswith(torch7.STARTS):
        return [Weights(path, {}, {"saved": torch7.read(path)}, "Torch 7")]
    raise UserError(
        f"Expected a checkpoint of PyTorch, TensorFlow 1 or Torch 7 (binary), found something else "
        f"at {path}: it was cut off, or is a file of another program."
    )


def _network(path: Path, network: Any) -> Weights:
    try:
        arrays = torch_pickle.arrays(network)
    except ValueError as error:
        raise UserError(f"{path} is damaged: it has {error}; copy it again.") from error
    if arrays and all(name.startswith("module.") for name in arrays):  # of DataParallel
        arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    return Weights(path, arrays, torch_pickle.facts(network), type(network).__name__)


def _is_keras(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "metadata.json" in archive.namelist()
