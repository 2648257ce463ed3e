"""Damage: what is broken in a file. An error, unless somebody asked to read on behind it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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
