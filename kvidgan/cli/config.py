"""`kvidgan config`: the shipped configurations, and the schema of all."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import backend, find_config
from kvidgan.shipped import config_names


def show(
    name: Annotated[Path, typer.Argument(help="The name of a config that ships, or a YAML file.")],
) -> None:
    """Print a shipped config: kvidgan config show mocogan > mine.yaml."""
    typer.echo(find_config(name).read_text(), nl=False)


def names() -> None:
    """Print the names of the configs that ship, those of the papers included."""
    for name in config_names():
        typer.echo(name)


def schema() -> None:
    """Print the JSON schema of the YAML files, for editors."""
    with backend():
        from kvidgan.config import schema_text

    typer.echo(schema_text(), nl=False)
