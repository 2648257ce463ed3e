"""MoCoGAN beside small networks of PyTorch, written from the paper, with equal weights."""

import keras
import numpy as np
import pytest

from kvidgan.families.mocogan import Config, Family, networks
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import SMALL_MOCOGAN, numbers, parameters
from tests.families.torch_reference import (
    channels_first,
    channels_last,
    copy,
    copy_weights,
    stir,
    torch,
)

every_backend = pytest.mark.every_backend

SMALL = SMALL_MOCOGAN


def family(**options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.compile(run_eagerly=True)
    return gan


# ---- The published networks ----------------------------------------------------------------------

nn = torch.nn
PUBLISHED = {
    "size": 64,
    "frames": 16,
    "time_kernel": 4,
    "content": 5,
    "motion": 10,
    "generator_width": 4,
    "image_width": 4,
    "video_width": 4,
    "categories": ["a", "b", "c"],
}


def decoder(width, code, channels=3):
    """Return G_I: DCGAN's decoder to 64x64, without biases."""

    def up(maps, filters, stride, padding):
        return nn.ConvTranspose2d(maps, filters, 4, stride, padding, bias=False)

    layers, maps = [up(code, 8 * width, 1, 0)], 8 * width
    for _ in range(3):
        layers += [nn.BatchNorm2d(maps), nn.ReLU(), up(maps, maps // 2, 2, 1)]
        maps //= 2
    return nn.Sequential(
        *layers, nn.BatchNorm2d(maps), nn.ReLU(), up(maps, channels, 2, 1), nn.Tanh()
    )


def image_discriminator(width):
    """Return D_I, which judges patches: four halvings."""
    layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for maps in (width, 2 * width):
        layers += [nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * maps)]
        layers += [nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4, 2, 1, bias=False))


def video_discriminator(width, outputs):
    """Return D_V: 16 frames shrink to one by unpadded kernels of four."""

    def down(maps, filters):
        return nn.Conv3d(maps, filters, 4, (1, 2, 2), (0, 1, 1), bias=False)

    layers = [down(3, width), nn.LeakyReLU(0.2)]
    for maps in (width, 2 * width, 4 * width):
        layers += [down(maps, 2 * maps), nn.BatchNorm3d(2 * maps), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv3d(8 * width, outputs, 4, bias=False))


def published():
    """Return a small family at 64x64 and its networks in PyTorch, with equal weights."""
    gan = family(**PUBLISHED)
    stir(gan.trainable_variables)
    networks = decoder(4, 18), image_discriminator(4), video_discriminator(4, 4)
    ours = gan.decoder, gan.image_discriminator, gan.video_discriminator
    for network, module in zip(ours, networks, strict=True):
        copy_weights(network, module.double())  # so that the comparison has one rounding
    return gan, *networks


@every_backend
@torch.no_grad()
def test_codes_and_frames_equal_pytorchs():
    gan, draws, _, _ = published()
    torch.manual_seed(0)
    gru, (z, r, h) = nn.GRUCell(10, 10), np.split(np.arange(30), 3)
    order = np.concatenate([r, z, h])  # PyTorch's gates are reset, update, new
    copy(gru.weight_ih, numbers(gan.cell.kernel).T[order])
    copy(gru.weight_hh, numbers(gan.cell.recurrent_kernel).T[order])
    for bias, row in zip((gru.bias_ih, gru.bias_hh), numbers(gan.cell.bias), strict=True):
        copy(bias, row[order])
    noise, hidden = torch.randn(6, 16, 10), torch.randn(6, 10)
    fixed = torch.cat([torch.randn(6, 5), torch.eye(3)[[2, 0, 1, 0, 2, 2]]], dim=1)
    found = numbers(gan.motion([noise.numpy(), hidden.numpy()]))
    for t in range(16):
        hidden = gru(noise[:, t], hidden)
        np.testing.assert_allclose(found[:, t], hidden.detach(), atol=5e-6)
    code = torch.cat([fixed, hidden], dim=1)
    for training in (False, True):  # running variances differ after it: PyTorch's is unbiased
        frames = draws.train(training)(code.double()[:, :, None, None])
        ours = numbers(gan.decoder(code.detach().numpy(), training=training))
        np.testing.assert_allclose(ours, channels_last(frames), atol=5e-6)


@every_backend
@torch.no_grad()
def test_logits_and_losses_equal_pytorchs():
    gan, _, judges_images, judges_videos = published()
    rng = np.random.default_rng(0)
    real, generated = rng.uniform(-1, 1, (2, 3, 16, 64, 64, 3)).astype("float32")
    kinds, right = np.array([2, 0, 1]), nn.functional.binary_cross_entropy_with_logits
    images = [judges_images(channels_first(clip[:, 0]).double()) for clip in (real, generated)]
    videos = [judges_videos(channels_first(clip).double()) for clip in (real, generated)]
    ours = numbers(gan.image_discriminator(real[:, 0], training=True))
    np.testing.assert_allclose(ours, channels_last(images[0]), rtol=5e-6, atol=5e-6)
    ours = numbers(gan.video_discriminator(generated, training=True))
    np.testing.assert_allclose(ours, channels_last(videos[1]), rtol=5e-6, atol=5e-6)

    def told(logits, answer):
        return right(logits, torch.full_like(logits, answer))

    def named(logits):
        return nn.functional.cross_entropy(logits[:, 1:].flatten(1), torch.from_numpy(kinds))

    judged = told(videos[0][:, :1], 1.0) + told(videos[1][:, :1], 0.0)
    loss, terms = gan._video_loss(real, kinds, generated)
    assert float(terms["category_real"]) == pytest.approx(float(named(videos[0])), rel=1e-6)
    assert float(loss) == pytest.approx(float(judged + named(videos[0])), rel=1e-6)
    fooled = told(videos[1][:, :1], 1.0) + told(images[1], 1.0) + named(videos[1])
    loss, _ = gan._generator_loss(generated[:, 0], generated, kinds)
    assert float(loss) == pytest.approx(float(fooled), rel=1e-6)


def test_published_networks_have_as_many_parameters():
    """Counted on the authors' own networks; their decoder has the recurrent cell with it."""
    config = Config(categories=["a", "b", "c", "d"])
    generator = parameters(networks.decoder(config))
    cell = networks.cell(config)
    cell.build((None, 10))
    generator += sum(int(np.prod(v.shape)) for v in cell.trainable_variables)
    assert generator == 3_282_452
    assert parameters(networks.image_discriminator(config)) == 663_296
    assert parameters(networks.video_discriminator(config)) == 11_187_968


# ---- The projected LSTM --------------------------------------------------------------------------


def projected(hidden=20, motion=10, **options):
    """A course's model with weights that nothing hides, and the same cell of PyTorch."""
    gan = family(cell="projected_lstm", hidden=hidden, motion=motion, **options)
    rng = np.random.default_rng(2)
    for variable in gan.motion.trainable_variables:
        variable.assign(rng.normal(0, 0.4, variable.shape))
    lstm, linear = torch.nn.LSTMCell(motion, hidden), torch.nn.Linear(hidden, motion)
    norm = torch.nn.BatchNorm1d(motion, affine=False)
    copy(lstm.weight_ih, numbers(gan.cell.kernel).T)
    copy(lstm.weight_hh, numbers(gan.cell.recurrent_kernel).T)
    copy(lstm.bias_ih, numbers(gan.cell.bias))
    copy(lstm.bias_hh, 0.0)
    dense = gan.projection.get_layer("projection")
    copy(linear.weight, numbers(dense.kernel).T)
    copy(linear.bias, numbers(dense.bias))
    return gan, lstm, linear, norm


@every_backend
def test_the_projected_lstm_equals_pytorchs_frame_by_frame_of_a_batch():
    """Zeros first, the same noise each frame, batch norm over the videos at each frame alone."""
    gan, lstm, linear, norm = projected()
    noise = np.random.default_rng(0).normal(size=(6, 10)).astype("float32")
    zeros = np.zeros((6, 20), "float32")
    hidden = memory = torch.zeros(6, 20)
    expected, variances = [], []
    with torch.no_grad():
        for _ in range(gan.config.frames):
            hidden, memory = lstm(torch.from_numpy(noise), (hidden, memory))
            variances.append(linear(hidden).var(0, correction=0))
            expected.append(norm(linear(hidden)).numpy())
    found = numbers(gan.motion([noise, zeros, zeros], training=True))
    np.testing.assert_allclose(found, np.stack(expected, axis=1), atol=2e-5)
    mean, variance = (numbers(v) for v in gan.projection.non_trainable_variables[:2])
    np.testing.assert_allclose(mean, norm.running_mean, atol=1e-6)
    running = torch.ones(10)  # PyTorch's own is of the variance over count - 1
    for one in variances:
        running = 0.9 * running + 0.1 * one
    np.testing.assert_allclose(variance, running, rtol=1e-5)


@every_backend
def test_the_exported_projected_lstm_keeps_its_noise_and_puts_motion_first(tmp_path):
    gan, lstm, linear, norm = projected(channels=1)
    rng = np.random.default_rng(3)
    norm.running_mean[:], norm.running_var[:] = torch.rand(10) - 0.5, torch.rand(10) + 0.5
    for own, its in zip(
        gan.projection.non_trainable_variables, (norm.running_mean, norm.running_var), strict=True
    ):
        own.assign(its.numpy())
    for variable in gan.decoder.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    model, spec = gan.rollout_model()
    description = Description(family="mocogan", kvidgan_version="0", **dict(spec))
    assert description.noise.content == ["content", "category"]
    assert description.noise.motion == ["noise"]
    assert description.noise.path == ["content"]
    rollout = Rollout.open(export_step(model, description, tmp_path / "x.keras"))
    found = rollout.start(videos=3, seed=1, choices={"category": "run"})
    noise, content = (
        np.stack([rollout.draw(name, seed) for seed in (1, 2, 3)]) for name in ("noise", "content")
    )
    state = torch.zeros(3, 20), torch.zeros(3, 20)
    run = np.tile([[0.0, 1.0]], (3, 1))
    for _, step in zip(range(12), found, strict=False):
        with torch.no_grad():
            state = lstm(torch.from_numpy(noise), state)
            code = norm.eval()(linear(state[0])).numpy()
        code = np.concatenate([code, content, run], axis=-1).astype("float32")
        frames = (numbers(gan.decoder(code)) + 1) * 127.5
        assert np.abs(step.frames - frames).max() <= 0.51
