"""Files of `torch.save`, read with NumPy alone; nothing in them is executed.

A pickle names functions and classes, and may call them. Here it can call only those that make
tensors and plain containers. The classes of networks become stand-ins that hold attributes and do
nothing; whatever else is called stops the reading.

Two containers hold the pickle: a zip (PyTorch 1.6 and later), and before that a chain of pickles
with the values behind them, which Python 2 also wrote.
"""

import io
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from kvidgan.errors import UserError

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
_ITEMS = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4",
    "Short": "<i2", "Char": "<i1", "Byte": "<u1", "Bool": "?",
}  # fmt: skip


class Refused(Exception):
    """A pickle asked for something that is not needed to hold weights."""


@dataclass
class Storage:
    """A flat buffer that tensors look into; its values come after the pickle in old files."""

    kind: str
    values: np.ndarray | None = None


@dataclass
class Tensor:
    """A view of a storage: offset, sizes and strides count elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> np.ndarray:
        """Return a copy, floats as float32.

        Raises:
            ValueError: If it looks beyond its storage.
        """
        values, sizes = self.storage.values, [int(n) for n in self.size]
        strides = [int(n) for n in self.stride]
        last = self.offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        if values is None or min([self.offset, *sizes, *strides, 0]) < 0:
            raise ValueError("a tensor without a storage")
        if 0 in sizes:
            return np.zeros(sizes, "float32")
        if max(last + 1, math.prod(sizes)) > len(values):
            raise ValueError(f"a tensor of {sizes} values in a storage of {len(values)}")
        step = values.itemsize
        view = np.lib.stride_tricks.as_strided(
            values[self.offset :], sizes, [s * step for s in strides], writeable=False
        )
        if self.storage.kind == "BFloat16":  # the upper half of a float32
            return (view.astype("uint32") << 16).view("float32")
        return view.astype("float32" if view.dtype.kind == "f" else view.dtype)


class StandIn:
    """An object of a class that is not imported: its attributes, and the class's name."""

    name = ""

    def __new__(cls, *args: Any) -> "StandIn":
        """Make an object, as unpickling does for networks; called like a function, it refuses."""
        return super().__new__(cls)

    def __init__(self, *args: Any):
        raise Refused(self.name)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


def read(path: Path) -> Any:
    """Read a file of `torch.save`.

    Returns:
        What was saved, its tensors as `Tensor`, networks as `StandIn`.

    Raises:
        UserError: If the file is damaged, is no file of `torch.save`, or asks for code.
    """
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(path):
                return _read_zip(file)
            if file.read(2) == b"PK":
                raise ValueError("a zip without its end")
            file.seek(0)
            return _read_chain(file)
    except Refused as error:
        raise UserError(
            f"{path} asks to run {error}, which no weights need: nothing was run, and it is not "
            "imported; ask its author for a state dict."
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged pickle fails in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path} is no complete file of torch.save ({reason}): it was cut off or is something "
            "else; copy it again."
        ) from error


def _read_zip(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        name = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
        if name is None:
            raise ValueError("a zip of something else")
        folder = name.removesuffix("data.pkl")
        storages: dict[str, Storage] = {}

        def storage(kind: str, key: str, count: int) -> Storage:
            if key not in storages:
                data = archive.read(f"{folder}data/{key}")
                storages[key] = Storage(kind, np.frombuffer(data, _ITEMS[kind]))
            return storages[key]

        return _Unpickler(io.BytesIO(archive.read(name)), storage).load()


def _read_chain(file: IO[bytes]) -> Any:
    storages: dict[str, Storage] = {}

    def storage(kind: str, key: str, count: int) -> Storage:
        return storages.setdefault(key, Storage(kind))

    def following() -> Any:
        return _Unpickler(file, storage).load()

    if following() != 0x1950A86A20F9469CFC6C:
        raise ValueError("a pickle of something else")
    following(), following()  # the format's version, and facts of the machine
    saved = following()
    for key in following():
        one = storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        item = np.dtype(_ITEMS[one.kind])
        data = file.read(count * item.itemsize)
        if len(data) < count * item.itemsize:
            raise EOFError("the values end early")
        one.values = np.frombuffer(data, item)
    return saved


# ---- What a pickle may name ---------------------------------------------------------------------


class _Unpickler(pickle.Unpickler):
    """Finds the few functions that make tensors, and stand-ins for all else."""

    def __init__(self, file: IO[bytes], storage: Callable[[str, str, int], Storage]):
        super().__init__(file, encoding="latin-1")  # of Python 2's strings
        self.storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle means by a name; never imports anything."""
        whole = f"{module}.{name}"
        if whole in _KNOWN:
            return _KNOWN[whole]
        if module in ("torch", "torch.cuda") and name.endswith("Tensor"):
            return _EmptyTensor
        return type(name, (StandIn,), {"name": whole})

    def persistent_load(self, pid: Any) -> Any:
        """Return a storage, or the class of a network without its source code."""
        what, *rest = pid
        if what == "module":
            return rest[0]
        kind, key, _place, count, *view = rest
        if what != "storage" or any(view):
            raise ValueError(f"an unknown reference to a {what}")
        return self.storage(kind.name.rpartition(".")[2].removesuffix("Storage"), str(key), count)


class _EmptyTensor(Tensor):
    """A tensor as PyTorch 0.1 saved it: made empty, its view set afterwards."""

    def __init__(self) -> None:
        super().__init__(Storage("Float"), 0, (), ())

    def __setstate__(self, state: Any) -> None:
        self.storage, self.offset, self.size, self.stride = state


class _Parameter:
    """Where a variable or a parameter of PyTorch 0.3 was: gives way to its tensor."""

    def __init__(self, data: Tensor | None = None, *_: Any):
        self.data = data

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and isinstance(state[0], Tensor):  # of PyTorch 0.1
            self.data = state[0]


def _tensor(storage: Storage, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return Tensor(storage, offset, tuple(size), tuple(stride))


def _first(data: Any, *_: Any) -> Any:
    return data


def _nothing() -> None:
    """Stand where networks of PyTorch 0.x named what computed them."""


_KNOWN: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch.Size": tuple,
    "torch.nn.backends.thnn._get_thnn_function_backend": _nothing,
    "torch.nn.parameter.Parameter": _Parameter,
    "torch.autograd.variable.Variable": _Parameter,
    **{f"{module}.set": set for module in ("builtins", "__builtin__")},
}

# ---- From what was saved to named arrays --------------------------------------------------------


def networks(saved: Any) -> Iterator[Any]:
    """Yield what may be a network: the saved object itself, then those that it holds by name."""
    yield saved
    if isinstance(saved, dict):
        yield from (value for value in saved.values() if isinstance(value, dict | StandIn))


def arrays(network: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of a network, or of a state dict, by name, such as "main.0.weight"."""
    found: dict[str, np.ndarray] = {}
    if isinstance(network, StandIn):
        for part in ("_parameters", "_buffers"):
            found |= arrays(vars(network).get(part) or {}, prefix)
        for name, child in (vars(network).get("_modules") or {}).items():
            found |= arrays(child, f"{prefix}{name}.")
    elif isinstance(network, dict):
        for name, value in network.items():
            data = value.data if isinstance(value, _Parameter) else value
            if isinstance(data, Tensor):
                found[f"{prefix}{name}"] = data.array()
    return found


def facts(network: Any) -> dict[str, Any]:
    """Return the numbers and words that a network has as attributes."""
    if not isinstance(network, StandIn):
        return {}
    return {k: v for k, v in vars(network).items() if isinstance(v, int | float | str)}
