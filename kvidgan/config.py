"""The configuration of a run: YAML with dotted overrides, checked against a schema."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.json_schema import models_json_schema

from kvidgan import families
from kvidgan.data.schema import DataConfig
from kvidgan.errors import UserError
from kvidgan.files import write_text


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainConfig(_Section):
    """How long to train and what to write on the way."""

    epochs: int = Field(10, ge=1, description="Epochs in all, those before a resume included.")
    steps_per_epoch: int = Field(1000, ge=1, description="Training steps (batches) an epoch.")
    steps_per_execution: int = Field(
        1, ge=1, description="Steps between looks at the losses; 1 on PyTorch."
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        "float32", description="Precision of the computation; variables stay float32."
    )
    jit: bool | Literal["auto"] = Field(
        "auto", description="Compile with XLA (torch.compile on PyTorch); auto: where it is faster."
    )
    ema: float | None = Field(
        None, gt=0, lt=1, description="Momentum of the generator's average weights, then exported."
    )
    seed: int = Field(0, ge=0, description="Seed of the first weights and of all noise.")
    checkpoint_every: int = Field(1, ge=1, description="Epochs between checkpoints.")
    keep_checkpoints: int = Field(3, ge=1, description="Number of last checkpoints that are kept.")
    sample_every: int = Field(1, ge=1, description="Epochs between sample strips.")
    log_every: int = Field(20, ge=1, description="Steps between lines of history.jsonl.")
    tensorboard: bool | Literal["histograms"] = Field(
        False,
        description="Write scalars and samples for TensorBoard too; histograms: also of all "
        "weights, at the end of each epoch.",
    )


class RunConfig(_Section):
    """Where the run lives: `folder/name`."""

    name: str = Field(min_length=1, description="Default: the YAML's name.")
    folder: str = Field("models", description="The folder that holds the runs.")

    @field_validator("name")
    @classmethod
    def _stays_here(cls, name: str) -> str:
        if name in (".", "..") or name.startswith("~") or re.search(r"[/\\:\x00-\x1f]", name):
            raise ValueError(
                "expected a plain name, without / or \\; run.folder says where the run lies"
            )
        return name


class Config(_Section):
    """One run: a family, its data and its training."""

    family: Any = Field(description="The family's own Config: its name and its options.")
    data: DataConfig
    train: TrainConfig = TrainConfig()
    run: RunConfig


def load(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML file, apply `key=value` overrides and check the result.

    Args:
        path: The YAML file.
        overrides: Dotted keys with YAML values, as `train.epochs=5`.

    Raises:
        UserError: If the file or an override cannot be read, or a key, type or family is wrong;
            names the key, where it stands and the nearest known key.

    Example:
        config = load("configs/mocogan.yaml", ["train.epochs=3", "run.name=short"])
    """
    path = Path(path)
    raw = _read(path)
    for one in overrides:
        override(raw, one)
    origins = {key.split("=")[0].strip(): "the command line" for key in overrides}
    return check(raw, path, origins)


def check(raw: dict[str, Any], path: Path, origins: dict[str, str] | None = None) -> Config:
    """Check a configuration that was read from a file: see `load`."""
    origins = origins or {}
    family, run = raw.get("family"), raw.get("run") or {}
    if not isinstance(family, dict) or "name" not in family:
        raise UserError(
            f"{path}: expected family.name, one of {', '.join(families.names())}; found none."
        )
    module = families.load(family["name"])
    if isinstance(run, dict):
        run = {"name": path.stem, **run}
    with _explained(path, origins, module.Config, "family"):
        checked = module.Config.model_validate(family)
    with _explained(path, origins, Config):
        return Config.model_validate({**raw, "family": checked, "run": run})


def save(config: Config, path: Path) -> None:
    """Write the resolved configuration as YAML."""
    write_text(path, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))


def schema(names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the JSON schema of a YAML file, for editors.

    Args:
        names: Names of the families that it knows; None for all.
    """
    modules = [families.load(name) for name in names or families.names()]
    mode: Literal["validation"] = "validation"
    known = [(module.Config, mode) for module in modules]
    references, definitions = models_json_schema([(Config, mode), *known])
    root = definitions["$defs"].pop(references[Config, mode]["$ref"].rsplit("/", 1)[1])
    root["properties"]["family"] = {"oneOf": [references[model] for model in known]}
    root["required"] = ["family", "data"]
    definitions["$defs"]["RunConfig"].pop("required")  # the name defaults to the file's
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, **definitions}


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UserError(f"Cannot read the config {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is not valid YAML: {reason}.") from error
    if not isinstance(raw, dict):
        raise UserError(f"{path}: expected keys such as family, data, train and run, found none.")
    return raw


def override(raw: dict[str, Any], text: str) -> None:
    """Set one value of a configuration that is not checked yet.

    Args:
        raw: Nested sections, changed in place.
        text: A dotted key with a YAML value, as `train.epochs=5`.

    Raises:
        UserError: If it is no such pair, or the value is not valid YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"Expected an override key=value such as train.epochs=5, found {text!r}.")
    *parents, last = key.strip().split(".")
    section = raw
    for parent in parents:
        following = section.get(parent)
        section[parent] = following if isinstance(following, dict) else {}
        section = section[parent]
    try:
        section[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"{key}: {value!r} is not a valid YAML value.") from error


@contextmanager
def _explained(
    path: Path, origins: dict[str, str], model: type[BaseModel], prefix: str = ""
) -> Iterator[None]:
    """Turn the first validation error into one sentence."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        location = [str(part) for part in first["loc"]]
        key = ".".join([prefix, *location] if prefix else location)
        where = origins.get(key, str(path))
        if first["type"] == "extra_forbidden":
            hint = _nearest(model, location)
            raise UserError(f"{where}: unknown key {key!r}{hint}.") from error
        if first["type"] == "missing":
            raise UserError(f"{where}: expected the key {key!r}, found none.") from error
        message = first["msg"].removeprefix("Value error, ")
        found = "" if first["type"] == "value_error" else f", found {first['input']!r}"
        # A check of several fields begins its message with the field that it blames.
        named = f"{key}: " if location else f"{prefix}."
        raise UserError(f"{where}: {named}{message}{found}.") from error


def _nearest(model: type[BaseModel], location: list[str]) -> str:
    """Name the known key nearest to the last part of an unknown one."""
    for part in location[:-1]:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        kinds = [inner, *get_args(inner)]
        found = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not found:
            return ""
        model = found[0]
    prefix = ".".join(location[:-1])
    known = list(model.model_fields)
    near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.0)
    return f"; did you mean {'.'.join(filter(None, [prefix, near[0]]))!r}?" if near else ""


def schema_text(names: Sequence[str] | None = None) -> str:
    """Return the JSON schema as it is printed and shipped."""
    return json.dumps(schema(names), indent=1) + "\n"
