"""`kvidgan info`: say what a file or folder is."""

from pathlib import Path
from typing import Annotated

import typer


def info(
    path: Annotated[Path, typer.Argument(help="A model, run, clip store, or data.")],
) -> None:
    """Say what a file or folder is, and what in it would be skipped and why."""
    from kvidgan.info import describe

    lines = describe(path)
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        typer.echo(f"{what:<{width}}  {value}")
