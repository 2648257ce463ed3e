"""Report: scores and where they come from, as `report.json`, `report.md` and `report.png`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

import kvidgan
from kvidgan.errors import UserError
from kvidgan.evaluation.baselines import BASELINES
from kvidgan.evaluation.chosen_clips import ChosenClips
from kvidgan.evaluation.evaluate import LEFT_OUT, TRUTH, Scores
from kvidgan.evaluation.figure import draw
from kvidgan.evaluation.metrics import DRAWS, Interval
from kvidgan.evaluation.protocol import REGIONS
from kvidgan.evaluation.tables import summary, tables
from kvidgan.files import replacing


def model_names(paths: Sequence[Path]) -> dict[str, Path]:
    """Name model files for a table: by their stems, with as many parents as make them unique.

    Args:
        paths: Exported files of the models.

    Returns:
        The files by name.

    Raises:
        UserError: If a file is given twice.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError("Expected different models to compare, found one of them twice.")
    parts = [path.resolve().with_suffix("").parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len({*names, *BASELINES, TRUTH}) == len(names) + len(BASELINES) + 1:
            break
    return dict(zip(names, paths, strict=True))


def write_report(
    scores: Scores, files: Mapping[str, Path], folder: Path, name: str = "report"
) -> list[Path]:
    """Write NAME.json, NAME.md and NAME.png.

    Args:
        scores: Scores that `evaluate` returned.
        files: Exported file of each model by name.
        folder: Folder to write into, created if it does not exist.
        name: Name of the files, without their suffixes.

    Returns:
        The files written.

    Raises:
        UserError: If writing fails.

    Example:
        scores = evaluate({"mean": Rollout.open("mean.keras")}, store)
        write_report(scores, {"mean": Path("mean.keras")}, Path("reports"))
    """
    report = as_json(scores, files)
    paths = report_paths(folder, name)
    with replacing(paths[0]) as temporary:
        temporary.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    with replacing(paths[1]) as temporary:
        temporary.write_text(_markdown(scores, report, paths[2].name))
    with replacing(paths[2]) as temporary:
        draw(scores, summary(scores)).savefig(temporary, format="png", dpi=120)
    return paths


def report_paths(folder: Path, name: str) -> list[Path]:
    """Return the files that `write_report` writes."""
    return [folder / f"{name}.{suffix}" for suffix in ("json", "md", "png")]


def as_json(scores: Scores, files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the scores and their provenance as plain values, none of them NaN.

    Args:
        scores: Scores that `evaluate` returned.
        files: Exported file of each model by name.
    """
    store = scores.clips.store
    return {
        "kvidgan": kvidgan.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "keras": {"version": keras.version(), "backend": keras.backend.backend()},
        "data": {**store.provenance(), "path": str(store.path), "split": scores.clips.split},
        "protocol": _protocol(scores),
        "models": {name: _model(scores, name, path) for name, path in files.items()},
        "baselines": {name: BASELINES[name] for name in scores.baselines},
        "moving_share": _points(scores.moving_intervals),
        "true_video": _true_video(scores),
        "scores": {
            row: {
                region: {
                    metric: _points(scores.intervals[row, region, metric])
                    for metric in scores.protocol.metrics
                }
                for region in REGIONS
            }
            for row in scores.values
        },
    }


def _true_video(scores: Scores) -> dict[str, Any]:
    """Return what true videos score by themselves, where the protocol has such a score."""
    if "warping" not in scores.protocol.metrics:
        return {}
    by_region = scores.true_warping_intervals
    return {region: {"warping": _points(by_region[region])} for region in REGIONS}


def _points(intervals: list[Interval]) -> list[dict[str, Any]]:
    return [{"frame": number, **asdict(one)} for number, one in enumerate(intervals, 1)]


def _model(scores: Scores, name: str, path: Path) -> dict[str, Any]:
    model = scores.models[name]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "file": str(path),
        "sha256": digest,
        "family": model.family,
        "trained_on": model.trained_on,
        "trained_on_these_videos": name in scores.trained_on,
        "config": model.config,
        "kvidgan": model.kvidgan_version,
    }


def _protocol(scores: Scores) -> dict[str, Any]:
    """Return every setting that the scores depend on."""
    chosen = scores.clips
    videos = len(set(chosen.videos.tolist()))
    definitions = scores.protocol.definitions()
    if "warping" in definitions:
        definitions["warping"] += f"; the flow is {_flow(chosen)}"
    return {
        "name": scores.protocol.name,
        "comparable": scores.protocol.comparable,
        "history": chosen.num_context,
        "frames": chosen.num_frames,
        "clips": len(chosen.starts),
        "clip_starts": "evenly spaced in each video",
        "every": chosen.every,
        "stride": chosen.stride,
        "videos": videos,
        "left_out": chosen.too_short,
        "left_out_because": f"fewer than {chosen.span} frames" if chosen.too_short else None,
        "frame_sizes": {f"{w}x{h}": count for (h, w), count in chosen.sizes.items()},
        "fitting": _fitting(chosen),
        **definitions,
        **_labels(scores),
        "noise": "what a model draws, clip n draws from seed n",
        "intervals": f"of the mean over videos, a video counting by the mean of its clips; 95%, "
        f"percentile bootstrap over videos, {DRAWS} draws, seed 0",
    }


def _flow(chosen: ChosenClips) -> str:
    if chosen.stored_flow:
        return "that stored with the data (DIS), brought to the frames' size"
    return "the DIS optical flow of the frames as the models see them"


def _labels(scores: Scores) -> dict[str, Any]:
    """Return which label maps were followed, and which frames some baselines average."""
    chosen, averages = scores.clips, scores.averages
    if not chosen.maps or chosen.store.labels is None:
        return {}
    averaged = f"no video was left to average: {LEFT_OUT}"
    if averages is not None:
        split = "train" in chosen.store.splits
        which = "split train" if split else "those that are not scored"
        averaged = f"{averages.num_frames} frames of {averages.num_videos} videos: {which}"
    return {
        "labels": chosen.store.labels.describe(),
        "maps": ", ".join(chosen.maps),
        "begin": "models that need no frames draw the first by themselves, from the labels so far",
        "training_frames": averaged,
    }


def _fitting(chosen: ChosenClips) -> str:
    """Return in words how the data's frames became the models'."""
    rows = chosen.store.index[chosen.videos]
    shape, steps = chosen.shape, ["whole frames at their own size"]
    if shape.height or shape.width:
        wanted = f"{shape.width or 'any'}x{shape.height or 'any'}"
        steps = [f"cropped to the middle and resized to {wanted}"]
    if (rows["channels"] != shape.channels).any():
        steps.append("RGB to luma (ITU-R BT.601)" if shape.channels == 1 else "grey to RGB")
    if chosen.maps:
        steps.append("label maps likewise, by the nearest pixel")
    return ", ".join(steps)


def _markdown(scores: Scores, report: dict[str, Any], picture: str) -> str:
    sources = {key: report[key] for key in ("kvidgan", "created", "keras", "data", "protocol")}
    sources["models"] = {
        name: {key: value for key, value in model.items() if key != "config"}
        for name, model in report["models"].items()
    }
    parts = [
        f"# {', '.join(scores.models)}",
        f"{summary(scores)}.",
        _reading(scores),
        tables(scores),
        f"![The same over all predicted frames]({picture})",
        "## Where the numbers come from",
        "\n".join(_bullets({**sources, "baselines": report["baselines"]})),
        f"The models' configurations: in {Path(picture).with_suffix('.json')}.",
    ]
    return "\n\n".join(parts) + "\n"


def _reading(scores: Scores) -> str:
    """Return how the tables are to be read."""
    best = "Means over videos and their 95% intervals; the best of each column is bold"
    if "warping" in scores.protocol.metrics:
        best += (
            ", but of the warping error: a blank picture has none, so it is to be compared with the"
            " true video's"
        )
    return f"{best}. Protocol {scores.protocol.name}. {scores.protocol.comparable}"


def _bullets(facts: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in facts.items():
        line = f"{indent}- {key.replace('_', ' ')}:"
        if isinstance(value, Mapping) and value:
            lines += [line, *_bullets(value, indent + "  ")]
        else:
            lines.append(f"{line} {'none' if value in (None, {}) else value}")
    return lines
