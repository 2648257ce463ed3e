"""`kvidgan export`: write a run's checkpoint as one .keras file."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import OverwriteOption, backend, say
from kvidgan.files import check_output


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: NAME.keras in the run.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A checkpoint of the run; default: the last.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Export a run's checkpoint as one .keras file, also of a run that was stopped."""
    with backend():
        from kvidgan.training.fit import export_checkpoint
    from kvidgan.runs import Run

    if output is not None:
        check_output(output, [] if checkpoint is None else [checkpoint], overwrite)
    say(f"{export_checkpoint(Run.open(run), output, checkpoint)} written.")
