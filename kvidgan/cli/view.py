"""Look at models, runs and clips in a window: `kvidgan view`."""

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kvidgan.errors import UserError


def view(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Exported .keras files, runs' folders, and a clip to go on with; none: the start "
            "page.",
            metavar="[MODEL|RUN|CLIP]...",
        ),
    ] = None,
) -> None:
    """Open the desktop viewer: play, compare, plot, export."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend not in ("tensorflow", "jax", "torch"):
        raise UserError(f"KERAS_BACKEND: expected tensorflow, jax or torch, found {backend!r}.")
    for path in paths or []:
        if not path.exists():
            raise UserError(f"Expected a model, a run or a clip, found nothing at {path}.")
    viewer = importlib.import_module("viewer.__main__")  # by name: it is not below this
    sys.exit(viewer.view(paths or [], backend))
