import cv2
import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import input_gradient, value_and_gradients
from kvidgan.families import multiscale
from kvidgan.families.multiscale import Config, Family
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import batch, parameters, values

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
        {"preset": "adv", "condition_on_history": False, "residual": False, "resize": "bilinear"},
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
    assert parameters(multiscale.generator(config)) == sum(generators)
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


def test_what_the_discriminator_sees():
    def channels(**options):
        return multiscale.discriminator(Config(**SMALL, **options), 1).input_shape[-1]

    assert channels() == (4 + 1) * 3
    assert channels(condition_on_history=False) == 3
    assert channels(history=8, frames=8, channels=1) == 16


@pytest.mark.parametrize("how", ["average", "bilinear"])
def test_images_at_four_scales_are_those_of_opencv(how):
    image = np.random.default_rng(0).uniform(-1, 1, (16, 24, 1)).astype("float32")
    made = multiscale.pyramid(Config(resize=how), ops.convert_to_tensor(image[None]))
    method = {"average": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR}[how]
    for factor, small in zip((8, 4, 2, 1), made, strict=True):
        wanted = cv2.resize(image, (24 // factor, 16 // factor), interpolation=method)
        np.testing.assert_allclose(ops.convert_to_numpy(small)[0, ..., 0], wanted, atol=1e-6)


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
