"""What a user chooses for a rollout, and what a model's description asks for."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.errors import UserError
from kvidgan.rollout.description import Choice, Condition, Description, History, Latent, State
from kvidgan.rollout.following import wanted_size
from kvidgan.rollout.looks import looks
from kvidgan.rollout.predict import needed_maps

Kind = Literal["noise", "clip", "labels"]


@dataclass(frozen=True)
class NoiseValues:
    """A rollout that begins from noise.

    Attributes:
        videos: How many.
        frames: Of each.
        content_seed: Of what is fixed in the first video; the others draw from the seeds after it.
        motion_seed: Likewise of what changes.
        choices: By name of the input, the label chosen; those not named are drawn.
        interpolate: Whether the videos lie on the way between two contents.
    """

    videos: int = 8
    frames: int = 32
    content_seed: int = 0
    motion_seed: int = 0
    choices: dict[str, str] = field(default_factory=dict)
    interpolate: bool = False


@dataclass(frozen=True)
class ClipValues:
    """A rollout that goes on with a clip, or follows label maps.

    Attributes:
        path: A file, a folder, a clip store or a built-in set.
        video: Which one, where there are several; None: the first of the test split, else of all.
        layout: How the path is to be read, or "auto".
        start: The clip's frame to begin with, from 0.
        stride: Distance of the frames used.
        first: What a model that follows label maps begins with: an image, a clip or a model. None:
            the frames that come with the label maps.
        size: (height, width) of the frames; None: as the model was trained, or the clip's.
        frames: How many to make; None: as many as there are label maps.
        seed: Of the looks that are drawn, where the model gives objects looks.
        looks: Those chosen, by class.
    """

    path: str
    video: str | None = None
    layout: str = "auto"
    start: int = 0
    stride: int = 1
    first: str | None = None
    size: tuple[int, int] | None = None
    frames: int | None = 64
    seed: int = 0
    looks: dict[str, int] = field(default_factory=dict)


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
