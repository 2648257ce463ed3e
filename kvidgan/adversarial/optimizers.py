"""A player's optimizer as configuration."""

from typing import Annotated, Any, Literal

import keras
from pydantic import BaseModel, ConfigDict, Field, field_validator

_EXPECTED = (
    "expected a Keras schedule such as {{class_name: ExponentialDecay, config: "
    "{{initial_learning_rate: 0.0002, decay_steps: 1000, decay_rate: 0.96}}}}, found {}"
)

Rate = Annotated[float, Field(gt=0)]


class OptimizerConfig(BaseModel):
    """A Keras optimizer, its learning-rate schedule, weight decay and clipping."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["adam", "sgd", "rmsprop"] = Field("adam", description="The update rule.")
    learning_rate: Rate | dict[str, Any] = Field(
        2e-4,
        description="A number, or any Keras schedule as {class_name: CosineDecay, config: {...}}; "
        "its steps count this player's updates.",
    )
    beta_1: float = Field(0.5, ge=0, lt=1, description="Adam: decay of the first moment.")
    beta_2: float = Field(0.999, ge=0, lt=1, description="Adam: decay of the second moment.")
    momentum: float = Field(0.0, ge=0, lt=1, description="SGD and RMSprop: momentum.")
    weight_decay: float | None = Field(
        None, ge=0, description="Decoupled weight decay, a share of the weight times the rate."
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
            return keras.optimizers.Adam(beta_1=self.beta_1, beta_2=self.beta_2, **options)
        kind = {"sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}[self.name]
        return kind(momentum=self.momentum, **options)


def _schedule(value: dict[str, Any]) -> Any:
    try:
        schedule = keras.optimizers.schedules.deserialize(dict(value))
    except Exception as error:
        raise ValueError(_EXPECTED.format(value)) from error
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(_EXPECTED.format(value))
    return schedule
