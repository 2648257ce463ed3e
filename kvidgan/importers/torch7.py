"""Files of Lua Torch 7 (`torch.save`, binary), read with NumPy alone.

Tables become dictionaries, objects become `TorchObject`; functions are skipped, never run. Sizes
are those that 64-bit Linux writes.
"""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from kvidgan.errors import UserError

STARTS = (b"\x03\0\0\0\x01\0\0\0", b"\x04\0\0\0\x01\0\0\0")  # a table or an object, the first
_NIL, _NUMBER, _STRING, _TABLE, _OBJECT, _BOOLEAN = 0, 1, 2, 3, 4, 5
_FUNCTIONS = (6, 7, 8)
_ITEMS = {
    "Double": "<f8", "Float": "<f4", "Long": "<i8", "Int": "<i4", "Short": "<i2", "Char": "<i1",
    "Byte": "<u1", "Cuda": "<f4", "CudaDouble": "<f8", "CudaLong": "<i8", "CudaInt": "<i4",
    "CudaByte": "<u1",
}  # fmt: skip


@dataclass(eq=False)
class TorchObject:
    """An object of a Torch class: its name, such as "nn.SpatialConvolution", and its fields."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)


def read(path: Path) -> Any:
    """Read a binary file of Lua's `torch.save`.

    Returns:
        What was saved: numbers, strings, dictionaries, NumPy arrays and `TorchObject`s.

    Raises:
        UserError: If the file is damaged or of another format.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size).item()
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path} is no complete file of Torch 7 ({error}): it was cut off or is something "
            "else; copy it again."
        ) from error


class _Reader:
    """Reads items one after the other; those that were read before are referred to by number."""

    def __init__(self, file: IO[bytes], length: int):
        self.file, self.length = file, length
        self.known: dict[int, Any] = {}

    def item(self) -> Any:
        kind = self._int()
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            return self._unpack("<d")
        if kind == _BOOLEAN:
            return self._int() == 1
        if kind == _STRING:
            return self._text()
        if kind not in (_TABLE, _OBJECT, *_FUNCTIONS):
            raise ValueError(f"an item of the unknown type {kind}")
        number = self._int()
        if number not in self.known:
            read = {_TABLE: self._table, _OBJECT: self._object}.get(kind, self._function)
            self.known[number] = read(number)
        return self.known[number]

    def _table(self, number: int) -> dict[Any, Any]:
        found = self.known[number] = {}  # before its entries: one of them may be itself
        for _ in range(self._int()):
            key = self.item()
            # Tables and objects may be keys in Lua; here they are known by their identity.
            found[key if isinstance(key, str | float | bool) else id(key)] = self.item()
        return found

    def _object(self, number: int) -> Any:
        name = self._text()
        if name.startswith("V "):
            name = self._text()
        parts = name.removeprefix("torch.")
        if parts.removesuffix("Tensor") in _ITEMS and name.endswith("Tensor"):
            return self._tensor()
        if parts.removesuffix("Storage") in _ITEMS and name.endswith("Storage"):
            item = np.dtype(_ITEMS[parts.removesuffix("Storage")])
            return np.frombuffer(self._bytes(self._long() * item.itemsize), item)
        found = self.known[number] = TorchObject(name)
        fields = self.item()
        found.fields = fields if isinstance(fields, dict) else {}
        return found

    def _function(self, number: int) -> None:
        self._bytes(self._int())  # its code
        self.item()  # what it closes over

    def _tensor(self) -> np.ndarray:
        count = self._int()
        if not 0 <= count <= 16:
            raise ValueError(f"a tensor of {count} dimensions")
        sizes, strides = ([self._long() for _ in range(count)] for _ in "ab")
        offset, storage = self._long() - 1, self.item()
        if storage is None or not sizes or 0 in sizes:
            return np.zeros(sizes if sizes else 0, "float32")
        last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        used = max(last + 1, math.prod(sizes))
        if min([offset, *sizes, *strides]) < 0 or used > len(storage):
            raise ValueError(f"a tensor of {sizes} values in a storage of {len(storage)}")
        steps = [s * storage.itemsize for s in strides]
        return np.lib.stride_tricks.as_strided(storage[offset:], sizes, steps, writeable=False)

    def _text(self) -> str:
        return self._bytes(self._int()).decode("latin-1")

    def _int(self) -> int:
        return self._unpack("<i")

    def _long(self) -> int:
        return self._unpack("<q")

    def _unpack(self, layout: str) -> Any:
        return struct.unpack(layout, self._bytes(struct.calcsize(layout)))[0]

    def _bytes(self, count: int) -> bytes:
        if not 0 <= count <= self.length - self.file.tell():
            raise ValueError("it ends early")
        return self.file.read(count)
