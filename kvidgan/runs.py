"""Run: the folder of a training run and what lies where in it.

Loads no backend: the viewer and `kvidgan info` read runs through this module.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kvidgan.errors import UserError


@dataclass(frozen=True)
class Run:
    """One run's folder and what lies where in it."""

    folder: Path

    @classmethod
    def create(cls, folder: str | Path, overwrite: bool = False) -> "Run":
        """Make the folder of a new run.

        Raises:
            UserError: If the folder holds anything already and `overwrite` is not set, or holds
                something that is not a run.
        """
        run = cls(Path(folder))
        if run.folder.exists() and any(run.folder.iterdir()):
            if not run.config_path.is_file():
                raise UserError(
                    f"{folder} exists and is not a run; choose another with run.name=NAME."
                )
            if not overwrite:
                raise UserError(
                    f"{folder} already holds a run; go on with `kvidgan fit --resume {folder}`, "
                    "choose another run.name=NAME, or replace it with --overwrite."
                )
            shutil.rmtree(run.folder)
        for part in (run.samples, run.checkpoints):
            part.mkdir(parents=True)
        return run

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """Open an existing run.

        Raises:
            UserError: If the folder is not a run's.
        """
        run = cls(Path(folder))
        if not run.config_path.is_file():
            raise UserError(f"Expected a run's folder, found no config.yaml in {folder}.")
        return run

    @property
    def name(self) -> str:
        """The run's name, its folder's."""
        return self.folder.resolve().name

    def next_name(self) -> str:
        """Return a name for a run that begins with this one: `name-2`, then `name-3`, ..."""
        stem, dash, number = self.name.rpartition("-")
        if dash and number.isdigit():
            return f"{stem}-{int(number) + 1}"
        return f"{self.name}-2"

    @property
    def config_path(self) -> Path:
        """The resolved configuration."""
        return self.folder / "config.yaml"

    @property
    def provenance_path(self) -> Path:
        """What the run was trained on, as its exported files tell it."""
        return self.folder / "data.json"

    @property
    def losses_path(self) -> Path:
        """The meaning of each loss, by name: a JSON object."""
        return self.folder / "losses.json"

    @property
    def history_path(self) -> Path:
        """One JSON object a line for each log point."""
        return self.folder / "history.jsonl"

    @property
    def samples(self) -> Path:
        """Sample strips by step."""
        return self.folder / "samples"

    @property
    def checkpoints(self) -> Path:
        """Everything that training needs to go on."""
        return self.folder / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's event files, when asked for."""
        return self.folder / "tensorboard"

    @property
    def model_path(self) -> Path:
        """The exported generator."""
        return self.folder / f"{self.name}.keras"

    def raw_config(self) -> dict[str, Any]:
        """Return the resolved configuration as plain values, unchecked."""
        try:
            raw = yaml.safe_load(self.config_path.read_text())
        except yaml.YAMLError as error:
            raise UserError(f"{self.config_path} is not valid YAML; it was changed.") from error
        sections = ("family", "data", "train")
        if not isinstance(raw, dict) or not all(isinstance(raw.get(s), dict) for s in sections):
            raise UserError(
                f"{self.config_path}: expected the sections {', '.join(sections)} of a run; it is "
                "no run's folder, or the file was changed."
            )
        return raw

    def history(self) -> list[dict[str, Any]]:
        """Return the log points in order; a last line that was cut off by a kill is left out."""
        if not self.history_path.is_file():
            return []
        lines = self.history_path.read_text().splitlines()
        points = []
        for number, line in enumerate(lines):
            try:
                points.append(json.loads(line))
            except json.JSONDecodeError:
                if number < len(lines) - 1:
                    raise UserError(
                        f"{self.history_path}: line {number + 1} is not JSON; remove it."
                    ) from None
        return points

    def loss_meanings(self) -> dict[str, str]:
        """Return what the losses mean, by name; empty if the run does not tell."""
        try:
            return dict(json.loads(self.losses_path.read_text()))
        except (OSError, ValueError):
            return {}

    def rewind_history(self, step: int) -> None:
        """Drop the log points after a step, which will be trained again."""
        kept = [json.dumps(point) + "\n" for point in self.history() if point["step"] <= step]
        aside = self.history_path.with_suffix(".part")
        aside.write_text("".join(kept))
        aside.replace(self.history_path)

    def checkpoint_path(self, step: int) -> Path:
        """Return where the checkpoint of a step lies."""
        return self.checkpoints / f"step-{step:08d}.npz"

    def checkpoint_paths(self) -> list[Path]:
        """Return the complete checkpoints, oldest first."""
        return sorted(self.checkpoints.glob("step-*.npz"))


def exported(path: str | Path) -> Path:
    """Return the exported file that is meant, a run's folder standing for its own.

    Raises:
        UserError: If a folder is no run's, or its model was not exported yet.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    run = Run.open(path)
    if not run.model_path.is_file():
        raise UserError(f"{path} has no exported model yet: write it with kvidgan export {path}.")
    return run.model_path
