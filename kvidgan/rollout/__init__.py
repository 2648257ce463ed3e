"""Rollouts: a trained step is exported as one file, opened anywhere, played frame by frame.

Families are unknown here.

Describing a file (`read_description`) loads no backend; `Rollout` and `export` do.
"""

from typing import TYPE_CHECKING, Any

from kvidgan.rollout.description import Description, read_description

if TYPE_CHECKING:
    from kvidgan.rollout.export import export_step
    from kvidgan.rollout.rollout import Rollout, Step

__all__ = ["Description", "Rollout", "Step", "export_step", "read_description"]


def __getattr__(name: str) -> Any:
    # Deferred: both import Keras, and with it a backend.
    if name in ("Rollout", "Step"):
        from kvidgan.rollout import rollout as player

        return getattr(player, name)
    if name == "export_step":
        from kvidgan.rollout.export import export_step

        return export_step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
