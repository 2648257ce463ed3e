import json
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from kvidgan import __version__
from kvidgan.errors import UserError
from kvidgan.evaluation.evaluate import evaluate
from kvidgan.evaluation.report import model_names, write_report
from kvidgan.evaluation.tables import summary, tables
from kvidgan.rollout import Rollout, export_step
from tests.evaluation.conftest import copying, rollout, squares
from tests.rollout import steps
from tests.textures import texture


@pytest.fixture
def predictor(tmp_path):
    """An exported file that predicts the mean of the last two frames."""
    return export_step(*steps.predicting(), tmp_path / "mean.keras")


def written(scores, files, folder, name="report"):
    """Return the report's values and its text; NaN would not parse."""
    json_path, text_path, picture = write_report(scores, files, folder, name)
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.size[0] > 1000

    def refuse(constant):
        raise AssertionError(f"{constant} in the JSON")

    return json.loads(json_path.read_text(), parse_constant=refuse), text_path.read_text()


def test_a_report_tells_scores_and_where_they_come_from(stored, predictor, tmp_path):
    store = stored([*squares(3), squares(1, length=3)[0]], splits=["test"] * 4)
    scores = evaluate(
        {"mean": Rollout.open(predictor)}, store, num_frames=3, clips=2, threshold=0.3
    )
    report, text = written(scores, {"mean": predictor}, tmp_path / "new")
    assert report["kvidgan"] == __version__
    assert report["created"].startswith("20")
    assert report["keras"] == {"version": keras.version(), "backend": keras.backend.backend()}
    assert report["data"] == {**store.provenance(), "path": str(store.path), "split": "test"}
    model = report["models"]["mean"]
    assert model["sha256"] == sha256(predictor.read_bytes()).hexdigest()
    assert (model["file"], model["family"], model["kvidgan"]) == (str(predictor), "toy", "0")
    protocol = report["protocol"]
    assert (protocol["history"], protocol["frames"], protocol["clips"]) == (2, 3, 6)
    assert (protocol["videos"], protocol["left_out"]) == (3, 1)
    assert protocol["left_out_because"] == "fewer than 5 frames"
    assert protocol["frame_sizes"] == {"48x48": 6}
    assert "exceeds 0.3 px" in protocol["moving"]
    assert set(report["scores"]) == {"mean", *report["baselines"]}
    points = report["scores"]["mean"]["moving"]["ssim"]
    assert [point["frame"] for point in points] == [1, 2, 3]
    assert points[0]["low"] <= points[0]["mean"] <= points[0]["high"]
    assert points[0]["mean"] == pytest.approx(scores.intervals["mean", "moving", "ssim"][0].mean)
    for said in (
        "left out because: fewer than 5 frames",
        model["sha256"],
        "(report.png)",
        "0.3 px",
    ):
        assert said in text
    assert tables(scores) in text
    assert summary(scores) in text


def test_conversions_are_said(stored, tmp_path, predictor):
    grey = stored(squares(2, length=4, channels=1))
    scores = evaluate({"mean": Rollout.open(predictor)}, grey, num_frames=1, luma=True)
    protocol = written(scores, {"mean": predictor}, tmp_path)[0]["protocol"]
    assert protocol["fitting"] == "whole frames at their own size, grey to RGB"
    assert "of the luma" in protocol["ssim"]
    colour = stored(squares(2, length=4), name="colour")
    scores = evaluate({"mean": rollout(copying(channels=1, size=(32, 24)))}, colour, num_frames=1)
    protocol = written(scores, {"mean": predictor}, tmp_path)[0]["protocol"]
    wanted = "cropped to the middle and resized to 24x32, RGB to luma (ITU-R BT.601)"
    assert protocol["fitting"] == wanted


def test_nothing_to_score_is_null(stored, predictor, tmp_path):
    store = stored([np.repeat(texture(32, 32)[None], 4, axis=0)])
    scores = evaluate({"mean": Rollout.open(predictor)}, store, num_frames=1, clips=1)
    report, text = written(scores, {"mean": predictor}, tmp_path)
    nothing = {"frame": 1, "mean": None, "low": None, "high": None, "n": 0, "videos": 0}
    assert report["scores"]["mean"]["moving"]["psnr"] == [nothing]
    one = report["scores"]["mean"]["all"]["psnr"][0]
    assert report["true_video"]["all"]["warping"] == [nothing]
    assert one == {"frame": 1, "mean": 60, "low": None, "high": None, "n": 1, "videos": 1}
    assert "nan" not in text.lower()


def cells(text):
    """Return a Markdown table's rows without its rule."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in row.strip("|").split("|")] for row in rows if "---" not in row
    ]


def test_tables_show_chosen_frames_and_mark_the_best(stored, predictor):
    store = stored(squares(4, length=15, side=72))
    models = {"mean": rollout(steps.predicting()), "copying": rollout(copying())}
    scores = evaluate(models, store, num_frames=11, clips=1)
    every, moving = (cells(part) for part in tables(scores).split("## Moving pixels"))
    header = ["metric", "", "frame 1", "frame 2", "frame 4", "frame 8", "frame 11"]
    assert every[0] == moving[0] == header
    rows = ["mean", "copying", "copy last", "flow extrapolation"]
    assert [row[1] for row in every[1:]] == [*rows * 4, "true video"]
    assert [row[1] for row in moving[1:]] == [*rows * 4, "true video", "share", "clips"]
    assert [row[0] for row in every if row[0]] == [
        "metric", "PSNR (dB)", "SSIM", "Sharpness difference (dB, peak 255)",
        "Warping error (MSE, [-1, 1])",
    ]  # fmt: skip
    for column in range(2, 7):
        psnrs = [row[column] for row in every[1:5]]
        values = [float(cell.strip("*").split()[0]) for cell in psnrs]
        best = [cell.startswith("**") and cell.endswith("]**") for cell in psnrs]
        assert best == [value == max(values) for value in values]
    assert [row[2] for row in every[13:]] == ["-"] * 5, "none was made before the first"
    assert not any("*" in cell for row in every[13:] for cell in row), "a blank picture were best"
    one = scores.intervals["mean", "all", "psnr"][0]
    assert every[1][2].strip("*") == f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]"
    assert moving[-1][2:] == ["3"] * 5, "the first square stands still"
    assert moving[-2][2].endswith("%")
    assert len({len(line) for line in tables(scores).splitlines() if line[:1] == "|"}) <= 2


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/x.keras"], ["x"]),
        (["a/x.keras", "b/y.keras"], ["x", "y"]),
        (["a/x.keras", "b/x.keras"], ["a/x", "b/x"]),
        (["1/a/x.keras", "2/a/x.keras", "2/a/y.keras"], ["1/a/x", "2/a/x", "2/a/y"]),
        (["a/copy last.keras"], ["a/copy last"]),
        (["a/true video.keras"], ["a/true video"]),
    ],
)
def test_names_are_short_and_unique(paths, expected):
    assert model_names([Path(path) for path in paths]) == {
        name: Path(path) for name, path in zip(expected, paths, strict=True)
    }


def test_a_file_given_twice():
    with pytest.raises(UserError, match="Expected different models to compare, found one of them"):
        model_names([Path("a/x.keras"), Path("a/../a/x.keras")])
