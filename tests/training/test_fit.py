"""A run's folder and what it holds; options of `train`."""

import dataclasses
import zipfile

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

from kvidgan import config as configs
from kvidgan.errors import UserError
from kvidgan.media import read_video
from kvidgan.rollout import Rollout, read_description
from kvidgan.runs import Run
from kvidgan.training import callbacks, checkpoint, fit

pytestmark = pytest.mark.slow

EXPLODED = r"became (nan|inf|no number) at step \d+|frames that are no numbers"


def train(tiny, *overrides, **options):
    said = []
    short = ["train.epochs=2", "train.steps_per_epoch=2", *overrides]
    outcome = fit.start(configs.load(tiny, short), say=said.append, **options)
    return outcome, said


def test_a_run_leaves_everything_that_its_contract_names(tiny):
    outcome, _ = train(tiny, "train.tensorboard=histograms")
    run = outcome.run
    assert run.folder == tiny.parent / "runs" / "tiny"
    saved = yaml.safe_load(run.config_path.read_text())
    assert saved["family"]["categories"] == []
    assert saved["train"]["epochs"] == 2
    short = ["train.epochs=2", "train.steps_per_epoch=2", "train.tensorboard=histograms"]
    asked = configs.load(tiny, [*short, "family.categories=[]"])
    assert configs.load(run.config_path) == asked, "all that was asked for, and the data's classes"
    assert set(run.loss_meanings()) >= {"generator", "image_discriminator"}
    points = run.history()
    assert [point["step"] for point in points] == [1, 2, 3, 4]
    assert points[-1]["epoch"] == 2
    assert {"wall_time", "generator", "image_discriminator", "video_discriminator"} <= set(
        points[0]
    )
    assert [p.stem for p in run.checkpoint_paths()] == ["step-00000002", "step-00000004"]
    with Image.open(run.samples / "step-00000004.png") as strip:
        assert strip.size == (5 * 33 - 1, 8 * 33 - 1)
    frames, fps = read_video(outcome.animation)
    assert len(list(frames)) == 48
    assert fps == pytest.approx(12.5)
    description = read_description(outcome.model)
    assert description.trained_on["steps"] == 4
    assert description.trained_on["videos"] == 6
    assert description.config == saved
    events = list(run.tensorboard.iterdir())
    assert len(events) == 1
    written = events[0].read_bytes()
    assert b"loss/generator" in written
    assert b"samples" in written
    assert b"weights/generator/00_" in written


def test_an_existing_run_is_not_overwritten_by_accident(tiny):
    outcome, _ = train(tiny)
    before = outcome.model.read_bytes()
    with pytest.raises(UserError, match="already holds a run; go on with `kvidgan fit --resume"):
        train(tiny)
    assert outcome.model.read_bytes() == before
    other = tiny.parent / "runs" / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="exists and is not a run"):
        train(tiny, "run.name=other", overwrite=True)
    assert (other / "thesis.txt").exists()
    train(tiny, "train.seed=1", overwrite=True)
    assert outcome.model.read_bytes() != before


def test_data_that_does_not_fit_leaves_no_run_behind(tiny):
    for _ in range(2):
        with pytest.raises(UserError, match="needs videos of 16 frames, the longest has 8"):
            train(tiny, "family.frames=16")
    assert not (tiny.parent / "runs").exists()


def test_keep_checkpoints_and_their_distance(tiny):
    outcome, _ = train(
        tiny, "train.epochs=5", "train.checkpoint_every=2", "train.keep_checkpoints=2"
    )
    steps = [path.stem for path in outcome.run.checkpoint_paths()]
    assert steps == ["step-00000008", "step-00000010"], "every second epoch, and the end"


def test_sample_and_log_distance(tiny):
    outcome, _ = train(
        tiny, "train.epochs=3", "train.sample_every=2", "train.log_every=2",
        "train.steps_per_epoch=3",
    )  # fmt: skip
    assert [point["step"] for point in outcome.run.history()] == [2, 3, 5, 6, 8, 9]
    strips = sorted(path.stem for path in outcome.run.samples.glob("*.png"))
    assert strips == ["step-00000006", "step-00000009"]


def test_more_epochs_after_the_end(tiny):
    outcome, _ = train(tiny)
    said = []
    longer = configs.load(outcome.run.config_path, ["train.epochs=3"])
    again = fit.resume(outcome.run, longer, say=said.append)
    assert again.step == 6
    assert read_description(again.model).trained_on["steps"] == 6
    done = fit.resume(outcome.run, longer, say=said.append)
    assert done.step == 6
    assert any("ask for more with train.epochs=N" in line for line in said)


def test_the_exported_file_holds_the_averages(tiny):
    outcome, _ = train(tiny, "train.ema=0.5")
    gan = fit.build(configs.load(outcome.run.config_path))
    fit.restore(gan, outcome.run)
    trained = gan.decoder.trainable_variables[0].numpy()
    with gan.averaged():
        averaged = gan.decoder.trainable_variables[0].numpy()
    assert np.abs(averaged - trained).max() > 0
    weights = Rollout.open(outcome.model).model.get_weights()
    same = [w for w in weights if w.shape == averaged.shape and np.array_equal(w, averaged)]
    assert same, "the averaged first kernel is in the file"


def test_an_older_checkpoint_can_be_exported(tiny, tmp_path):
    outcome, _ = train(tiny)
    first, _last = outcome.run.checkpoint_paths()
    old = fit.export_checkpoint(outcome.run, tmp_path / "old.keras", first)
    new = fit.export_checkpoint(outcome.run, tmp_path / "new.keras")
    assert read_description(old).trained_on["steps"] == 2
    assert read_description(new).trained_on["steps"] == 4
    played = [next(Rollout.open(path).start()).frames for path in (old, new, outcome.model)]
    np.testing.assert_array_equal(played[1], played[2])
    assert (played[0] != played[1]).any()


def test_bfloat16_trains_and_exports_float32(tiny):
    outcome, _ = train(tiny, "train.precision=mixed_bfloat16")
    keras.config.set_dtype_policy("float32")
    layers = Rollout.open(outcome.model).model._flatten_layers()
    assert {layer.dtype_policy.name for layer in layers} == {"float32"}
    assert all(np.isfinite(point["generator"]) for point in outcome.run.history())


def test_steps_per_execution_trains_the_same_number_of_steps(tiny):
    outcome, _ = train(tiny, "train.steps_per_execution=2")
    assert [point["step"] for point in outcome.run.history()] == [2, 4]
    with pytest.raises(UserError, match="expected a divisor of train.steps_per_epoch"):
        train(tiny, "train.steps_per_execution=3", "run.name=three")


def test_jit_can_be_forced(tiny):
    outcome, _ = train(tiny, "train.jit=true", "train.epochs=1", "train.steps_per_epoch=1")
    assert outcome.step == 1


def test_a_loss_that_is_no_number_stops_the_run(tiny):
    with pytest.raises(UserError, match=EXPLODED) as caught:
        train(
            tiny,
            "train.epochs=30",
            "family.generator_optimizer.learning_rate=1e20",
            "train.steps_per_epoch=1",
        )
    run = Run(tiny.parent / "runs" / "tiny")
    kept = run.checkpoint_paths()
    for path in kept:
        with path.open("rb") as file, np.load(file) as archive:
            assert all(np.isfinite(archive[k]).all() for k in archive.files if k != "position")
    assert bool(kept) == ("last good checkpoint" in str(caught.value))
    assert not run.model_path.exists()


@pytest.mark.parametrize("kept", [[], ["step-00000003.npz"]])
def test_the_message_names_the_loss_and_the_last_good_checkpoint(tmp_path, kept):
    run = Run.create(tmp_path / "run")
    for name in kept:
        (run.checkpoints / name).touch()
    clock = callbacks.Clock(checkpoint.Position(step=5), epochs=1, steps_per_epoch=9)
    guard = callbacks.FiniteLosses(clock, run)
    guard.on_train_batch_end(4, {"generator": 1.0, "image_discriminator": 2.0})
    good = "the last good checkpoint is .*step-00000003.npz" if kept else "no checkpoint was kept"
    with pytest.raises(UserError, match=f"The loss 'generator' became nan at step 5; {good}"):
        guard.on_train_batch_end(4, {"generator": float("nan"), "image_discriminator": 2.0})


def test_a_damaged_or_foreign_checkpoint_is_refused(tiny):
    outcome, _ = train(tiny)
    run, config = outcome.run, configs.load(outcome.run.config_path)
    wider = configs.load(run.config_path, ["family.generator_width=2"])
    with pytest.raises(UserError, match="belongs to another model"):
        fit.restore(fit.build(wider), run)
    last = run.checkpoint_paths()[-1]
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(UserError, match="is damaged; remove it to go on"):
        fit.restore(fit.build(config), run)
    empty = dataclasses.replace(run, folder=tiny.parent / "empty")
    with pytest.raises(UserError, match="has no checkpoint yet"):
        fit.restore(fit.build(config), empty)


def test_a_full_disk_leaves_no_half_checkpoint_or_export(tiny, monkeypatch):
    outcome, _ = train(tiny)
    run, config = outcome.run, configs.load(outcome.run.config_path)
    gan = fit.build(config)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(UserError, match="step-00000004.npz: the disk is full"):
        checkpoint.save(gan, checkpoint.Position(), run.checkpoints / "step-00000004.npz")
    with pytest.raises(UserError, match="tiny.keras: the disk is full"):
        fit.export_checkpoint(run)
    assert before == {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}


def test_what_cropping_hides_is_told(tiny, tmp_path):
    frames = np.zeros((8, 32, 64, 3), np.uint8)
    np.save(tmp_path / "wide.npy", np.stack([frames] * 4))
    _, said = train(tiny, f"data.path={tmp_path / 'wide.npy'}", "data.axes=NTHWC")
    told = [line for line in said if line.startswith("Frames are cropped")]
    assert told == [
        "Frames are cropped to the shape of 32x32: 4 videos lose up to 50% of the picture at the"
        " sides."
    ]
    _, said = train(tiny, "run.name=square")
    assert not [line for line in said if line.startswith("Frames are cropped")]
