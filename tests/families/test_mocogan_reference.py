"""MoCoGAN beside small networks of PyTorch, written from the paper, with equal weights."""

import keras
import numpy as np
import pytest

from kvidgan.families.mocogan import Config, Family
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import numbers

torch = pytest.importorskip("torch")
every_backend = pytest.mark.every_backend

SMALL = {
    "size": 32,
    "frames": 8,
    "content": 3,
    "generator_width": 2,
    "image_width": 2,
    "video_width": 2,
    "time_kernel": 2,
    "categories": ["walk", "run"],
}


def family(**options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.compile(run_eagerly=True)
    return gan


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


def copy(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(np.asarray(values)))


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
