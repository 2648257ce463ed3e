"""The LSTM video GAN's generator: frames of the imported file are those of the TF1 graph."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from tests.importers.play import assert_close, imported, step
from tests.importers.tensorflow_graphs import lstm_video


def noise(units=5):
    return np.random.default_rng(2).uniform(-1, 1, (2, units)).astype("float32")


def played(model, z, frames, shape):
    inputs, found = {"hidden": z, "cell": z}, []
    if "previous" in {one.name for one in model.inputs}:
        inputs["previous"] = np.zeros((2, *shape), "float32")
    for _ in range(frames):
        outputs = step(model, **inputs)
        found.append(outputs["frame"])
        nexts = {"hidden": "hidden_next", "cell": "cell_next", "previous": "frame"}
        inputs = {name: outputs[nexts[name]] for name in inputs}
    return np.stack(found, axis=1)


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("V2", {}),
        ("V1", {"size": 32, "channels": 3, "width": 3}),
        ("V2", {"size": 32, "feed": False}),
    ],
)
def test_frames_are_those_of_the_original(tmp_path, version, options):
    z = noise()
    expected = lstm_video(z, tmp_path / "model", version, **options)
    model, outcome = imported(tmp_path / "model-7")
    assert_close(played(model, z, 5, expected.shape[2:]), expected, within=1e-5)
    assert outcome.what == "the LSTM video GAN's generator"
    config = read_description(outcome.models[0]).config["family"]
    assert config["latent"] == 5
    assert config["feed_back_frame"] == options.get("feed", True)


def test_the_files_of_a_checkpoint_stand_for_it(tmp_path):
    lstm_video(noise(), tmp_path / "model", size=32)
    for name in ("model-7.index", "model-7.data-00000-of-00001", "model-7.meta"):
        assert imported(tmp_path / name)[1].models


def test_other_versions_are_named(tmp_path):
    later = [("generator/conv/linear1_h/w", (5, 8))]
    lstm_video(noise(), tmp_path / "later", size=32, also=later)
    with pytest.raises(UserError, match="later version, whose decoder sees the noise"):
        imported(tmp_path / "later-7")
