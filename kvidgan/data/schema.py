"""Schema of the `data` section of a run's configuration."""

from pydantic import BaseModel, ConfigDict, Field

from kvidgan.data.labels import FoundLabels
from kvidgan.data.reading import Reading


class DigitsConfig(BaseModel):
    """Options of the built-in set moving_digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(1, ge=1, le=9, description="Number of digits in a frame.")
    size: int = Field(
        32, ge=16, le=512, description="Side of a frame in pixels; the digits scale with it."
    )
    frames: int = Field(20, ge=2, le=1000, description="Number of frames in a clip.")
    clips: int = Field(2000, ge=1, le=10**6, description="Number of clips.")


class DataConfig(Reading):
    """The videos to train on, and how they are read."""

    path: str = Field(
        min_length=1,
        description="Folder or file of videos, clip store (.h5), or name of a built-in set.",
    )
    digits: DigitsConfig = Field(
        DigitsConfig(), description="Options of the built-in set moving_digits, of no other data."
    )
    labels: FoundLabels | None = Field(
        None,
        description="Label maps to find in the frames of plain videos: edges, or the foreground "
        "that moves before a still background; null takes those that come with the data, if any.",
    )
    split: str | None = Field(
        "train",
        description="Split to read, when the data has splits; null reads every video.",
    )
    stride: int = Field(1, ge=1, description="Distance in frames between two frames of a clip.")
    batch: int = Field(
        16, ge=1, description="Number of clips per training step, over all processes."
    )
    workers: int = Field(
        1,
        ge=0,
        description="Number of threads that read batches ahead; 0 reads in the training thread.",
    )
    seed: int = Field(
        0, ge=0, lt=2**64, description="Seed of the draw of clips, and of built-in data."
    )
    strict: bool = Field(
        False, description="Whether to stop at the first damaged file instead of skipping it."
    )
    cache: str = Field(
        "Data/cache", description="Folder for the clip stores that sources are converted into."
    )
