"""`kvidgan view`: look at models, runs and clips in a window."""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer


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
    viewer = importlib.import_module("kvidgan_viewer.__main__")  # by name: it is not below this
    sys.exit(viewer.view(paths or []))
