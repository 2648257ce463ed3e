"""`kvidgan info`: say what a file or folder is."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.reading import reads_data
from kvidgan.data.reading import Reading


@reads_data
def info(
    path: Annotated[Path, typer.Argument(help="A model, run, clip store, or data.")],
    *,
    reading: Reading,
) -> None:
    """Say what a file or folder is, and what in it would be skipped and why."""
    from kvidgan.info import describe

    lines = describe(path, reading)
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        typer.echo(f"{what:<{width}}  {value}")
