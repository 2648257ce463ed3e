"""`kvidgan prepare`: turn a data set into one clip store."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from kvidgan.cli.common import progress, say
from kvidgan.cli.info import PreviewOption, write_preview
from kvidgan.cli.reading import reads_data
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.files import check_output
from kvidgan.media import parse_size


@reads_data
def prepare(
    source: Annotated[str, typer.Argument(help="A folder or file of videos, or a built-in set.")],
    destination: Annotated[Path, typer.Argument(help="The clip store to write, NAME.h5.")],
    size: Annotated[
        str | None,
        typer.Option(
            metavar="SIDE|WIDTHxHEIGHT", help="Crop to the middle and resize to this, pixels."
        ),
    ] = None,
    labels: Annotated[
        Literal["edges", "foreground"] | None,
        typer.Option(help="Find label maps in the frames: edges, or what moves in a still scene."),
    ] = None,
    test_frames: Annotated[
        int | None,
        typer.Option(min=1, help="Make so many frames at the end of every video the test split."),
    ] = None,
    preview: PreviewOption = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first damaged file.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace another store of that name.")] = False,
    *,
    reading: Reading,
) -> None:
    """Turn a data set into one clip store, once; say what was understood, and what was skipped."""
    from kvidgan.data.open import prepare_path

    if preview is not None:
        check_output(preview, [source], overwrite)
    report = prepare_path(
        source,
        destination,
        reading=reading,
        size=_height_width(size),
        labels=labels,
        test_frames=test_frames,
        strict=strict,
        overwrite=overwrite,
        say=say,
        on_progress=progress,
    )
    for skipped in report.skipped[:10]:
        say(skipped.describe())
    if len(report.skipped) > 10:
        say(f"... and {len(report.skipped) - 10} more: kvidgan info {report.path}")
    if preview is not None:
        write_preview(report.path, preview, Reading())
    how = "was there already, unchanged" if report.cached else "written"
    left_out = sum(not skipped.rest_kept for skipped in report.skipped)
    parts = len({skipped.name for skipped in report.skipped if skipped.rest_kept})
    incomplete = f", {parts} of them without damaged parts" if parts else ""
    say(f"{report.path}: {report.written} videos {how}{incomplete}, {left_out} skipped.")


def _height_width(size: str | None) -> tuple[int, int] | None:
    """Read SIDE or WIDTHxHEIGHT."""
    if size is None:
        return None
    try:
        return parse_size(f"{size}x{size}" if size.isdecimal() else size)
    except UserError as error:
        raise UserError(
            f"--size: expected a side such as 64, or WIDTHxHEIGHT such as 128x96, found {size!r}."
        ) from error
