"""The families of video GAN. This folder is the registry: one module (or package) each.

A family NAME is `families/NAME.py` with

- `Config`, a frozen pydantic model whose `name` is the literal NAME: every option, its default,
  unit and source. `Config.for_data(classes, unlabelled)` returns it completed by the
  data's class names, knowing how many videos have none.
- builders of its networks, functions that return `keras.Model`;
- `Family(VideoGAN)`, made from a `Config`: its `players`; `clips()`, what a batch holds, as
  {entry: {frames, height, width, channels}}; `adversarial_step(batch)`, the losses of one step;
  `rollout_model()`, a functional model of one frame's step over the trained layers, and its
  description ("frame", "inputs", "extra_outputs": see `kvidgan.rollout.description`).
"""

import difflib
import importlib
import pkgutil
from types import ModuleType

from kvidgan.errors import UserError


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
