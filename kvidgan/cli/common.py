"""What the verbs share: the backend's choice, progress, and how a mistake is told."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from kvidgan.errors import UserError

T = TypeVar("T")
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Overrides such as train.epochs=5.", metavar="[KEY=VALUE]..."),
]
Model = Annotated[Path, typer.Argument(help="An exported .keras file, or a run's folder.")]
Output = Annotated[Path, typer.Option("-o", "--output", help=".gif, .mp4 or a folder.")]
Layout = Annotated[str, typer.Option(help="Force a layout instead of recognising it.")]
Scale = Annotated[int, typer.Option(min=0, help="Enlarge by a whole number; 0 chooses one.")]


@contextmanager
def backend() -> Iterator[None]:
    """Check the backend's name and presence, and keep its start-up chatter off the screen."""
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    if name not in ("tensorflow", "jax", "torch"):
        raise UserError(f"KERAS_BACKEND: expected tensorflow, jax or torch, found {name!r}.")
    if importlib.util.find_spec(name) is None:
        raise UserError(
            f"KERAS_BACKEND is {name!r}, which is not installed; pip install 'kvidgan[{name}]'."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Where anything else runs, PyTorch's threads else wait busily: steps took twenty times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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


def fail(message: str, status: int) -> NoReturn:
    """Tell what went wrong on stderr and stop with an exit status."""
    print(message if status == 130 else f"error: {message}", file=sys.stderr)
    sys.exit(status)
