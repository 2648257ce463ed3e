"""A fifth family is one file and one YAML: a toy one, in a folder of its own, goes everywhere."""

import sys
from itertools import islice

import numpy as np
import pytest

from kvidgan import config as configs
from kvidgan import families
from kvidgan.playback import NoisePlan
from kvidgan.playback.playback import play
from kvidgan.rollout import Rollout
from kvidgan.runs import Run
from kvidgan_viewer.panel.panel import Panel
from tests.test_config import train_two_steps

pytestmark = pytest.mark.slow

FAMILY = '''
"""Toy: a generator and a discriminator of one dense layer each."""

from typing import Literal

import keras
from keras import layers, ops
from pydantic import Field

from kvidgan.adversarial import Player
from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import ClipSpec, FamilyConfig, Frame, Latent, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy

LOSSES = {"generator": "What G loses to D.", "discriminator": "How badly D tells."}
SMALL = {"latent": 2}


class Config(FamilyConfig):
    """Options of the toy."""

    name: Literal["toy"] = "toy"
    latent: int = Field(8, ge=1, description="Dimension of the noise.")
    optimizer: OptimizerConfig = Field(OptimizerConfig(), description="Optimizer of both players.")


class Family(FamilyModel):
    """Two networks and their players."""

    def __init__(self, config, seed=0):
        super().__init__()
        self.config, self.seeds = config, keras.random.SeedGenerator(seed)
        noise, frame = keras.Input((config.latent,), name="noise"), keras.Input((8, 8, 3))
        drawn = layers.Reshape((8, 8, 3))(layers.Dense(192, "tanh")(noise))
        self.generator = keras.Model(noise, drawn)
        self.discriminator = keras.Model(frame, layers.Dense(1)(layers.Flatten()(frame)))
        self.players = {
            name: Player(config.optimizer.build(), network.trainable_variables, name == "generator")
            for name, network in [
                ("generator", self.generator), ("discriminator", self.discriminator),
            ]
        }

    def clips(self):
        return {"image": ClipSpec(num_frames=1, height=8, width=8, channels=3)}

    def adversarial_step(self, batch):
        real = to_signal(batch["image"][:, 0])
        noise = keras.random.normal((ops.shape(real)[0], self.config.latent), seed=self.seeds)
        fake = lambda: self.discriminator(self.generator(noise))
        d = self.minimize(
            lambda: binary_cross_entropy(self.discriminator(real), real=True)
            + binary_cross_entropy(fake(), real=False),
            "discriminator",
        )
        g = self.minimize(lambda: binary_cross_entropy(fake(), real=True), "generator")
        return {"discriminator": d, "generator": g}

    def rollout_model(self):
        noise = keras.Input((self.config.latent,), name="noise")
        model = keras.Model({"noise": noise}, {"frame": self.generator(noise)})
        spec = StepSpec(
            frame=Frame(height=8, width=8, channels=3),
            inputs={"noise": Latent(shape=[self.config.latent], per="frame")},
        )
        return model, spec
'''
YAML = """# yaml-language-server: $schema=schema.json
#
#   kvidgan fit configs/toy.yaml
family:
  name: toy
data:
  path: moving_shapes
train:
  epochs: 2
  steps_per_epoch: 3
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The family's YAML; its file lies where families are looked for."""
    (tmp_path / "toy.py").write_text(FAMILY)
    (tmp_path / "toy.yaml").write_text(YAML)
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
    yield tmp_path / "toy.yaml"
    sys.modules.pop("kvidgan.families.toy", None)


def test_it_trains_exports_generates_and_fills_the_panel(toy, tmp_path, kvidgan, qtbot):
    assert "toy" in families.names()
    assert configs.load(toy, ["family.latent=3"]).family.latent == 3
    properties = configs.schema()["properties"]["family"]["oneOf"]
    assert len(properties) == len(families.names())

    status, out, err = kvidgan("fit", toy, f"run.folder={tmp_path}", f"data.cache={tmp_path}")
    assert status == 0, err
    assert "Done: 6 steps" in out
    run = Run.open(tmp_path / "toy")
    assert set(run.history()[-1]) >= set(run.loss_meanings()) == {"generator", "discriminator"}
    status, out, err = kvidgan("export", run.folder, "-o", tmp_path / "again.keras")
    assert status == 0, err
    status, out, err = kvidgan("generate", run.folder, "-n", 3, "-o", tmp_path / "out.gif")
    assert status == 0, err

    rollout = Rollout.open(tmp_path / "again.keras")
    (frame,) = islice(play(rollout, NoisePlan(videos=1)).frames, 1)
    assert frame.frame.shape == (8, 8, 3)
    assert np.unique(frame.frame).size > 1
    panel = Panel()
    qtbot.addWidget(panel)
    panel.set_description(rollout.description)
    assert panel.values().videos >= 1


def test_the_harness_of_shipped_configs_takes_it(toy, tmp_path):
    train_two_steps(toy, tmp_path)
