from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.families.lstm_wgan import Config, Family
from kvidgan.families.lstm_wgan.networks import critic, decoder, lstm
from kvidgan.rollout import Description, Rollout, export_step
from kvidgan.training import checkpoint
from tests.families.common import batch, numbers, parameters

every_backend = pytest.mark.every_backend

SMALL = {
    "size": 32,
    "frames": 4,
    "latent": 3,
    "decoder_width": 1,
    "critic_width": 1,
    "critic_steps": 2,
    "warm_up_iterations": 1,
    "warm_up_steps": 3,
}


def family(eagerly=True, **options):
    keras.utils.set_random_seed(0)
    gan = Family(Config(**{**SMALL, **options}))
    gan.allocate(2)
    gan.compile(run_eagerly=eagerly)
    return gan


def stirred(gan):
    """Give all variables values large enough that every gradient shows in float32."""
    rng = np.random.default_rng(3)
    for variable in gan.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape) * 0.3)
    return gan


def can_move(gan, variable):
    """A Wasserstein critic's last bias cancels out of its loss."""
    wasserstein = gan.config.loss == "wgan_gp"
    return not (wasserstein and variable is gan.critic.trainable_variables[-1])


def state_of(gan):
    return {name: numbers(v.value).copy() for name, v in checkpoint._named(gan).items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def norm(x, gain, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * gain + bias


def longhand(weights, hidden, memory, previous=None):
    """Ba et al. 2016, equations 20 to 22, in float64."""
    gates = norm(hidden @ weights["recurrent"][0], *weights["recurrent_norm"])
    if previous is not None:
        flat = previous.reshape(len(previous), -1)
        gates = gates + norm(flat @ weights["input"][0], *weights["input_norm"])
    take, forget, new, show = np.split(gates, 4, axis=-1)
    memory = sigmoid(forget + 1) * memory + sigmoid(take) * np.tanh(new)
    return sigmoid(show) * np.tanh(norm(memory, *weights["cell_norm"])), memory


@every_backend
@pytest.mark.parametrize("feed_back", [True, False])
def test_the_cell_against_numpy(feed_back):
    config = Config(**{**SMALL, "latent": 5, "feed_back_frame": feed_back})
    network, rng = lstm(config), np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.standard_normal(variable.shape) * 0.5)
    weights = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
    hidden, memory = rng.uniform(-1, 1, (2, 3, 5))
    found = {"hidden": hidden, "cell": memory}
    for step in range(10):
        previous = rng.uniform(-1, 1, (3, 32, 32, 1)) if feed_back else None
        fed = {name: np.asarray(value, "float32") for name, value in found.items()}
        if feed_back:
            fed["previous"] = previous.astype("float32")
        found = {name: numbers(value) for name, value in network(fed).items()}
        hidden, memory = longhand(weights, hidden, memory, previous)
        np.testing.assert_allclose(found["hidden"], hidden, atol=1e-4, err_msg=f"step {step}")
        np.testing.assert_allclose(found["cell"], memory, atol=1e-4)


def test_the_cell_forgets_little_at_first():
    network = lstm(Config(**SMALL, feed_back_frame=False))
    for layer in network.layers:
        if layer.name == "recurrent_norm":
            layer.set_weights([np.zeros(12), np.zeros(12)])
    out = network({"hidden": np.ones((1, 3), "float32"), "cell": np.ones((1, 3), "float32")})
    np.testing.assert_allclose(numbers(out["cell"]), sigmoid(1.0), rtol=1e-5)


def test_initial_weights_are_the_projects():
    keras.utils.set_random_seed(0)
    gan = Family(Config())
    sigma = {
        layer.name: np.std(layer.get_weights()[0]) for layer in gan.lstm.layers if layer.weights
    }
    assert sigma["recurrent"] == pytest.approx(0.1, rel=0.05)
    assert sigma["input"] == pytest.approx(0.02, rel=0.05)
    for network in (gan.decoder, gan.critic):
        kernels = [v.numpy() for v in network.trainable_variables if len(v.shape) > 2]
        assert all(np.std(kernel) == pytest.approx(0.02, rel=0.1) for kernel in kernels)
    shapes = [
        layer.output.shape[1:] for layer in gan.decoder.layers if layer.name.startswith("re_lu")
    ]
    assert shapes == [(4, 4, 512), (8, 8, 256), (16, 16, 128), (32, 32, 64)]
    maps = [v.shape[-1] for v in gan.critic.trainable_variables if len(v.shape) == 5]
    assert maps == [64, 128, 256, 512]
    assert not any("normalization" in layer.name for layer in gan.critic.layers)


def test_the_decoder_may_have_biases_before_its_normalisations():
    plain, biased = (decoder(Config(**SMALL, decoder_biases=wanted)) for wanted in (False, True))
    maps = [4, 2, 1]  # of the three blocks at 32x32, width 1; the last has a bias as it is
    assert parameters(biased) - parameters(plain) == sum(maps)
    biases = [v for v in biased.trainable_variables if v.name == "bias"]
    assert [v.shape for v in biases] == [(4,), (2,), (1,), (1,)]


def test_first_weights_may_be_those_of_the_projects_code():
    keras.utils.set_random_seed(0)
    gan = Family(Config(first_weights="project"))
    sigma = {
        layer.name: np.std(layer.get_weights()[0]) for layer in gan.lstm.layers if layer.weights
    }
    assert sigma["recurrent"] == pytest.approx(0.1, rel=0.02)
    assert sigma["input"] == pytest.approx(0.1, rel=0.02)
    cut = 0.8796 * 0.02  # the deviation of a normal that is cut off at two sigma
    for network in (gan.decoder, gan.critic):
        for kernel in (v.numpy() for v in network.trainable_variables if len(v.shape) > 3):
            # On PyTorch Keras lets through what lies outside in all of four tries: 4 in a million.
            assert (np.abs(kernel) > 0.04).mean() < 1e-4
            assert np.std(kernel) == pytest.approx(cut, rel=0.08)  # 0.02 itself is 0.14 off


def test_the_projects_warm_up_is_each_500th_iteration_alone():
    """Its 25 first ones are int(25 * 64 / 10,000) = 0."""
    gan = family(warm_up_iterations=0, critic_steps=2, warm_up_steps=7)
    for iteration, steps in ((0, 7), (1, 2), (24, 2), (499, 2), (500, 7), (1000, 7)):
        gan.iteration.assign(iteration)
        gan.steps_of_turn.assign(0)
        taken = 0
        while not int(numbers(gan.turn)):
            gan._pass_on(gan.is_turn(1), ops.zeros(()), ops.zeros(()))
            taken += 1
        gan.turn.assign(0)
        assert taken == steps, iteration


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "basic", "critic_dropout": 0.2, "instance_noise": 0.1},
        {"loss": "alternative", "critic_l2": 0.01, "gradient_norms": True},
        {"loss": "minimax", "critic_dropout": 0.2, "critic_dropout_after": "last"},
        {"feed_back_frame": False, "channels": 3, "gradient_norms": True},
        {"input_noise": 0.1, "size": 64},
    ],
    ids=str,
)
def test_turns_and_what_they_move(options):
    gan = stirred(family(warm_up_iterations=0, warm_up_every=0, **options))
    critics = {id(v) for v in gan.players["critic"].variables}
    terms = {"real", "generated"} if "loss" in options else {"wasserstein", "penalty"}
    terms |= {"l2"} if "critic_l2" in options else set()
    expected = {"critic", "generator", "iteration"} | terms
    if "gradient_norms" in options:
        expected |= {f"norm_{name}" for name in ("critic", "decoder", "lstm", *terms)}
    for number, turn in enumerate(["critic", "critic", "generator", "critic"]):
        before = state_of(gan)
        losses = gan.train_on_batch(batch(gan, seed=number), return_dict=True)
        assert set(losses) == expected
        assert losses["critic"] == pytest.approx(sum(losses[term] for term in terms), rel=1e-4)
        changed = {n for n, value in state_of(gan).items() if (value != before[n]).any()}
        for name, variable in checkpoint._named(gan).items():
            if any(variable is v and can_move(gan, v) for v in gan.trainable_variables):
                assert (name in changed) == ((id(variable) in critics) == (turn == "critic")), name
    assert losses["iteration"] == 1
    if "gradient_norms" in options:
        assert all(losses[name] > 0 for name in losses if name.startswith("norm_"))


def test_one_loss_feeds_two_optimizers_each_its_own_variables():
    for still, learns in (("lstm", "decoder"), ("decoder", "lstm")):
        gan = stirred(family(critic_steps=1, warm_up_iterations=0, warm_up_every=0))
        assert isinstance(gan.players["lstm"].optimizer, keras.optimizers.SGD)
        assert isinstance(gan.players["decoder"].optimizer, keras.optimizers.Adam)
        assert all(player.optimizer.clipnorm == 5 for player in gan.players.values())
        gan.players[still].optimizer.learning_rate = 0.0
        before = {name: [numbers(v).copy() for v in p.variables] for name, p in gan.players.items()}
        for number in range(2):
            gan.train_on_batch(batch(gan, seed=number))
        for name, player in gan.players.items():
            for first, variable in zip(before[name], player.variables, strict=True):
                moved = np.abs(numbers(variable) - first).max() > 0
                wanted = name in (learns, "critic") and can_move(gan, variable)
                assert moved == wanted, variable.path


class Scores:
    """A critic that gives known scores, real clips first."""

    def __init__(self, *scores):
        self.scores = [np.array(one, "float32").reshape(len(one), -1) for one in scores]

    def __call__(self, clip, training):
        return ops.convert_to_tensor(self.scores.pop(0)) + 0.0 * ops.sum(clip)


def log_loss(scores, labels):
    likely = sigmoid(np.asarray(scores))
    return -(labels * np.log(likely) + (1 - labels) * np.log(1 - likely)).mean()


@pytest.mark.parametrize("loss", ["basic", "smoothed", "minimax"])
def test_the_older_losses_by_hand(loss):
    gan = family(loss=loss)
    of_real, of_generated, chance = np.array([[2.0, -1.0], [0.5, 3.0], [0.2, 1.0]])
    clip, given = np.zeros((2, 1), "float32"), ops.convert_to_tensor(chance.astype("float32"))
    object.__setattr__(gan, "critic", Scores(of_real, of_generated, of_generated))
    terms = gan._critic_terms(clip, clip, given)
    label = 1 - 0.3 * chance if loss == "smoothed" else np.ones(2)
    assert float(terms["real"]) == pytest.approx(log_loss(of_real, label), rel=1e-5)
    assert float(terms["generated"]) == pytest.approx(log_loss(of_generated, 0), rel=1e-5)
    object.__setattr__(gan, "_walk", lambda z: z)
    saturating = np.log(1 - sigmoid(of_generated)).mean()
    expected = saturating if loss == "minimax" else log_loss(of_generated, 1)
    assert float(gan._generator_loss(clip)) == pytest.approx(expected, rel=1e-5)


@every_backend
def test_the_alternative_loss_has_two_logits_and_smooths_both_labels():
    gan = family(loss="alternative")
    assert gan.critic.output_shape == (None, 2)
    of_real, of_generated = np.array([[[2.0, -1.0], [0.5, 3.0]], [[-0.3, 0.7], [1.5, -2.0]]])
    of_one, of_other = np.array([[0.2, 1.0], [0.6, 0.0]])
    clip = np.zeros((2, 1), "float32")
    object.__setattr__(gan, "critic", Scores(of_real, of_generated, of_generated))
    chances = [ops.convert_to_tensor(c.astype("float32")) for c in (of_one, of_other)]
    terms = gan._critic_terms(clip, clip, *chances)
    real = np.array([[0, 1 - 0.3 * 0.2], [0, 1 - 0.3 * 1.0]])  # the second logit is of real clips
    generated = np.array([[1 - 0.3 * 0.6, 0], [1, 0]])
    assert float(terms["real"]) == pytest.approx(log_loss(of_real, real), rel=1e-5)
    assert float(terms["generated"]) == pytest.approx(log_loss(of_generated, generated), rel=1e-5)
    object.__setattr__(gan, "_walk", lambda z: z)
    assert float(gan._generator_loss(clip)) == pytest.approx(log_loss(of_generated, 1), rel=1e-5)


@pytest.mark.every_backend
@pytest.mark.parametrize("kind", ["fresh", "shared"])
def test_critic_steps_of_an_iteration_may_share_their_real_clips(kind, tmp_path):
    options = {"critic_steps": 3, "warm_up_iterations": 0, "warm_up_every": 0}
    gan = family(critic_batch=kind, eagerly=False, **options)
    seen = gan.add_weight((2,), "zeros", trainable=False)

    def step(real):
        seen.assign(real[:, 0, 0, 0, 0])
        return dict.fromkeys(gan.last["critic"], ops.mean(real))

    gan._critic_step = step
    gan._generator_step = lambda count: {"generator": ops.zeros(())}
    gan.compile()
    clips, shown = batch(gan), []
    for number in range(8):  # critic, critic, critic, generator, twice
        clips["video"] = np.full_like(clips["video"], 10 * number)
        gan.train_on_batch(clips)
        shown.append(round(float((numbers(seen)[0] + 1) * 127.5)))
        if number == 1:
            checkpoint.save(gan, checkpoint.Position(step=2), tmp_path / "two.npz")
    if kind == "fresh":
        assert shown == [0, 10, 20, 20, 40, 50, 60, 60]
    else:
        assert shown == [0, 0, 0, 0, 40, 40, 40, 40]
        checkpoint.load(gan, tmp_path / "two.npz")  # in the middle of the first turn
        gan.train_on_batch(clips)
        assert round(float((numbers(seen)[0] + 1) * 127.5)) == 0


def test_shared_clips_need_their_room():
    gan = Family(Config(**SMALL, critic_batch="shared"))
    with pytest.raises(ValueError, match="Expected allocate"):
        gan.adversarial_step(batch(gan))


def test_dropout_may_follow_the_last_block_alone():
    kept = {}
    for where in ("each", "last"):
        network = critic(Config(**SMALL, critic_dropout=0.2, critic_dropout_after=where))
        names = [layer.name.partition("_")[0] for layer in network.layers]
        kept[where] = [n for n in names if n in ("conv3d", "dropout", "flatten")]
    assert kept["each"] == ["conv3d", "dropout"] * 3 + ["flatten"]
    assert kept["last"] == ["conv3d"] * 3 + ["dropout", "flatten"]


@pytest.mark.parametrize("thresholds", [False, pytest.param(True, marks=every_backend)])
def test_the_schedule_over_six_hundred_iterations(thresholds):
    """Twenty-five iterations of warm-up and the 500th; losses that now and then end a turn."""
    options = {"critic_threshold": -0.5, "generator_threshold": 0.2} if thresholds else {}
    gan = family(
        eagerly=False, critic_steps=2, generator_steps=1 + 2 * thresholds, warm_up_iterations=25,
        warm_up_steps=7, **options,
    )  # fmt: skip
    counts = {side: gan.add_weight((), "zeros", trainable=False) for side in gan.last}

    def step(side, _):
        counts[side].assign_add(1.0)
        loss = ops.where(counts[side].value % 5 == 0, -1.0, 1.0)  # every fifth is below
        return dict.fromkeys(gan.last[side], loss)

    gan._critic_step, gan._generator_step = partial(step, "critic"), partial(step, "generator")
    gan.compile()
    found = {"critic": 0, "generator": 0}
    expected = by_hand(thresholds)
    clips = batch(gan, count=1)
    for _ in range(sum(expected.values())):
        last = gan.train_on_batch(clips, return_dict=True)
    found = {side: int(numbers(count)) for side, count in counts.items()}
    assert found == expected
    assert last["iteration"] == 600
    if not thresholds:
        assert found == {"critic": 26 * 7 + 574 * 2, "generator": 600}


def by_hand(thresholds):
    done = {"critic": 0, "generator": 0}
    for iteration in range(600):
        critics = 7 if iteration < 25 or iteration == 500 else 2
        for side, steps in (("critic", critics), ("generator", 3 if thresholds else 1)):
            for _ in range(steps):
                done[side] += 1
                if thresholds and done[side] % 5 == 0:
                    break
    return done


def test_resumed_in_the_middle_of_a_warm_up(tmp_path):
    whole = family(warm_up_iterations=2)
    for number in range(2):
        whole.train_on_batch(batch(whole, seed=number))
    checkpoint.save(whole, checkpoint.Position(step=2), tmp_path / "two.npz")
    resumed = family(warm_up_iterations=2, eagerly=True)
    checkpoint.load(resumed, tmp_path / "two.npz")
    assert int(numbers(resumed.steps_of_turn)) == 2, "of three"
    for gan in (whole, resumed):
        for number in range(2, 6):
            gan.train_on_batch(batch(gan, seed=number))
    first, second = state_of(whole), state_of(resumed)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert int(numbers(resumed.iteration)) == 1


@pytest.mark.parametrize("feed_back", [pytest.param(True, marks=every_backend), False])
def test_the_exported_step_walks_as_in_training(tmp_path, feed_back):
    gan = family(feed_back_frame=feed_back)
    model, described = gan.rollout_model()
    description = Description(family="lstm_wgan", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(model, description, tmp_path / "x.keras"))
    z = np.stack([rollout.draw("hidden", seed) for seed in (0, 1)])
    assert z.min() < 0 < z.max()
    trained = numbers(gan._walk(ops.convert_to_tensor(z)))
    played = [step.frames for step, _ in zip(rollout.start(videos=2), range(4), strict=False)]
    expected = np.rint((trained + 1) * 127.5)
    assert np.abs(np.stack(played, axis=1) - expected).max() <= 1
    assert trained.shape == (2, 4, 32, 32, 1)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="input_noise: expected 0 without feed_back_frame"):
        Config(feed_back_frame=False, input_noise=0.1)
