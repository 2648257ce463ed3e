"""The `data` section of a run's configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kvidgan.data.labels import Found

Layout = Literal[
    "auto",
    "labelled_frames",
    "film_strips",
    "videos",
    "frame_folders",
    "arrays",
    "moving_mnist",
]


class DigitsConfig(BaseModel):
    """What the clips of the built-in set moving_digits are like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(1, ge=1, le=9, description="Digits in a frame.")
    size: int = Field(32, ge=16, le=512, description="Side of a frame in pixels; digits scale.")
    frames: int = Field(20, ge=2, le=1000, description="Length of a clip.")
    clips: int = Field(2000, ge=1, le=10**6, description="How many clips.")


class DataConfig(BaseModel):
    """Which videos to train on, and how they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(
        min_length=1, description="A folder, a file, a clip store (.h5) or a built-in's name."
    )
    layout: Layout = Field("auto", description="How the videos lie in the folder; auto: recognise.")
    digits: DigitsConfig = Field(
        DigitsConfig(), description="Options of the built-in set moving_digits; of no other data."
    )
    labels: Found | None = Field(
        None,
        description="Find label maps in the frames of plain videos: edges, or what moves before a "
        "still background; null: those that come with the data, if any.",
    )
    classes: int | None = Field(
        None,
        ge=1,
        le=256,
        description="How many classes label maps have; null: as many as are found in them.",
    )
    split: str | None = Field(
        "train",
        description="The split to read, when the data has splits; null reads every video.",
    )
    stride: int = Field(1, ge=1, description="Distance in frames between two frames of a clip.")
    batch: int = Field(16, ge=1, description="Clips per training step, over all processes.")
    workers: int = Field(
        1, ge=0, description="Threads that read batches ahead; 0 reads in the training thread."
    )
    seed: int = Field(0, ge=0, lt=2**64, description="Of the draw of clips, and of built-in data.")
    strict: bool = Field(False, description="Stop at the first damaged file instead of skipping.")
    cache: str = Field("Data/cache", description="The folder for clip stores made from sources.")
