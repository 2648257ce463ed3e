"""The families of video GAN. This folder is the registry: one module (or package) each.

A family NAME is `families/NAME.py` with what `FamilyModule` lists: `Config`, the options;
builders of its networks, functions that return `keras.Model`; `Family`, the model that trains;
`LOSSES`, what the names of its losses mean; `SMALL`, options that make it tiny, for tests.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol, cast

import keras

from kvidgan.adversarial import VideoGAN
from kvidgan.contract import ClipSpec, FamilyConfig, StepSpec
from kvidgan.errors import UserError


class FamilyModel(VideoGAN):
    """The model of a family: networks and players, made from a `Config` and a seed.

    Besides `players` and `adversarial_step` of `VideoGAN` it says what a batch holds and what is
    exported.
    """

    def clips(self) -> dict[str, ClipSpec]:
        """Return what a batch holds, by the name of its entry in the batch."""
        raise NotImplementedError(f"{type(self).__name__} must define clips (abstract).")

    def rollout_model(self) -> tuple[keras.Model, StepSpec]:
        """Return a functional model of one frame's step over the trained layers, and its meaning.

        Inputs and outputs of the model are named as in the `StepSpec`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define rollout_model (abstract).")


class MakesFamily(Protocol):
    """The class `Family` of a family's module."""

    def __call__(self, config: Any, seed: int = 0) -> FamilyModel:
        """Build networks with seeded weights and players."""


class FamilyModule(Protocol):
    """What the module of a family holds.

    Attributes:
        Config: The options: every one with its default, unit and source.
        Family: The model that trains.
        LOSSES: The meaning of each loss that `adversarial_step` returns, in a sentence or two.
        SMALL: Options that make the networks tiny and the clips short, for tests.
    """

    Config: type[FamilyConfig]
    Family: MakesFamily
    LOSSES: Mapping[str, str]
    SMALL: Mapping[str, Any]


def names() -> list[str]:
    """Return the names of the families that exist, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> FamilyModule:
    """Import a family's module.

    Raises:
        UserError: If there is no such family; names the nearest one.

    Example:
        family = families.load("mocogan")
        gan = family.Family(family.Config(size=32), seed=1)
    """
    if name not in names():
        near = difflib.get_close_matches(str(name), names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"family.name: expected one of {', '.join(names())}, found {name!r}.{hint}")
    return cast(FamilyModule, importlib.import_module(f"{__name__}.{name}"))
