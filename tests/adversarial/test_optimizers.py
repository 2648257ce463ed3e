import keras
import pytest
from pydantic import ValidationError

from kvidgan.adversarial.optimizers import OptimizerConfig


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


@pytest.mark.parametrize(
    "rate", [{"class_name": "Nonsense"}, {"class_name": "CosineDecay", "config": {}}, {}]
)
def test_a_schedule_that_keras_does_not_know_is_refused(rate):
    with pytest.raises(ValidationError, match="expected a Keras schedule such as"):
        OptimizerConfig(learning_rate=rate)
