"""The `data` section of a run's configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Layout = Literal["auto", "film_strips", "frame_folders", "videos", "arrays"]


class DataConfig(BaseModel):
    """Which videos to train on, and how they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(
        min_length=1, description="A folder, a file, a clip store (.h5) or a built-in's name."
    )
    layout: Layout = Field("auto", description="How the videos lie in the folder; auto: recognise.")
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
