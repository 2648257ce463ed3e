"""The command line: parse, call one function each, print its outcome or one clear sentence."""

import importlib.util
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

import kvidgan
from kvidgan.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train video GANs. KERAS_BACKEND=tensorflow|jax|torch chooses the backend.",
)
config_app = typer.Typer(no_args_is_help=True, help="About configuration files.")
app.add_typer(config_app, name="config")

Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Overrides such as train.epochs=5.", metavar="[KEY=VALUE]..."),
]


def main() -> None:
    """Run the command line; what a user can mend is one sentence on stderr and exit status 1."""
    logging.basicConfig(format="%(message)s")
    try:
        app()
    except UserError as error:
        _fail(str(error), 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}; what was complete is kept.", 1)
    except KeyboardInterrupt:
        _fail("Stopped.", 130)


@app.command()
def fit(
    config: Annotated[Path | None, typer.Argument(help="A YAML file.")] = None,
    overrides: Overrides = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run's folder from its last checkpoint.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a run of the same name.")] = False,
) -> None:
    """Train a model from a YAML file, export it and sample it."""
    if resume is not None:
        # Without a config the first override lands in its place.
        overrides = ([] if config is None else [str(config)]) + (overrides or [])
    elif config is None:
        raise UserError("Expected a YAML file such as configs/mocogan.yaml, or --resume RUN.")
    with _backend():
        from kvidgan.config import load
        from kvidgan.training import fit as training
    from kvidgan.training.runs import Run

    if resume is not None:
        run = Run.open(resume)
        outcome = training.resume(run, load(run.config_path, overrides or []), _say, _progress)
    else:
        assert config is not None
        outcome = training.start(load(config, overrides or []), overwrite, _say, _progress)
    folder = outcome.run.folder
    if outcome.model is None:
        _fail(
            f"Stopped at step {outcome.step}; everything is saved. Go on with: "
            f"kvidgan fit --resume {folder}",
            130,
        )
    _say(
        f"Done: {outcome.step} steps in {folder}.\n"
        f"  model    {outcome.model}\n"
        f"  samples  {outcome.animation}\n"
        f"Try: kvidgan generate {outcome.model} -n 8 --frames 64 -o out.gif"
    )


@app.command()
def prepare(
    source: Annotated[str, typer.Argument(help="A folder or file of videos, or a built-in set.")],
    destination: Annotated[Path, typer.Argument(help="The clip store to write, NAME.h5.")],
    layout: Annotated[str, typer.Option(help="Force a layout instead of recognising it.")] = "auto",
    size: Annotated[
        int | None, typer.Option(min=1, help="Crop to squares and resize to this side, pixels.")
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
        strict=strict,
        overwrite=overwrite,
        say=_say,
        progress=_progress,
    )
    for skipped in report.skipped[:10]:
        _say(f"skipped {skipped.name}: {skipped.reason}")
    if len(report.skipped) > 10:
        _say(f"... and {len(report.skipped) - 10} more: kvidgan info {report.path}")
    how = "was there already, unchanged" if report.cached else "written"
    _say(f"{report.path}: {report.written} videos {how}, {len(report.skipped)} skipped.")


@app.command()
def generate(
    model: Annotated[Path, typer.Argument(help="An exported .keras file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help=".gif, .mp4 or a folder.")],
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Number of videos.")] = 8,
    frames: Annotated[int, typer.Option(min=1, help="Frames, also more than trained on.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal frames.")] = 0,
    arrangement: Annotated[
        Literal["plain", "content-motion"],
        typer.Option(
            "--grid",
            help="content-motion: COUNT rows of equal content, COUNT columns of equal motion.",
        ),
    ] = "plain",
    category: Annotated[str | None, typer.Option(help="One category for all, by name.")] = None,
    interpolate: Annotated[
        bool, typer.Option("--interpolate", help="COUNT contents on the way between two.")
    ] = False,
    fps: Annotated[float, typer.Option(min=0.1, max=100, help="Frames a second.")] = 12.5,
    scale: Annotated[
        int, typer.Option(min=0, help="Enlarge by a whole number; 0 chooses one.")
    ] = 0,
) -> None:
    """Generate videos from noise, side by side."""
    if arrangement != "plain" and interpolate:
        raise UserError("Expected one of --grid and --interpolate, found both.")
    with _backend():
        from kvidgan.rollout import Rollout
        from kvidgan.rollout.generate import generate as play
    from kvidgan.media import enlarge, write_frames

    pictures = play(
        Rollout.open(model),
        count,
        frames,
        seed=seed,
        arrangement="interpolate" if interpolate else arrangement,
        category=category,
    )
    real_fps = write_frames(output, (enlarge(p, scale) for p in _counted(pictures, frames)), fps)
    _say(f"{output}: {frames} frames at {real_fps:g} fps.")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Default: NAME.keras in the run.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A checkpoint of the run; default: the last.")
    ] = None,
) -> None:
    """Export a run's checkpoint as one .keras file, also of a run that was stopped."""
    with _backend():
        from kvidgan.training.fit import export_checkpoint
    from kvidgan.training.runs import Run

    _say(f"{export_checkpoint(Run.open(run), output, checkpoint)} written.")


@app.command()
def info(
    path: Annotated[Path, typer.Argument(help="A model, run, clip store, or data.")],
) -> None:
    """Say what a file or folder is, and what in it would be skipped and why."""
    from kvidgan.info import describe

    lines = describe(path)
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        typer.echo(f"{what:<{width}}  {value}")


@app.command()
def bench(
    config: Annotated[Path, typer.Argument(help="A YAML file.")],
    overrides: Overrides = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Overrides data.batch.")] = None,
    steps: Annotated[int, typer.Option(min=2, help="Steps to time.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Time training steps: seconds a step, clips a second, cost of data, peak memory."""
    with _backend():
        from kvidgan.config import load
        from kvidgan.training.bench import bench as measure

    extra = [] if batch is None else [f"data.batch={batch}"]
    say = (lambda text: None) if as_json else _say
    figures = measure(load(config, [*(overrides or []), *extra]), steps, say)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        typer.echo(f"{name:<18}{value:.4g}" if isinstance(value, float) else f"{name:<18}{value}")


@config_app.command()
def schema() -> None:
    """Print the JSON schema of the YAML files, for editors."""
    with _backend():
        from kvidgan.config import schema_text

    typer.echo(schema_text(), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(kvidgan.__version__)


@contextmanager
def _backend() -> Iterator[None]:
    """Check the backend's name and presence, and keep its start-up chatter off the screen."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in ("tensorflow", "jax", "torch"):
        raise UserError(f"KERAS_BACKEND: expected tensorflow, jax or torch, found {name!r}.")
    if importlib.util.find_spec(name) is None:
        raise UserError(
            f"KERAS_BACKEND is {name!r}, which is not installed; pip install 'kvidgan[{name}]'."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            # Keras looks for it whatever the backend, at the latest when it sees data.
            with suppress(ImportError):
                importlib.import_module("tensorflow")
            yield
        except BaseException:
            chatter.seek(0)
            os.write(kept, chatter.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _counted(pictures, total):
    """Pass pictures on and show how many there are."""
    for number, picture in enumerate(pictures, 1):
        _progress(number, total, "frames")
        yield picture


def _progress(done: int, total: int, what: str) -> None:
    """Keep one line of a terminal up to date; say nothing elsewhere."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r\033[K{done} of {total}  {what}", end=end, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    typer.echo(text)


def _fail(message: str, status: int) -> None:
    print(message if status == 130 else f"error: {message}", file=sys.stderr)
    sys.exit(status)
