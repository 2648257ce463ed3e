"""Reading: how files are to be read where they leave a choice, for configs and commands alike."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kvidgan.data.layouts.axes import check_letters

LayoutName = Literal[
    "auto",
    "labelled_frames",
    "film_strips",
    "videos",
    "frame_folders",
    "tfrecords",
    "arrays",
    "moving_mnist",
]


class Reading(BaseModel):
    """How files are to be read; whatever is None is told by the files, or by the layout's default.

    Each field but `layout` is an option of the layouts that name it in the registry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: LayoutName = Field(
        "auto", description="Layout of the videos in the folder; auto recognises it."
    )
    classes: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Number of classes of the label maps; null for as many as are found in them.",
    )
    clips: int | None = Field(
        None, ge=1, description="Number of clips that the layout moving_mnist draws; null: 10000."
    )
    fps: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Frames per second that videos are brought to, and that frames and arrays are "
        "said to have; null for each video's own, the median where that varies.",
    )

    axes: str | None = Field(
        None,
        description="Axes of the arrays, a letter for each: N videos, T time, H height, W width, C "
        "colours, as NTHWC; null for those that sizes and content leave, said as a guess.",
    )
    select: str | None = Field(
        None,
        min_length=1,
        description="Which one of several in a file or a data set: an array's name, a camera, a "
        "kind of maps; null for the only one.",
    )
    bit_depth: int | None = Field(
        None,
        ge=8,
        le=16,
        description="Bit depth of images of more than 8 bit and of arrays, whose values go from 0 "
        "to 2^N - 1; null for the least that holds the largest value, said as a guess.",
    )

    @field_validator("axes")
    @classmethod
    def _check_axes(cls, axes: str | None) -> str | None:
        return None if axes is None else check_letters(axes)

    def options(self) -> dict[str, Any]:
        """Return what is asked for beside the layout, by name."""
        fields = (name for name in Reading.model_fields if name != "layout")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


def option_name(field: str) -> str:
    """Return the name of a field on the command line, such as --classes."""
    return f"--{field.replace('_', '-')}"
