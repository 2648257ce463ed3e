"""Plan: what is to be played on a model, from noise, on a clip, or along label maps."""

from dataclasses import dataclass, field
from typing import Literal

from kvidgan.data.reading import Reading

Arrangement = Literal["plain", "content-motion", "interpolate"]


@dataclass(frozen=True)
class NoisePlan:
    """Videos from noise, side by side.

    Attributes:
        videos: Number of different videos; with "content-motion" the number of contents, one a
            row, and of motions, one a column; with "interpolate" the number of contents on the way
            from one to another, all with the same motion.
        content_seed: Seed of what is fixed in the first video; the others draw from the seeds
            after it.
        motion_seed: Seed of what changes in the first video, likewise.
        choices: The chosen label by the name of its input; choices not named are drawn.
        arrangement: What the videos differ in: see `videos`.
    """

    videos: int = 8
    content_seed: int = 0
    motion_seed: int = 0
    choices: dict[str, str] = field(default_factory=dict)
    arrangement: Arrangement = "plain"


@dataclass(frozen=True)
class ClipPlan:
    """A prediction that goes on with a clip, or follows label maps.

    Attributes:
        path: A file, a folder, a clip store or a built-in set.
        video: The video of several, by name or number; None for the first that is held out.
        reading: How its files are to be read.
        start: The clip's frame to begin with, from 0.
        stride: Distance of the frames used; None for that of the model's data.
        first: What a model that follows label maps begins with: an image, a clip or a model; None
            for the frames that come with the labels.
        size: The (height, width) of the frames; None for that which the model was trained at, or
            the clip's.
        seed: Seed of the looks that are drawn, where the model gives objects looks.
        looks: The chosen looks, by class or object.
    """

    path: str
    video: str | None = None
    reading: Reading = Reading()
    start: int = 0
    stride: int | None = None
    first: str | None = None
    size: tuple[int, int] | None = None
    seed: int = 0
    looks: dict[str, int] = field(default_factory=dict)


Plan = NoisePlan | ClipPlan
