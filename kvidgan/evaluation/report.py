"""Scores as `report.json`, `report.md` and `report.png`: numbers with where they come from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

import kvidgan
from kvidgan.data.flow import CONFIDENT
from kvidgan.errors import UserError
from kvidgan.evaluation.baselines import BASELINES
from kvidgan.evaluation.evaluate import LEFT_OUT, METRICS, REGIONS, TRUTH, Scores
from kvidgan.evaluation.figure import draw
from kvidgan.evaluation.metrics import CAP_DB, DRAWS, Interval
from kvidgan.evaluation.protocol import Plan
from kvidgan.evaluation.tables import summary, tables
from kvidgan.media import replacing


def names(paths: Sequence[Path]) -> dict[str, Path]:
    """Name files for a table: by their stems, with as many parents as it takes to be unique.

    Raises:
        UserError: If a file is given twice.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError("Expected different models to compare, found one of them twice.")
    parts = [path.resolve().with_suffix("").parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        named = ["/".join(part[-depth:]) for part in parts]
        if len({*named, *BASELINES, TRUTH}) == len(named) + len(BASELINES) + 1:
            break
    return dict(zip(named, paths, strict=True))


def write_report(
    scores: Scores, files: Mapping[str, Path], folder: Path, name: str = "report"
) -> list[Path]:
    """Write NAME.json, NAME.md and NAME.png.

    Args:
        scores: What `evaluate` returned.
        files: The file of each model.
        folder: Made if need be.
        name: Of the files, without their suffixes.

    Returns:
        The files written.

    Raises:
        UserError: If writing fails.
    """
    report = as_json(scores, files)
    paths = [folder / f"{name}.{suffix}" for suffix in ("json", "md", "png")]
    with replacing(paths[0]) as aside:
        aside.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    with replacing(paths[1]) as aside:
        aside.write_text(_markdown(scores, report, paths[2].name))
    with replacing(paths[2]) as aside:
        draw(scores, summary(scores)).savefig(aside, format="png", dpi=120)
    return paths


def as_json(scores: Scores, files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the scores and their provenance as plain values, none of them NaN."""
    store = scores.plan.store
    return {
        "kvidgan": kvidgan.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "keras": {"version": keras.version(), "backend": keras.backend.backend()},
        "data": {**store.provenance(), "path": str(store.path), "split": scores.plan.split},
        "protocol": _protocol(scores),
        "models": {name: _model(scores, name, path) for name, path in files.items()},
        "baselines": {name: BASELINES[name] for name in scores.baselines},
        "moving_share": _points(scores.moving_share),
        "true_video": {
            region: {"warping": _points(scores.steadiness[region])} for region in REGIONS
        },
        "scores": {
            row: {
                region: {m: _points(scores.intervals[row, region, m]) for m in METRICS}
                for region in REGIONS
            }
            for row in scores.values
        },
    }


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
        "trained_on_these_videos": name in scores.seen,
        "config": model.config,
        "kvidgan": model.kvidgan_version,
    }


def _protocol(scores: Scores) -> dict[str, Any]:
    """Return every setting that the scores depend on."""
    plan = scores.plan
    videos = len(set(plan.videos.tolist()))
    return {
        "history": plan.history,
        "frames": plan.frames,
        "clips": len(plan.clips),
        "clip_starts": "evenly spaced in each video",
        "every": plan.every,
        "stride": plan.stride,
        "videos": videos,
        "left_out": plan.too_short,
        "left_out_because": f"fewer than {plan.span} frames" if plan.too_short else None,
        "frame_sizes": {f"{w}x{h}": count for (h, w), count in plan.sizes.items()},
        "fitting": _fitting(plan),
        "values": "8 bit, 0 to 255; predictions clipped and rounded",
        "psnr": f"10 log10(255^2 / MSE), capped at {CAP_DB:g} dB",
        "ssim": "Gaussian window of 11 px, sigma 1.5, K1 0.01, K2 0.03, "
        + ("of the luma (ITU-R BT.601)" if scores.luma else "averaged over channels"),
        "sharpness": "10 log10(255^2 / mean | |dx Y| + |dy Y| - |dx Y^| - |dy Y^| |), capped at "
        f"{CAP_DB:g} dB",
        "moving": f"pixels whose DIS optical flow, from the true frame back to the true one before "
        f"it, exceeds {scores.threshold:g} px; others are set equal in both frames",
        "warping": "the frame that was made before, warped along the true frames' flow, against the"
        " frame: mean square of the difference in [-1, 1] where the flow is right, that is, where"
        f" the warped true frame differs by less than {CONFIDENT:g}, squared and summed over"
        f" channels; the flow is {_flow(plan)}",
        **_followed(scores),
        "noise": "what a model draws, clip n draws from seed n",
        "intervals": f"of the mean over videos, a video counting by the mean of its clips; 95%, "
        f"percentile bootstrap over videos, {DRAWS} draws, seed 0",
    }


def _flow(plan: Plan) -> str:
    if plan.stored_flow:
        return "that stored with the data (DIS), brought to the frames' size"
    return "the DIS optical flow of the frames as the models see them"


def _followed(scores: Scores) -> dict[str, Any]:
    """Say which label maps were followed, and which frames some baselines are the average of."""
    plan, means = scores.plan, scores.averages
    if not plan.maps or plan.store.labels is None:
        return {}
    averaged = f"no video was left to average: {LEFT_OUT}"
    if means is not None:
        split = "train" in plan.store.splits
        which = "split train" if split else "those that are not scored"
        averaged = f"{means.frames} frames of {means.videos} videos: {which}"
    return {
        "labels": plan.store.labels.describe(),
        "maps": ", ".join(plan.maps),
        "begin": "models that need no frames draw the first by themselves, from the labels so far",
        "training_frames": averaged,
    }


def _fitting(plan: Plan) -> str:
    """Say how the data's frames became the models'."""
    rows = plan.store.index[plan.videos]
    size, said = plan.shape, ["whole frames at their own size"]
    if size.height or size.width:
        wanted = f"{size.width or 'any'}x{size.height or 'any'}"
        said = [f"cropped to the middle and resized to {wanted}"]
    if (rows["channels"] != size.channels).any():
        said.append("RGB to luma (ITU-R BT.601)" if size.channels == 1 else "grey to RGB")
    if plan.maps:
        said.append("label maps likewise, by the nearest pixel")
    return ", ".join(said)


def _markdown(scores: Scores, report: dict[str, Any], picture: str) -> str:
    sources = {key: report[key] for key in ("kvidgan", "created", "keras", "data", "protocol")}
    sources["models"] = {
        name: {key: value for key, value in model.items() if key != "config"}
        for name, model in report["models"].items()
    }
    parts = [
        f"# {', '.join(scores.models)}",
        f"{summary(scores)}.",
        "Means over videos and their 95% intervals; the best of each column is bold, but of the"
        " warping error: a blank picture has none, so it is to be compared with the true video's.",
        tables(scores),
        f"![The same over all predicted frames]({picture})",
        "## Where the numbers come from",
        "\n".join(_bullets({**sources, "baselines": report["baselines"]})),
        f"The models' configurations: in {Path(picture).with_suffix('.json')}.",
    ]
    return "\n\n".join(parts) + "\n"


def _bullets(facts: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in facts.items():
        line = f"{indent}- {key.replace('_', ' ')}:"
        if isinstance(value, Mapping) and value:
            lines += [line, *_bullets(value, indent + "  ")]
        else:
            lines.append(f"{line} {'none' if value in (None, {}) else value}")
    return lines
