"""The generator of Mathieu et al.: frames of the imported file are those of PyTorch's layers.

The files are written here as the authors' code would; none of theirs was at hand.
"""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from tests.importers.play import assert_close, imported, step
from tests.importers.test_pacman import clip, joined
from tests.importers.torch7_file import Object, write

SCALES = (
    ((16, 32, 16), (3, 3, 3, 3)),
    ((16, 32, 16), (5, 3, 3, 5)),
    ((16, 32, 64, 32, 16), (5, 3, 3, 3, 3, 5)),
    ((16, 32, 64, 32, 16), (7, 5, 5, 5, 5, 7)),
)


def weights(history=4):
    """Return kernels (out, in, h, w) and biases of each scale."""
    rng = np.random.default_rng(4)
    found = []
    for number, (maps, kernels) in enumerate(SCALES):
        channels = [3 * (history + bool(number)), *maps, 3]
        found.append([])
        for side, before, after in zip(kernels, channels, channels[1:], strict=False):
            sigma = (2 / (before * side * side)) ** 0.5
            kernel = rng.normal(0, sigma, (after, before, side, side)).astype("float32")
            found[-1].append((kernel, rng.normal(0, 0.2, after).astype("float32")))
    return found


def graph(scales, flat=False, smooth=True, latent=None):
    """Return the table that their training saves: a graph of each scale's own graph."""
    modules = [Object("nn.Identity")]
    enlarge = "nn.SpatialUpSample" if smooth else "nn.SpatialUpSamplingNearest"
    for number, layers in enumerate(scales):
        if number:
            modules.append(Object(enlarge))
        if latent is not None:
            modules.append(latent)
        own = []
        for kernel, bias in layers:
            out, inputs, height, width = kernel.shape
            sizes = {"nOutputPlane": out, "nInputPlane": inputs, "kH": height, "kW": width}
            kind = "nn.SpatialConvolutionMM" if flat else "cudnn.SpatialConvolution"
            kernel = kernel.reshape(out, -1) if flat else kernel
            own += [Object(kind, weight=kernel, bias=bias, **sizes), Object("nn.ReLU")]
        modules.append(Object("nn.gModule", modules=own[:-1]))
    judge = Object("nn.gModule", modules=[Object("nn.Linear", weight=np.ones((2, 2)))])
    return {"model": Object("nn.gModule", modules=modules), "advmodel": judge,
            "opt": {"nInputFrames": 4}}  # fmt: skip


def original(scales, history, smooth):
    """Return the next frame from a history (batch, H, W, 3 * T), by PyTorch."""
    torch = pytest.importorskip("torch")
    functional, x = torch.nn.functional, None
    frames = torch.from_numpy(history).permute(0, 3, 1, 2)
    for number, layers in enumerate(scales):
        seen, below = functional.avg_pool2d(frames, 8 >> number), None
        if x is not None:
            how = {"mode": "bilinear", "align_corners": False} if smooth else {"mode": "nearest"}
            below = functional.interpolate(x, scale_factor=2, **how)
            seen = torch.cat([seen, below], dim=1)
        for place, (kernel, bias) in enumerate(layers):
            arrays = torch.from_numpy(kernel), torch.from_numpy(bias)
            seen = functional.conv2d(seen, *arrays, padding="same")
            seen = seen if place == len(layers) - 1 else torch.relu(seen)
        x = torch.tanh(seen if below is None else seen + below)
    return x.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("flat", [False, True])
def test_frames_are_those_of_the_original(tmp_path, smooth, flat):
    scales, history = weights(), clip().astype("float32") / 127.5 - 1
    path = write(tmp_path / "new_adv.t7", graph(scales, flat, smooth))
    model, outcome = imported(path)
    expected = original(scales, joined(history), smooth)
    assert_close(step(model, history=history)["frame"], expected)
    assert outcome.notes == []
    config = read_description(outcome.models[0]).config["family"]
    assert config["width"] == 1 / 8
    assert config["enlarge"] == ("bilinear" if smooth else "nearest")


@pytest.mark.parametrize(("bias", "said"), [(0.0, "add nothing"), (0.5, "frames may differ by")])
def test_the_latent_branch_is_left_out_aloud(tmp_path, bias, said):
    branch = Object("nn.Linear", weight=np.ones((2, 2)), bias=np.full(2, bias))
    path = write(tmp_path / "new_adv.t7", graph(weights(), latent=branch))
    (note,) = imported(path)[1].notes
    assert note.startswith("Its layers nn.Linear are left out")
    assert said in note


def test_another_build_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"over four scales, found 3 3 3 3 5 3 3 5;"):
        imported(write(tmp_path / "a.t7", graph(weights()[:2])))
    norm = Object("nn.SpatialBatchNormalization", weight=np.ones(2), bias=np.zeros(2))
    with pytest.raises(UserError, match=r"has layers nn.SpatialBatchNormalization"):
        imported(write(tmp_path / "n.t7", graph(weights(), latent=norm)))
    with pytest.raises(UserError, match=r"expected the weights of .* found .* \(no arrays\)"):
        imported(write(tmp_path / "b.t7", {"opt": {"lr": 0.1}}))
