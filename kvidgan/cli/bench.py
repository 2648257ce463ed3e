"""`kvidgan bench`: time training steps."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import Overrides, backend, find_config, say


def bench(
    config: Annotated[
        Path, typer.Argument(help="A YAML file, or the name of a config that ships.")
    ],
    overrides: Overrides = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Overrides data.batch.")] = None,
    steps: Annotated[int, typer.Option(min=2, help="Steps to time.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Time training steps: seconds a step, clips a second, cost of data, peak memory."""
    with backend():
        from kvidgan.config import load
        from kvidgan.training.bench import bench as measure

    extra = [] if batch is None else [f"data.batch={batch}"]
    tell = (lambda text: None) if as_json else say
    figures = measure(load(find_config(config), [*(overrides or []), *extra]), steps, tell)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        typer.echo(f"{name:<18}{value:.4g}" if isinstance(value, float) else f"{name:<18}{value}")
