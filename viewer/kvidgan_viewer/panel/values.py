"""What a user chooses for a rollout, and what a model's description asks for."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.errors import UserError
from kvidgan.rollout.comparison import needed_maps
from kvidgan.rollout.description import Choice, Condition, Description, History, Latent, State
from kvidgan.rollout.label_maps import wanted_size
from kvidgan.rollout.looks import looks
from kvidgan_viewer.plans import FromNoise, OnClip

Kind = Literal["noise", "clip", "labels"]


@dataclass(frozen=True)
class NoiseValues(FromNoise):
    """Videos from noise.

    Attributes:
        frames: Of each.
    """

    frames: int = 32


@dataclass(frozen=True)
class ClipValues(OnClip):
    """What goes on with a clip, or follows label maps.

    Attributes:
        frames: How many to make; None: as many as there are label maps.
    """

    stride: int | None = 1
    frames: int | None = 64


@dataclass(frozen=True)
class Needs:
    """What a model's description asks a user for.

    Attributes:
        kind: Whether it begins from noise, goes on with a clip, or follows label maps.
        content: Whether something fixed in a video is drawn.
        motion: Whether something that changes is drawn.
        between: Whether there is a way between two of its contents, or of its first states.
        choices: The labels of each choice, by name.
        first: Whether label maps may need frames to begin with.
        sized: Whether the frames' size can be chosen.
        size: The (height, width) that they have else; None: the clip's.
        looks: How many looks there are to choose from, by class.
    """

    kind: Kind
    content: bool = False
    motion: bool = False
    between: bool = False
    choices: dict[str, list[str]] = field(default_factory=dict)
    first: bool = False
    sized: bool = False
    size: tuple[int, int] | None = None
    looks: dict[str, int] = field(default_factory=dict)


def needs(description: Description) -> Needs:
    """Return what a model asks for, whatever its family.

    Raises:
        UserError: If it follows something that is no label maps.
    """
    history, conditions = description.named(History), description.named(Condition)
    spec = description.frame
    sized, size = spec.height is None or spec.width is None, wanted_size(description)
    if conditions:
        needed_maps(description)
        own = looks(description)
        counts = {} if own is None else dict(zip(own.names, map(len, own.vectors), strict=True))
        several = {name: count for name, count in counts.items() if count > 1}
        return Needs("labels", first=bool(history), sized=sized, size=size, looks=several)
    if history:
        return Needs("clip", sized=sized, size=size)
    return _of_noise(description)


def _of_noise(description: Description) -> Needs:
    latents, states = description.named(Latent).values(), description.named(State).values()
    fixed = any(spec.per == "video" for spec in latents)
    begun = any(spec.draw != "zeros" and spec.same_as is None for spec in states)
    choices = {name: spec.labels for name, spec in description.named(Choice).items()}
    return Needs(
        "noise",
        content=fixed or bool(choices),
        motion=begun or any(spec.per == "frame" for spec in latents),
        between=fixed or begun,
        choices=choices,
    )


def parsed_size(text: str) -> tuple[int, int] | None:
    """Return (height, width) of WIDTHxHEIGHT; None of an empty text.

    Raises:
        UserError: If it is neither.
    """
    if not text.strip():
        return None
    width, _, height = text.lower().partition("x")
    try:
        size = int(height), int(width)
    except ValueError:
        size = 0, 0
    if min(size) < 1:
        raise UserError(f"Expected WIDTHxHEIGHT in pixels, as 512x256, found {text!r}.")
    return size
