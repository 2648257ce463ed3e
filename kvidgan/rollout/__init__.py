"""Export a trained step as one file, open it anywhere, play it: families are unknown here.

Describing a file (`read_description`) loads no backend; `Rollout` and `export` do.
"""

from typing import TYPE_CHECKING, Any

from .description import Description, read_description

if TYPE_CHECKING:
    from .export import export_step
    from .player import Rollout, Step

__all__ = ["Description", "Rollout", "Step", "export_step", "read_description"]


def __getattr__(name: str) -> Any:
    # Deferred: both import Keras, and with it a backend.
    if name in ("Rollout", "Step"):
        from . import player

        return getattr(player, name)
    if name == "export_step":
        from .export import export_step

        return export_step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
