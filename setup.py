"""Build: the configs and the demo model of the top level go into the wheel, below the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("configs/**/*.yaml", "configs/schema.json", "models/shapes.keras")


class BuildWithShippedFiles(build_py):
    """Copies what `kvidgan.shipped` finds beside the package in a checkout."""

    def run(self) -> None:
        """Build the packages, then copy; an editable install finds the files where they are."""
        super().run()
        if not self.editable_mode:
            root, target = Path(__file__).parent, Path(self.build_lib) / "kvidgan/shipped_files"
            for path in (found for pattern in SHIPPED for found in root.glob(pattern)):
                copy = target / path.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


setup(cmdclass={"build_py": BuildWithShippedFiles})
