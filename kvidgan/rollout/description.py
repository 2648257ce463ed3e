"""Description: what an exported file says of itself, the JSON entry `kvidgan.json` in its zip.

Reading it needs no backend, so a file can be described within milliseconds.
"""

import json
import zipfile
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, ValidationError

from kvidgan.contract import Choice, Condition, Encoding, History, Latent, Looks, State, StepSpec
from kvidgan.errors import UserError
from kvidgan.media import fit_frames, fit_maps

ENTRY = "kvidgan.json"
FORMAT = 1

Size = tuple[int, int]  # (height, width)


class Noise(NamedTuple):
    """What a model that begins from noise draws: the names of its inputs.

    Attributes:
        content: Inputs that are drawn or chosen once for a video.
        motion: Inputs that are drawn for each frame, and first states.
        path: Inputs that are gone along from one content to another: latents fixed in a video or,
            where there are none, first states.
    """

    content: list[str]
    motion: list[str]
    path: list[str]


class Description(StepSpec):
    """Everything that a player needs to know of an exported step."""

    format: int = FORMAT
    family: str
    kvidgan_version: str
    trained_on: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def kind(self) -> Literal["noise", "clip", "labels", "frames"]:
        """What a rollout begins with.

        "noise", the first frames of a "clip", the "labels" maps that it follows, or other "frames"
        that it follows, such as those of another camera.
        """
        conditions = self.named(Condition).values()
        if not conditions:
            return "clip" if self.named(History) else "noise"
        return "labels" if all(spec.follows_labels for spec in conditions) else "frames"

    @property
    def context_frames(self) -> int:
        """The number of true frames that the model needs before its first own; 0 for none."""
        histories = self.named(History).values()
        return max((spec.frames for spec in histories if not spec.may_be_empty), default=0)

    @property
    def most_context_frames(self) -> int:
        """The number of true frames that the model can use before its first own."""
        return max((spec.frames for spec in self.named(History).values()), default=0)

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps that the model follows: none, "labels", or "labels" and "instances"."""
        conditions = self.named(Condition).values()
        if any(spec.follows_instances for spec in conditions):
            return "labels", "instances"
        return ("labels",) if any(spec.follows_labels for spec in conditions) else ()

    @property
    def encoding(self) -> Encoding | None:
        """How the label maps that the model follows become channels; None if it follows none."""
        found = (spec.encoding for spec in self.named(Condition).values())
        return next((one for one in found if one is not None), None)

    @property
    def looks(self) -> Looks | None:
        """The looks that the model can give to objects; None if it gives none."""
        found = (spec.looks for spec in self.named(Condition).values())
        return next((one for one in found if one is not None), None)

    @property
    def choices(self) -> dict[str, list[str]]:
        """The labels of each choice, by the name of its input."""
        return {name: spec.labels for name, spec in self.named(Choice).items()}

    @property
    def noise(self) -> Noise:
        """The inputs that are drawn: see `Noise`."""
        latents, states = self.named(Latent), self.named(State)
        fixed = [name for name, spec in latents.items() if spec.per == "video"]
        moving = [name for name, spec in latents.items() if spec.per == "frame"]
        first = [n for n, spec in states.items() if spec.draw != "zeros" and spec.same_as is None]
        return Noise([*fixed, *self.choices], [*moving, *first], fixed or first)

    @property
    def stride(self) -> int:
        """The distance between two frames of the clips that the model learned from, frames."""
        return int(self.config.get("data", {}).get("stride", 1))

    # ---- sizes

    @property
    def size(self) -> Size | None:
        """The (height, width) to which frames and maps are brought; None for their own."""
        height, width = self.frame.trained or (None, None)
        height, width = self.frame.height or height, self.frame.width or width
        return (height, width) if height and width else None

    @property
    def any_size(self) -> bool:
        """Whether the model makes frames of other sizes than it was trained at."""
        return self.frame.height is None or self.frame.width is None

    def size_for(self, height: int, width: int) -> Size:
        """Return the (height, width) in which frames of some size are shown to the model."""
        trained = self.frame.trained or (height, width)
        return self.frame.height or trained[0], self.frame.width or trained[1]

    def at_size(self, size: Size | None) -> "Description":
        """Return the description of a model that is shown frames of another size; None: its own.

        Raises:
            UserError: If the model makes frames of one size only.
        """
        if size is None:
            return self
        for wanted, own in zip(size, (self.frame.height, self.frame.width), strict=True):
            if own not in (None, wanted):
                raise UserError(
                    f"This {self.family} model makes frames of {self.frame.width or 'any'}x"
                    f"{self.frame.height or 'any'} only, found --size {size[1]}x{size[0]}; leave it"
                    " out."
                )
        frame = self.frame.model_copy(update={"trained": size})
        return self.model_copy(update={"frame": frame})

    def fit(self, frames: np.ndarray) -> np.ndarray:
        """Convert frames, uint8 (time, height, width, channels), to the model's size and channels.

        The argument itself is returned where there is nothing to convert.
        """
        return fit_frames(frames, *self.size_for(*frames.shape[1:3]), self.frame.channels)

    def fit_maps(self, maps: np.ndarray) -> np.ndarray:
        """Convert maps (time, height, width) to the model's size."""
        return fit_maps(maps, *self.size_for(*maps.shape[1:3]))

    # ---- what a caller expects

    def expect_noise(self) -> None:
        """Raise UserError unless the model begins from noise."""
        if self.kind == "noise":
            return
        does, what = ("goes on with a clip", "CLIP")
        if self.named(Condition):
            does, what = ("follows label maps", "LABELS")
        raise UserError(
            f"This {self.family} model {does} instead of beginning from noise: "
            f"kvidgan predict MODEL {what} -o out.mp4."
        )

    def expect_clip_or_labels(self) -> None:
        """Raise UserError unless the model goes on with a clip or follows label maps."""
        if self.kind == "noise":
            raise UserError(
                f"Expected a model that goes on with a clip or follows label maps, found a "
                f"{self.family} model with the inputs {', '.join(self.inputs)}; make videos with "
                "kvidgan generate."
            )
        if self.kind == "frames":
            raise UserError(
                f"Expected a model that follows label maps, found a {self.family} model that "
                "follows frames: such models are played from Python."
            )


def read_description(path: str | Path) -> Description:
    """Read the description of an exported file without loading its model.

    Raises:
        UserError: If the file is missing, not a zip, truncated, has no description, a newer format
            or an invalid one.

    Example:
        read_description("models/mocogan/mocogan.keras").frame.width  # 32
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"Expected an exported .keras file, found nothing at {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(ENTRY)
    except zipfile.BadZipFile as error:
        raise UserError(
            f"{path} is not a complete .keras file (a zip archive): it was cut off or is something "
            "else; export or copy it again."
        ) from error
    except KeyError as error:
        raise UserError(
            f"{path} holds no kvidgan description: it is a Keras file from elsewhere; expected one "
            "written by `kvidgan fit` or `kvidgan export`."
        ) from error
    return _parse(path, text)


def _parse(path: Path, text: bytes) -> Description:
    try:
        data = json.loads(text)
        version = data.get("format")
        if isinstance(version, int) and version > FORMAT:
            raise UserError(
                f"{path} has description format {version}, this kvidgan reads up to {FORMAT}; "
                "upgrade kvidgan."
            )
        return Description.model_validate(data)
    except (ValueError, AttributeError) as error:
        reason = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError(
            f"{path} has an invalid kvidgan description ({reason}); export it again."
        ) from error
