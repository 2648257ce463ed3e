"""Shared parts of the verbs: the backend's choice, progress, shipped configs, error messages."""

import difflib
import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from kvidgan import backends, shipped
from kvidgan.errors import UserError

T = TypeVar("T")
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Overrides such as train.epochs=5.", metavar="[KEY=VALUE]..."),
]
ConfigName = Annotated[
    Path | None, typer.Argument(help="A YAML file, or the name of a config that ships: mocogan.")
]
Model = Annotated[Path, typer.Argument(help="An exported .keras file, or a run's folder.")]
Output = Annotated[Path, typer.Option("-o", "--output", help=".gif, .mp4 or a folder.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace what kvidgan wrote under that name.")
]
ScaleOption = Annotated[int, typer.Option(min=0, help="Enlarge by a whole number; 0 chooses one.")]


@contextmanager
def backend() -> Iterator[None]:
    """Check the chosen backend, and keep its messages off the screen while it is loaded."""
    backends.select(backends.chosen())
    with backends.quiet():
        # Keras looks for it whatever the backend, at the latest when it sees data.
        with suppress(ImportError):
            importlib.import_module("tensorflow")
        yield


def counted(pictures: Iterable[T], total: int | None) -> Iterator[T]:
    """Pass pictures on and show how many there are; total: of how many, if that is known."""
    for number, picture in enumerate(pictures, 1):
        progress(number, total, "frames")
        yield picture


def progress(done: int, total: int | None, what: str) -> None:
    """Keep one line of a terminal up to date; say nothing elsewhere."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        of = "" if total is None else f" of {total}"
        print(f"\r\033[K{done}{of}  {what}", end=end, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Tell the user something on stdout."""
    typer.echo(text)


def warn(problem: object) -> None:
    """Tell on stderr what is not as expected, and go on."""
    print(f"warning: {problem}", file=sys.stderr)


def fail(message: str, status: int) -> NoReturn:
    """Tell what went wrong on stderr and stop with an exit status."""
    stopped = message.startswith("Stopped")
    with suppress(OSError):  # the terminal may be gone
        print(message if stopped else f"error: {message}", file=sys.stderr)
    sys.exit(status)


def find_config(name: Path) -> Path:
    """Return the YAML file that is meant: that of a path, else the shipped config of this name.

    Raises:
        UserError: If there is neither; names the nearest one.
    """
    if name.is_file():
        return name
    names = shipped.config_names()
    if name.as_posix() in names:
        return shipped.config(name.as_posix())
    if name.suffix in (".yaml", ".yml"):
        raise UserError(f"Cannot read the config {name}: No such file or directory.")
    near = difflib.get_close_matches(name.stem, names, n=1, cutoff=0.0)
    raise UserError(
        f"Expected a YAML file, or the name of a config that ships such as {near[0]}, found "
        f"{'a folder' if name.is_dir() else 'nothing'} at {name}."
    )


def what_to_try(model: Path) -> str:
    """Return a command that shows what a model does, by what it begins with."""
    from kvidgan.rollout.description import read_description

    kind = read_description(model).kind
    if kind == "noise":
        return f"kvidgan generate {model} -n 8 --frames 64 -o out.gif"
    if kind == "clip":
        return f"kvidgan predict {model} YOUR_CLIP -n 64 --compare -o out.gif"
    return f"kvidgan predict {model} YOUR_LABEL_MAPS -o out.mp4"
