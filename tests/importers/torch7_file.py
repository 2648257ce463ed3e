"""A small writer of Torch 7's binary format, as its documentation tells it."""

import struct

import numpy as np

KINDS = {"f4": "Float", "f8": "Double", "i8": "Long", "u1": "Byte"}


class Object:
    """An object of a Torch class."""

    def __init__(self, kind, **fields):
        self.kind, self.fields = kind, fields


class Function:
    """A Lua function: code that nobody here runs."""


def write(path, value):
    """Write a value: None, numbers, strings, booleans, arrays, lists, dictionaries, objects."""
    path.write_bytes(b"".join(_Writer().item(value)))
    return path


class _Writer:
    def __init__(self):
        self.numbers = {}  # of what was written before, by identity
        self.kept = []

    def item(self, value):
        if value is None:
            yield _int(0)
        elif isinstance(value, bool):
            yield _int(5) + _int(value)
        elif isinstance(value, int | float):
            yield _int(1) + struct.pack("<d", value)
        elif isinstance(value, str):
            yield _int(2) + _text(value)
        else:
            yield from self._shared(value)

    def _shared(self, value):
        kind = {dict: 3, list: 3, Function: 8}.get(type(value), 4)
        known = id(value) in self.numbers
        number = self.numbers.setdefault(id(value), len(self.numbers) + 1)
        self.kept.append(value)
        yield _int(kind) + _int(number)
        if known:
            return
        if isinstance(value, Function):
            yield _text("\x1bLua") + b"".join(self.item({}))
        elif kind == 3:
            pairs = value if isinstance(value, dict) else dict(enumerate(value, 1))
            yield _int(len(pairs))
            for key, one in pairs.items():
                yield from self.item(key)
                yield from self.item(one)
        elif isinstance(value, np.ndarray):
            yield from self._tensor(value)
        else:
            yield _text("V 1") + _text(value.kind)
            yield from self.item(value.fields)

    def _tensor(self, array):
        kind = KINDS[array.dtype.str[1:]]
        steps = [step // array.itemsize for step in array.strides]
        yield _text("V 1") + _text(f"torch.{kind}Tensor") + _int(array.ndim)
        yield struct.pack(f"<{2 * array.ndim}q", *array.shape, *steps) + struct.pack("<q", 1)
        # The storage is an object of its own; the array must own its values.
        self.numbers[object()] = len(self.numbers) + 1
        yield _int(4) + _int(len(self.numbers)) + _text("V 1") + _text(f"torch.{kind}Storage")
        yield struct.pack("<q", array.size) + array.tobytes("A")


def _int(value):
    return struct.pack("<i", value)


def _text(value):
    data = value.encode("latin-1")
    return _int(len(data)) + data
