"""Importing: a checkpoint of an original project becomes an exported file, and a run to go on."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvidgan import config as configs
from kvidgan import families
from kvidgan.config import Config
from kvidgan.errors import UserError
from kvidgan.families import FamilyModel
from kvidgan.files import check_output, write_text
from kvidgan.importers.kinds import Kind, recognise
from kvidgan.importers.read import read_weights
from kvidgan.importers.weights import Weights
from kvidgan.runs import Run
from kvidgan.training import checkpoint, fit
from kvidgan.training.checkpoint import Position

NO_DATA = "YOUR_DATA"  # where a run says what it is trained on: no checkpoint tells


@dataclass(frozen=True)
class Imported:
    """What an import came to.

    Attributes:
        what: What the checkpoint is, in a few words.
        models: The exported files.
        run: The run, if one was asked for.
        notes: What the checkpoint does not tell, and which option does: a sentence each.
    """

    what: str
    models: list[Path]
    run: Run | None
    notes: list[str]


def import_checkpoint(
    path: str | Path,
    overrides: Sequence[str] = (),
    output: Path | None = None,
    run: str | None = None,
    overwrite: bool = False,
) -> Imported:
    """Import the generator of a checkpoint.

    Args:
        path: The checkpoint's file; of TensorFlow's also the name without a suffix.
        overrides: Options that the file does not tell, as `family.categories=[walk,run]`.
        output: The `.keras` file to write; by default the checkpoint's name with that suffix in
            this folder, or none with a run, which has its own.
        run: Name of a run to make, with which `fit --from` can go on.
        overwrite: Replace a file or a run of that name.

    Raises:
        UserError: If the file cannot be imported, or something of that name exists.

    Example:
        import_checkpoint("generator_100000.pytorch", ["family.categories=[walk,run]"])
    """
    path = Path(path)
    weights, kind = recognise(read_weights(path))
    if output is None and run is None:
        output = Path(f"{_stem(weights.path)}.keras")
    if output is not None:
        _check_output(output, path, overwrite)
    config, notes = _config(weights, kind, overrides, run)
    gan = fit.build(config)
    kind.fill(weights, gan)
    trained_on = _provenance(weights)
    made = None if run is None else _make_run(gan, config, trained_on, overwrite)
    models = [] if made is None else [made.model_path]
    if output is not None:
        models.insert(0, fit.export_run(gan, config, output, trained_on))
    return Imported(kind.WHAT, models, made, notes)


def _config(
    weights: Weights, kind: Kind, overrides: Sequence[str], run: str | None
) -> tuple[Config, list[str]]:
    """Return the checked configuration, and what the weights do not tell."""
    raw: dict[str, Any] = {
        "family": {},
        "data": {"path": NO_DATA},
        "run": {"name": run or _stem(weights.path)},
    }
    for one in overrides:
        configs.override(raw, one)
    given = raw["family"] if isinstance(raw["family"], dict) else {}
    if given.get("name", kind.FAMILY) != kind.FAMILY:
        raise UserError(
            f"family.name: expected {kind.FAMILY}, which {kind.WHAT} becomes, found "
            f"{given['name']!r}."
        )
    options, notes = kind.options(weights, given)
    raw["family"] = {"name": kind.FAMILY, **options, **given}
    origins = {key.split("=")[0].strip(): "the command line" for key in overrides}
    return configs.check(raw, weights.path, origins), notes


def _make_run(gan: FamilyModel, config: Config, trained_on: dict[str, Any], overwrite: bool) -> Run:
    run = Run.create(Path(config.run.folder) / config.run.name, overwrite)
    configs.save(config, run.config_path)
    write_text(run.provenance_path, json.dumps(trained_on, indent=1))
    losses = families.load(config.family.name).LOSSES
    write_text(run.losses_path, json.dumps(dict(losses), indent=1))
    checkpoint.save(gan, Position(), run.checkpoint_path(0))
    fit.export_run(gan, config, run.model_path, trained_on)
    return run


def _provenance(weights: Weights) -> dict[str, Any]:
    """Return what an exported file says that it was trained on: the checkpoint is all we know."""
    digest = hashlib.sha256()
    for file in _files(weights.path):
        with file.open("rb") as opened:
            hashlib.file_digest(opened, lambda: digest)
    return {
        "data": f"unknown: imported from {weights.path.name}",
        "checkpoint_sha256": digest.hexdigest(),
    }


def _files(path: Path) -> list[Path]:
    """Return the files of a checkpoint; those of TensorFlow's newer format share its name."""
    if path.is_file():
        return [path]
    parts = re.compile(re.escape(path.name) + r"\.(index|data-\d+-of-\d+)")
    return sorted(file for file in path.parent.iterdir() if parts.fullmatch(file.name))


def _check_output(output: Path, checkpoint: Path, overwrite: bool) -> None:
    if output.suffix != ".keras":
        raise UserError(f"-o: expected a name that ends in .keras, found {output}.")
    check_output(output, [checkpoint], overwrite)


def _stem(path: Path) -> str:
    return re.sub(r"\.(pytorch|pth|pt|pkl|t7|tar)$", "", path.name)
