"""The command line: parse, call one function each, print its outcome or one clear sentence."""

import logging
import os
import signal
import sys

import typer

import kvidgan
from kvidgan.cli import (
    bench,
    config,
    evaluate,
    export,
    fit,
    generate,
    import_,
    info,
    predict,
    prepare,
    view,
)
from kvidgan.cli.common import fail, warn
from kvidgan.errors import UserError
from kvidgan.media import tolerated

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train, judge and look at video GANs. KERAS_BACKEND=tensorflow|jax|torch is the backend.",
)
config_app = typer.Typer(no_args_is_help=True, help="About configuration files.")
for verb in (
    fit.fit,
    prepare.prepare,
    generate.generate,
    predict.predict,
    evaluate.evaluate,
    export.export,
    info.info,
    bench.bench,
    view.view,
):
    app.command()(verb)
app.command("import")(import_.import_)
app.add_typer(config_app, name="config")
config_app.command()(config.show)
config_app.command()(config.names)
config_app.command()(config.schema)


def main() -> None:
    """Run the command line; what a user can mend is one sentence on stderr and exit status 1."""
    logging.basicConfig(format="%(message)s")
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with tolerated(warn):  # what is damaged in a file is told, and the rest of it is read
            app()
    except UserError as error:
        fail(str(error), 1)
    except BrokenPipeError:  # as in `kvidgan info ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{where}; what was complete is kept.", 1)
    except _Ended:
        fail("Stopped.", 128 + signal.SIGTERM)
    except KeyboardInterrupt:
        fail("Stopped.", 130)
    finally:
        signal.signal(signal.SIGTERM, before)


class _Ended(BaseException):
    """Ended: somebody asked the process to end."""


def _end(number: int, frame: object) -> None:
    raise _Ended


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(kvidgan.__version__)
