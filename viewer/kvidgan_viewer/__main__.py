"""Start the viewer: `kvidgan view`, `kvidgan-viewer`, `python -m kvidgan_viewer`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kvidgan import backends
from kvidgan.errors import UserError

LIBRARIES = "on Debian and Ubuntu: apt install libegl1 libxkbcommon-x11-0 libxcb-cursor0"
USES = "An exported .keras file, a run's folder, or a clip to go on with."


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and return the exit status when it is closed."""
    parser = argparse.ArgumentParser(prog="kvidgan-viewer", description="Look at trained models.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="MODEL|RUN|CLIP", help=USES)
    parser.add_argument(
        "--backend",
        choices=backends.TITLES,
        help="What models are played with; default: KERAS_BACKEND, or tensorflow.",
    )
    try:
        return view(**vars(parser.parse_args(arguments)))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def view(paths: Sequence[Path], backend: str | None = None) -> int:
    """Open the window with models, runs and clips; return when it is closed.

    Raises:
        UserError: If there is no such path or backend, no screen, or Qt's libraries are missing.
    """
    backend = backend or backends.chosen()
    for path in paths:
        if not path.exists():
            raise UserError(f"Expected a model, a run or a clip, found nothing at {path}.")
    _check_screen()
    # Late: worker processes import this module too, and have no use for Qt.
    try:
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        raise UserError(
            f"The viewer needs Qt, which cannot be loaded ({error}); {LIBRARIES}."
        ) from error

    from kvidgan_viewer.main_window import MainWindow

    application = QApplication(sys.argv[:1])
    application.setApplicationName("kvidgan")
    window = MainWindow(backend)
    window.begin(paths)
    return application.exec()


def _check_screen() -> None:
    """Refuse in a sentence what Qt would end the process for."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in names):
        raise UserError(
            "The viewer needs a screen, found no DISPLAY: start it in a desktop session, or over "
            "ssh -X; kvidgan generate and predict write files without one."
        )


if __name__ == "__main__":
    sys.exit(main())
