"""Array choice: which array of a file holds its videos, and the axes that it may have."""

from pathlib import Path
from typing import NamedTuple

from kvidgan.data.layouts.array_files import Header, read_headers
from kvidgan.data.layouts.axes import candidates, check_axes
from kvidgan.data.store.format import is_store
from kvidgan.errors import UserError


class NoVideosError(UserError):
    """NoVideosError: a file that is not damaged, but holds no array of videos."""


class Chosen(NamedTuple):
    """Chosen: the array of a file that holds videos, and the axes that it may have."""

    path: Path
    header: Header
    options: list[str]  # one, where they are stated


def choose(path: Path, axes: str | None = None, select: str | None = None) -> Chosen:
    """Return the array of a file that holds videos.

    Args:
        path: The file.
        axes: Letters of the array's axes; None to find those that it may have.
        select: Name of the array; None for the only one that fits.

    Raises:
        UserError: If there is none, or several, or the file is damaged.
    """
    if is_store(path):
        raise NoVideosError(f"{path} is a clip store: open it by itself.")
    headers = read_headers(path)
    if select is not None:
        headers = [_selected(path, headers, select)]
    found = [(header, _options(header, axes)) for header in headers]
    fitting = [Chosen(path, header, options) for header, options in found if options]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = [one.header.key for one in fitting]
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise UserError(
            f"{path} holds {len(names)} arrays that may be videos ({shown}): choose one with"
            " --select."
        )
    raise _unfitting(path, headers, axes)


def _selected(path: Path, headers: list[Header], name: str) -> Header:
    for header in headers:
        if header.key == name and name:
            return header
    names = [header.key for header in headers if header.key]
    if not names:
        raise UserError(
            f"{path} holds one array without a name: expected no --select, found {name!r}; leave"
            " it out."
        )
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    raise UserError(f"{path} has no array {name!r}: choose another with --select, of {shown}.")


def _options(header: Header, axes: str | None) -> list[str]:
    """Return the axes that an array may have; none if it holds no videos."""
    if header.dtype.kind not in "buif":
        return []
    if axes is None:
        return candidates(header.shape)
    try:
        return [check_axes(axes, header.shape).letters]
    except UserError:
        return []


def _unfitting(path: Path, headers: list[Header], axes: str | None) -> UserError:
    """Return the sentence on a file without an array of videos."""
    numbers = [header for header in headers if header.dtype.kind in "buif"]
    if axes is not None and len(numbers) == 1:
        try:
            check_axes(axes, numbers[0].shape)
        except UserError as error:
            return UserError(f"{path}: {error}.")
    found = "; ".join(header.describe() for header in headers[:8]) or "none"
    kind = UserError if any(len(one.shape) > 2 for one in numbers) else NoVideosError
    what = f"({', '.join(axes)})" if axes else "such as (T, H, W, C) or (N, T, H, W)"
    advice = "choose others with --axes" if axes else "say with --axes what its axes are"
    return kind(f"{path}: expected an array of numbers {what}, found {found}; {advice}.")
