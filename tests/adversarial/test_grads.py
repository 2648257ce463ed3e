import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import (
    Player,
    VideoGAN,
    input_gradient,
    minimize,
    value_and_gradients,
    when,
)

pytestmark = pytest.mark.every_backend


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def player(variables, rate=0.1):
    optimizer = keras.optimizers.SGD(rate)
    optimizer.build(variables)
    return Player(optimizer, variables)


def test_gradients_of_a_known_function():
    a, b = keras.Variable([1.0, 2.0]), keras.Variable(3.0)
    unused = keras.Variable([5.0])
    loss, (da, db, du) = value_and_gradients(lambda: ops.sum(a * a) * b, [a, b, unused])
    assert float(loss) == 15
    np.testing.assert_allclose(numbers(da), [6, 12])
    np.testing.assert_allclose(numbers(db), 5)
    np.testing.assert_allclose(numbers(du), [0], err_msg="zeros where the loss does not depend")
    _, (none,) = value_and_gradients(lambda: ops.convert_to_tensor(1.0), [a])
    np.testing.assert_allclose(numbers(none), [0, 0])


def test_two_players_share_one_loss_each_with_its_own_optimizer():
    a, b, other = keras.Variable(1.0), keras.Variable(2.0), keras.Variable(7.0)
    loss, aux = minimize(
        lambda: (a.value * b.value * other.value, {"seen": b.value * 2}),
        player([a], rate=0.1),
        player([b], rate=0.01),
    )
    assert float(loss) == 14
    assert float(aux["seen"]) == 4
    assert numbers(a.value) == pytest.approx(1 - 0.1 * 14)
    assert numbers(b.value) == pytest.approx(2 - 0.01 * 7)
    assert numbers(other.value) == 7


def test_nested_minimize_trains_the_inner_player_first():
    generator, judge = keras.Variable(2.0), keras.Variable(1.0)
    judges = player([judge])

    def generator_loss():
        sample = generator.value * 3.0
        inner = minimize(lambda: judge.value * ops.stop_gradient(sample), judges)
        return judge.value * sample, {"judge": inner}

    loss, aux = minimize(generator_loss, player([generator]))
    moved = 1 - 0.1 * 6
    assert float(aux["judge"]) == 6
    assert numbers(judge.value) == pytest.approx(moved)
    assert float(loss) == pytest.approx(moved * 6), "judged by the moved player"
    assert numbers(generator.value) == pytest.approx(2 - 0.1 * 3 * moved)


def test_side_effects_of_the_closure_happen_once():
    norm = keras.layers.BatchNormalization(momentum=0.5)
    dropout = keras.layers.Dropout(0.5, seed=1)
    x = np.array([[1.0], [3.0]], "float32")
    norm.build(x.shape)
    minimize(
        lambda: ops.sum(dropout(norm(x, training=True), training=True)),
        player(norm.trainable_variables),
    )
    np.testing.assert_allclose(numbers(norm.moving_mean), [1.0])
    np.testing.assert_allclose(numbers(norm.moving_variance), [1.0])
    counter = numbers(dropout.seed_generator.state)[1]
    assert counter == 1


class Uneven(VideoGAN):
    """Two players whose turns depend on a counter and on a loss; each turn draws noise."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")
        self.a = self.add_weight(shape=(), initializer="zeros")
        self.b = self.add_weight(shape=(), initializer="zeros")
        self.norm = keras.layers.BatchNormalization(momentum=0.5)
        self.norm.build((None, 1))
        self.players = {"a": player([self.a], 1.0), "b": player([self.b], 1.0)}

    def adversarial_step(self, batch):
        def turn(name, variable):
            def loss():
                noise = keras.random.uniform((), seed=self.seeds)
                self.norm(batch, training=True)
                return variable.value + 0.0 * noise

            return lambda: self.minimize(loss, name)

        a = when(self.count % 3 == 2, turn("a", self.a), ops.convert_to_tensor(-9.0))
        b = when(self.a.value < -1.5, turn("b", self.b), ops.convert_to_tensor(-9.0))
        self.count.assign_add(1)
        return {"a": a, "b": b}


@pytest.mark.parametrize("eagerly", [True, False])
def test_what_a_condition_leaves_out_changes_nothing(eagerly):
    gan = Uneven()
    gan.compile(run_eagerly=eagerly)
    data = np.ones((1, 1), "float32")
    losses = [gan.train_on_batch(data, return_dict=True) for _ in range(8)]
    assert [float(one["a"]) for one in losses] == [-9, -9, 0, -9, -9, -1, -9, -9]
    # a is -1 after three steps and -2 after six: from then on it is b's turn each time.
    assert [float(one["b"]) for one in losses] == [-9, -9, -9, -9, -9, 0, -1, -2]
    assert (numbers(gan.a), numbers(gan.b), numbers(gan.count)) == (-2, -3, 8)
    assert numbers(gan.seeds.state)[1] == 5, "five turns drew noise"
    np.testing.assert_allclose(numbers(gan.norm.moving_mean), 1 - 0.5**5)
    iterations = [int(numbers(p.optimizer.iterations)) for p in gan.players.values()]
    assert iterations == [2, 3]


def test_per_variable_clipping_and_weight_decay_are_the_optimizers():
    a, b = keras.Variable([3.0, 4.0]), keras.Variable([0.3, 0.4])
    optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0, weight_decay=0.1)
    optimizer.build([a, b])
    minimize(lambda: ops.sum(a.value**2) / 2 + ops.sum(b.value**2) / 2, Player(optimizer, [a, b]))
    np.testing.assert_allclose(numbers(a), np.array([3, 4]) * 0.9 - [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(numbers(b), np.array([0.3, 0.4]) * (0.9 - 1), atol=1e-6)


def test_input_gradient_against_its_formula():
    x = ops.convert_to_tensor(np.array([[1.0, 2.0], [3.0, -1.0]], "float32"))
    found = input_gradient(lambda x: ops.sum(x**3, axis=-1), x)
    np.testing.assert_allclose(numbers(found), [[3, 12], [27, 3]])


def _penalty_of(network):
    def penalty(x):
        slope = input_gradient(lambda x: network(x, training=True), x)
        return ops.sum(slope**2)

    return penalty


@pytest.mark.parametrize("kind", ["convolution", "recurrent"])
def test_second_order_against_central_differences(kind):
    rng = np.random.default_rng(0)
    if kind == "convolution":
        x = rng.standard_normal((2, 3, 4, 4, 1)).astype("float32")
        layers = [keras.layers.Conv3D(2, 2, activation="tanh"), keras.layers.Conv3D(1, 2)]
    else:
        x = rng.standard_normal((2, 5, 3)).astype("float32")
        layers = [keras.layers.LSTM(4, use_cudnn=False), keras.layers.Dense(1)]
    network = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    penalty, kernel = _penalty_of(network), network.trainable_variables[0]
    x = ops.convert_to_tensor(x)
    _, (gradient,) = value_and_gradients(lambda: penalty(x), [kernel])

    direction = rng.standard_normal(kernel.shape).astype("float32")
    start, step = numbers(kernel.value), 1e-2
    values = []
    for sign in (1, -1):
        kernel.assign(start + sign * step * direction)
        values.append(float(value_and_gradients(lambda: penalty(x), [kernel])[0]))
    slope = (values[0] - values[1]) / (2 * step)
    assert slope == pytest.approx(float((numbers(gradient) * direction).sum()), rel=2e-2)
    assert abs(slope) > 1e-4
