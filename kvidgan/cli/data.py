"""Data: `kvidgan prepare` and `kvidgan info`."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Layout, progress, say


def prepare(
    source: Annotated[str, typer.Argument(help="A folder or file of videos, or a built-in set.")],
    destination: Annotated[Path, typer.Argument(help="The clip store to write, NAME.h5.")],
    layout: Layout = "auto",
    size: Annotated[
        int | None, typer.Option(min=1, help="Crop to squares and resize to this side, pixels.")
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(min=1, help="How many to draw, layout moving_mnist only. Default: 10000."),
    ] = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first damaged file.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace another store of that name.")] = False,
) -> None:
    """Turn a data set into one clip store, once; says what was found and what was skipped."""
    from kvidgan.data.prepare import prepare_path

    report = prepare_path(
        source,
        destination,
        layout=layout,
        size=size,
        clips=clips,
        strict=strict,
        overwrite=overwrite,
        say=say,
        progress=progress,
    )
    for skipped in report.skipped[:10]:
        say(f"skipped {skipped.name}: {skipped.reason}")
    if len(report.skipped) > 10:
        say(f"... and {len(report.skipped) - 10} more: kvidgan info {report.path}")
    how = "was there already, unchanged" if report.cached else "written"
    say(f"{report.path}: {report.written} videos {how}, {len(report.skipped)} skipped.")


def info(
    path: Annotated[Path, typer.Argument(help="A model, run, clip store, or data.")],
) -> None:
    """Say what a file or folder is, and what in it would be skipped and why."""
    from kvidgan.info import describe

    lines = describe(path)
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        typer.echo(f"{what:<{width}}  {value}")
