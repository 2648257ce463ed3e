"""Reading: how files are to be read where they leave a choice, for configs and commands alike."""

import shlex
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kvidgan.data.layouts.axes import check_letters
from kvidgan.errors import UserError

LayoutName = Literal[
    "auto",
    "labelled_frames",
    "poses",
    "cityscapes",
    "davis",
    "ucf101",
    "hmdb51",
    "kth",
    "labelled_folders",
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
    palette: str | None = Field(
        None,
        min_length=1,
        description="File that tells which colour of label maps is which class, in lines R G B "
        "NAME; null: label maps hold numbers, or each colour found in them is a class.",
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
    official_split: int | None = Field(
        None,
        ge=1,
        description="Number of the official split of a data set that has several, such as UCF101; "
        "null: 1.",
        json_schema_extra={"option": "split"},
    )
    file_list: str | None = Field(
        None,
        description="List of the files or frame folders to read, as CSV (path, label, split) or as "
        "text, one a line; null for all.",
        json_schema_extra={"option": "list"},
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
    extra = Reading.model_fields[field].json_schema_extra
    name = extra.get("option", field) if isinstance(extra, dict) else field
    return f"--{str(name).replace('_', '-')}"


def parse_reading(layout: str, text: str) -> Reading:
    """Read options that are written as `axes=NTHWC fps=10`; values with blanks stand in quotes.

    Args:
        layout: Name of the layout, or "auto".
        text: The options; empty for none.

    Raises:
        UserError: If it is none of that.
    """
    try:
        words = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise UserError(f"Reading: expected options such as fps=10, found {text!r}.") from error
    for name, equals, _ in words:
        if not equals or name == "layout" or name not in Reading.model_fields:
            known = ", ".join(field for field in Reading.model_fields if field != "layout")
            raise UserError(f"Reading: expected NAME=VALUE of {known}, found {name!r}.")
    return checked_reading({"layout": layout, **{name: value for name, _, value in words}})


def reading_text(reading: Reading) -> str:
    """Return the options as `parse_reading` reads them."""
    return " ".join(shlex.quote(f"{name}={value}") for name, value in reading.options().items())


def checked_reading(values: dict[str, Any]) -> Reading:
    """Return the reading of these values by name.

    Raises:
        UserError: If one cannot be.
    """
    try:
        return Reading(**values)
    except ValidationError as error:
        first = error.errors()[0]
        text = first["msg"].replace("Input should be", "expected").replace("Value error, ", "")
        name = option_name(str(first["loc"][0]))
        raise UserError(f"{name}: {text}, found {first['input']!r}.") from error
