"""A run that begins with what fits of another: a second stage."""

from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from kvidgan import config as configs
from kvidgan import families
from kvidgan.errors import UserError
from kvidgan.runs import Run
from kvidgan.training import checkpoint, fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run of multi-scale prediction on patches of 32 pixels: two steps."""
    tmp_path = tmp_path_factory.mktemp("first")
    noise = np.random.default_rng(0).integers(0, 256, (3, 8, 64, 64, 3), dtype=np.uint8)
    np.save(tmp_path / "clips.npy", noise)
    family = {
        "name": "multiscale",
        "width": 1 / 64,
        "discriminator_width": 1 / 64,
        "generator_optimizer": {"name": "adam"},
    }
    raw = {
        "family": family,
        "data": {
            **{"path": str(tmp_path / "clips.npy"), "axes": "NTHWC"},
            **{"batch": 2, "cache": str(tmp_path)},
        },
        "train": {"epochs": 1, "steps_per_epoch": 2},
        "run": {"folder": str(tmp_path / "runs")},
    }
    path = tmp_path / "first.yaml"
    path.write_text(yaml.safe_dump(raw))
    return fit.start(configs.load(path), say=lambda text: None).run


def begun(run, *overrides):
    """Return a model that begins with a run, before its first step, and what was said."""
    said = []
    config = configs.load(run.config_path, [f"run.name={run.next_name()}", *overrides])
    gan = fit.build(config)
    fit._begin_with(gan, run, config, said.append)
    return gan, said[0]


def original(run):
    gan = fit.build(configs.load(run.config_path))
    fit.restore(gan, run)
    return gan


def same(one, other):
    return np.array_equal(one.numpy(), other.numpy())


@pytest.mark.every_backend
def test_another_patch_rebuilds_the_dense_layers_alone(first):
    gan, said = begun(first, "family.patch=64")
    before = original(first)
    for network, old in zip(gan.discriminators, before.discriminators, strict=True):
        for layer, earlier in zip(network.layers, old.layers, strict=True):
            kept = not isinstance(layer, keras.layers.Dense)
            assert all(
                same(a, b) == kept
                for a, b in zip(layer.weights[:1], earlier.weights[:1], strict=True)
            )
    for mine, theirs in zip(gan.generator.variables, before.generator.variables, strict=True):
        assert same(mine, theirs)
    adam, old = (g.players["generator"].optimizer for g in (gan, before))
    assert int(adam.iterations.numpy()) == 2
    assert all(same(a, b) for a, b in zip(adam.variables, old.variables, strict=True))
    assert int(gan.players["discriminator"].optimizer.iterations.numpy()) == 0
    assert "fresh from" in said


@pytest.mark.every_backend
def test_an_adversary_may_come_later_or_go(first):
    gan, said = begun(first, "family.preset=l1")
    assert "fresh" not in said
    before = original(first)
    pairs = zip(gan.generator.variables, before.generator.variables, strict=True)
    assert all(same(a, b) for a, b in pairs)


def test_a_new_learning_rate_holds(first):
    gan, _ = begun(first, "family.generator_optimizer.learning_rate=0.125")
    assert float(gan.players["generator"].optimizer.learning_rate.numpy()) == 0.125


def test_nothing_in_common_is_an_error(first):
    with pytest.raises(UserError, match="has no network like those of this config"):
        begun(first, "family.width=0.1", "family.preset=l2", "family.history=3")


def test_the_second_stage_trains_and_leaves_the_first_alone(first):
    kept = first.model_path.read_bytes()
    config = configs.load(first.config_path, ["run.name=first-2", "family.patch=64"])
    outcome = fit.start(config, say=lambda text: None, origin=first)
    assert outcome.step == 2
    assert outcome.run.folder.name == "first-2"
    assert first.model_path.read_bytes() == kept
    with pytest.raises(UserError, match="Expected a new run's name, found that of"):
        fit.start(configs.load(first.config_path), origin=first)


def finer(path, scales):
    """Return vid2vid of so many generators that begins with a checkpoint, and what is fresh."""
    module = families.load("vid2vid")
    gan = module.Family(
        module.Config(
            size=[16 * scales, 16 * scales], labels=["road", "car"], foreground_labels=["car"],
            generator_width=2, foreground_width=2, discriminator_width=2, down=1, blocks=2,
            discriminator_layers=1, discriminator_scales=scales, temporal_scales=2, scales=scales,
        ),
        seed=scales,
    )  # fmt: skip
    gan.allocate(1)
    gan.compile()
    return gan, checkpoint.carry_over(gan, path) if path.exists() else None


def test_a_finer_generator_begins_with_the_coarser_one(tmp_path):
    path = tmp_path / "one.npz"
    one, _ = finer(path, 1)
    for variable in one.generator.variables:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    checkpoint.save(one, checkpoint.Position(), path)
    two, fresh = finer(path, 2)
    before = {v.path: v for v in one.generator.variables}
    coarse = {v.path: v for v in two.generator.variables if v.path in before}
    lost = {path for path in before if path not in coarse}
    assert all("scale0" in path and "_head/" in path for path in lost), "finer heads take over"
    assert all(same(variable, before[path]) for path, variable in coarse.items())
    assert {v.path for v in two.players["coarse_generators"].variables} <= coarse.keys()
    assert not coarse.keys() & set(fresh)
    judges = {n.name: n for n in (*two.image_discriminators, *two.video_discriminators)}
    for network in (*one.image_discriminators, *one.video_discriminators):
        assert all(map(same, judges.pop(network.name).variables, network.variables))
    assert {v.path for network in judges.values() for v in network.variables} <= set(fresh)
    assert set(judges) == {"image_1", "video0_1", "video1_1"}, "those of the new, halved size"


def test_names_of_later_stages():
    assert [Run(Path("models") / name).next_name() for name in ("a", "a-2", "a-b", "2")] == [
        "a-2", "a-3", "a-b-2", "2-2",
    ]  # fmt: skip


@pytest.mark.every_backend
def test_what_is_frozen_is_not_kept(first, tmp_path):
    """Such as an eye that was trained elsewhere: it may be larger than all the rest."""

    def seeing(value):
        gan = original(first)
        gan.eye = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
        gan.eye.build((None, 3))
        gan.eye.trainable = False
        gan.eye.weights[0].assign(keras.ops.full((3, 1), value))
        return gan

    checkpoint.save(seeing(1.0), checkpoint.Position(step=3), tmp_path / "seen.npz")
    with np.load(tmp_path / "seen.npz") as kept, np.load(first.checkpoint_paths()[-1]) as without:
        assert set(kept) == set(without)
    again = seeing(2.0)
    assert checkpoint.load(again, tmp_path / "seen.npz").step == 3
    assert (again.eye.weights[0].numpy() == 2.0).all()
