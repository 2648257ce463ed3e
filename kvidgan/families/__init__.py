"""The families of video GAN. This folder is the registry: one module (or package) each.

A family NAME is `families/NAME.py` with

- `Config`, a frozen pydantic model whose `name` is the literal NAME: every option, its default,
  unit and source. `Config.for_data(data)` returns it completed by what the data is: `Facts`.
- builders of its networks, functions that return `keras.Model`;
- `Family(VideoGAN)`, made from a `Config`: its `players`; `clips()`, what a batch holds, as
  {entry: {frames, height, width, channels}}; `adversarial_step(batch)`, the losses of one step;
  `rollout_model()`, a functional model of one frame's step over the trained layers, and its
  description ("frame", "inputs", "extra_outputs": see `kvidgan.rollout.description`).
"""

import difflib
import importlib
import pkgutil
from dataclasses import dataclass, field
from types import ModuleType
from typing import Literal

from kvidgan.errors import UserError


@dataclass(frozen=True)
class Facts:
    """What a family's options may depend on.

    Attributes:
        classes: Names of the videos' classes.
        unlabelled: How many videos have no class.
        labels: Names of the label maps' classes; None without label maps.
        labels_from: What the label maps are: class ids that came with the data, or found in it.
    """

    classes: list[str] = field(default_factory=list)
    unlabelled: int = 0
    labels: list[str] | None = None
    labels_from: Literal["ids", "edges", "foreground"] | None = None


def names() -> list[str]:
    """Names of the families that exist."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """Import a family's module.

    Raises:
        UserError: If there is no such family; names the nearest one.
    """
    if name not in names():
        near = difflib.get_close_matches(str(name), names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"family.name: expected one of {', '.join(names())}, found {name!r}.{hint}")
    return importlib.import_module(f"{__name__}.{name}")
