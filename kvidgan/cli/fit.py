"""`kvidgan fit`: train a model from a YAML file, or go on with a run."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import (
    ConfigName,
    Overrides,
    backend,
    fail,
    find_config,
    progress,
    say,
    what_to_try,
)
from kvidgan.errors import UserError

RESUME_ME = 75  # sysexits.h: a failure that passes; batch systems put such a job back


def fit(
    config: ConfigName = None,
    overrides: Overrides = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run's folder from its last checkpoint.")
    ] = None,
    origin: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Begin a new run with this run's config and with what fits of its networks.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a run of the same name.")] = False,
) -> None:
    """Train a model from a YAML file, export it and sample it."""
    overrides = overrides or []
    if config is not None and "=" in str(config) and (resume or origin):
        config, overrides = None, [str(config), *overrides]  # it landed in the config's place
    _check_start(config, resume, origin)
    with backend():
        from kvidgan.config import load
        from kvidgan.training import fit as training
    from kvidgan.runs import Run

    if resume is not None:
        run = Run.open(resume)
        outcome = training.resume(run, load(run.config_path, overrides), say, progress)
    else:
        before = None if origin is None else Run.open(origin)
        if before is not None and config is None:
            config, overrides = before.config_path, [f"run.name={before.next_name()}", *overrides]
        assert config is not None
        checked = load(find_config(config), overrides)
        outcome = training.start(checked, overwrite, say, progress, before)
    folder = outcome.run.folder
    if outcome.model is None:
        fail(
            f"Stopped at step {outcome.step}; everything is saved. Go on with: "
            f"kvidgan fit --resume {folder}",
            130 if outcome.signal == signal.SIGINT else RESUME_ME,
        )
    say(
        f"Done: {outcome.step} steps in {folder}.\n"
        f"  model    {outcome.model}\n"
        f"  samples  {outcome.animation}\n"
        f"Try: {what_to_try(outcome.model)}"
    )


def _check_start(config: Path | None, resume: Path | None, origin: Path | None) -> None:
    if resume is not None and origin is not None:
        raise UserError("Expected one of --resume and --from, found both.")
    if resume is not None and config is not None:
        raise UserError(f"Expected overrides KEY=VALUE after --resume, found {config}.")
    if resume is None and origin is None and config is None:
        raise UserError(
            "Expected a YAML file such as configs/mocogan.yaml, or --resume RUN, or --from RUN."
        )
