"""What an exported file says about itself: the JSON entry `kvidgan.json` in the `.keras` zip.

Reading it needs no backend, so a file can be described within milliseconds.
"""

import json
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kvidgan.errors import UserError

ENTRY = "kvidgan.json"
FORMAT = 1

Shape = list[Annotated[int, Field(gt=0)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Frame(_Strict):
    """The frame that a step makes, values in `range`.

    With `frames` above 1 a step makes that many at once, and its outputs have a time axis behind
    the batch's. A model of any size may name the one that it was `trained` at, (height, width):
    what it is given is brought to that, unless somebody asks for another.
    """

    output: str = "frame"
    frames: Annotated[int, Field(gt=0)] = 1
    height: int | None
    width: int | None
    channels: Literal[1, 3]
    range: tuple[float, float] = (-1.0, 1.0)
    multiple_of: int = 1
    trained: tuple[int, int] | None = None


class Latent(_Strict):
    """Drawn noise, once a video or anew each frame."""

    role: Literal["latent"]
    shape: Shape
    draw: Literal["normal", "uniform"] = "normal"
    per: Literal["video", "frame"]


class Choice(_Strict):
    """One of several named classes, fed as a one-hot vector."""

    role: Literal["choice"]
    shape: Shape
    labels: list[str]
    per: Literal["video"] = "video"


class State(_Strict):
    """An output of the previous step, drawn before the first.

    With `same_as`, the name of another state, it begins with what that one was drawn or given.
    """

    role: Literal["state"]
    shape: Shape
    draw: Literal["normal", "uniform", "zeros"] = "zeros"
    same_as: str | None = None
    next: str


class History(_Strict):
    """The last frames, (frames, height, width, channels): real ones first, then predictions.

    With `may_be_empty` the model begins by itself where there are none: from zeros.
    """

    role: Literal["history"]
    frames: Annotated[int, Field(gt=0)]
    next: str | None = None
    may_be_empty: bool = False


class Encoding(_Strict):
    """How the frames of a condition become channels.

    Class numbers become one channel a class; with `instance_edges` one more shows where objects
    end. `names` are those of the classes, `found` tells whether they are ids that come with a
    video, or what `kvidgan.data.labels` finds in it.
    """

    one_hot: Annotated[int, Field(gt=0)]
    names: list[str] | None = None
    found: Literal["ids", "edges", "foreground"] = "ids"
    instance_edges: bool = False


class Looks(_Strict):
    """How the objects of each class may look: `vectors` of `features` numbers for each of `names`.

    Every pixel of an object is fed one of its class's vectors; none where a class was never seen.
    """

    features: Annotated[int, Field(gt=0)]
    names: list[str]
    vectors: list[list[list[float]]]

    @model_validator(mode="after")
    def _alike(self) -> "Looks":
        lengths = {len(vector) for vectors in self.vectors for vector in vectors}
        if len(self.vectors) != len(self.names) or lengths - {self.features}:
            raise ValueError(f"expected vectors of {self.features} numbers for each class")
        return self


class Condition(_Strict):
    """A window of the last frames of a sequence that the user supplies.

    Class numbers are encoded one channel a class, or painted in the looks of objects; without
    either the frames are fed as they are.
    """

    role: Literal["condition"]
    frames: Annotated[int, Field(gt=0)]
    encoding: Encoding | None = None
    looks: Looks | None = None


Input = Annotated[Latent | Choice | State | History | Condition, Field(discriminator="role")]


class Description(_Strict):
    """Everything that a player needs to know of an exported step."""

    format: int = FORMAT
    family: str
    kvidgan_version: str
    trained_on: dict[str, Any] = {}
    config: dict[str, Any] = {}
    frame: Frame
    inputs: dict[str, Input]
    extra_outputs: dict[str, Literal["image", "mask", "flow"]] = {}

    @model_validator(mode="after")
    def _same_states(self) -> "Description":
        states = self.named(State)
        for name, spec in states.items():
            other = states.get(spec.same_as)
            if spec.same_as is not None and (other is None or other.shape != spec.shape):
                raise ValueError(f"{name} is the same as {spec.same_as}, which is no such state")
        return self

    def named(self, kind: type) -> dict[str, Any]:
        """Return the inputs of one role, by name, in order."""
        return {name: spec for name, spec in self.inputs.items() if isinstance(spec, kind)}


def read_description(path: str | Path) -> Description:
    """Read the description of an exported file without loading its model.

    Raises:
        UserError: If the file is missing, not a zip, truncated, has no description, a newer format
            or an invalid one.
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
