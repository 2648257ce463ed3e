"""Damage: what is broken in a file. An error, unless somebody asked to read on behind it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from kvidgan.errors import UserError

OnDamage = Callable[[UserError], None]

_on_damage: ContextVar[OnDamage | None] = ContextVar("on_damage", default=None)


@contextmanager
def tolerated(on_damage: OnDamage) -> Iterator[None]:
    """Read on behind damaged frames within this block, in this thread.

    Args:
        on_damage: Function that is called with the error of each; what it raises ends the reading.
    """
    token = _on_damage.set(on_damage)
    try:
        yield
    finally:
        _on_damage.reset(token)


@contextmanager
def decoding(path: Path, kind: str = "image") -> Iterator[None]:
    """Turn whatever a library raises while it decodes a file into one sentence.

    Args:
        path: The file.
        kind: What it should be, such as "image".

    Raises:
        UserError: If anything goes wrong.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} is a damaged {kind} ({reason(error)}): replace it.") from error


def reason(error: BaseException) -> str:
    """Return a library's reason for not reading or writing, in a few words."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # libraries add paragraphs of their own
    words = " ".join(str(error).split()).rstrip(".")
    return words[:120] or type(error).__name__


def damaged(error: UserError) -> None:
    """Report a damaged frame, which the caller then leaves out; raise where nobody asked for that.

    Raises:
        UserError: The error itself, outside of `tolerated`.
    """
    on_damage = _on_damage.get()
    if on_damage is None:
        raise error
    on_damage(error)


def is_tolerated() -> bool:
    """Return whether damaged frames are left out here, instead of being errors."""
    return _on_damage.get() is not None
