"""History file: a run's log, read as it grows, and its values made smooth and laid over an axis."""

import json
import os
from array import array
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kvidgan.errors import UserError

AXES = ("step", "epoch", "wall time")
AT_ONCE = 2**18  # bytes: parsed in a hundredth of a second

_NOT_CURVES = ("step", "epoch", "wall_time")
_TAIL = 256  # bytes: the end of what was read holds a line's wall time


class HistoryFile:
    """File `history.jsonl` of a run, read on with each call.

    A last line without its end is waited for. A file that was rewound or replaced since is read
    anew, from its beginning.

    Attributes:
        path: Path of the file, which need not exist yet.
        columns: Values by key, one for each log point so far; NaN where a point has none.
        num_points: Number of log points.
        has_more: Whether the last call left something for the next one.
    """

    def __init__(self, path: Path):
        self.path, self.has_more = path, False
        self.columns: dict[str, array[float]] = {}  # which NumPy takes over quickly
        self.num_points, self._lines = 0, 0
        self._offset, self._tail = 0, b""
        self._signature: tuple[int, ...] = ()

    def read_on(self, limit: int = AT_ONCE) -> bool:
        """Read what is new, about `limit` bytes of it at most.

        Returns:
            Whether anything changed.

        Raises:
            UserError: If the file cannot be read, or a whole line of it is no JSON object.
        """
        try:
            if _signature(os.stat(self.path)) == self._signature and not self.has_more:
                return False
            with self.path.open("rb") as file:
                return self._read(file, limit)
        except FileNotFoundError:
            return self._forget()
        except OSError as error:
            raise UserError(
                f"Cannot read {self.path} ({error.strerror}): check who may read it."
            ) from error

    def _read(self, file: BinaryIO, limit: int) -> bool:
        signature = _signature(os.fstat(file.fileno()))
        changed = not self._continues(file, signature) and self._forget()
        self._signature = signature
        file.seek(self._offset)
        piece = file.read(limit)
        if not piece.endswith(b"\n"):
            piece += file.readline()
        whole = piece[: piece.rfind(b"\n") + 1]
        self.has_more = bool(whole) and file.tell() < signature[1]
        points = [self._point(number, line) for number, line in enumerate(whole.splitlines(), 1)]
        self._offset += len(whole)
        self._tail = (self._tail + whole)[-_TAIL:]
        self._lines += len(points)
        self._append([point for point in points if point is not None])
        return changed or bool(points)

    def _continues(self, file: BinaryIO, signature: tuple[int, ...]) -> bool:
        """Return whether the file still begins with what was read so far."""
        if self._signature[:1] not in ((), signature[:1]) or signature[1] < self._offset:
            return False
        file.seek(self._offset - len(self._tail))
        return file.read(len(self._tail)) == self._tail

    def _forget(self) -> bool:
        had = self.num_points > 0
        self.columns, self.num_points, self._lines = {}, 0, 0
        self._offset, self._tail, self._signature, self.has_more = 0, b"", (), False
        return had

    def _point(self, number: int, line: bytes) -> dict[str, Any] | None:
        if not line.strip():
            return None
        try:
            point = json.loads(line)
        except ValueError:
            point = None
        if not isinstance(point, dict):
            raise UserError(
                f"{self.path}: line {self._lines + number} is no log point, a JSON object; "
                "remove it."
            )
        return point

    def _append(self, points: list[dict[str, Any]]) -> None:
        for key in {key for point in points for key in point} - set(self.columns):
            self.columns[key] = array("d", [np.nan]) * self.num_points
        for key, column in self.columns.items():
            column.extend(_number(point.get(key)) for point in points)
        self.num_points += len(points)

    def names(self) -> list[str]:
        """Return the keys that can be drawn, in alphabetical order."""
        return sorted(set(self.columns) - set(_NOT_CURVES))

    def values(self, key: str) -> np.ndarray:
        """Return the values of all log points, float64, NaN where one is missing or infinite."""
        if key not in self.columns:
            return np.full(self.num_points, np.nan)
        column = np.array(self.columns[key])
        return np.where(np.isfinite(column), column, np.nan)

    def axis(self, name: str) -> np.ndarray:
        """Return the places of the log points on one of `AXES`, float64.

        Steps; epochs, with their fractions; or seconds since the first log point.
        """
        if name == "epoch":
            return fractional(self.values("step"), self.values("epoch"))
        if name == "wall time":
            times: np.ndarray = self.values("wall_time")
            since_first: np.ndarray = times - times[:1]
            return since_first
        return self.values("step")


def _signature(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def fractional(steps: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    """Return epochs with their fractions.

    Args:
        steps: Number of steps at each log point, growing.
        epochs: Number of whole epochs then. The first point of each new one is at its very
            beginning.
    """
    begins = np.diff(epochs, prepend=0.0) > 0
    at, known = np.append(0.0, steps[begins]), np.append(0.0, epochs[begins])
    if len(at) < 2:
        return epochs
    rate = (known[-1] - known[-2]) / max(at[-1] - at[-2], 1.0)
    beyond = np.maximum(steps - at[-1], 0.0)
    epochs_then: np.ndarray = np.interp(steps, at, known) + rate * beyond
    return epochs_then


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Return the exponential moving average, each value a weighted mean of those up to it.

    Args:
        values: Values, float (n,); NaN is left out and stays.
        weight: Weight of the mean so far, from 0 (nothing changes) to below 1.
    """
    finite = np.isfinite(values)
    kept = (1.0 - weight) * values[finite]
    sums = np.fromiter(accumulate(kept, lambda total, new: weight * total + new), np.float64)
    smoothed = np.full(len(values), np.nan)
    smoothed[finite] = sums / (1.0 - weight ** np.arange(1, len(kept) + 1))
    return smoothed


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the unit in which a duration reads well: the unit's length in seconds, its name."""
    if seconds < 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if seconds < 3 * 3600 else (3600.0, "hours")


def nearest(places: np.ndarray, values: np.ndarray, place: float) -> int | None:
    """Return the index of the value nearest to a place, among those that are finite; or None."""
    finite = np.flatnonzero(np.isfinite(places) & np.isfinite(values))
    if not len(finite):
        return None
    return int(finite[np.abs(places[finite] - place).argmin()])
