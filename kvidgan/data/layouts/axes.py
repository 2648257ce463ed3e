"""Axes: what each axis of an array of videos counts, as stated or as its sizes allow.

The letters: N videos, T frames in time, H rows, W columns, C colours.
"""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from kvidgan.errors import UserError

LETTERS = "NTHWC"
_NEEDED = "THW"
# The orders that programs write: NumPy's and OpenCV's, PyTorch's, Moving MNIST's, MATLAB's.
_ORDERS = (
    *("THW", "HWT"),
    *("THWC", "TCHW", "CTHW", "NTHW", "TNHW", "HWCT", "HWTN", "HWNT"),
    *("NTHWC", "TNHWC", "NTCHW", "TNCHW", "NCTHW", "HWCTN", "HWCNT"),
)
_COLOURS = (1, 3, 4)  # grey, RGB, RGB and alpha
_SIDE, _LENGTH = 8, 2  # the least of what is taken for a frame's side, and for a video's length
_SMOOTH = 0.9  # of the difference far apart: neighbours along time and space differ by less
_CLEAR = 0.8  # of the difference between videos: neighbours in time differ by less
_SAMPLES, _WINDOW = 96, 20  # places looked at along an axis, and sides of what is compared


class Axes(NamedTuple):
    """Axes: what each axis of an array counts.

    Attributes:
        letters: A letter for each axis.
        guessed_by: What they were guessed by; "" where they were stated.
    """

    letters: str
    guessed_by: str = ""


def check_letters(text: str) -> str:
    """Return the letters of stated axes.

    Raises:
        ValueError: If they are none.
    """
    letters = text.upper()
    if set(letters) - set(LETTERS):
        raise ValueError(f"expected letters of {LETTERS}, such as NTHWC, one for each axis")
    twice = [letter for letter in LETTERS if letters.count(letter) > 1]
    if twice:
        raise ValueError(f"expected each letter once, as in NTHWC; {twice[0]} stands twice")
    missing = [letter for letter in _NEEDED if letter not in letters]
    if missing:
        raise ValueError(f"expected T, H and W among the letters, as in NTHWC; {missing[0]} lacks")
    return letters


def check_axes(letters: str, shape: tuple[int, ...]) -> Axes:
    """Return stated axes, if an array can have them.

    Raises:
        UserError: If it cannot; without the array's name.
    """
    if len(letters) != len(shape):
        raise UserError(
            f"expected {len(letters)} axes ({letters}), found {len(shape)} of sizes"
            f" {size_text(shape)}; give --axes a letter for each"
        )
    sizes = dict(zip(letters, shape, strict=True))
    if 0 in shape:
        raise UserError(f"expected values, found an empty array of sizes {size_text(shape)}")
    if sizes.get("C", 1) not in _COLOURS:
        raise UserError(
            f"expected 1, 3 or 4 colours along C of {letters}, found {sizes['C']} of sizes"
            f" {size_text(shape)}; give --axes another order"
        )
    return Axes(letters)


def candidates(shape: tuple[int, ...]) -> list[str]:
    """Return the axes that an array may have, by its sizes; several where these leave it open."""
    found: dict[tuple[str, ...], str] = {}  # those that give the same videos are one
    for letters in _ORDERS:
        if len(letters) == len(shape) and _possible(letters, shape):
            same = tuple(
                "1" if letter in "NC" and size == 1 else letter
                for letter, size in zip(letters, shape, strict=True)
            )
            found.setdefault(same, letters)
    return _likely(list(found.values()), shape)


def decide(
    options: list[str], shape: tuple[int, ...], read: Callable[[tuple[Any, ...]], np.ndarray]
) -> Axes | None:
    """Return the axes that an array has, if its sizes or what it shows leave one reading.

    Two readings that differ in what is a video and what is time are told apart: neighbours along
    time are much more alike than neighbouring videos, and than frames far apart.

    Args:
        options: What `candidates` found.
        shape: Sizes of the array.
        read: Function that returns the part of the array at an index of slices.
    """
    if len(options) == 1:
        return Axes(options[0], "its sizes")
    if len({letters.find("C") for letters in options}) != 1:
        return None
    kinds = {letters: set(letters) for letters in options}
    if not all("N" in kind for kind in kinds.values()):
        return None
    changes = [_change(axis, shape, read) for axis in range(len(shape))]
    fitting = [letters for letters in options if _shows(letters, changes)]
    return Axes(fitting[0], "its sizes and what it shows") if len(fitting) == 1 else None


def size_text(shape: tuple[int, ...]) -> str:
    """Return sizes as in 10x20x64x64."""
    return "x".join(map(str, shape))


def _possible(letters: str, shape: tuple[int, ...]) -> bool:
    sizes = dict(zip(letters, shape, strict=True))
    if prod(shape) == 0 or sizes.get("C", 1) not in _COLOURS or sizes["T"] < _LENGTH:
        return False
    # What has three axes may be one picture in colour.
    picture = len(shape) == 3 and sizes["T"] in _COLOURS
    return min(sizes["H"], sizes["W"]) >= _SIDE and not picture


def _likely(options: list[str], shape: tuple[int, ...]) -> list[str]:
    """Return those with colours last, if these are three or one; else those with square frames."""
    square = [letters for letters in options if _is_square(letters, shape)]
    last = [letters for letters in options if letters.endswith("C") and shape[-1] in (1, 3)]
    if last:
        rest = [] if any(letters in square for letters in last) else square
        return last + [letters for letters in rest if letters not in last]
    return square or options


def _is_square(letters: str, shape: tuple[int, ...]) -> bool:
    return shape[letters.index("H")] == shape[letters.index("W")]


# --- what an array shows


class _Change(NamedTuple):
    """How much values change along an axis, from one place to the next and to any other."""

    near: float
    far: float | None  # None for an axis of two, of which there is no other


def _change(
    axis: int, shape: tuple[int, ...], read: Callable[[tuple[Any, ...]], np.ndarray]
) -> _Change:
    size = shape[axis]
    near, far = [], []
    for number in range(_SAMPLES if size > 1 else 0):
        rng = np.random.default_rng(number)  # the same windows for each axis, so that they compare
        window = [_window(rng, length) for length in shape]
        place = int(rng.integers(size - 1))
        other = int(rng.integers(size))
        at = [_part(read, window, axis, index) for index in (place, place + 1, other)]
        near.append(float(np.abs(at[0] - at[1]).mean()))
        if abs(other - place) > 1:
            far.append(float(np.abs(at[0] - at[2]).mean()))
    return _Change(_mean(near) or 0.0, _mean(far))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _window(rng: np.random.Generator, length: int) -> slice:
    start = int(rng.integers(max(1, length - _WINDOW + 1)))
    return slice(start, start + _WINDOW)


def _part(
    read: Callable[[tuple[Any, ...]], np.ndarray], window: list[slice], axis: int, place: int
) -> np.ndarray:
    index = (*window[:axis], slice(place, place + 1), *window[axis + 1 :])
    return read(index).astype(np.float64)


def _shows(letters: str, changes: list[_Change]) -> bool:
    """Return whether an array changes along its axes as such videos do."""
    by_letter = dict(zip(letters, changes, strict=True))
    smooth = (by_letter[letter] for letter in _NEEDED)
    if not all(one.far is None or one.near < _SMOOTH * one.far for one in smooth):
        return False
    return by_letter["T"].near < _CLEAR * by_letter["N"].near
