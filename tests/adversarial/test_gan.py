import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import Optimizers, Player, VideoGAN, when

pytestmark = pytest.mark.every_backend


class Toy(VideoGAN):
    """Two dense players and a seed generator: enough to see who changes what."""

    def __init__(self, ema=False):
        super().__init__()
        keras.utils.set_random_seed(3)
        self.seeds = keras.random.SeedGenerator(5)
        self.generator = keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(4, use_bias=False),
                keras.layers.BatchNormalization(),
            ]
        )
        self.critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        optimizer = keras.optimizers.Adam(0.01, use_ema=ema, ema_momentum=0.5)
        self.players = {
            "critic": Player(
                keras.optimizers.SGD(0.1, momentum=0.5), self.critic.trainable_variables
            ),
            "generator": Player(optimizer, self.generator.trainable_variables, generates=True),
        }

    def adversarial_step(self, batch):
        noise = keras.random.normal((ops.shape(batch)[0], 2), seed=self.seeds)
        fake = ops.stop_gradient(self.generator(noise, training=True))
        critic = self.minimize(
            lambda: ops.mean(ops.softplus(self.critic(fake))) - ops.mean(self.critic(batch)),
            "critic",
        )
        generator = self.minimize(
            lambda: -ops.mean(self.critic(self.generator(noise, training=True)) ** 2), "generator"
        )
        return {"critic": critic, "generator": generator}


def data(batches=6, size=8):
    return np.random.default_rng(0).standard_normal((batches * size, 4)).astype("float32")


def values(variables):
    return [ops.convert_to_numpy(v.value).copy() for v in variables]


def test_fit_trains_both_players_and_their_optimizers():
    gan = Toy()
    gan.compile()
    before = values(gan.trainable_variables)
    history = gan.fit(data(), batch_size=8, epochs=2, shuffle=False, verbose=0).history
    assert set(history) == {"critic", "generator"}
    for old, variable in zip(before, gan.trainable_variables, strict=True):
        assert np.abs(old - ops.convert_to_numpy(variable.value)).max() > 0, variable.path
    for player in gan.players.values():
        assert int(ops.convert_to_numpy(player.optimizer.iterations.value)) == 12
    assert ops.convert_to_numpy(gan.seeds.state.value)[1] == 12
    moving_mean = gan.generator.layers[1].moving_mean
    assert np.abs(ops.convert_to_numpy(moving_mean.value)).max() > 0


def test_compiled_step_equals_the_eager_step():
    compiled, eager = Toy(), Toy()
    compiled.compile()
    eager.compile(run_eagerly=True)
    for gan in (compiled, eager):
        gan.fit(data(), batch_size=8, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(values(compiled.variables), values(eager.variables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras refuses it on PyTorch")
def test_steps_per_execution_changes_nothing():
    one, three = Toy(), Toy()
    one.compile()
    three.compile(steps_per_execution=3)
    for gan in (one, three):
        gan.fit(data(), batch_size=8, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(values(one.variables), values(three.variables), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


class TakingTurns(Toy):
    """The critic learns twice for each time that the generator does."""

    def __init__(self):
        super().__init__()
        self.turn = self.add_weight((), "zeros", "int32", trainable=False)

    def adversarial_step(self, batch):
        def step(player):
            return self.minimize(
                lambda: ops.mean(self.critic(self.generator(batch[:, :2]))), player
            )

        generator = when(self.is_turn(2), lambda: step("generator"), ops.zeros(()))
        critic = when(self.is_turn(0), lambda: step("critic"), ops.zeros(()))
        critic += when(self.is_turn(1), lambda: step("critic"), ops.zeros(()))
        self.turn.assign((self.turn.value + 1) % 3)
        return {"generator": generator, "critic": critic}


def test_turns_are_taken_alike_compiled_and_eagerly():
    found = []
    for eagerly in (False, True):
        gan = TakingTurns()
        gan.compile(run_eagerly=eagerly)
        gan.fit(data(batches=7), batch_size=8, shuffle=False, verbose=0)
        assert int(ops.convert_to_numpy(gan.turn.value)) == 1
        counts = {n: int(p.optimizer.iterations.numpy()) for n, p in gan.players.items()}
        assert counts == {"critic": 5, "generator": 2}
        # On JAX a step is compiled for each turn; elsewhere, and eagerly, there is one for all.
        by_turn = keras.backend.backend() == "jax" and not eagerly
        assert sorted(gan._step_of_turn) == ([0, 1, 2] if by_turn else [])
        found.append(values(gan.variables))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_moving_averages_hold_inside_the_block_only():
    gan = Toy(ema=True)
    gan.compile()
    start = values(gan.generator.trainable_variables)
    with gan.averaged():  # before the first step there is no average to take
        for a, b in zip(start, values(gan.generator.trainable_variables), strict=True):
            np.testing.assert_array_equal(a, b)
    gan.fit(data(batches=1), batch_size=8, verbose=0)
    first = values(gan.generator.trainable_variables)
    gan.fit(data(batches=1), batch_size=8, verbose=0)
    second = values(gan.generator.trainable_variables)
    with gan.averaged():
        for a, b, found in zip(
            first, second, values(gan.generator.trainable_variables), strict=True
        ):
            np.testing.assert_allclose(found, (a + b) / 2, rtol=1e-5, atol=1e-7)
    for trained, found in zip(second, values(gan.generator.trainable_variables), strict=True):
        np.testing.assert_array_equal(trained, found)


def test_playing_the_averages_leaves_training_intact():
    played, plain = Toy(ema=True), Toy(ema=True)
    for gan in (played, plain):
        gan.compile()
        gan.fit(data(batches=2), batch_size=8, shuffle=False, verbose=0)
    with played.averaged():
        played.generator.predict_on_batch(np.zeros((1, 2), "float32"))
    for gan in (played, plain):
        gan.fit(data(batches=2), batch_size=8, shuffle=False, verbose=0)
    for group in ("variables", "optimizer"):
        pair = [
            g.variables if group == "variables" else g.optimizer.variables for g in (played, plain)
        ]
        for a, b in zip(*map(values, pair), strict=True):
            np.testing.assert_array_equal(a, b)


def test_keras_saves_and_restores_every_optimizer(tmp_path):
    gan = Toy()
    gan.compile()
    gan.fit(data(), batch_size=8, verbose=0)
    gan.save_weights(tmp_path / "toy.weights.h5")
    other = Toy()
    other.compile()
    other.load_weights(tmp_path / "toy.weights.h5")
    for a, b in zip(
        values(gan.optimizer.variables), values(other.optimizer.variables), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert isinstance(gan.optimizer, Optimizers)


def test_a_shared_variable_is_refused():
    gan = Toy()
    shared = gan.players["critic"].variables[:1]
    gan.players["thief"] = Player(keras.optimizers.SGD(0.1), shared)
    with pytest.raises(ValueError, match="belongs to players 'critic' and 'thief'"):
        gan.compile()
    gan.players["thief"] = Player(keras.optimizers.SGD(0.1), [])
    with pytest.raises(ValueError, match="'thief' has no variables"):
        gan.compile()


def test_the_optimizer_of_many_refuses_a_single_loss():
    gan = Toy()
    gan.compile()
    with pytest.raises(TypeError, match="call minimize"):
        gan.optimizer.apply([], [])
