from pathlib import Path

import keras
import numpy as np
import pytest
import torch
from keras import ops
from torch.nn import functional

from kvidgan.adversarial import input_gradient, value_and_gradients
from kvidgan.config import load
from kvidgan.families import multiscale
from kvidgan.families.multiscale import Config, Family
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import batch, numbers, parameters, values

CONFIGS = Path(__file__).parents[2] / "configs"

every_backend = pytest.mark.every_backend

SMALL = {"width": 1 / 64, "discriminator_width": 1 / 32}


def family(**options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.compile(run_eagerly=True)  # compiled steps are compared in test_first_step
    return gan


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "l2"},
        {"preset": "gdl_l1", "channels": 1},
        {"preset": "adv", "condition_on_history": False, "residual": False, "shrink": "bilinear"},
        {"shrink": "top_left", "enlarge": "top_left", "reduction": "sum", "divisor": 127},
        {"preset": "adv_gdl"},
        {"preset": "l1", "history": 8, "frames": 8},
    ],
    ids=str,
)
def test_one_step_moves_every_player(options):
    gan = family(**options)
    before = values(gan.trainable_variables)
    losses = gan.train_on_batch(batch(gan), return_dict=True)
    weights = gan.config.losses
    expected = {"generator", "lp"}
    expected |= {"gdl"} if weights.lambda_gdl else set()
    expected |= {"adv", "discriminator"} if weights.lambda_adv else set()
    assert set(losses) == expected
    total = sum(
        getattr(weights, f"lambda_{n}") * losses[n] for n in expected & {"lp", "gdl", "adv"}
    )
    assert losses["generator"] == pytest.approx(total, rel=1e-5)
    assert len(before) == sum(len(player.variables) for player in gan.players.values())
    for first, variable in zip(before, gan.trainable_variables, strict=True):
        assert np.abs(ops.convert_to_numpy(variable.value) - first).max() > 0, variable.path


def test_without_an_adversarial_loss_no_discriminator_is_built():
    gan = family(preset="gdl_l2")
    assert gan.discriminators == []
    assert list(gan.players) == list(gan.clips()) == ["generator"]
    assert parameters(gan) == parameters(gan.generator)
    assert Config(preset="adv", lambda_adv=0.0).losses == Config(preset="l2").losses
    assert family(preset="l2", lambda_adv=0.1).discriminators


def test_presets_are_the_papers():
    assert Config().losses == (1, 2, 1, 1, 0.05), "Adv+GDL"
    assert Config(preset="adv").losses == (1, 2, 0, 1, 0.05)
    assert Config(preset="gdl_l1").losses == (1, 1, 1, 1, 0)
    assert Config(preset="gdl_l2").losses == (1, 2, 1, 2, 0)
    assert Config(preset="l1", lambda_gdl=0.5, alpha=2).losses == (1, 1, 0.5, 2, 0)


def test_the_adversarial_loss_reaches_every_variable_of_the_generator():
    gan = family(preset="adv", lambda_lp=0.0)
    clip = batch(gan)["generator"]
    own = gan.players["generator"].variables
    (_, terms), gradients = value_and_gradients(lambda: gan._generator_loss(clip), own)
    assert set(terms) == {"lp", "adv"}
    for gradient, variable in zip(gradients, own, strict=True):
        assert np.abs(ops.convert_to_numpy(gradient)).max() > 0, variable.path


def test_players_train_on_different_samples():
    given = batch(family(preset="adv"))
    assert not np.array_equal(given["generator"], given["discriminator"])
    changed = {**given, "generator": given["generator"][::-1, ::-1].copy()}
    losses = [family(preset="adv").train_on_batch(b, return_dict=True) for b in (given, changed)]
    assert losses[0]["discriminator"] == losses[1]["discriminator"]
    assert losses[0]["adv"] != losses[1]["adv"]


@pytest.mark.parametrize("residual", [True, False])
def test_a_zeroed_finest_stack_leaves_the_enlarged_coarser_prediction(residual):
    gan = family(preset="l2", residual=residual)
    last = gan.generator.get_layer("last_4")
    last.set_weights([np.zeros_like(w) for w in last.get_weights()])
    history = np.random.default_rng(0).uniform(-1, 1, (1, 4, 16, 24, 3)).astype("float32")
    *_, coarser, finest = (ops.convert_to_numpy(y) for y in gan.generator(history))
    enlarged = coarser.repeat(2, axis=1).repeat(2, axis=2)
    assert np.abs(enlarged).max() > 0.01
    np.testing.assert_allclose(finest, np.tanh(enlarged) * residual, atol=1e-6)


def test_the_receptive_field_is_that_of_the_tables():
    """The widths of the stacks are 9, 13, 17, 29 cells: one output pixel sees, scale by scale,
    14 to each side at 1/1, then 8 at 1/2, 6 at 1/4 and 4 at 1/8."""
    gan = family(preset="l2", channels=1, history=1)
    for layer in gan.generator.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            size = np.prod(kernel.shape[:3])
            layer.set_weights([np.full_like(kernel, 1 / size), np.zeros_like(bias)])
    clip = np.full((1, 1, 512, 8, 1), 0.1, "float32")
    gradient = input_gradient(
        lambda x: gan.generator(x)[-1][:, 256, 4], ops.convert_to_tensor(clip)
    )
    seen = np.flatnonzero(ops.convert_to_numpy(gradient)[0, 0].any(axis=(1, 2)))
    # (256 - 14) // 2 = 121, (121 - 8) // 2 = 56, (56 - 6) // 2 = 25, (25 - 4) * 8 = 168;
    # (256 + 14) // 2 = 135, (135 + 8) // 2 = 71, (71 + 6) // 2 = 38, (38 + 4) * 8 + 7 = 343.
    assert (seen.min(), seen.max()) == (168, 343)


def conv(kernel, before, maps):
    return kernel**2 * before * maps + maps


def test_parameters_of_the_published_networks():
    config = Config()
    generators = [
        conv(3, 12, 128) + conv(3, 128, 256) + conv(3, 256, 128) + conv(3, 128, 3),
        conv(5, 15, 128) + conv(3, 128, 256) + conv(3, 256, 128) + conv(5, 128, 3),
        conv(5, 15, 128) + conv(3, 128, 256) + conv(3, 256, 512) + conv(3, 512, 256)
        + conv(3, 256, 128) + conv(5, 128, 3),
        conv(7, 15, 128) + conv(5, 128, 256) + conv(5, 256, 512) + conv(5, 512, 256)
        + conv(5, 256, 128) + conv(7, 128, 3),
    ]  # fmt: skip
    assert parameters(multiscale.generator(config)) == sum(generators) == 12_569_740
    assert parameters(multiscale.generator(Config(width=1 / 8))) == 223_644
    # The sides after unpadded convolutions: 4 -> 2, 8 -> 2, 16 -> 4, 32 -> 12, pooled to 6.
    discriminators = [
        conv(3, 15, 64) + conv(1, 2 * 2 * 64, 512) + conv(1, 512, 256) + conv(1, 256, 1),
        conv(3, 15, 64) + conv(3, 64, 128) + conv(3, 128, 128)
        + conv(1, 2 * 2 * 128, 1024) + conv(1, 1024, 512) + conv(1, 512, 1),
        conv(5, 15, 128) + conv(5, 128, 256) + conv(5, 256, 256)
        + conv(1, 4 * 4 * 256, 1024) + conv(1, 1024, 512) + conv(1, 512, 1),
        conv(7, 15, 128) + conv(7, 128, 256) + conv(5, 256, 512) + conv(5, 512, 128)
        + conv(1, 6 * 6 * 128, 1024) + conv(1, 1024, 512) + conv(1, 512, 1),
    ]  # fmt: skip
    for number, expected in enumerate(discriminators, 1):
        assert parameters(multiscale.discriminator(config, number)) == expected, number


@pytest.mark.parametrize(
    ("pooled", "counts"),
    [
        (False, [264_961, 1_273_857, 7_188_481, 11_785_601]),
        (True, [166_657, 880_641, 4_042_753, 11_785_601]),
    ],
)
def test_discriminators_of_single_frames(pooled, counts):
    """Those of table 2, and of the Ms. Pac-Man code, which pools at every scale."""
    config = Config(condition_on_history=False, pool_every_scale=pooled)
    found = [parameters(multiscale.discriminator(config, number + 1)) for number in range(4)]
    assert found == counts


def test_what_the_discriminator_sees():
    def channels(**options):
        return multiscale.discriminator(Config(**SMALL, **options), 1).input_shape[-1]

    assert channels() == (4 + 1) * 3
    assert channels(condition_on_history=False) == 3
    assert channels(history=8, frames=8, channels=1) == 16


# ---- Beside an independent network --------------------------------------------------------------


def by_rows(images, take):
    """Apply a function of the first axis to height and width of (batch, channels, ...)."""
    for axis in (2, 3):
        images = take(images.movedim(axis, 0)).movedim(0, axis)
    return images


def small(images, factor, how):
    """Images (batch, channels, height, width) as PyTorch shrinks them, or by TF1's rule."""
    if how == "average":
        return functional.avg_pool2d(images, factor)
    if how == "bilinear":
        return functional.interpolate(images, scale_factor=1 / factor, mode="bilinear")
    return by_rows(images, lambda rows: rows[torch.arange(len(rows) // factor) * factor])


def large(images, how):
    if how != "top_left":
        return functional.interpolate(images, scale_factor=2, mode=how)

    def take(rows):  # at places y / 2, between the pixels around them
        places = torch.arange(2 * len(rows)) / 2
        first = places.floor().long()
        share = (places - first).reshape(-1, 1, 1, 1)
        after = rows[torch.clamp(first + 1, max=len(rows) - 1)]
        return rows[first] * (1 - share) + after * share

    return by_rows(images, take)


def predicted_by_torch(weights, history, config):
    """The four predictions for a history (batch, channels, height, width) in the networks' range.

    `weights` are those of the generator, in the order of its layers.
    """
    weights, below, made = iter(weights), None, []
    for scale, (_, kernels, *_) in enumerate(multiscale.SCALES):
        factor = 8 >> scale
        x = history if factor == 1 else small(history, factor, config.shrink)
        if below is not None:
            below = large(below, config.enlarge)
            x = torch.cat([x, below], 1)
        for place, kernel in enumerate(kernels, 1):
            filters = torch.tensor(next(weights)).permute(3, 2, 0, 1)
            x = functional.conv2d(x, filters, torch.tensor(next(weights)), padding=kernel // 2)
            x = x if place == len(kernels) else torch.relu(x)
        below = torch.tanh(x + below if below is not None and config.residual else x)
        made.append(below)
    return made


def first(images):
    """Channels before height and width, for PyTorch."""
    return torch.tensor(np.asarray(numbers(images))).movedim(-1, 1)


@every_backend
@pytest.mark.parametrize(
    ("shrink", "enlarge", "residual"),
    [
        ("average", "nearest", True),
        ("average", "bilinear", True),  # the authors' released models
        ("bilinear", "bilinear", False),
        ("top_left", "top_left", False),  # the Ms. Pac-Man code
    ],
)
def test_predictions_are_those_of_the_same_network_in_torch(shrink, enlarge, residual):
    gan = family(preset="l2", shrink=shrink, enlarge=enlarge, residual=residual)
    rng = np.random.default_rng(0)
    shapes = [variable.shape for variable in gan.generator.weights]
    spreads = [(2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.1 for shape in shapes]
    weights = [
        rng.normal(0, one, s).astype("float32") for one, s in zip(spreads, shapes, strict=True)
    ]
    gan.generator.set_weights(weights)
    history = rng.uniform(-1, 1, (2, 4, 16, 24, 3)).astype("float32")
    together = np.concatenate(list(history.swapaxes(0, 1)), axis=-1)
    wanted = predicted_by_torch(weights, first(together), gan.config)
    for mine, theirs in zip(gan.generator(history), wanted, strict=True):
        assert 0.1 < theirs.std() < 0.9
        np.testing.assert_allclose(first(mine), theirs, atol=2e-5)


def test_old_configs_say_both_ways_of_resizing_at_once():
    assert Config(resize="average") == Config()
    both = Config(resize="bilinear")
    assert (both.shrink, both.enlarge) == ("bilinear", "bilinear")
    assert Config(resize="bilinear", enlarge="nearest").enlarge == "nearest"
    with pytest.raises(ValueError, match="resize"):
        Config(resize="cubic")


# ---- Losses -------------------------------------------------------------------------------------


def test_losses_are_sums_over_the_scales():
    gan = family(preset="adv_gdl")
    given = batch(gan)
    _, terms = gan._generator_loss(given["generator"])
    clip = first(given["generator"][:, -1]).float() / 127.5 - 1
    history = given["generator"][:, :4].astype("float32") / 127.5 - 1
    found = {"lp": 0.0, "gdl": 0.0}
    for factor, made in zip((8, 4, 2, 1), map(first, gan.generator(history)), strict=True):
        truth = functional.avg_pool2d(clip, factor)
        found["lp"] += functional.mse_loss(made, truth)
        for axis in (2, 3):
            steep = (made.diff(dim=axis).abs(), truth.diff(dim=axis).abs())
            found["gdl"] += functional.l1_loss(*steep)
    for name, value in found.items():
        assert numbers(terms[name]) == pytest.approx(float(value), rel=1e-5), name
    # A network that says nothing: log 2 at each of four scales, and twice that for D.
    for network in gan.discriminators:
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])
    losses = gan.train_on_batch(given, return_dict=True)
    assert losses["discriminator"] == pytest.approx(8 * np.log(2), rel=1e-5)
    assert losses["adv"] == pytest.approx(4 * np.log(2), rel=0.05)  # D has taken its step
    for name, meant in (("discriminator", "8 log 2 = 5.55"), ("adv", "4 log 2 = 2.77")):
        assert meant in multiscale.LOSSES[name]


def pacman_loss(made, truth):
    """What the Ms. Pac-Man code minimizes: sums over pixels and batch of L2 and GDL (alpha 2), the
    latter from convolutions over zero borders; means over scales."""
    total = 0.0
    for one, other in zip(made, truth, strict=True):
        total += ((one - other) ** 2).sum()
        for kernel in ([[[[-1.0, 1.0]]]], [[[[-1.0], [1.0]]]]):
            taps = torch.tensor(kernel).repeat(3, 1, 1, 1)
            border = (0, taps.shape[3] - 1, 0, taps.shape[2] - 1)
            steep = [
                functional.conv2d(functional.pad(x, border), taps, groups=3).abs()
                for x in (one, other)
            ]
            total += ((steep[0] - steep[1]) ** 2).sum()
    return total / len(made)


@every_backend
def test_the_ms_pacman_config_trains_the_loss_of_its_code():
    config = load(CONFIGS / "paper" / "multiscale_pacman.yaml").family
    assert not config.losses.lambda_adv
    gan = Family(config.model_copy(update={"width": 1 / 64}))
    gan.compile(run_eagerly=True)
    count = 8
    clip = batch(gan, count)["generator"]
    loss, terms = gan._generator_loss(clip)
    assert set(terms) == {"lp", "gdl"}
    history = (clip[:, :4].astype("float32") / 127) - 1
    truth = first(clip[:, -1]).float() / 127 - 1
    at_scales = [small(truth, factor, "top_left") for factor in (8, 4, 2, 1)]
    wanted = pacman_loss(list(map(first, gan.generator(history))), at_scales)
    # Ours are means over the batch and sums over the scales: Adam does not see the factor.
    assert numbers(loss) * count / 4 == pytest.approx(float(wanted), rel=1e-5)


def test_the_adversarial_ms_pacman_config_weighs_as_its_code_does():
    config = load(CONFIGS / "paper" / "multiscale_pacman_adversarial.yaml").family
    # 0.05 times logarithms to base 10, beside sums over pixels.
    assert config.losses == pytest.approx((1, 2, 1, 1, 0.05 / np.log(10)), rel=1e-5)
    assert config.reduction == "sum"
    # Its D has 0.02 on sums over 8 samples and means over 4 scales, of such logarithms.
    rate = config.discriminator_optimizer.learning_rate
    assert rate == pytest.approx(0.02 * 8 / 4 / np.log(10), rel=1e-3)
    counts = [parameters(multiscale.discriminator(config, n + 1)) for n in range(4)]
    assert counts == [166_657, 880_641, 4_042_753, 11_785_601]


# ---- Exported -----------------------------------------------------------------------------------


@every_backend
def test_the_exported_step_takes_and_gives_frames_of_the_usual_range(tmp_path):
    gan = family(preset="l2", divisor=127, shrink="top_left", enlarge="top_left", residual=False)
    model, described = gan.rollout_model()
    description = Description(family="multiscale", kvidgan_version="0", **dict(described))
    assert description.frame.range == (-1, 1)
    rollout = Rollout.open(export_step(model, description, tmp_path / "x.keras"))
    history = np.random.default_rng(0).integers(0, 256, (4, 16, 24, 3), dtype=np.uint8)
    steps = rollout.start(context=history)
    window = history.astype("float32") / 127 - 1
    for _ in range(3):
        made = numbers(gan.generator(window[None])[-1])[0]
        window = np.concatenate([window[1:], made[None]])
        wanted = np.clip(np.rint((made + 1) * 127), 0, 255)
        assert np.abs(next(steps).frames[0] - wanted).max() <= 1


@pytest.mark.parametrize("frames", [1, pytest.param(3, marks=every_backend)])
def test_the_exported_step_predicts_frames_of_any_size(tmp_path, frames):
    gan = family(preset="l2", frames=frames)
    model, described = gan.rollout_model()
    description = Description(family="multiscale", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(model, description, tmp_path / "x.keras"))
    rng = np.random.default_rng(0)
    history = rng.integers(0, 256, (5, 21, 35, 3), dtype=np.uint8)
    steps = rollout.start(context=history)
    found = [next(steps).frames[0] for _ in range(7)]
    assert {frame.shape for frame in found} == {(21, 35, 3)}
    # The same by hand: pad to multiples of 8, predict, feed back, crop.
    window = np.pad(history[-4:], [(0, 0), (0, 3), (0, 5), (0, 0)], mode="reflect") / 127.5 - 1
    for start in range(0, 7, frames):
        made = ops.convert_to_numpy(gan.generator(window[None].astype("float32"))[-1])[0]
        made = np.stack(np.split(made, frames, axis=-1))
        window = np.concatenate([window, made])[-4:]
        expected = np.rint((made[:, :21, :35] + 1) * 127.5)
        for moment in range(min(frames, 7 - start)):
            difference = np.abs(found[start + moment] - expected[moment])
            assert difference.max() <= 1
