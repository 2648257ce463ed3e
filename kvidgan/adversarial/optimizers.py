"""A player's optimizer as configuration."""

from typing import Annotated, Any, Literal, cast

import keras
from keras import ops
from pydantic import BaseModel, ConfigDict, Field, field_validator

_EXPECTED = (
    "expected a Keras schedule such as {{class_name: ExponentialDecay, config: "
    "{{initial_learning_rate: 0.0002, decay_steps: 1000, decay_rate: 0.96}}}}, found {}"
)

LearningRate = Annotated[float, Field(gt=0)]


class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays for a while, then falls in a straight line to zero.

    What pix2pixHD and vid2vid train with; no schedule of Keras waits before it falls.

    Args:
        initial_learning_rate: The rate up to `decay_begin`.
        decay_begin: The update from which it falls.
        decay_end: The update from which it is zero.

    Raises:
        ValueError: If it would end before it begins.
    """

    def __init__(self, initial_learning_rate: float, decay_begin: int, decay_end: int):
        super().__init__()
        if not 0 <= decay_begin < decay_end:
            raise ValueError(
                f"Expected 0 <= decay_begin < decay_end. Received: {decay_begin} and {decay_end}"
            )
        self.initial_learning_rate = initial_learning_rate
        self.decay_begin, self.decay_end = decay_begin, decay_end

    def __call__(self, step: Any) -> Any:
        """Return the rate of an update, counted from 0: a scalar."""
        left = (self.decay_end - ops.cast(step, "float32")) / (self.decay_end - self.decay_begin)
        return self.initial_learning_rate * ops.clip(left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("initial_learning_rate", "decay_begin", "decay_end")
        return {name: getattr(self, name) for name in names}


_OWN = {"ConstantThenLinear": ConstantThenLinear}
_KINDS = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


class _DecaysInTheGradient:
    """Adds `l2` times each weight to its gradient, before anything else is done with it."""

    l2: float

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable]) -> None:
        pairs = zip(grads, trainable_variables, strict=True)
        decayed = [g + self.l2 * ops.stop_gradient(v.value) for g, v in pairs]
        super().apply(decayed, trainable_variables)  # type: ignore[misc]


class OptimizerConfig(BaseModel):
    """A Keras optimizer, its learning-rate schedule, weight decay and clipping."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["adam", "sgd", "rmsprop"] = Field("adam", description="The update rule.")
    learning_rate: LearningRate | dict[str, Any] = Field(
        2e-4,
        description="A number, or any Keras schedule as {class_name: CosineDecay, config: {...}}, "
        "or {class_name: ConstantThenLinear, config: {initial_learning_rate: 0.0002, decay_begin: "
        "10000, decay_end: 20000}}; its steps count this player's updates.",
    )
    beta_1: float = Field(0.5, ge=0, lt=1, description="Adam: decay of the first moment.")
    beta_2: float = Field(0.999, ge=0, lt=1, description="Adam: decay of the second moment.")
    epsilon: float = Field(
        1e-7,
        gt=0,
        description="Adam: added to the root of the second moment, before its bias correction. "
        "PyTorch adds its own, 1e-8, after it: 1e-8 here is the same in the long run, and 1e-8 * "
        "sqrt(1 - beta_2) in the first step.",
    )
    momentum: float = Field(0.0, ge=0, lt=1, description="SGD and RMSprop: momentum.")
    weight_decay: float | None = Field(
        None, ge=0, description="Decoupled weight decay, a share of the weight times the rate."
    )
    l2: float = Field(
        0.0,
        ge=0,
        description="Weight decay in the gradient: gradient + l2 * weight, before clipping, as "
        "PyTorch's weight_decay of Adam and SGD.",
    )
    clipnorm: float | None = Field(None, gt=0, description="Clip each variable's gradient norm.")

    @field_validator("learning_rate")
    @classmethod
    def _schedule_builds(cls, value: float | dict[str, Any]) -> float | dict[str, Any]:
        if isinstance(value, dict):
            _schedule(value)
        return value

    def build(self) -> keras.optimizers.Optimizer:
        """Make a fresh Keras optimizer."""
        rate = self.learning_rate
        options: dict[str, Any] = {
            "learning_rate": _schedule(rate) if isinstance(rate, dict) else rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
        }
        if self.name == "adam":
            options |= {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        else:
            options["momentum"] = self.momentum
        kind: Any = _KINDS[self.name]
        if self.l2:  # of the same name, by which a checkpoint knows an optimizer's state
            kind = type(kind.__name__, (_DecaysInTheGradient, kind), {"l2": self.l2})
        return cast(keras.optimizers.Optimizer, kind(**options))


def _schedule(value: dict[str, Any]) -> Any:
    try:
        schedule = keras.optimizers.schedules.deserialize(dict(value), custom_objects=_OWN)
    except Exception as error:
        raise ValueError(_EXPECTED.format(value)) from error
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(_EXPECTED.format(value))
    return schedule
