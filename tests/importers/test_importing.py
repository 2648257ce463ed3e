"""`kvidgan import` as a user meets it: outcomes, and one sentence for each mistake."""

import json
import pickle

import keras
import numpy as np
import pytest

from kvidgan.importers import layouts
from kvidgan.rollout import read_description
from kvidgan.runs import Run
from tests.importers.tensorflow_graphs import Graph

torch = pytest.importorskip("torch")
networks = pytest.importorskip("tests.importers.torch_networks")

SMALL = ["family.image_width=1", "family.video_width=1", "family.time_kernel=2"]


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A generator of 32 pixels with two categories, in the folder that we are in."""
    monkeypatch.chdir(tmp_path)
    network = networks.VideoGenerator(size=32, categories=2, frames=5)
    return networks.save(networks.randomized(network), tmp_path / "generator_7.pytorch", "zip")


# ---- What it makes ------------------------------------------------------------------------------


def test_it_says_what_it_found_and_what_to_try(checkpoint, kvidgan):
    status, out, err = kvidgan("import", checkpoint, *SMALL)
    assert status == 0, err
    assert f"{checkpoint}: MoCoGAN's generator." in out
    assert "family.categories=[NAME,...] names them." in out
    assert "generator_7.keras written." in out
    assert "Try: kvidgan generate generator_7.keras" in out
    out = kvidgan("info", "generator_7.keras")[1]
    assert "labels 0, 1" in out
    assert "imported from generator_7.pytorch" in out
    assert kvidgan("generate", "generator_7.keras", "-n", 2, "--frames", 3, "-o", "a.gif")[0] == 0


def test_what_exists_is_kept_unless_it_may_be_replaced(checkpoint, tmp_path, kvidgan):
    (tmp_path / "mine.keras").write_text("kept")
    command = ["import", checkpoint, *SMALL, "-o", "mine.keras"]
    status, _, err = kvidgan(*command)
    assert status == 1
    assert err == ("error: mine.keras exists: choose another name, or replace it by --overwrite.\n")
    assert (tmp_path / "mine.keras").read_text() == "kept"
    assert kvidgan(*command, "--overwrite")[0] == 0
    assert read_description("mine.keras").family == "mocogan"


@pytest.mark.slow
def test_a_run_goes_on(checkpoint, tmp_path, kvidgan):
    noise = np.random.default_rng(0).integers(0, 256, (4, 8, 32, 32, 3), dtype=np.uint8)
    for name in ("jump", "walk"):
        (tmp_path / "clips" / name).mkdir(parents=True)
        strip = np.concatenate(list(noise[0]), axis=1)
        keras.utils.save_img(tmp_path / "clips" / name / "0.png", strip, scale=False)
    named = "family.categories=[jump,walk]"
    status, out, err = kvidgan("import", checkpoint, *SMALL, named, "--run", "old")
    assert status == 0, err
    assert "models/old/old.keras written." in out
    assert not (tmp_path / "generator_7.keras").exists()
    assert "Go on: kvidgan fit --from models/old data.path=YOUR_DATA" in out
    run = Run.open("models/old")
    assert run.loss_meanings()["generator"]
    assert json.loads(run.provenance_path.read_text())["data"].endswith("generator_7.pytorch")
    assert "models/old/old.keras" in kvidgan("info", "models/old")[1]

    status, _, err = kvidgan("fit", "--from", "models/old")
    assert status == 1
    assert "YOUR_DATA" in err

    data = [f"data.path={tmp_path / 'clips'}", "data.batch=2", f"data.cache={tmp_path}"]
    short = ["train.epochs=1", "train.steps_per_epoch=2", "family.generator_optimizer.name=sgd",
             "family.generator_optimizer.learning_rate=1.0e-30"]  # fmt: skip
    status, out, err = kvidgan("fit", "--from", "models/old", *data, *short)
    assert status == 0, err
    assert "Done: 2 steps in models/old-2." in out
    before, after = (keras.models.load_model(f"models/{n}/{n}.keras") for n in ("old", "old-2"))
    for old, new in zip(before.trainable_weights, after.trainable_weights, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())  # the rate is next to 0

    status, _, err = kvidgan("import", checkpoint, *SMALL, "--run", "old")
    assert status == 1
    assert "already holds a run" in err
    assert (
        kvidgan("import", checkpoint, *SMALL, "--run", "old", "-o", "a.keras", "--overwrite")[0]
        == 0
    )
    assert read_description("a.keras") == read_description("models/old/old.keras")


# ---- What it refuses ----------------------------------------------------------------------------


def said(kvidgan, *arguments):
    """Return the one sentence of a mistake."""
    status, out, err = kvidgan("import", *arguments)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_what_is_no_checkpoint(checkpoint, tmp_path, kvidgan):
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    assert "found something else at" in said(kvidgan, tmp_path / "notes.txt")
    assert "found a folder at" in said(kvidgan, tmp_path)
    assert "found nothing at" in said(kvidgan, tmp_path / "missing.pth")
    (tmp_path / "numbers.pkl").write_bytes(pickle.dumps([1, 2, 3]))
    assert "is no complete file of torch.save" in said(kvidgan, tmp_path / "numbers.pkl")
    np.savez(tmp_path / "a.npz", a=np.ones(3))
    assert "a zip of something else" in said(kvidgan, tmp_path / "a.npz")
    assert kvidgan("import", checkpoint, *SMALL)[0] == 0
    assert "is a .keras file already" in said(kvidgan, "generator_7.keras")


def test_discriminators(tmp_path, kvidgan):
    judge = networks.PatchImageDiscriminator()
    for form in ("zip", "chain", "state"):
        path = networks.save(judge, tmp_path / f"{form}.pytorch", form)
        assert "is a discriminator: only generators are imported" in said(kvidgan, path)
    torch.save({"scale0_layer0.0.weight": torch.ones(2, 2, 4, 4)}, tmp_path / "net_D.pth")
    assert "is a discriminator" in said(kvidgan, tmp_path / "net_D.pth")
    made = Graph()
    with made.graph.as_default():
        kernel = made.variable("critic/conv1/w", (4, 4, 4, 1, 2))
    made.run(kernel, {}, tmp_path / "critic")
    assert "is a discriminator" in said(kvidgan, tmp_path / "critic-7")


def test_other_networks(tmp_path, kvidgan):
    path = tmp_path / "resnet.pth"
    torch.save(torch.nn.Sequential(torch.nn.Linear(3, 2)).state_dict(), path)
    sentence = said(kvidgan, path)
    assert "expected the weights of MoCoGAN's generator, " in sentence
    assert "found those of another network (0.bias, 0.weight)" in sentence


def test_wrong_options(checkpoint, kvidgan):
    assert "unknown key 'family.kategories'" in said(kvidgan, checkpoint, "family.kategories=[a,b]")
    wrong = said(kvidgan, checkpoint, "family.name=vid2vid")
    assert "expected mocogan, which MoCoGAN's generator becomes, found 'vid2vid'" in wrong
    assert "a name that ends in .keras, found a.gif" in said(kvidgan, checkpoint, "-o", "a.gif")
    assert "of another size" in said(kvidgan, checkpoint, *SMALL, "family.generator_width=7")


def test_weights_that_are_no_numbers(tmp_path, kvidgan):
    network = networks.VideoGenerator(size=32, categories=0)
    with torch.no_grad():
        network.recurrent.bias_hh[2] = float("nan")
    path = networks.save(network, tmp_path / "generator.pytorch", "zip")
    assert "recurrent.bias_hh holds values that are no numbers" in said(kvidgan, path, *SMALL)


def test_networks_inside_a_dictionary_are_found(tmp_path, monkeypatch, kvidgan):
    monkeypatch.chdir(tmp_path)
    network = networks.VideoGenerator(size=32, categories=0)
    saved = {"epoch": 3, "judge": networks.PatchImageDiscriminator().state_dict(),
             "state_dict": network.state_dict()}  # fmt: skip
    torch.save(saved, tmp_path / "all.tar")
    status, _, err = kvidgan("import", "all.tar", *SMALL, "family.content=5")
    assert status == 0, err
    assert (tmp_path / "all.keras").is_file()


def test_gates_change_places():
    array = np.arange(8.0).reshape(1, 8)
    np.testing.assert_array_equal(layouts.gates(array, (1, 0, 3, 2)), [[2, 3, 0, 1, 6, 7, 4, 5]])
