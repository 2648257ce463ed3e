"""What is in an exported file, and what is left out so that older versions of Keras open it."""

import json
import zipfile

import keras
import numpy as np
import pytest

from kvidgan.rollout import export_step
from tests.rollout import steps

NEW = ("input_axes", "output_axes", "quantization_config", "renorm")


def model(**options):
    """Layers of every kind that families use, one of them in a model of its own."""
    noise = keras.Input((8,), name="noise")
    inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(48), keras.layers.ReLU()])
    x = keras.layers.Reshape((4, 4, 3))(inner(noise))
    x = keras.layers.BatchNormalization(**options)(x)
    x = keras.layers.Conv2DTranspose(4, 4, 2, "same", kernel_initializer="glorot_normal")(x)
    x = keras.layers.LSTMCell(8)(keras.layers.Flatten()(x), [noise, noise])[0]
    frame = keras.layers.Reshape((4, 4, 3))(keras.layers.Dense(48)(x))
    return keras.Model({"noise": noise}, {"frame": frame})


def saved(tmp_path, **options):
    step = model(**options)
    description = steps.described(
        frame={"height": 4, "width": 4, "channels": 3},
        inputs={"noise": {"role": "latent", "shape": [8], "per": "video"}},
    )
    path = export_step(step, description, tmp_path / "step.keras")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("kvidgan.json"))["family"]
        return step, path, archive.read("config.json").decode()


def test_arguments_that_say_nothing_new_are_left_out(tmp_path):
    step, path, config = saved(tmp_path)
    assert not [name for name in NEW if f'"{name}' in config]
    assert '"epsilon"' in config, "other defaults are written: they may change"
    noise = {"noise": np.random.default_rng(0).normal(size=(2, 8)).astype("float32")}
    opened = keras.models.load_model(path, compile=False)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(opened(noise)["frame"]),
        keras.ops.convert_to_numpy(step(noise)["frame"]),
    )


def test_arguments_that_say_something_are_kept(tmp_path):
    _, path, config = saved(tmp_path, renorm=True, renorm_momentum=0.5)
    assert '"renorm": true' in config
    assert '"renorm_momentum": 0.5' in config
    layers = keras.models.load_model(path, compile=False).layers
    (norm,) = [one for one in layers if isinstance(one, keras.layers.BatchNormalization)]
    assert norm.renorm


@pytest.mark.parametrize("step", [steps.predicting, steps.counting, steps.walking])
def test_nothing_of_newer_versions_is_in_any_file(tmp_path, step):
    path = export_step(*step(), tmp_path / "step.keras")
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    assert not [name for name in NEW if f'"{name}' in config]
