"""The command line as a user meets it: outcomes, and one sentence for each mistake."""

import json

import numpy as np
import pytest
from PIL import Image

from kvidgan.media import read_video
from tests.conftest import ROOT, process
from tests.data.conftest import save_mnist


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with two categories: its folder."""
    from kvidgan import config as configs
    from kvidgan.training import fit
    from tests.conftest import TINY

    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    for name in ("jump", "run"):
        (folder / "strips" / name).mkdir(parents=True)
        for clip in range(3):
            strip = rng.integers(0, 256, (32, 8 * 32, 3), dtype=np.uint8)
            Image.fromarray(strip).save(folder / "strips" / name / f"{clip}.png")
    train = {**TINY["train"], "epochs": 1, "steps_per_epoch": 2}
    data = {"path": str(folder / "strips"), "batch": 2, "cache": str(folder / "cache")}
    run = {"name": "toy", "folder": str(folder / "models")}
    raw = {"family": TINY["family"], "data": data, "train": train, "run": run}
    return fit.start(configs.check(raw, folder / "toy.yaml"), say=lambda text: None).run.folder


@pytest.mark.slow
def test_fit_says_where_things_are_and_what_to_try(tiny, kvidgan):
    status, out, _ = kvidgan("fit", tiny, "train.epochs=1", "train.steps_per_epoch=2")
    assert status == 0
    folder = tiny.parent / "runs" / "tiny"
    assert f"model    {folder / 'tiny.keras'}" in out
    assert f"samples  {folder / 'samples' / 'tiny.gif'}" in out
    assert f"Try: kvidgan generate {folder / 'tiny.keras'}" in out
    assert "step 2/2" in out
    assert "left" in out
    assert "generator" in out


@pytest.mark.slow
def test_resume_takes_overrides_without_a_config(tiny, kvidgan):
    kvidgan("fit", tiny, "train.epochs=1", "train.steps_per_epoch=2")
    folder = tiny.parent / "runs" / "tiny"
    status, out, _ = kvidgan("fit", "--resume", folder, "train.epochs=2")
    assert status == 0
    assert "Going on from step 2 of 4." in out
    assert f"Done: 4 steps in {folder}" in out


@pytest.mark.slow
def test_a_second_stage_gets_a_name_of_its_own(trained, kvidgan):
    before = (trained / "toy.keras").read_bytes()
    status, out, err = kvidgan("fit", "--from", trained, "family.image_noise=0.2")
    assert status == 0, err
    assert "Beginning with" in out
    second = trained.with_name("toy-2")
    assert f"Done: 2 steps in {second}." in out
    assert (trained / "toy.keras").read_bytes() == before
    assert (second / "toy-2.keras").read_bytes() != before


@pytest.mark.slow
def test_a_predictor_is_told_by_what_to_try(tiny, kvidgan):
    family = "family={name: multiscale, preset: l2, width: 0.02}"
    short = ["train.ema=null", "train.epochs=1", "train.steps_per_epoch=2"]
    status, out, err = kvidgan("fit", tiny, family, *short)
    assert status == 0, err
    assert f"Try: kvidgan predict {tiny.parent / 'runs' / 'tiny' / 'tiny.keras'} YOUR_CLIP" in out


def test_prepare_then_fit_takes_the_classes_by_name(tmp_path, trained, kvidgan):
    strips, store = trained.parent.parent / "strips", tmp_path / "strips.h5"
    status, out, _ = kvidgan("prepare", strips, store)
    assert status == 0
    assert "classes    jump (3), run (3)" in out
    assert f"{store}: 6 videos written, 0 skipped." in out
    assert "was there already" in kvidgan("prepare", strips, store)[1]
    status, out, _ = kvidgan("info", store)
    assert "jump" in out
    assert "32x32x3" in out
    status, out, _ = kvidgan("info", trained / "toy.keras")
    assert "labels jump, run" in out


@pytest.mark.slow
def test_real_film_strips_train(real_data, tmp_path, tiny, kvidgan):
    store = tmp_path / "actions.h5"
    status, out, _ = kvidgan("prepare", real_data / "actions", store)
    assert status == 0
    assert "classes    0 (12), 1 (12), 3 (12), 4 (12)" in out
    short = ["train.epochs=1", "train.steps_per_epoch=2", "run.name=actions", "data.axes=null"]
    status, _, err = kvidgan("fit", tiny, f"data.path={store}", *short)
    assert status == 0, err
    out = kvidgan("info", tmp_path / "runs" / "actions" / "actions.keras")[1]
    assert "labels 0, 1, 3, 4" in out
    assert "trained on data" in out


def test_mnist_becomes_moving_mnist(tmp_path, kvidgan):
    save_mnist(tmp_path / "mnist")
    assert "splits  train (9000), test (1000)" in kvidgan("info", tmp_path / "mnist")[1]
    store = tmp_path / "moving_mnist.h5"
    asked = ["--layout", "moving_mnist", "--clips", 20]
    status, out, err = kvidgan("prepare", *asked, tmp_path / "mnist", store)
    assert status == 0, err
    for line in ("videos     20", "splits     train (18), test (2)", "sizes      64x64 (20)"):
        assert line in out
    assert f"{store}: 20 videos written, 0 skipped." in out
    out = kvidgan("info", store)[1]
    assert "64x64x1 (20)" in out
    assert "2 digits at 3.6 pixels a frame" in out


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["-n", 4], (66, 66)),
        (["-n", 2, "--grid", "content-motion"], (66, 66)),
        (["-n", 5, "--interpolate", "--category", "run"], (168, 32)),
        (["-n", 1, "--scale", 3], (96, 96)),
    ],
)
def test_generate_writes_a_folder_of_png(trained, tmp_path, kvidgan, options, size):
    scale = [] if "--scale" in options else ["--scale", 1]
    command = ["generate", trained / "toy.keras", "--frames", 3, "-o", tmp_path / "out"]
    status, _out, err = kvidgan(*command, *options, *scale)
    assert status == 0, err
    frames = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in frames] == ["frame0001.png", "frame0002.png", "frame0003.png"]
    with Image.open(frames[0]) as image:
        assert image.size == size


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_generate_goes_on_beyond_the_trained_length(trained, tmp_path, kvidgan, suffix):
    path = tmp_path / f"out{suffix}"
    status, out, _ = kvidgan(
        "generate", trained / "toy.keras", "-n", 2, "--frames", 64, "-o", path, "--fps", 25
    )
    assert status == 0
    assert "64 frames at 25 fps" in out
    frames, fps = read_video(path)
    assert fps == pytest.approx(25)
    assert len(list(frames)) == 64


def test_the_same_seed_gives_the_same_file(trained, tmp_path, kvidgan):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        path = tmp_path / f"{name}.gif"
        kvidgan("generate", trained / "toy.keras", "--frames", 4, "--seed", seed, "-o", path)
    a, b, c = ((tmp_path / f"{name}.gif").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_runs_folder_stands_for_its_model(trained, tmp_path, kvidgan):
    for name, model in (("a", trained), ("b", trained / "toy.keras")):
        path = tmp_path / f"{name}.gif"
        status, _, err = kvidgan("generate", model, "--frames", 2, "-n", 1, "-o", path)
        assert status == 0, err
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_export_writes_a_model_of_a_checkpoint(trained, tmp_path, kvidgan):
    status, out, _ = kvidgan("export", trained, "-o", tmp_path / "again.keras")
    assert status == 0
    assert f"{tmp_path / 'again.keras'} written" in out
    assert (tmp_path / "again.keras").is_file()


def test_info_on_a_run_and_on_data(trained, kvidgan):
    out = kvidgan("info", trained)[1]
    assert "2 of 2 steps" in out
    assert "step-00000002" in out
    folder = trained.parent.parent / "strips"
    (folder / "jump" / "broken.png").write_bytes(b"\x89PNG no more")
    out = kvidgan("info", folder)[1]
    assert "classes  jump (3), run (3)" in out
    assert "jump/broken.png: " in out
    (folder / "jump" / "broken.png").unlink()


@pytest.mark.parametrize("text", ["family: 3\n", "- 1\n", "family: {name: x}\n"])
def test_info_on_a_config_that_is_no_runs(tmp_path, kvidgan, text):
    (tmp_path / "config.yaml").write_text(text)
    status, _, err = kvidgan("info", tmp_path)
    assert status == 1
    assert "expected the sections family, data, train of a run" in err


@pytest.mark.slow
def test_bench_prints_one_line_of_json(tiny, kvidgan):
    status, out, _ = kvidgan("bench", tiny, "--batch", 1, "--steps", 3, "--json")
    assert status == 0
    figures = json.loads(out)
    assert (figures["batch"], figures["steps"], figures["family"]) == (1, 3, "mocogan")
    assert figures["clips_per_second"] == pytest.approx(1 / figures["seconds_per_step"])
    assert 0 <= figures["data_share"] < 1
    assert figures["peak_memory_mib"] > 100
    assert "cpu" in figures["device"].lower()
    status, out, _ = kvidgan("bench", tiny, "--steps", 2)
    assert "seconds_per_step" in out


def test_schema_and_version(kvidgan):
    assert json.loads(kvidgan("config", "schema")[1])["required"] == ["family", "data"]
    assert kvidgan("version")[1].strip() == "0.1.0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fit"], "Expected a YAML file such as configs/mocogan.yaml, or --resume RUN"),
        (["fit", "--from", "{run}", "--resume", "{run}"], "one of --resume and --from, found both"),
        (["fit", "--from", "nowhere"], "Expected a run's folder, found no config.yaml"),
        (["fit", "--resume", "{run}", "other.yaml"], "KEY=VALUE after --resume, found other.yaml"),
        (["fit", "none.yaml"], "Cannot read the config none.yaml"),
        (["fit", "{tiny}", "train.epoch=1"], "the command line: unknown key 'train.epoch'"),
        (["fit", "{tiny}", "data.path=nowhere"], "nowhere does not exist and is no built-in"),
        (["fit", "{tiny}", "family.frames=16"], "needs videos of 16 frames, the longest has 8"),
        (["fit", "{tiny}", "family.categories=[a]"], "family.categories: expected the data's"),
        (["fit", "--resume", "nowhere"], "Expected a run's folder, found no config.yaml"),
        (["generate", "no.keras", "-o", "x.gif"], "Expected an exported .keras file"),
        (["generate", "{model}", "-o", "x.webp"], "expected .gif, .mp4 or a folder"),
        (["generate", "{model}", "-o", "x.gif", "--category", "fly"], "expected one of jump, run"),
        (
            ["generate", "{model}", "-o", "x.gif", "--interpolate", "--grid", "content-motion"],
            "Expected one of --grid and --interpolate, found both",
        ),
        (["fit", "{tiny}", "data.digits.size=8"], "data.digits.size: Input should be greater than"),
        (["fit", "{tiny}", "data.digits.sise=64"], "did you mean 'data.digits.size'?"),
        (["fit", "{tiny}", "data.digits.size=64"], "expected the built-in moving_digits as data."),
        (["prepare", "{run}", "x.h5", "--clips", "5"], "expected no --clips, found 5; leave it"),
        (["info", "nowhere"], "found nothing at nowhere"),
        (["export", "nowhere"], "Expected a run's folder"),
        (["export", "{run}", "-o", "x.h5"], "expected a name that ends in .keras"),
        (["prepare", "moving_shapes", "x.h5", "--layout", "videos"], "drawn and has no layout"),
        (["prepare", "nowhere", "x.h5"], "nowhere does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_1(kvidgan, tiny, trained, arguments, sentence):
    filled = [a.format(tiny=tiny, model=trained / "toy.keras", run=trained) for a in arguments]
    status, _, err = kvidgan(*filled)
    assert status == 1
    *before, last = err.strip().splitlines()
    assert last.startswith("error: ")
    assert sentence in last
    assert not any("Traceback" in line for line in before)


@pytest.mark.parametrize("backend", ["numpy", "theano"])
def test_an_unknown_backend_is_named(tiny, backend):
    started = process("-m", "kvidgan", "fit", tiny, backend=backend)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1
    assert err.strip() == (
        f"error: KERAS_BACKEND: expected tensorflow, jax or torch, found {backend!r}."
    )


def test_a_backend_that_is_not_installed_says_how_to_get_it(tiny, kvidgan, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    status, _, err = kvidgan("fit", tiny)
    assert status == 1
    assert "torch is not installed: choose another, or pip install 'kvidgan[torch]'" in err


def test_a_full_disk_is_one_sentence(kvidgan, monkeypatch, tiny):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "models/x")

    monkeypatch.setattr("kvidgan.training.fit.start", full)
    status, _, err = kvidgan("fit", tiny)
    assert status == 1
    assert err.strip() == "error: No space left on device (models/x); what was complete is kept."


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mocogann", "a config that ships such as mocogan, found nothing at mocogann."),
        ("missing.yaml", "error: Cannot read the config missing.yaml: No such file"),
        ("folder", "found a folder at folder."),
    ],
)
@pytest.mark.parametrize("verb", [["fit"], ["bench"], ["config", "show"]], ids=" ".join)
def test_a_config_that_is_not_there(tmp_path, monkeypatch, kvidgan, verb, name, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    status, _, err = kvidgan(*verb, name)
    assert status == 1
    (line,) = err.strip().splitlines()
    assert sentence in line


def test_a_shipped_config_is_shown_also_beside_a_run_of_its_name(tmp_path, monkeypatch, kvidgan):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mocogan").mkdir()  # as in the folder of runs
    status, out, _ = kvidgan("config", "show", "mocogan")
    assert status == 0
    assert out == (ROOT / "configs" / "mocogan.yaml").read_text()
    (tmp_path / "mocogan.yaml").write_text("mine: 1\n")
    assert kvidgan("config", "show", "mocogan.yaml")[1] == "mine: 1\n", "a path wins"
