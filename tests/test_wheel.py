"""Installed away from the checkout: wheel and sdist are built, and the wheel is tried."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import h5py
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Call a program of a fresh environment, which has the wheel, in a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    (wheel,) = built.glob("*.whl")
    subprocess.run(
        [programs / "python", "-m", "pip", "install", "-q", "--no-deps", wheel], check=True
    )
    # The libraries come from here: installing TensorFlow again would take minutes. A path in a
    # .pth file brings no .pth files of its own, so this checkout stays unseen.
    (site,) = (folder / "venv").rglob("site-packages")
    (site / "libraries.pth").write_text(str(Path(h5py.__file__).parents[1]))
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(folder / "settings"),
    }

    def call(name, *arguments, timeout=300):
        return subprocess.run(
            [programs / name, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            timeout=timeout,
        )

    return call


def test_the_archives_hold_what_ships(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").rglob("*.yaml")}
    shipped |= {"configs/schema.json", "models/shapes.keras"}
    assert {f"kvidgan/shipped_files/{name}" for name in shipped} < names
    assert {"kvidgan/py.typed", "kvidgan_viewer/py.typed"} < names
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"kvidgan", "kvidgan_viewer"}
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert shipped | {"tests/test_wheel.py", "setup.py", "LICENSE"} < inside


def test_a_bare_name_trains_and_its_model_generates(installed):
    small = ["train.epochs=1", "train.steps_per_epoch=2", "family.generator_width=2"]
    done = installed("kvidgan", "fit", "mocogan", *small)
    assert done.returncode == 0, done.stderr
    assert "Done: 2 steps in models/mocogan." in done.stdout
    made = installed("kvidgan", "generate", "models/mocogan", "-n", 2, "-o", "out.gif")
    assert made.returncode == 0, made.stderr
    shown = installed("kvidgan", "config", "show", "mocogan")
    assert shown.stdout == (ROOT / "configs" / "mocogan.yaml").read_text()
    where = installed("python", "-c", "import kvidgan; print(kvidgan.__file__)").stdout
    assert "site-packages" in where


def test_the_viewer_opens_and_has_its_demo(installed):
    code = (
        "from PySide6.QtCore import QTimer; from PySide6.QtWidgets import QApplication\n"
        "from kvidgan_viewer import main_window; import kvidgan_viewer.__main__ as viewer\n"
        "start = QApplication.exec\n"
        "def briefly(*_):\n"
        "    QTimer.singleShot(2000, QApplication.quit)\n"
        "    return start()\n"
        "QApplication.exec = briefly\n"
        "assert main_window.DEMO.is_file()\n"
        "raise SystemExit(viewer.main([]))"
    )
    done = installed("python", "-c", code)
    assert done.returncode == 0, done.stderr
