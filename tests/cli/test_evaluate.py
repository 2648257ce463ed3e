import json

import numpy as np
import pytest
from PIL import Image

from kvidgan.rollout import export_step
from tests.evaluation.conftest import copying, squares
from tests.rollout import steps
from tests.textures import texture


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Models and data in the working directory; the data as an array file."""
    monkeypatch.chdir(tmp_path)
    export_step(*steps.predicting(), "mean.keras")
    export_step(*copying(), "last.keras")
    export_step(*copying(channels=1), "grey.keras")
    export_step(*steps.counting(), "noise.keras")
    export_step(*steps.labelled(), "labels.keras")
    np.save("clips.npy", np.stack(squares(3, length=8)))
    np.save("tiny.npy", np.stack([texture(8, 8)] * 5)[None])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("")
    return tmp_path


def test_one_model(files, kvidgan):
    (files / "models").mkdir()
    (files / "mean.keras").rename(files / "models" / "mean.keras")
    status, out, err = kvidgan("evaluate", "models/mean.keras", "clips.npy", "-n", 2, "--clips", 1)
    assert status == 0, err
    assert "2 frames predicted after 2 given, 3 clips from 3 videos of clips." in out
    table = [line for line in out.splitlines() if line.startswith("| PSNR (dB)")]
    assert len(table) == 2
    assert "[" in table[0]
    for suffix in ("json", "md", "png"):
        assert f"models/report.{suffix} written." in out
        assert (files / "models" / f"report.{suffix}").is_file()
    report = json.loads((files / "models" / "report.json").read_text())
    assert report["data"]["data"] == "clips"
    assert list(report["models"]) == ["mean"]


def test_two_models_and_where_the_files_go(files, kvidgan):
    command = ["evaluate", "mean.keras", "last.keras", "clips.npy", "-n", 1, "--clips", 1]
    assert "comparison.json written." in kvidgan(*command)[1]
    report = json.loads((files / "comparison.json").read_text())
    assert report["scores"]["last"] == report["scores"]["copy last"]
    assert (report["models"]["mean"]["file"], report["protocol"]["history"]) == ("mean.keras", 2)
    out = kvidgan(*command, "-o", "new/folder", "--every", 2, "--luma", "--threshold", 1)[1]
    assert "new/folder/comparison.md written." in out
    report = json.loads((files / "new" / "folder" / "comparison.json").read_text())
    assert (report["protocol"]["every"], report["protocol"]["videos"]) == (2, 2)
    assert "exceeds 1 px" in report["protocol"]["moving"]


def test_the_published_scores_of_mathieu(files, kvidgan):
    command = ["evaluate", "mean.keras", "clips.npy", "-n", 2, "--clips", 1]
    status, out, err = kvidgan(*command, "--protocol", "mathieu")
    assert status == 0, err
    assert "## All pixels, protocol mathieu" in out
    assert json.loads((files / "report.json").read_text())["protocol"]["name"] == "mathieu"
    text = (files / "report.md").read_text()
    assert "Protocol mathieu. Compare these scores with those of this protocol" in text
    assert "report.json exists" in kvidgan(*command)[2]
    assert kvidgan(*command, "--overwrite")[0] == 0
    assert json.loads((files / "report.json").read_text())["protocol"]["name"] == "kvidgan"
    assert "(peak 255) with none of values in [0, 1]" in (files / "report.md").read_text()


def test_a_run_stands_for_its_model(files, kvidgan):
    (files / "mean.keras").rename(files / "run" / "run.keras")
    status, _out, err = kvidgan("evaluate", "run", "clips.npy", "-n", 1, "--clips", 1)
    assert status == 0, err
    report = json.loads((files / "run" / "report.json").read_text())
    assert report["models"]["run"]["file"] == "run/run.keras"


def test_labels_are_found_in_any_videos(files, kvidgan):
    export_step(*steps.following(classes=2, found="edges"), "edges.keras")
    status, _out, err = kvidgan("evaluate", "edges.keras", "clips.npy", "-n", 2, "--every", 2)
    assert status == 0, err
    report = json.loads((files / "report.json").read_text())
    assert report["protocol"]["labels"] == "edges of 2 classes (background, edge)"
    assert set(report["scores"]) == {"edges", "mean image", "class colours", "copy last"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.keras", "clips.npy"], "Expected an exported .keras file, found nothing at none"),
        (["run", "clips.npy"], "run has no exported model yet: write it with kvidgan export run."),
        ([".", "clips.npy"], "Expected a run's folder, found no config.yaml"),
        (["mean.keras", "nowhere"], "nowhere does not exist and is no built-in data set"),
        (["mean.keras", "clips.npy", "--layout", "odd"], "--layout: expected 'auto'"),
        (["mean.keras", "clips.npy", "--split", "test"], "has no splits, found 'test'"),
        (["mean.keras", "clips.npy", "-n", 7], "7 predicted frames need videos of 9 frames"),
        (["mean.keras", "tiny.npy", "-n", 1], "frames of at least 16x16 pixels, found 8x8"),
        (["noise.keras", "clips.npy"], "noise: Expected a model that goes on with"),
        (["labels.keras", "clips.npy"], "has no label maps, which labels follows"),
        (["mean.keras", "grey.keras", "clips.npy"], "Expected models with equal channels"),
        (["mean.keras", "mean.keras", "clips.npy"], "found one of them twice"),
        (
            ["mean.keras", "clips.npy", "-n", 1, "-o", "clips.npy"],
            "-o: expected a folder, found the file",
        ),
    ],
)
def test_a_mistake_is_one_sentence(files, kvidgan, arguments, sentence):
    status, _, err = kvidgan("evaluate", *arguments)
    assert status == 1
    *before, last = err.strip().splitlines()
    assert last.startswith("error: ")
    assert sentence in last
    assert not any("Traceback" in line for line in before)


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_label_maps_by_the_models_table(files, kvidgan, kind):
    """The maps show one of the model's three classes, and pixels of none."""
    values = {"0": "0", "100": "100", "200": "200", "255": None}
    export_step(*steps.following(past=0, values=values), "sparse.keras")
    labels = np.full((4, 32, 48), 200, np.uint8)
    for time, one in enumerate(labels):
        one[8:20, 4 + time : 16 + time] = 255  # where it draws 0, a middle grey
    for room in "AB":
        folder = files / "set" / f"test_{room}" / "s"
        folder.mkdir(parents=True)
        for time, one in enumerate(labels):
            grey = np.where(one == 255, 128, 255).astype(np.uint8)
            Image.fromarray(one if room == "A" else grey).save(folder / f"{time}.png")
    data = "set"
    if kind == "store":
        (files / "p.txt").write_text("200 200 200 200\n255 255 255 ignored\n")
        data = "set.h5"
        status, _, err = kvidgan("prepare", "set", data, "--palette", "p.txt")
        assert status == 0, err
    command = ["evaluate", "sparse.keras", data, "-n", 2, "--clips", 1, "-o", "out"]
    status, _, err = kvidgan(*command)
    assert status == 0, err
    report = json.loads((files / "out" / "report.json").read_text())
    assert set(report["scores"]) == {"sparse", "copy last"}
    assert report["scores"]["sparse"]["all"]["psnr"][0]["mean"] == 60
