"""Options of vid2vid."""

from typing import Literal

from pydantic import Field, model_validator

from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import DataFacts, FamilyConfig, LabelKind, LabelValues, MapName
from kvidgan.nn.patches import smallest_side
from kvidgan.nn.temporal import span

_ADAM = OptimizerConfig(name="adam", learning_rate=2e-4, beta_1=0.5, beta_2=0.999)
TAPS = 3  # frames that a video discriminator sees


class Config(FamilyConfig):
    """Options of video-to-video synthesis; defaults are the paper's where it says them."""

    name: Literal["vid2vid"] = "vid2vid"
    size: tuple[int, int] = Field(
        (256, 512), description="Height and width of the frames trained on, pixels."
    )
    channels: Literal[1, 3] = Field(3, description="1 grey, 3 RGB.")
    labels: list[str] | None = Field(
        None, description="Names of the label classes; null: those of the data."
    )
    labels_from: LabelKind | None = Field(
        None, description="What the label maps are; null: as the data says."
    )
    label_values: LabelValues | None = Field(
        None,
        description="Names of the classes by what stands for them in files of label maps, where "
        "that is not their number, null for no class; null: those of the data.",
    )
    instance_edges: bool = Field(
        False, description="Show the edges between instances too; the data needs instance maps."
    )
    features: int = Field(
        0,
        ge=0,
        description="Numbers that say how an object looks, so that another look can be chosen; the "
        "paper has 3. 0: none. The data needs instance maps.",
    )
    encoder_width: int = Field(16, ge=1, description="Maps of the first layer that finds looks.")
    looks: int = Field(10, ge=1, description="Looks of a class to choose from, at most.")
    past: int = Field(2, ge=1, description="Past frames that the next one is drawn from, L.")
    flow: bool = Field(
        True, description="Warp the past frame along a flow; false: draw each frame by itself."
    )
    first_frame: Literal["real", "drawn"] = Field(
        "real",
        description="real: past frames are given at first; drawn: the generator begins by itself.",
    )
    foreground_labels: list[str] = Field(
        [], description="Classes that a network of their own draws, from the labels alone."
    )
    foreground_width: int | None = Field(
        None,
        ge=1,
        description="Maps of that network's first layer; null: generator_width, half of it from "
        "three halvings on.",
    )
    foreground_blocks: int | None = Field(
        None, ge=1, description="Residual blocks of that network; null: as many as blocks."
    )
    scales: int = Field(1, ge=1, le=3, description="Generators, each twice as fine as the last.")
    fix_coarse_steps: int = Field(
        0, ge=0, description="Steps in which the finest generator learns alone."
    )
    generator_width: int = Field(128, ge=2, description="Maps of the coarsest one's first layer.")
    down: int = Field(3, ge=1, le=5, description="Halvings in the coarsest generator.")
    blocks: int = Field(9, ge=2, description="Residual blocks in the coarsest generator.")
    fine_blocks: int = Field(3, ge=1, description="Residual blocks in each finer generator.")
    resampling_kernel: Literal[3, 4] = Field(
        3,
        description="Side of the kernels that halve and double the size; 4 leaves no checkerboard.",
    )
    norm: Literal["instance", "batch"] = Field("instance", description="Normalisation layers.")
    discriminator_width: int = Field(64, ge=1, description="Maps of the first layers.")
    discriminator_layers: int = Field(3, ge=1, description="Halvings in each discriminator.")
    discriminator_scales: int = Field(2, ge=1, description="Sizes that they judge, each half.")
    temporal_scales: int = Field(
        3, ge=0, le=3, description="Video discriminators: of frames 1, 3 and 9 apart; 0: none."
    )
    wait_for_generated: bool = Field(
        True,
        description="A video discriminator judges once all the frames that it sees are generated; "
        "false: at once, the real frames before a sequence among them.",
    )
    loss: Literal["lsgan", "hinge", "bce"] = Field("lsgan", description="The adversarial loss.")
    adv_image_weight: float = Field(
        1.0, ge=0, description="Weight of what the generators lose to the image discriminators."
    )
    adv_video_weight: float = Field(
        1.0, ge=0, description="Weight of what they lose to the video discriminators."
    )
    features_image_weight: float = Field(
        10.0, ge=0, description="Weight of feature matching in the image discriminators."
    )
    features_video_weight: float = Field(
        10.0, ge=0, description="Weight of feature matching in the video discriminators."
    )
    perceptual: str = Field(
        "none", description="VGG-19's weights: imagenet, a file of them, or none: leave it out."
    )
    perceptual_weight: float = Field(
        10.0, ge=0, description="Weight of the perceptual loss of frames."
    )
    perceptual_raw_weight: float = Field(
        10.0, ge=0, description="Weight of the perceptual loss of the images before composition."
    )
    flow_weight: float = Field(10.0, ge=0, description="Weight of the error of the flow.")
    warp_weight: float = Field(
        10.0, ge=0, description="Weight of the error of true frames warped along the flow."
    )
    steady_weight: float = Field(10.0, ge=0, description="Weight of the loss of flicker.")
    mask_weight: float = Field(
        1.0, ge=0, description="Weight of the mask's loss, with first_frame drawn."
    )
    backprop_frames: int = Field(
        1, ge=1, description="Frames a step, through which the gradient flows back."
    )
    sequence: int = Field(30, ge=1, description="Frames in a row made of a clip, at most.")
    first_sequence: int = Field(4, ge=1, description="Frames in a row in the first epochs.")
    grow_every: int = Field(
        5, ge=0, description="Epochs after which the sequence doubles; 0: it is long at once."
    )
    flip: bool = Field(True, description="Mirror every other clip, left to right.")
    generator_optimizer: OptimizerConfig = Field(_ADAM, description="Optimizer of the generators.")
    discriminator_optimizer: OptimizerConfig = Field(
        _ADAM, description="Optimizer of the discriminators."
    )

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        least = smallest_side(self.discriminator_layers, self.discriminator_scales)
        multiple = self.multiple_of
        for side in self.size:
            if side % multiple or side < least:
                raise ValueError(
                    f"size: expected multiples of {multiple}, at least {least}, found {side}"
                )
        widths = {"generator_width": self.generator_width}
        if self.foreground_labels:
            widths["foreground_width"] = self.foreground_maps
        for name, width in widths.items():
            if width % 2 ** (self.scales - 1):
                raise ValueError(
                    f"{name}: expected a multiple of {2 ** (self.scales - 1)}, since each finer "
                    f"generator has half of it, found {width}"
                )
        if self.labels is not None:
            _check_foreground(self.foreground_labels, self.labels)
        return self

    @property
    def multiple_of(self) -> int:
        """What the sides of frames must be multiples of, pixels."""
        return 2 ** (self.down + self.scales - 1)

    @property
    def foreground_maps(self) -> int:
        """Maps of the foreground network's first layer."""
        halved = self.generator_width // 2 if self.down > 2 else self.generator_width
        return self.foreground_width or halved

    @property
    def classes(self) -> int:
        """Channels of an encoded label map."""
        return len(self.labels or []) + self.instance_edges

    @property
    def has_unlabelled(self) -> bool:
        """Whether label maps may have pixels of no class, which nothing is learned from."""
        return None in (self.label_values or {}).values()

    @property
    def maps(self) -> tuple[MapName, ...]:
        """What the data has to tell of each frame."""
        objects: tuple[MapName, ...] = (
            ("instances",) if self.instance_edges or self.features else ()
        )
        return "labels", "flow", "confidence", *objects

    @property
    def num_temporal_scales(self) -> int:
        """How many temporal scales there are: none without flow."""
        return self.temporal_scales if self.flow else 0

    @property
    def kept(self) -> int:
        """Past frames that a step needs: of the generator, and of the slowest discriminator."""
        slowest = span(self.num_temporal_scales - 1, TAPS) - 1 if self.num_temporal_scales else 0
        return max(self.past, slowest)

    def for_data(self, data: DataFacts) -> "Config":
        """Return the options with the data's label classes.

        Raises:
            ValueError: If there are none, or they are others than the options say.
        """
        if data.labels is None:
            raise ValueError(
                "family.name: vid2vid needs a label map for every frame, found data without; "
                "prepare the videos with --labels edges or --labels foreground"
            )
        for name, wanted, found in (
            ("labels", self.labels, data.labels),
            ("labels_from", self.labels_from, data.labels_from),
            ("label_values", self.label_values, data.label_values),
        ):
            if wanted is not None and wanted != found:
                raise ValueError(f"family.{name}: expected the data's, {found}, found {wanted}")
        try:
            _check_foreground(self.foreground_labels, data.labels)
        except ValueError as error:
            raise ValueError(f"family.{error}") from error
        names = ("labels", "labels_from", "label_values")
        return self.model_copy(update={name: getattr(data, name) for name in names})


def _check_foreground(foreground: list[str], labels: list[str]) -> None:
    unknown = [name for name in foreground if name not in labels]
    if unknown:
        raise ValueError(
            f"foreground_labels: expected classes of the data, {', '.join(labels)}, found "
            f"{unknown[0]!r}"
        )
