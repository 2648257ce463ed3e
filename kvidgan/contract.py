"""The contract of a family: what it says of its batches, of its losses and of its exported step.

Types alone, on the ground floor: data, training, rollouts and the viewer read them, and none of
those needs to know a family.
"""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Shape = list[Annotated[int, Field(gt=0)]]
MapName = Literal["labels", "instances", "flow", "confidence"]
LabelKind = Literal["ids", "edges", "foreground"]
# Names of classes by what stands for them in files, "200" or "#804080"; None for no class.
LabelValues = dict[str, str | None]
NO_CLASS = 255  # in label maps of fewer classes: a pixel of none, which nothing is learned from
Part = TypeVar("Part", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- Data ---------------------------------------------------------------------------------------


class ClipSpec(_Frozen):
    """One named entry of a batch: clips of `num_frames` frames of (height, width, channels).

    With a `sequence`, batches come in runs: each is a window that lies a little later in the same
    clips than the one before it, so that a model can go on with its own past. Runs may grow: in
    epoch e they have min(sequence, first_sequence * 2**(e // grow_every)) windows.
    """

    num_frames: int = Field(gt=0, description="Frames in a clip.")
    height: int = Field(gt=0, description="Height of the frames, pixels.")
    width: int = Field(gt=0, description="Width of the frames, pixels.")
    channels: Literal[1, 3] = Field(description="Channels of the frames: 1 grey, 3 RGB.")
    crop: bool = Field(
        False,
        description="Cut clips out at random places, at the videos' own scale, instead of cropping "
        "whole frames centrally and resizing them.",
    )
    motion: float = Field(
        0.0, ge=0, description="How much must move in such a crop: see `crops.motion_place`."
    )
    maps: tuple[MapName, ...] = Field((), description="The maps that come along with each frame.")
    uniform_over: Literal["videos", "frames"] = Field(
        "videos",
        description="What clips are drawn uniformly from: videos, each as often as any other, or "
        "all frames that one can begin at, so that long videos come more often.",
    )
    flip: bool = Field(False, description="Mirror clips, each with probability one half.")
    sequence: int = Field(
        1, ge=1, description="Windows in a run, at most; fewer if no video is long enough."
    )
    first_sequence: int = Field(1, ge=1, description="Windows in a run of epoch 0, if runs grow.")
    grow_every: int = Field(
        0, ge=0, description="Epochs between two doublings; 0: runs are long from the start."
    )
    advance: int = Field(1, ge=1, description="Frames between the starts of two windows.")
    position: bool = Field(
        False, description="Say in the batch which window it is, also where there are no runs."
    )

    @model_validator(mode="after")
    def _crops_stand_alone(self) -> Self:
        if self.crop and self.sequence > 1:
            raise ValueError("expected crop or sequence: a crop's place hangs on its own window")
        return self


class DataFacts(_Frozen):
    """What a family's options may depend on in the data of a run."""

    classes: list[str] = Field([], description="Names of the videos' classes.")
    unlabelled: int = Field(0, ge=0, description="Number of videos without a class.")
    labels: list[str] | None = Field(
        None, description="Names of the label maps' classes; None without label maps."
    )
    labels_from: LabelKind | None = Field(
        None, description="Whether label maps came with the data, or what was found in frames."
    )
    label_values: LabelValues | None = Field(
        None, description="What stands for each class in files of label maps; None for its number."
    )


class FamilyConfig(BaseModel):
    """The options of a family. A subclass names the family in `name` and adds its own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str

    def for_data(self, data: DataFacts) -> Self:
        """Complete the options by what the data is; most families have nothing to complete.

        Raises:
            ValueError: If options and data contradict each other.
        """
        del data
        return self


# ---- The exported step --------------------------------------------------------------------------


class Frame(_Frozen):
    """The frame that a step makes, values in `range`.

    With `frames` above 1 a step makes that many at once, and its outputs have a time axis behind
    the batch's. A model of any size may name the one that it was `trained` at, (height, width):
    what it is fed is brought to that, unless somebody asks for another.
    """

    output: str = "frame"
    frames: Annotated[int, Field(gt=0)] = 1
    height: int | None
    width: int | None
    channels: Literal[1, 3]
    range: tuple[float, float] = (-1.0, 1.0)
    multiple_of: int = 1
    trained: tuple[int, int] | None = None


class Latent(_Frozen):
    """Drawn noise, once a video or anew each frame."""

    role: Literal["latent"] = "latent"
    shape: Shape
    draw: Literal["normal", "uniform"] = "normal"
    per: Literal["video", "frame"]


class Choice(_Frozen):
    """One of several named classes, fed as a one-hot vector."""

    role: Literal["choice"] = "choice"
    shape: Shape
    labels: list[str]
    per: Literal["video"] = "video"


class State(_Frozen):
    """An output of the previous step, drawn before the first.

    With `same_as`, the name of another state, it begins with what that one was drawn or given.
    """

    role: Literal["state"] = "state"
    shape: Shape
    draw: Literal["normal", "uniform", "zeros"] = "zeros"
    same_as: str | None = None
    next: str


class History(_Frozen):
    """The last frames, (frames, height, width, channels): context frames first, then predictions.

    With `may_be_empty` the model begins by itself where there is no context: from zeros. With
    `next` the history of the next step is an output of this one. It is of the frame's height and
    width, each halved so many times as `halvings` says, by averages of 3x3 pixels.
    """

    role: Literal["history"] = "history"
    frames: Annotated[int, Field(gt=0)]
    halvings: Annotated[int, Field(ge=0)] = 0
    next: str | None = None
    may_be_empty: bool = False


class Encoding(_Frozen):
    """How the label maps of a condition become channels.

    Class numbers become one channel a class; with `instance_edges` one more shows where objects
    end. Pixels of number 255, where there are fewer classes, are of none: all channels are 0.
    `names` are those of the classes, `values` tell what stands for them in files, where that is not
    their number. `found` tells whether they are ids that come with a video, or what
    `kvidgan.data.labels` finds in it.
    """

    one_hot: Annotated[int, Field(gt=0)]
    names: list[str] | None = None
    values: LabelValues | None = None
    found: LabelKind = "ids"
    instance_edges: bool = False


class Looks(_Frozen):
    """How the objects of each class may look: `vectors` of `features` numbers for each of `names`.

    Every pixel of an object is fed one of its class's vectors; none where a class was never seen.
    """

    features: Annotated[int, Field(gt=0)]
    names: list[str]
    vectors: list[list[list[float]]]

    @model_validator(mode="after")
    def _vectors_fit(self) -> Self:
        lengths = {len(vector) for vectors in self.vectors for vector in vectors}
        if len(self.vectors) != len(self.names) or lengths - {self.features}:
            raise ValueError(f"expected vectors of {self.features} numbers for each class")
        return self

    @property
    def counts(self) -> dict[str, int]:
        """The number of looks of each class, by name."""
        return dict(zip(self.names, map(len, self.vectors), strict=True))


class Condition(_Frozen):
    """A window of the last frames of a sequence that the user supplies.

    Class numbers are encoded one channel a class, or painted in the looks of objects; without
    either the frames are fed as they are.
    """

    role: Literal["condition"] = "condition"
    frames: Annotated[int, Field(gt=0)]
    encoding: Encoding | None = None
    looks: Looks | None = None

    @property
    def follows_labels(self) -> bool:
        """Whether it is fed label maps instead of plain frames."""
        return self.encoding is not None or self.looks is not None

    @property
    def follows_instances(self) -> bool:
        """Whether it is fed the numbers of objects too."""
        return self.looks is not None or (
            self.encoding is not None and self.encoding.instance_edges
        )


Input = Annotated[Latent | Choice | State | History | Condition, Field(discriminator="role")]
OutputKind = Literal["image", "mask", "flow"]


class StepSpec(_Frozen):
    """What the inputs and outputs of an exported step mean."""

    frame: Frame
    inputs: dict[str, Input]
    extra_outputs: dict[str, OutputKind] = {}

    @model_validator(mode="after")
    def _same_states(self) -> Self:
        states = self.named(State)
        for name, spec in states.items():
            other = states.get(spec.same_as or "")
            if spec.same_as is not None and (other is None or other.shape != spec.shape):
                raise ValueError(f"{name} is the same as {spec.same_as}, which is no such state")
        return self

    def named(self, kind: type[Part]) -> dict[str, Part]:
        """Return the inputs of one role, by name, in order."""
        return {name: spec for name, spec in self.inputs.items() if isinstance(spec, kind)}
