"""Run: the folder of a training run and what lies where in it.

Loads no backend: the viewer and `kvidgan info` read runs through this module.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kvidgan.errors import UserError
from kvidgan.files import MARK, Busy, locked, remove, write_text


@dataclass(frozen=True)
class Run:
    """One run's folder and what lies where in it."""

    folder: Path

    @classmethod
    def create(cls, folder: str | Path, overwrite: bool = False) -> "Run":
        """Make the folder of a new run.

        A run that is replaced is put aside; only what runs write is moved. One that was killed
        before it was complete does not count.

        Raises:
            UserError: If the folder holds a run already and `overwrite` is not set, or something
                that is not a run.
        """
        run = cls(Path(folder))
        if run.folder.exists() and any(run.folder.iterdir()):
            if not run.is_run():
                raise UserError(
                    f"{folder} exists and is not a run; choose another with run.name=NAME."
                )
            if not overwrite and run.config_path.is_file():
                raise UserError(
                    f"{folder} already holds a run; go on with `kvidgan fit --resume {folder}`, "
                    "choose another run.name=NAME, or replace it with --overwrite."
                )
            run._put_aside()
        for part in (run.samples, run.checkpoints):
            part.mkdir(parents=True, exist_ok=True)
        write_text(run.mark_path, "run\n")
        return run

    def is_run(self) -> bool:
        """Return whether the folder was made for a run, by this version or one before it."""
        older = (self.config_path, self.samples, self.checkpoints)
        return self.mark_path.is_file() or all(path.exists() for path in older)

    def _put_aside(self) -> None:
        """Move what a run wrote into a folder beside it; what lies there from before goes.

        A run without checkpoints is nothing to keep.
        """
        if not self.checkpoint_paths():
            for path in self._own_paths():
                remove(path)
            return
        remove(self.aside)
        self.aside.mkdir()
        for path in self._own_paths():
            path.rename(self.aside / path.name)

    def _own_paths(self) -> list[Path]:
        """Return the files and folders that a run writes, as far as they are there."""
        named = (
            *(self.config_path, self.provenance_path, self.losses_path, self.history_path),
            *(self.samples, self.checkpoints, self.tensorboard, self.model_path),
        )
        return [path for path in named if path.exists()]

    @property
    def aside(self) -> Path:
        """Where the run that was replaced lies until this one has a checkpoint."""
        return self.folder.with_name(f".{self.folder.name}.replaced")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from training this run for the time of a block.

        Raises:
            UserError: If another one does.
        """
        try:
            with locked(self.folder.with_name(f".{self.folder.name}.lock")):
                yield
        except Busy as busy:
            raise UserError(
                f"{self.folder} is being trained by {busy}: wait for it, or choose another name "
                "with run.name=NAME."
            ) from None

    def forget_replaced(self) -> None:
        """Remove the run that this one replaces."""
        remove(self.aside)

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
    def mark_path(self) -> Path:
        """A hidden file that says that this is a run's folder; written before all others."""
        return self.folder / MARK

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
        """The exported generator; of a folder that was renamed the one that lies there."""
        own = self.folder / f"{self.name}.keras"
        others = [] if own.is_file() else list(self.folder.glob("*.keras"))
        return others[0] if len(others) == 1 else own

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
        """Return the log points in order; lines that are none are left out."""
        return self._read_history()[0]

    def bad_history_lines(self) -> int:
        """Return the number of lines in the log that are no log points, as after a kill."""
        return self._read_history()[1]

    def _read_history(self) -> tuple[list[dict[str, Any]], int]:
        try:
            lines = self.history_path.read_bytes().splitlines()
        except OSError:
            return [], 0
        points = [point for line in lines if (point := _log_point(line)) is not None]
        return points, len(lines) - len(points)

    def loss_meanings(self) -> dict[str, str]:
        """Return what the losses mean, by name; empty if the run does not tell."""
        try:
            return dict(json.loads(self.losses_path.read_text()))
        except (OSError, ValueError):
            return {}

    def rewind_history(self, step: int) -> None:
        """Drop the log points after a step, which will be trained again."""
        kept = [json.dumps(point) + "\n" for point in self.history() if point["step"] <= step]
        write_text(self.history_path, "".join(kept))

    def checkpoint_path(self, step: int) -> Path:
        """Return where the checkpoint of a step lies."""
        return self.checkpoints / f"step-{step:08d}.npz"

    def checkpoint_paths(self) -> list[Path]:
        """Return the complete checkpoints, oldest first."""
        return sorted(self.checkpoints.glob("step-*.npz"))


def _log_point(line: bytes) -> dict[str, Any] | None:
    """Return a line of the log as its values; None if it is damaged."""
    try:
        point = json.loads(line)
        numbers = [float(point[key]) for key in ("step", "epoch", "wall_time")]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = isinstance(point["step"], int) and isinstance(point["epoch"], int)
    return point if whole and all(math.isfinite(number) for number in numbers) else None


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
