"""Values that a user chooses for a rollout, and the needs of a model that follow from it."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.media import parse_size
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout.description import Description

Kind = Literal["noise", "clip", "labels"]


@dataclass(frozen=True)
class NoiseValues(NoisePlan):
    """Values for videos from noise.

    Attributes:
        num_frames: Number of frames of each video.
    """

    num_frames: int = 32


@dataclass(frozen=True)
class ClipValues(ClipPlan):
    """Values for a prediction that goes on with a clip, or follows label maps.

    Attributes:
        num_frames: Number of frames to predict; None: as many as there are label maps.
    """

    stride: int | None = 1
    num_frames: int | None = 64


@dataclass(frozen=True)
class Needs:
    """Needs of a model: the values that a user has to choose.

    Attributes:
        kind: Whether it begins from noise, goes on with a clip, or follows label maps.
        content: Whether something fixed in a video is drawn.
        motion: Whether something that changes is drawn.
        can_interpolate: Whether there is a way between two of its contents, or first states.
        choices: Labels of each choice, by name.
        takes_first: Whether label maps may need frames to begin with.
        takes_size: Whether the frames' size can be chosen.
        size: The (height, width) that frames have otherwise; None: the clip's.
        looks: Number of looks to choose from, by class.
    """

    kind: Kind
    content: bool = False
    motion: bool = False
    can_interpolate: bool = False
    choices: dict[str, list[str]] = field(default_factory=dict)
    takes_first: bool = False
    takes_size: bool = False
    size: tuple[int, int] | None = None
    looks: dict[str, int] = field(default_factory=dict)


def needs(description: Description) -> Needs:
    """Return the needs of a model, whatever its family.

    Raises:
        UserError: If it follows something other than label maps.
    """
    any_size, size = description.any_size, description.size
    match description.kind:
        case "noise":
            content, motion, path = map(bool, description.noise)
            return Needs("noise", content, motion, path, choices=description.choices)
        case "clip":
            return Needs("clip", takes_size=any_size, size=size)
    description.expect_clip_or_labels()
    counts = description.looks.counts if description.looks else {}
    several = {name: count for name, count in counts.items() if count > 1}
    first = description.most_context_frames > 0
    return Needs("labels", takes_first=first, takes_size=any_size, size=size, looks=several)


def parsed_size(text: str) -> tuple[int, int] | None:
    """Return the (height, width) of WIDTHxHEIGHT; None of an empty text.

    Raises:
        UserError: If it is neither.
    """
    return parse_size(text) if text.strip() else None
