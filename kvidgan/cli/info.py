"""`kvidgan info`: say what a file or folder is."""

from pathlib import Path
from typing import Annotated

import typer

from kvidgan.cli.common import OverwriteOption, say
from kvidgan.cli.reading import reads_data
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.files import check_output

PreviewOption = Annotated[
    Path | None,
    typer.Option(
        metavar="SHEET.png",
        help="Draw first, middle and last frame of eight videos into this image.",
    ),
]


@reads_data
def info(
    path: Annotated[Path, typer.Argument(help="A model, run, clip store, data or built-in set.")],
    preview: PreviewOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all of a clip store, and check its checksums.")
    ] = False,
    overwrite: OverwriteOption = False,
    *,
    reading: Reading,
) -> None:
    """Say what a file or folder is; of data how it is understood, and what would be skipped."""
    from kvidgan.info import describe

    if preview is not None:
        check_output(preview, [path], overwrite)

    lines = describe(path, reading)
    width = max(len(what) for what, _ in lines)
    for what, value in lines:
        typer.echo(f"{what:<{width}}  {value}")
    if verify:
        _verify(path)
    if preview is not None:
        write_preview(path, preview, reading)


def _verify(path: Path) -> None:
    from kvidgan.data.open import is_store
    from kvidgan.data.store.reader import ClipStore

    if not is_store(path):
        raise UserError(f"--verify: expected a clip store, found {path}; leave it out.")
    with ClipStore.open(path) as store:
        store.verify()
    say(f"{path}: every frame and map is as it was written.")


def write_preview(path: Path | str, sheet: Path, reading: Reading) -> None:
    """Draw a contact sheet of data, and tell where it is."""
    from kvidgan.data.open import find_source
    from kvidgan.data.preview import preview
    from kvidgan.media import write_image

    write_image(sheet, preview(find_source(str(path), reading)))
    say(f"{sheet} written.")
