"""The LSTM video GAN beside small networks of PyTorch, written from its description."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from kvidgan.families.lstm_wgan import Config, Family
from tests.families.common import numbers, parameters
from tests.families.torch_reference import channels_first, copy_weights, stir, torch

nn, functional = torch.nn, torch.nn.functional
every_backend = pytest.mark.every_backend
LATENT, WIDTH, FRAMES = 6, 2, 5


def family(**options):
    """Return a narrow family at 64x64, with weights that nothing hides."""
    keras.utils.set_random_seed(0)
    gan = Family(
        Config(
            latent=LATENT, decoder_width=WIDTH, critic_width=WIDTH, frames=FRAMES,
            decoder_biases=True, **options,
        )
    )  # fmt: skip
    stir(gan.trainable_variables)
    return gan


def decoder():
    """Return the DCGAN: biases, then layer norm over a whole sample, with a gain a map."""
    layers, maps = [nn.ConvTranspose2d(LATENT, 8 * WIDTH, 4)], 8 * WIDTH
    for filters in (4 * WIDTH, 2 * WIDTH, WIDTH, 1):
        layers += [nn.GroupNorm(1, maps), nn.ReLU(), nn.ConvTranspose2d(maps, filters, 4, 2, 1)]
        maps = filters
    return nn.Sequential(*layers, nn.Tanh()).double()


class Same(nn.Module):
    """Zeros around a clip, so that strides of two halve it, rounding up: more of them behind."""

    def forward(self, clip):
        margins = []
        for length in reversed(clip.shape[2:]):
            total = max((-(-length // 2) - 1) * 2 + 4 - length, 0)
            margins += [total // 2, total - total // 2]
        return functional.pad(clip, margins)


class Flat(nn.Module):
    """All values of a sample in TensorFlow's order: channels last."""

    def forward(self, clip):
        return clip.movedim(1, -1).flatten(1)


def critic():
    layers, maps = [], 1
    for filters in (WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH):
        layers += [Same(), nn.Conv3d(maps, filters, 4, 2), nn.LeakyReLU(0.2)]
        maps = filters
    return nn.Sequential(*layers, Flat(), nn.Linear(16 * maps, 1)).double()


def walk(gan, draws, z):
    """Let an LSTM in float64 walk (Ba et al. 2016, eq. 20 to 22); each frame is its next input."""
    weights = {
        layer.name: [torch.from_numpy(w).double() for w in layer.get_weights()]
        for layer in gan.lstm.layers
    }

    def normed(x, name):
        gain, bias = weights[name]
        return functional.layer_norm(x, x.shape[1:], gain, bias, 1e-5)

    hidden, memory, frames = z, z, []
    frame = torch.zeros(len(z), 1, 64, 64, dtype=torch.float64)
    for _ in range(FRAMES):
        gates = normed(hidden @ weights["recurrent"][0], "recurrent_norm")
        flat = frame.movedim(1, -1).flatten(1)
        gates = gates + normed(flat @ weights["input"][0], "input_norm")
        take, forget, new, show = gates.chunk(4, dim=1)
        memory = torch.sigmoid(forget + 1) * memory + torch.sigmoid(take) * torch.tanh(new)
        hidden = torch.sigmoid(show) * torch.tanh(normed(memory, "cell_norm"))
        frame = draws(hidden[:, :, None, None])
        frames.append(frame)
    return torch.stack(frames, dim=1).movedim(2, -1)  # (batch, T, H, W, 1)


@every_backend
@torch.no_grad()
def test_frames_equal_pytorchs():
    gan, draws = family(), decoder()
    copy_weights(gan.decoder, draws)
    z = np.random.default_rng(0).uniform(-1, 1, (3, LATENT)).astype("float32")
    found = numbers(gan._walk(keras.ops.convert_to_tensor(z)))
    expected = walk(gan, draws, torch.from_numpy(z).double())
    assert expected.std() > 0.05, "the frames say something"
    np.testing.assert_allclose(found[:, :3], expected[:, :3], atol=5e-6)
    np.testing.assert_allclose(found, expected, atol=2e-5)  # what is fed back is rounded each time


@every_backend
def test_scores_and_penalty_equal_pytorchs():
    gan, judges = family(), critic()
    copy_weights(gan.critic, judges)
    rng = np.random.default_rng(0)
    real, generated = rng.uniform(-1, 1, (2, 3, FRAMES, 64, 64, 1)).astype("float32")
    mix = rng.uniform(size=3).astype("float32")
    of_real, of_generated = (judges(channels_first(c).double()) for c in (real, generated))
    found = numbers(gan.critic(real))
    np.testing.assert_allclose(found, of_real.detach(), atol=5e-6)

    share = mix[:, None, None, None, None]
    between = channels_first(real + share * (generated - real)).double().requires_grad_()
    (slope,) = torch.autograd.grad(judges(between).sum(), between)
    lengths = slope.flatten(1).norm(dim=1)
    assert (lengths - 1).abs().min() > 0.01, "there is something to punish"
    expected = {
        "wasserstein": (of_generated.mean() - of_real.mean()).item(),
        "penalty": 200 * ((lengths - 1) ** 2).mean().item(),
    }
    terms = gan._critic_terms(*map(keras.ops.convert_to_tensor, (real, generated, mix)))
    for name, value in expected.items():
        assert float(numbers(terms[name])) == pytest.approx(value, rel=5e-6), name


def test_the_projects_networks_have_as_many_parameters():
    """By hand: kernels, biases, and a gain and a bias a map for the normalisations."""
    gan = Family(Config(decoder_biases=True))
    maps = [128, 512, 256, 128, 64, 1]
    kernels = sum(16 * a * b for a, b in pairwise(maps))
    assert parameters(gan.decoder) == kernels + sum(maps[1:]) + 2 * sum(maps[1:-1])
    maps = [1, 64, 128, 256, 512]
    kernels = sum(64 * a * b for a, b in pairwise(maps))
    flat = 2 * 4 * 4 * 512  # 20 frames become 10, 5, 3, 2
    assert parameters(gan.critic) == kernels + sum(maps[1:]) + flat + 1
    gates = 4 * 128
    assert parameters(gan.lstm) == gates * (128 + 64 * 64) + 2 * (gates + gates + 128)
