"""An exported file is stock Keras: opened without kvidgan, played alike on every backend."""

import numpy as np
import pytest

from tests.conftest import BACKENDS, run

pytestmark = pytest.mark.slow

EXPORT = """
import sys
import keras
from kvidgan.families.mocogan import Config, Family
from kvidgan.rollout import Description, export_step
keras.utils.set_random_seed(4)
gan = Family(Config(size=32, frames=8, content=3, motion=4, generator_width=4, image_width=2,
                    video_width=2, time_kernel=2, categories=["walk", "run"], cell=sys.argv[2]))
for v in gan.decoder.trainable_variables:
    v.assign(v * 4)
model, described = gan.rollout_model()
description = Description(family="mocogan", kvidgan_version="0", **dict(described))
export_step(model, description, sys.argv[1])
"""

PLAY = """
import sys
from itertools import islice
import numpy as np
from kvidgan.rollout import Rollout
steps = Rollout.open(sys.argv[1]).start(videos=3, seed=7)
np.save(sys.argv[2], np.stack([s.frames for s in islice(steps, 64)]))
"""

PLAIN = """
import sys
import keras, numpy as np
try:
    import kvidgan
    sys.exit("kvidgan can be imported here")
except ImportError:
    pass
model = keras.models.load_model(sys.argv[1])
out = model.predict_on_batch({t.name: np.ones((2, *t.shape[1:]), "float32") for t in model.inputs})
assert out["frame"].shape == (2, 32, 32, 3), out["frame"].shape
assert out["hidden_next"].shape == (2, 4)
for layer in model._flatten_layers():
    assert type(layer).__module__.startswith("keras."), layer
print("frame", np.isfinite(out["frame"]).all())
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    cells = dict(zip(BACKENDS, ["gru", "lstm", "gru"], strict=False))
    for backend, cell in cells.items():
        run("-c", EXPORT, folder / f"{backend}.keras", cell, backend=backend)
    return folder


@pytest.mark.parametrize("writer", BACKENDS)
def test_every_backend_plays_the_same_64_frames(exported, tmp_path, writer):
    played = []
    for reader in BACKENDS:
        run("-c", PLAY, exported / f"{writer}.keras", tmp_path / "frames.npy", backend=reader)
        played.append(np.load(tmp_path / "frames.npy").astype(int))
    assert played[0].shape == (64, 3, 32, 32, 3)
    assert played[0].std() > 5, "something to see"
    assert np.abs(played[0][1:] - played[0][:-1]).max() > 5, "something moves"
    for other in played[1:]:
        assert np.abs(other - played[0]).max() <= 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_plain_keras_opens_it_without_kvidgan(exported, backend):
    forbidden = "import sys; sys.modules['kvidgan'] = None\n"  # any import of it now fails
    done = run("-c", forbidden + PLAIN, exported / f"{backend}.keras", backend=backend)
    assert done.strip() == "frame True"
