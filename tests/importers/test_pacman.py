"""The Ms. Pac-Man generator: frames of the imported file are those of the TF1 graph."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from tests.importers.play import assert_close, imported, step
from tests.importers.tensorflow_graphs import SCALES, next_frame


def clip(height=32, width=40, frames=4):
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (1, frames, height // 4, width // 4, 3), dtype=np.uint8)
    return coarse.repeat(4, 2).repeat(4, 3)


def joined(frames):
    """(batch, time, H, W, C) to (batch, H, W, time * C)."""
    return np.concatenate(list(np.moveaxis(frames, 1, 0)), axis=-1)


@pytest.mark.every_backend
@pytest.mark.parametrize(("version", "width"), [("V1", 1 / 64), ("V2", 1 / 32)])
def test_frames_are_those_of_the_original(tmp_path, version, width):
    frames = clip()
    # Its uint8 / 127 - 1 with ours of uint8 / 127.5 - 1.
    there = joined(frames).astype("float32") / 127 - 1
    expected = (next_frame(there, tmp_path / "model.ckpt", version, width) + 1) * 127 / 127.5 - 1
    model, outcome = imported(tmp_path / "model.ckpt-7")
    found = step(model, history=frames.astype("float32") / 127.5 - 1)
    assert_close(found["frame"], expected)
    config = read_description(outcome.models[0]).config["family"]
    assert (config["history"], config["frames"], config["width"]) == (4, 1, width)
    assert (config["residual"], config["divisor"]) == (False, 127.0)
    assert outcome.notes == []


def test_another_build_is_refused(tmp_path):
    frames = joined(clip()).astype("float32") / 127 - 1
    next_frame(frames, tmp_path / "three.ckpt", scales=SCALES[:3])
    with pytest.raises(UserError, match=r"over four scales, found 3 3 3 3 5 3 3 5 5 3 3 3 3 5;"):
        imported(tmp_path / "three.ckpt-7")
    odd = (*SCALES[:3], ((128, 256, 512, 256, 64), (7, 5, 5, 5, 5, 7)))
    next_frame(frames, tmp_path / "odd.ckpt", scales=odd)
    with pytest.raises(UserError, match=r"expected generator/scale_3/setup/Variable_8 of the shap"):
        imported(tmp_path / "odd.ckpt-7")
