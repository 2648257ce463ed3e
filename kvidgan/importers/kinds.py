"""Kinds: which checkpoints can be imported, and which of them a file is."""

import re
from collections.abc import Mapping
from typing import Any, Protocol, cast

from kvidgan.errors import UserError
from kvidgan.importers import lstm_video_gan, mathieu, mocogan, pacman, vid2vid
from kvidgan.importers.weights import Found, Weights


class Kind(Protocol):
    """What the module of a kind holds.

    Attributes:
        WHAT: What a checkpoint of this kind is, in a few words.
        FAMILY: Name of the family that it becomes.
    """

    WHAT: str
    FAMILY: str

    def is_mine(self, weights: Weights) -> bool:
        """Return whether names and shapes are those of this kind."""

    def options(self, weights: Weights, given: Mapping[str, Any]) -> Found:
        """Return the options of the family that the weights were made with."""

    def fill(self, weights: Weights, gan: Any) -> None:
        """Set the weights of a family's generator."""


KINDS = cast("tuple[Kind, ...]", (mocogan, lstm_video_gan, pacman, mathieu, vid2vid))
_DISCRIMINATOR = re.compile(
    r"(discriminator|critic)/"  # TensorFlow
    r"|main\.1\.weight$"  # MoCoGAN's begin with noise, then convolve
    r"|(scale\d+_)?layer\d+\.\d+\.(weight|bias)$"  # vid2vid
)


def recognise(candidates: list[Weights]) -> tuple[Weights, Kind]:
    """Return the network of a file that can be imported, and its kind.

    Args:
        candidates: The networks in a file.

    Raises:
        UserError: If there is none.
    """
    for weights in candidates:
        for kind in KINDS:
            if kind.is_mine(weights):
                return weights, kind
    weights = max(candidates, key=lambda one: len(one.arrays))
    if any("Discriminator" in one.kind or _judges(one) for one in candidates):
        raise UserError(
            f"{weights.path} is a discriminator: only generators are imported; expected its "
            "generator's file."
        )
    names = sorted(weights.arrays)
    shown = ", ".join(names[:3]) if names else "no arrays"
    raise UserError(
        f"{weights.path}: expected the weights of {_known()}, found those of another network "
        f"({shown}{', ...' if len(names) > 3 else ''})."
    )


def _judges(weights: Weights) -> bool:
    return any(_DISCRIMINATOR.match(name) for name in weights.arrays)


def _known() -> str:
    *others, last = (kind.WHAT for kind in KINDS)
    return f"{', '.join(others)} or {last}"
