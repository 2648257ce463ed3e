"""What is to be played."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FromNoise:
    """Videos from noise, side by side.

    Attributes:
        videos: How many.
        content_seed: Of what is fixed in the first video; the others draw from the seeds after it.
        motion_seed: Likewise of what changes.
        choices: By name of the input, the label chosen; those not named are drawn.
        interpolate: Whether the videos lie on the way from one content to the next, with one
            motion.
    """

    videos: int = 8
    content_seed: int = 0
    motion_seed: int = 0
    choices: dict[str, str] = field(default_factory=dict)
    interpolate: bool = False


@dataclass(frozen=True)
class OnClip:
    """What goes on with a clip, or follows label maps.

    Attributes:
        path: A file, a folder, a clip store or a built-in set.
        video: Which one, by name or number; None: the first that is held out.
        layout: How the path is to be read, or "auto".
        start: The clip's frame to begin with, from 0.
        stride: Distance of the frames used; None: as in the model's data.
        first: What a model that follows label maps begins with: an image, a clip or a model.
        size: (height, width) of the frames; None: as the model was trained, or the clip's.
        seed: Of the looks that are drawn, where the model gives objects looks.
        looks: Those chosen, by class.
    """

    path: str
    video: str | None = None
    layout: str = "auto"
    start: int = 0
    stride: int | None = None
    first: str | None = None
    size: tuple[int, int] | None = None
    seed: int = 0
    looks: dict[str, int] = field(default_factory=dict)


Plan = FromNoise | OnClip
