import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.contract import DataFacts
from kvidgan.families.mocogan import Config, Family, networks
from tests.families.common import SMALL_MOCOGAN, batch, numbers, parameters, values

every_backend = pytest.mark.every_backend

SMALL = {**SMALL_MOCOGAN, "motion": 4}


def family(**options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.compile(run_eagerly=True)  # compiled steps are compared in test_gan and test_first_step
    return gan


def largest_changes(before, variables):
    after = values(variables)
    return [np.abs(a - b).max() for a, b in zip(before, after, strict=True)]


HERE = [
    {"categories": []},
    {"infogan": False},
    {"channels": 1, "image_discriminator": "full"},
    {"video_discriminator": "patch"},
    {"size": 96, "cell": "lstm"},
    {"size": 96, "cell": "projected_lstm", "categories": []},
]
EVERYWHERE = [
    {},
    {"cell": "lstm", "image_noise": 0.1, "video_noise": 0.2},
    {"reuse_generated": True},
    {"cell": "projected_lstm", "hidden": 5, "frames": 6, "walk": 9},
]


@pytest.mark.parametrize(
    "options", [*HERE, *(pytest.param(o, marks=every_backend) for o in EVERYWHERE)], ids=str
)
def test_one_step_changes_every_variable_of_every_player(options):
    gan = family(**options)
    before = values(gan.trainable_variables)
    losses = gan.train_on_batch(batch(gan), return_dict=True)
    expected = {"image_discriminator", "video_discriminator", "generator"}
    if gan.config.categories:
        expected |= {"category_real"} | ({"category_generated"} if gan.config.infogan else set())
    assert set(losses) == expected
    assert all(np.isfinite(value) for value in losses.values())
    players = {id(v) for player in gan.players.values() for v in player.variables}
    assert players == {id(v) for v in gan.trainable_variables}
    for change, variable in zip(
        largest_changes(before, gan.trainable_variables), gan.trainable_variables, strict=True
    ):
        assert change > 0, variable.path


@every_backend
@pytest.mark.parametrize("name", ["image_discriminator", "video_discriminator", "generator"])
def test_a_player_changes_only_its_own_variables(name):
    gan = family()
    for other, player in gan.players.items():
        if other != name:
            player.optimizer.learning_rate = 0.0
            player.optimizer.weight_decay = None
    own = {id(v) for v in gan.players[name].variables}
    before = values(gan.trainable_variables)
    gan.train_on_batch(batch(gan))
    for change, v in zip(
        largest_changes(before, gan.trainable_variables), gan.trainable_variables, strict=True
    ):
        assert (change > 0) == (id(v) in own), v.path


@every_backend
def test_the_adversarial_loss_reaches_the_generator():
    gan = family(infogan=False)
    from kvidgan.adversarial import value_and_gradients

    image, video, _ = gan._generate(2)
    for score in (
        lambda: ops.mean(gan.image_discriminator(gan._generate(2)[0])),
        lambda: ops.mean(gan.video_discriminator(gan._generate(2)[1])),
    ):
        _, gradients = value_and_gradients(score, gan.players["generator"].variables)
        for gradient, variable in zip(gradients, gan.players["generator"].variables, strict=True):
            assert np.abs(ops.convert_to_numpy(gradient)).max() > 0, variable.path
    assert tuple(image.shape) == (2, 32, 32, 3)
    assert tuple(video.shape) == (2, 8, 32, 32, 3)
    assert np.abs(ops.convert_to_numpy(video)).max() <= 1


@every_backend
def test_statistics_and_counters_advance_once_a_pass():
    """Two decoder passes to train the discriminators, two to train the generator."""
    gan = family(batch_norm_momentum=0.5, image_noise=0.1)
    draws = ops.convert_to_numpy(gan.seeds.state.value)[1]
    gan.train_on_batch(batch(gan))
    # Per generation: content, category, state and noise, twice, and one random moment.
    assert ops.convert_to_numpy(gan.seeds.state.value)[1] - draws == 2 * 9
    statistics = [v for v in gan.decoder.non_trainable_variables if "variance" in v.name]
    for variance in statistics:
        # Four updates leave at most a sixteenth of the initial one.
        assert ops.convert_to_numpy(variance.value).min() < 1 / 16 + 0.5
        assert np.abs(ops.convert_to_numpy(variance.value) - 1).max() > 0.5
    noises = [layer for layer in gan.image_discriminator.layers if "noise" in layer.name]
    # Real and generated for the discriminator, generated for the generator.
    assert len(noises) == 4
    for layer in noises:
        assert ops.convert_to_numpy(layer.seed_generator.state.value)[1] == 3


@pytest.mark.parametrize("kind", ["patch", "full"])
def test_the_last_layers_may_go_without_noise(kind):
    noisy = {"image_noise": 0.1, "video_noise": 0.2, "frames": 7}
    kinds = {"image_discriminator": kind, "video_discriminator": kind}
    for build, last in (
        (networks.image_discriminator, "image_last_noise"),
        (networks.video_discriminator, "video_last_noise"),
    ):
        places = []
        for wanted in (True, False):
            network = build(Config(**{**SMALL, **noisy, **kinds, last: wanted}))
            kernels = [layer for layer in network.layers if "conv" in layer.name]
            noises = [layer for layer in network.layers if "noise" in layer.name]
            assert len(kernels) == 4
            assert len(noises) == 3 + wanted
            places.append([network.layers.index(noise) for noise in noises])
        assert places[0][:3] == places[1], "the others stay where they are"


def test_first_weights_are_pytorchs():
    """Uniform within 1 / sqrt(values of an output); gains from 0 to 1; in a cell 1 / sqrt(h)."""
    keras.utils.set_random_seed(0)
    config = Config(first_weights="pytorch", generator_width=16, image_width=16, video_width=8)
    gan = Family(config)
    for network in (gan.decoder, gan.image_discriminator, gan.video_discriminator):
        for layer in network.layers:
            if "conv" in layer.name:
                kernel = numbers(layer.kernel)
                inputs = kernel.shape[-1 if "transpose" in layer.name else -2]
                values = inputs * np.prod(kernel.shape[:-2])
                within(kernel, -1 / np.sqrt(values), 1 / np.sqrt(values))
            if "batch_normalization" in layer.name:
                within(numbers(layer.gamma), 0, 1)
                assert not numbers(layer.beta).any()
    for variable in gan.cell.trainable_variables:
        within(numbers(variable), -1 / np.sqrt(10), 1 / np.sqrt(10))


def within(values, low, high):
    """Values are drawn uniformly between two bounds, as far as their number tells."""
    slack = 5 * (high - low) / np.sqrt(12 * values.size)
    assert low <= values.min() <= values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=slack)
    assert values.std() == pytest.approx((high - low) / np.sqrt(12), abs=slack)


def test_frames_for_the_image_discriminator_are_drawn_as_asked():
    clips = family(uniform_over="frames").clips()
    assert (clips["image"].uniform_over, clips["video"].uniform_over) == ("frames", "videos")


def test_clips_are_cut_from_walks():
    """The motion counts its frames here: each clip is a stretch of them, from one place a batch."""
    gan = family(walk=12)
    assert gan.motion.output_shape == (None, 12, 4)
    counted = np.tile(np.arange(12, dtype="float32")[None, :, None], (2, 1, 4))
    object.__setattr__(gan, "motion", lambda inputs, training: ops.convert_to_tensor(counted))
    starts = set()
    for _ in range(40):
        codes = numbers(gan._codes(2)[0])[:, :, -1]
        np.testing.assert_array_equal(codes, codes[0, 0] + np.arange(8)[None].repeat(2, 0))
        starts.add(int(codes[0, 0]))
    assert starts == {0, 1, 2, 3, 4}


def test_reusing_the_generated_batch_draws_once():
    gan = family(reuse_generated=True)
    gan.train_on_batch(batch(gan))
    assert ops.convert_to_numpy(gan.seeds.state.value)[1] == 9


def test_published_networks_have_the_published_shapes():
    """Section 4 and the spec's table, counted by hand: no biases, batch norm from the second on."""
    config = Config(categories=["a", "b", "c", "d"])
    z, c = 50 + 4 + 10, 3
    decoder = networks.decoder(config)
    assert [layer.output.shape[1:] for layer in decoder.layers if "re_lu" in layer.name] == [
        (4, 4, 512), (8, 8, 256), (16, 16, 128), (32, 32, 64)
    ]  # fmt: skip
    up = 16 * (z * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * c)
    assert parameters(decoder) == up + 2 * (512 + 256 + 128 + 64)
    image = networks.image_discriminator(config)
    assert image.output_shape == (None, 4, 4, 1)
    assert parameters(image) == 16 * (c * 64 + 64 * 128 + 128 * 256 + 256) + 2 * (128 + 256)
    video = networks.video_discriminator(config)
    assert video.output_shape == (None, 1, 1, 1, 5)
    down = 64 * (c * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 5)
    assert parameters(video) == down + 2 * (128 + 256 + 512)
    gru = networks.cell(config)
    gru.build((None, 10))
    assert sum(int(np.prod(v.shape)) for v in gru.trainable_variables) == 3 * (10 * 10 * 2 + 2 * 10)


@pytest.mark.parametrize("size", [32, 48, 64, 96, 128])
def test_every_size_fits_its_networks(size):
    config = Config(**{**SMALL, "size": size, "frames": 8})
    assert networks.decoder(config).output_shape == (None, size, size, 3)
    assert networks.image_discriminator(config).output_shape[-1] == 1
    assert networks.video_discriminator(config).output_shape == (None, 1, 1, 1, 3)


@every_backend
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rolling_out_step_by_step_equals_the_clip_at_once(cell):
    gan = family(cell=cell)
    config, states = gan.config, ["hidden"] if cell == "gru" else ["hidden", "carry"]
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2, config.frames, config.motion)).astype("float32")
    first = {n: rng.standard_normal((2, config.motion)).astype("float32") for n in states}
    content = rng.standard_normal((2, config.content)).astype("float32")
    category = np.eye(2, dtype="float32")
    codes = gan.motion.predict_on_batch([noise, *first.values()])
    model, description = gan.rollout_model()
    assert set(description.inputs) == {"content", "category", "noise", *states}
    state = first
    for moment in range(config.frames):
        fed = {"content": content, "category": category, "noise": noise[:, moment], **state}
        out = model.predict_on_batch(fed)
        state = {name: out[f"{name}_next"] for name in states}
        np.testing.assert_allclose(state["hidden"], codes[:, moment], atol=1e-5)
        code = np.concatenate([content, category, codes[:, moment]], axis=-1)
        np.testing.assert_allclose(out["frame"], gan.decoder.predict_on_batch(code), atol=1e-5)


def test_the_projected_lstm_begins_as_the_courses():
    gan = family(cell="projected_lstm", hidden=50, motion=10)
    bias = numbers(gan.cell.bias).reshape(4, 50)
    np.testing.assert_array_equal(bias[:, 0], [0, 2, 0, 0])
    limit = np.sqrt(6 / (50 + 4 * 50))  # Glorot and Bengio 2010, eq. 16
    weights = numbers(gan.cell.recurrent_kernel)
    assert np.abs(weights).max() <= limit
    assert np.std(weights) == pytest.approx(limit / np.sqrt(3), rel=0.05)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="expected at least 13 for a full video discriminator"):
        Config(frames=12)
    with pytest.raises(
        ValueError, match="walk: expected at least frames, 16, found 15; use a long"
    ):
        Config(walk=15)
    with pytest.raises(ValueError, match="expected the data's classes"):
        Config(categories=["a", "b"]).for_data(DataFacts(classes=["b", "c"]))
    with pytest.raises(ValueError, match="expected every video in a class folder, found 3"):
        Config().for_data(DataFacts(classes=["a", "b"], unlabelled=3))


def test_data_complete_the_categories():
    assert Config().for_data(DataFacts(classes=["a", "b"])).categories == ["a", "b"]
    assert Config().for_data(DataFacts(classes=["only"])).categories == []
    assert (
        Config(categories=[]).for_data(DataFacts(classes=["a", "b"], unlabelled=3)).categories == []
    )
    assert Config().for_data(DataFacts(classes=[], unlabelled=3)).categories == []
