import keras
import numpy as np
import pytest
from keras import ops
from pydantic import ValidationError

from kvidgan.adversarial import Player, VideoGAN
from kvidgan.adversarial.optimizers import ConstantThenLinear, OptimizerConfig
from kvidgan.training import checkpoint


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop"])
def test_every_option_reaches_keras(name):
    built = OptimizerConfig(
        name=name, learning_rate=0.01, beta_1=0.3, beta_2=0.8, momentum=0.7, weight_decay=0.1,
        clipnorm=5.0,
    ).build()  # fmt: skip
    config = built.get_config()
    assert type(built).__name__.lower() == name
    assert config["learning_rate"] == pytest.approx(0.01)
    assert (config["weight_decay"], config["clipnorm"]) == (0.1, 5.0)
    if name == "adam":
        assert (config["beta_1"], config["beta_2"]) == (0.3, 0.8)
        assert config["epsilon"] == 1e-7
        assert OptimizerConfig(epsilon=1e-8).build().epsilon == 1e-8
    else:
        assert config["momentum"] == 0.7


FIRST = np.array([3.0, -2.0, 0.5], "float32")
SLOPES = [np.array([s, 0.3, -1.0], "float32") for s in (1.0, -0.5, 2.0, 0.1, -3.0)]


class Sloped(VideoGAN):
    """One weight vector whose gradient is the batch."""

    def __init__(self, config):
        super().__init__()
        self.weight = self.add_weight((3,), "zeros")
        self.weight.assign(FIRST)
        self.players = {"one": Player(config.build(), [self.weight])}

    def adversarial_step(self, batch):
        slope = ops.convert_to_tensor(batch[0])
        return {"loss": self.minimize(lambda: ops.sum(slope * self.weight.value), "one")}


def steps(config, slopes=SLOPES):
    """Return the weight after each step."""
    gan, found = Sloped(config), []
    gan.compile()
    for slope in slopes:
        gan.train_on_batch(slope[None])
        found.append(ops.convert_to_numpy(gan.weight.value))
    return found


def torch_steps(kind, **options):
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.tensor(FIRST))
    optimizer, found = getattr(torch.optim, kind)([weight], **options), []
    for slope in SLOPES:
        optimizer.zero_grad()
        (torch.tensor(slope) * weight).sum().backward()
        optimizer.step()
        found.append(weight.detach().numpy().copy())
    return found


@pytest.mark.every_backend
@pytest.mark.parametrize(
    ("name", "kind", "options", "theirs"),
    [
        ("adam", "Adam", {"epsilon": 1e-8}, {"betas": (0.5, 0.999), "eps": 1e-8}),
        ("sgd", "SGD", {"momentum": 0.9}, {"momentum": 0.9}),
        ("rmsprop", "RMSprop", {}, {"alpha": 0.9, "eps": 1e-8}),
    ],
)
def test_l2_is_pytorchs_weight_decay(name, kind, options, theirs):
    decayed = torch_steps(kind, lr=0.1, weight_decay=0.2, **theirs)
    found = steps(OptimizerConfig(name=name, learning_rate=0.1, l2=0.2, **options))
    np.testing.assert_allclose(found, decayed, rtol=2e-5)
    plain = steps(OptimizerConfig(name=name, learning_rate=0.1, **options))
    decoupled = steps(OptimizerConfig(name=name, learning_rate=0.1, weight_decay=0.2, **options))
    for other in (plain, decoupled):
        assert np.abs(np.array(other) - decayed).max() > 0.01


def test_l2_comes_before_clipping():
    config = OptimizerConfig(name="sgd", learning_rate=1.0, l2=0.5, clipnorm=1.0)
    whole = SLOPES[0] + 0.5 * FIRST
    moved = FIRST - steps(config, SLOPES[:1])[0]
    np.testing.assert_allclose(moved, whole / np.linalg.norm(whole), rtol=1e-5)


def test_an_l2_optimizer_is_known_by_its_kind():
    """Checkpoints name an optimizer's state by its class."""
    for name, kind in (("adam", "Adam"), ("sgd", "SGD"), ("rmsprop", "RMSprop")):
        assert type(OptimizerConfig(name=name, l2=0.1).build()).__name__ == kind


def test_an_l2_optimizer_goes_on_from_a_checkpoint(tmp_path):
    config = OptimizerConfig(learning_rate=0.1, l2=0.2)
    stopped, resumed = Sloped(config), Sloped(config)
    for gan in (stopped, resumed):
        gan.compile()
    for slope in SLOPES[:2]:
        stopped.train_on_batch(slope[None])
    checkpoint.save(stopped, checkpoint.Position(step=2), tmp_path / "two.npz")
    checkpoint.load(resumed, tmp_path / "two.npz")
    for slope in SLOPES[2:]:
        resumed.train_on_batch(slope[None])
    np.testing.assert_array_equal(ops.convert_to_numpy(resumed.weight), steps(config)[-1])


def test_epsilon_before_the_bias_correction():
    """Kingma and Ba 2014, before section 2.1; a slope so small that epsilon is felt."""
    epsilon, beta = 1e-4, 0.999
    config = OptimizerConfig(learning_rate=0.1, beta_1=0.5, beta_2=beta, epsilon=epsilon)
    small = np.full(3, 0.01, "float32")
    moved = FIRST - steps(config, [small])[0]
    root = np.sqrt(1 - beta)
    np.testing.assert_allclose(moved, 0.1 * root * 0.01 / (root * 0.01 + epsilon), rtol=1e-4)
    torch_like = OptimizerConfig(learning_rate=0.1, beta_2=beta, epsilon=epsilon * root)
    moved = FIRST - steps(torch_like, [small])[0]
    np.testing.assert_allclose(moved, 0.1 * 0.01 / (0.01 + epsilon), rtol=1e-4)


def test_any_keras_schedule():
    decay = {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}
    config = OptimizerConfig(learning_rate={"class_name": "ExponentialDecay", "config": decay})
    optimizer = config.build()
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


FALLING = {"initial_learning_rate": 0.1, "decay_begin": 2, "decay_end": 6}
RATES = [0.1, 0.1, 0.1, 0.075, 0.05, 0.025, 0.0, 0.0]  # of updates 0, 1, 2...


@pytest.mark.every_backend
def test_constant_then_linear_down_to_zero_in_a_compiled_step():
    config = OptimizerConfig(
        name="sgd", learning_rate={"class_name": "ConstantThenLinear", "config": FALLING}
    )

    class Falling(VideoGAN):
        def __init__(self):
            super().__init__()
            self.weight = self.add_weight((), "zeros")
            self.players = {"one": Player(config.build(), [self.weight])}

        def adversarial_step(self, batch):
            self.minimize(lambda: -self.weight.value, "one")  # moves up by the rate
            return {"weight": self.weight.value}

    gan = Falling()
    gan.compile()
    reached = [gan.train_on_batch(np.zeros((1, 1)), return_dict=True)["weight"] for _ in RATES]
    np.testing.assert_allclose(reached, np.cumsum(RATES), rtol=1e-5)


def test_constant_then_linear_goes_on_from_a_count_and_tells_its_arguments():
    schedule = ConstantThenLinear(**FALLING)
    assert ConstantThenLinear.from_config(schedule.get_config()).get_config() == FALLING
    for step, rate in enumerate(RATES):
        assert float(schedule(keras.ops.convert_to_tensor(step, "int32"))) == pytest.approx(rate)
    # As far as published settings go: float32 counts whole numbers up to 16 million.
    far = ConstantThenLinear(2e-4, 240_000, 480_000)
    assert float(far(479_999)) == pytest.approx(2e-4 / 240_000, rel=1e-5)


@pytest.mark.parametrize(
    "rate",
    [
        {"class_name": "Nonsense"},
        {"class_name": "CosineDecay", "config": {}},
        {"class_name": "ConstantThenLinear", "config": {**FALLING, "decay_end": 2}},
        {"class_name": "ConstantThenLinear", "config": {**FALLING, "decay_steps": 2}},
        {},
    ],
)
def test_a_schedule_that_keras_does_not_know_is_refused(rate):
    with pytest.raises(ValidationError, match="expected a Keras schedule such as"):
        OptimizerConfig(learning_rate=rate)
