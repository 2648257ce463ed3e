"""Options of MoCoGAN."""

from typing import Literal

from pydantic import Field, model_validator

from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import DataFacts, FamilyConfig

_ADAM = OptimizerConfig(weight_decay=1e-5)


class Config(FamilyConfig):
    """Options of MoCoGAN; where none says otherwise, the defaults are the paper's."""

    name: Literal["mocogan"] = "mocogan"
    size: Literal[32, 48, 64, 96, 128] = Field(64, description="Side of the frames, pixels.")
    channels: Literal[1, 3] = Field(3, description="1 grey, 3 RGB.")
    frames: int = Field(16, ge=2, description="Length of the clips trained on, T.")
    content: int = Field(50, ge=1, description="Dimension of the content code, fixed in a video.")
    motion: int = Field(10, ge=1, description="Dimension of the motion code, one a frame.")
    categories: list[str] | None = Field(
        None, description="Names of the categories; null takes the data's classes, [] uses none."
    )
    cell: Literal["gru", "lstm", "projected_lstm"] = Field(
        "gru",
        description="Recurrent cell of the motion code. gru, lstm: its state is the code. "
        "projected_lstm: an LSTM of `hidden` units begins at zeros and sees one noise a video; a "
        "linear layer and batch norm make the code, which stands before the content.",
    )
    hidden: int = Field(100, ge=1, description="Units of the projected LSTM.")
    walk: int | None = Field(
        None,
        ge=2,
        description="Frames of the walks that generated clips are cut from, at one random place a "
        "batch, in training; null: clips are walks from their beginning.",
    )
    infogan: bool = Field(
        True, description="Ask the generator to make its category recognisable (section 3.2)."
    )
    generator_width: int = Field(64, ge=1, description="Feature maps of the decoder's last layer.")
    image_width: int = Field(64, ge=1, description="Feature maps of D_I's first layer.")
    video_width: int = Field(64, ge=1, description="Feature maps of D_V's first layer.")
    image_discriminator: Literal["patch", "full"] = Field(
        "patch", description="D_I judges patches of a frame, or the whole frame with one logit."
    )
    video_discriminator: Literal["patch", "full"] = Field(
        "full", description="D_V judges patches of a clip, or the whole clip with one logit."
    )
    time_kernel: int = Field(4, ge=2, description="D_V's kernel size in time, frames.")
    image_noise: float = Field(0.0, ge=0, description="Sigma of noise before each layer of D_I.")
    video_noise: float = Field(0.0, ge=0, description="Sigma of noise before each layer of D_V.")
    image_last_noise: bool = Field(
        True, description="Noise before D_I's last layer too; the original: only if it is a patch."
    )
    video_last_noise: bool = Field(
        True, description="Noise before D_V's last layer too; the original: no."
    )
    first_weights: Literal["normal", "pytorch"] = Field(
        "normal",
        description="normal: kernels N(0, 0.02), gains 1; pytorch: its defaults of 2017, kernels "
        "uniform by the number of inputs, gains uniform from 0 to 1.",
    )
    uniform_over: Literal["videos", "frames"] = Field(
        "videos",
        description="What D_I's real frames are drawn uniformly from: of all frames, long videos "
        "give more.",
    )
    batch_norm_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the averages.")
    reuse_generated: bool = Field(
        False, description="Train D and G on the same generated batch: one generator pass, not two."
    )
    generator_optimizer: OptimizerConfig = Field(_ADAM, description="Optimizer of the generator.")
    discriminator_optimizer: OptimizerConfig = Field(
        _ADAM, description="Optimizer of D_I and of D_V."
    )

    @model_validator(mode="after")
    def _frames_suffice(self) -> "Config":
        convolutions = 3 if self.video_discriminator == "patch" else self.blocks
        full = self.video_discriminator == "full"
        shortest = (self.time_kernel - 1) * (convolutions + (0 if full else 1)) + 1
        if self.frames < shortest:
            raise ValueError(
                f"frames: expected at least {shortest} for a {self.video_discriminator} video "
                f"discriminator at size {self.size} with time_kernel {self.time_kernel}, found "
                f"{self.frames}; use more frames or a smaller time_kernel"
            )
        if self.walk is not None and self.walk < self.frames:
            raise ValueError(
                f"walk: expected at least frames, {self.frames}, found {self.walk}; use a longer "
                "walk or none"
            )
        return self

    @property
    def steps(self) -> int:
        """Number of frames that the motion goes on for in training."""
        return self.walk or self.frames

    @property
    def blocks(self) -> int:
        """Number of times that the decoder doubles its side, from 4 (or 6) pixels to `size`."""
        return {32: 3, 48: 3, 64: 4, 96: 4, 128: 5}[self.size]

    @property
    def projected(self) -> bool:
        """Whether a linear layer makes the motion code of a larger state."""
        return self.cell == "projected_lstm"

    @property
    def state_size(self) -> int:
        """Dimension of the recurrent cell's state."""
        return self.hidden if self.projected else self.motion

    @property
    def smallest(self) -> int:
        """Side of the decoder's first feature map, pixels."""
        return self.size >> self.blocks

    def for_data(self, data: DataFacts) -> "Config":
        """Complete the options by the data's class names.

        Raises:
            ValueError: If categories are named and differ from the data's classes, or are used and
                some videos have none.
        """
        categories = self.categories
        if categories is None:
            categories = data.classes if len(data.classes) > 1 else []
        if categories and categories != data.classes:
            raise ValueError(
                f"family.categories: expected the data's classes {data.classes}, found "
                f"{categories}; leave the key out to take them from the data"
            )
        if categories and data.unlabelled:
            raise ValueError(
                f"family.categories: expected every video in a class folder, found "
                f"{data.unlabelled} "
                "outside; move them, or train without categories by family.categories=[]"
            )
        return self.model_copy(update={"categories": categories})
