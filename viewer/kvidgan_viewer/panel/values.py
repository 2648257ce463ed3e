"""What a user chooses for a rollout, and what a model's description asks for."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.media import parse_size
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout.description import Description

Kind = Literal["noise", "clip", "labels"]


@dataclass(frozen=True)
class NoiseValues(NoisePlan):
    """Videos from noise.

    Attributes:
        frames: Of each.
    """

    frames: int = 32


@dataclass(frozen=True)
class ClipValues(ClipPlan):
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
    any_size, size = description.any_size, description.size
    match description.kind:
        case "noise":
            content, motion, path = map(bool, description.noise)
            return Needs("noise", content, motion, path, choices=description.choices)
        case "clip":
            return Needs("clip", sized=any_size, size=size)
    description.expect_clip_or_labels()
    counts = description.looks.counts if description.looks else {}
    several = {name: count for name, count in counts.items() if count > 1}
    first = description.most_context_frames > 0
    return Needs("labels", first=first, sized=any_size, size=size, looks=several)


def parsed_size(text: str) -> tuple[int, int] | None:
    """Return the (height, width) of WIDTHxHEIGHT; None of an empty text.

    Raises:
        UserError: If it is neither.
    """
    return parse_size(text) if text.strip() else None
