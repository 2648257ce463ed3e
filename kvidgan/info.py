"""Info: the lines that `kvidgan info` prints of a file or folder. Loads no backend."""

import time
from pathlib import Path

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.format import is_store
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.rollout.description import Description, read_description
from kvidgan.runs import Run

Lines = list[tuple[str, str]]


def describe(path: str | Path, reading: Reading = Reading()) -> Lines:
    """Describe an exported file, a run, a clip store, or a file or folder of data.

    Args:
        path: What to describe.
        reading: How the files are to be read, if they are data.

    Returns:
        (what, value) pairs in the order to show them.

    Raises:
        UserError: If there is nothing, or nothing that is known.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"Expected a model, a run, a clip store or data, found nothing at {path}.")
    if path.suffix == ".keras":
        return _model(read_description(path))
    if (path / "config.yaml").is_file():
        return _run(Run.open(path))
    if is_store(path):
        with ClipStore.open(path) as store:
            return [("clip store", str(path)), *store.describe()]
    return _source(path, reading)


def _model(description: Description) -> Lines:
    frame = description.frame
    size = f"{frame.width or 'any'} x {frame.height or 'any'} px, {frame.channels} channels"
    lines = [("model", f"{description.family}, one frame a step"), ("frame", size)]
    for name, spec in description.inputs.items():
        details = spec.model_dump(exclude={"role", "looks"}, exclude_none=True)
        details |= details.pop("encoding", {})
        shown = ", ".join(f"{key} {_plain(value)}" for key, value in details.items())
        lines.append((f"input {name}", f"{spec.role}: {shown}"))
    if description.looks is not None:
        counts = description.looks.counts.items()
        lines.append(("looks", ", ".join(f"{name} {count}" for name, count in counts)))
    lines += [(f"extra {name}", kind) for name, kind in description.extra_outputs.items()]
    lines += [(f"trained on {key}", _plain(v)) for key, v in description.trained_on.items()]
    return [*lines, ("written by", f"kvidgan {description.kvidgan_version}")]


def _run(run: Run) -> Lines:
    config, history, kept = run.raw_config(), run.history(), run.checkpoint_paths()
    train = config["train"]
    total = train["epochs"] * train["steps_per_epoch"]
    lines = [
        ("run", str(run.folder)),
        ("family", config["family"]["name"]),
        ("data", config["data"]["path"]),
    ]
    if history:
        last = history[-1]
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(last["wall_time"]))
        lines.append(("trained", f"{last['step']} of {total} steps, last on {when}"))
        known = {"step", "epoch", "wall_time", "steps_per_second"}
        lines += [(f"loss {k}", f"{v:.4f}") for k, v in last.items() if k not in known]
    lines.append(("checkpoints", ", ".join(path.stem for path in kept) or "none yet"))
    model = run.model_path
    return [*lines, ("exported", str(model) if model.is_file() else "not yet")]


def _source(path: Path, reading: Reading) -> Lines:
    source = open_source(path, reading)
    lines = [("data", source.describe())]
    lines += [("skipped", f"{skipped.name}: {skipped.reason}") for skipped in source.skipped]
    return lines


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
