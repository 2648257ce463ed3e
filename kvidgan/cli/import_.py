"""`kvidgan import`: turn the weights of an original project into an exported file, or a run."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import Overrides, backend, say, what_to_try


def import_(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            help="A generator's checkpoint: of PyTorch, TensorFlow 1 or Torch 7.",
            show_default=False,
        ),
    ],
    overrides: Overrides = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Default: the checkpoint's name with .keras, in this folder."
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="Also make a run of this name, with which fit --from can go on."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option(help="Replace a file and a run of these names.")
    ] = False,
) -> None:
    """Import a checkpoint of an original project; nothing in it is executed."""
    with backend():
        from kvidgan.importers.importing import NO_DATA, import_checkpoint

    outcome = import_checkpoint(checkpoint, overrides or [], output, run, overwrite)
    say(f"{checkpoint}: {outcome.what}.")
    for note in outcome.notes:
        say(note)
    for model in outcome.models:
        say(f"{model} written.")
    say(f"Try: {what_to_try(outcome.models[0])}")
    if outcome.run is not None:
        say(f"Go on: kvidgan fit --from {outcome.run.folder} data.path={NO_DATA}")
