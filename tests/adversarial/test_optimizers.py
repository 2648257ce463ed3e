import keras
import numpy as np
import pytest
from pydantic import ValidationError

from kvidgan.adversarial import Player, VideoGAN
from kvidgan.adversarial.optimizers import ConstantThenLinear, OptimizerConfig


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
    else:
        assert config["momentum"] == 0.7


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
