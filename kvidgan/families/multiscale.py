"""Multi-scale adversarial prediction (Mathieu, Couprie, LeCun, ICLR 2016, arXiv 1511.05440).

A pyramid of four convolution stacks predicts the next frames from the last ones, each scale
correcting the enlarged prediction of the scale below. A discriminator at every scale judges whether
frames follow from their history. Convolutions alone: trained on patches, it predicts frames of any
size.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import keras
from keras import layers, ops
from pydantic import BaseModel, ConfigDict, Field

from kvidgan.adversarial import Pass, Player, VideoGAN
from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.families import Facts
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy, gradient_difference, power_error

Tensor = Any
_FALLING = {
    "class_name": "PolynomialDecay",
    "config": {
        "initial_learning_rate": 0.04,
        "end_learning_rate": 0.005,
        "decay_steps": 500_000,
    },
}

# ---- Config -------------------------------------------------------------------------------------


class Losses(NamedTuple):
    """Weights and powers of the generator's loss (section 3.4)."""

    lambda_lp: float
    p: int
    lambda_gdl: float = 0.0
    alpha: int = 1
    lambda_adv: float = 0.0


PRESETS = {
    "l2": Losses(1.0, p=2),
    "l1": Losses(1.0, p=1),
    "gdl_l1": Losses(1.0, p=1, lambda_gdl=1.0, alpha=1),
    "gdl_l2": Losses(1.0, p=2, lambda_gdl=1.0, alpha=2),
    "adv": Losses(1.0, p=2, lambda_adv=0.05),
    "adv_gdl": Losses(1.0, p=2, lambda_gdl=1.0, alpha=1, lambda_adv=0.05),
}


class Config(BaseModel):
    """Options of multi-scale prediction; the defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["multiscale"] = "multiscale"
    history: int = Field(4, ge=1, description="Frames given.")
    frames: int = Field(
        1, ge=1, description="Frames predicted at once; longer rollouts feed them back as history."
    )
    channels: Literal[1, 3] = Field(3, description="1 grey, 3 RGB.")
    patch: int = Field(
        32, ge=32, multiple_of=8, description="Side of the random crops trained on, pixels."
    )
    motion: float = Field(
        0.008,
        ge=0,
        description="What must move in a crop: mean squared difference of neighbouring frames, "
        "[-1, 1] scale; one crop in 20 is taken anyway.",
    )
    preset: Literal["l2", "l1", "gdl_l1", "gdl_l2", "adv", "adv_gdl"] = Field(
        "adv_gdl",
        description="The losses of table 2; all but adv and adv_gdl build no discriminator.",
    )
    lambda_lp: float | None = Field(None, ge=0, description="Weight of L_p; null: the preset's.")
    lambda_gdl: float | None = Field(
        None, ge=0, description="Weight of the gradient difference loss; null: the preset's."
    )
    lambda_adv: float | None = Field(
        None, ge=0, description="Weight of the adversarial loss; null: the preset's."
    )
    p: Literal[1, 2] | None = Field(None, description="Power in L_p; null: the preset's.")
    alpha: Literal[1, 2] | None = Field(None, description="Power in the GDL; null: the preset's.")
    residual: bool = Field(
        True, description="A scale corrects the enlarged prediction below it (eq. 3), or draws all."
    )
    resize: Literal["average", "bilinear"] = Field(
        "average",
        description="Average pooling and nearest neighbours, or bilinear both ways.",
    )
    width: float = Field(1.0, gt=0, description="Multiplies the generator's feature maps.")
    discriminator_width: float = Field(
        1.0, gt=0, description="Multiplies the discriminators' feature maps and units."
    )
    condition_on_history: bool = Field(
        True, description="The discriminators see the history too, not the predicted frames alone."
    )
    generator_optimizer: OptimizerConfig = Field(
        OptimizerConfig(name="sgd", learning_rate=_FALLING), description="Of the generator."
    )
    discriminator_optimizer: OptimizerConfig = Field(
        OptimizerConfig(name="sgd", learning_rate=0.02), description="Of the discriminators."
    )

    @property
    def losses(self) -> Losses:
        """The preset's losses with what is set beside it."""
        preset = PRESETS[self.preset]._asdict()
        own = {key: value for key in preset if (value := getattr(self, key)) is not None}
        return Losses(**preset | own)

    def for_data(self, data: Facts) -> "Config":
        """Return the options as they are: classes do not matter here."""
        return self


# ---- Networks -----------------------------------------------------------------------------------


class Scale(NamedTuple):
    """One row of table 1: the generator's maps and kernels, the discriminator's maps, kernels,
    pooling and units of the dense layers."""

    maps: tuple[int, ...]
    kernels: tuple[int, ...]
    judge_maps: tuple[int, ...]
    judge_kernels: tuple[int, ...]
    units: tuple[int, ...]
    pool: bool = False


_SMALL, _LARGE = (128, 256, 128), (128, 256, 512, 256, 128)
SCALES = (
    Scale(_SMALL, (3, 3, 3, 3), (64,), (3,), (512, 256)),
    Scale(_SMALL, (5, 3, 3, 5), (64, 128, 128), (3, 3, 3), (1024, 512)),
    Scale(_LARGE, (5, 3, 3, 3, 3, 5), (128, 256, 256), (5, 5, 5), (1024, 512)),
    Scale(_LARGE, (7, 5, 5, 5, 5, 7), (128, 256, 512, 128), (7, 7, 5, 5), (1024, 512), pool=True),
)
MULTIPLE = 2 ** (len(SCALES) - 1)


def generator(config: Config) -> keras.Model:
    """Return G: history (batch, time, height, width, channels) to predictions at four scales.

    Height and width are any multiples of 8. The predictions, coarse to fine, are
    (batch, height/8, width/8, frames * channels) to (batch, height, width, frames * channels), in
    [-1, 1], the predicted frames joined on channels.
    """
    history = keras.Input((config.history, None, None, config.channels), name="history")
    inputs = pyramid(config, joined(history, config.history))
    made: list[Tensor] = []
    for number, (scale, x) in enumerate(zip(SCALES, inputs, strict=True), 1):
        below = _enlarged(config, made[-1]) if made else None
        if below is not None:
            x = layers.Concatenate()([x, below])
        for maps, kernel in zip(scale.maps, scale.kernels, strict=False):
            x = layers.Conv2D(_scaled(maps, config.width), kernel, padding="same")(x)
            x = layers.ReLU()(x)
        last = layers.Conv2D(
            config.frames * config.channels,
            scale.kernels[-1],
            padding="same",
            name=f"last_{number}",
        )
        x = last(x)
        if below is not None and config.residual:
            x = layers.Add()([below, x])
        made.append(layers.Activation("tanh", dtype="float32")(x))
    return keras.Model(history, made, name="generator")


def discriminator(config: Config, number: int) -> keras.Model:
    """Return D_k of scale 1 (1/8) to 4: frames joined on channels to a logit (batch, 1)."""
    scale, side = SCALES[number - 1], config.patch >> (len(SCALES) - number)
    frames = config.frames + (config.history if config.condition_on_history else 0)
    x = clip = keras.Input((side, side, frames * config.channels), name="clip")
    for maps, kernel in zip(scale.judge_maps, scale.judge_kernels, strict=True):
        maps = _scaled(maps, config.discriminator_width)
        x = layers.ReLU()(layers.Conv2D(maps, kernel, padding="valid")(x))
    if scale.pool:
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for units in scale.units:
        x = layers.Dense(_scaled(units, config.discriminator_width), activation="relu")(x)
    logit = layers.Dense(1, dtype="float32")(x)
    return keras.Model(clip, logit, name=f"discriminator_{number}")


def joined(frames: Tensor, count: int) -> Tensor:
    """Join frames (batch, time, ..., channels) on channels, the first first."""
    return ops.concatenate([frames[:, moment] for moment in range(count)], axis=-1)


def pyramid(config: Config, images: Tensor) -> list[Tensor]:
    """Return images (batch, height, width, channels) at 1/8, 1/4, 1/2 and 1/1, by `resize`."""
    coarse = [_shrunk(config, images, 2**step) for step in range(len(SCALES) - 1, 0, -1)]
    return [*coarse, images]


def _shrunk(config: Config, images: Tensor, factor: int) -> Tensor:
    if config.resize == "average":
        return ops.average_pool(images, factor, factor)
    # A bilinear sample at the middle of each block is the mean of its four middle pixels.
    middle = factor // 2 - 1
    return ops.average_pool(images[:, middle:, middle:], 2, factor)


def _enlarged(config: Config, images: Tensor) -> Tensor:
    how = "nearest" if config.resize == "average" else "bilinear"
    return layers.UpSampling2D(2, interpolation=how)(images)


def _scaled(maps: int, width: float) -> int:
    return max(1, round(maps * width))


# ---- Step ---------------------------------------------------------------------------------------


class Family(VideoGAN):
    """The generator, a discriminator a scale where the losses ask for them, and Algorithm 1."""

    def __init__(self, config: Config, seed: int = 0):
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.discriminators: list[keras.Model] = []
        made = self.generator.trainable_variables
        self.players = {"generator": Player(config.generator_optimizer.build(), made, True)}
        if config.losses.lambda_adv:
            self.discriminators = [discriminator(config, n + 1) for n in range(len(SCALES))]
            judging = [v for d in self.discriminators for v in d.trainable_variables]
            self.players["discriminator"] = Player(config.discriminator_optimizer.build(), judging)

    def clips(self) -> dict[str, dict[str, Any]]:
        """A batch holds crops with motion, drawn independently for each player."""
        config = self.config
        spec = {
            "frames": config.history + config.frames,
            "height": config.patch,
            "width": config.patch,
            "channels": config.channels,
            "crop": True,
            "motion": config.motion,
        }
        return dict.fromkeys(self.players, spec)

    def adversarial_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Train D, where there is one, then G, on different samples; return all loss terms."""
        losses = {}
        if self.discriminators:
            history, real, given = self._scales(batch["discriminator"])
            made = [ops.stop_gradient(frames) for frames in self.generator(history, training=True)]
            losses["discriminator"] = self.minimize(
                lambda: self._judged(given, real, True) + self._judged(given, made, False),
                "discriminator",
            )
        loss, terms = self.minimize(lambda: self._loss(batch["generator"]), "generator")
        return {**losses, "generator": loss, **terms}

    def _loss(self, clip):
        """Return the generator's loss (eq. 7) and its terms, each a mean over scales."""
        weights = self.config.losses
        history, truth, given = self._scales(clip)
        made = self.generator(history, training=True)
        pairs = list(zip(truth, made, strict=True))
        terms = {"lp": _mean([power_error(*pair, weights.p) for pair in pairs])}
        if weights.lambda_gdl:
            terms["gdl"] = _mean([gradient_difference(*pair, weights.alpha) for pair in pairs])
        if self.discriminators:
            terms["adv"] = self._judged(given, made, True)
        total = sum(getattr(weights, f"lambda_{name}") * term for name, term in terms.items())
        return total, terms

    def _scales(self, clip):
        """Split a uint8 clip: the history, and at each scale the frames to come and the history."""
        clip, count = to_signal(clip), self.config.history
        history, following = clip[:, :count], clip[:, count:]
        truth = pyramid(self.config, joined(following, self.config.frames))
        return history, truth, pyramid(self.config, joined(history, count))

    def _judged(self, given: Sequence[Tensor], frames: Sequence[Tensor], real: bool) -> Tensor:
        """Return the cross-entropy of the discriminators' logits against one label."""
        if self.config.condition_on_history:
            frames = [ops.concatenate(pair, axis=-1) for pair in zip(given, frames, strict=True)]
        scales = zip(self.discriminators, frames, strict=True)
        return _mean([binary_cross_entropy(d(x, training=True), real) for d, x in scales])

    def passes(self) -> list[list[Pass]]:
        """See `VideoGAN.passes`: the loss of the discriminators, if any, and the generator's."""
        judges = self.discriminators
        made = Pass(self.generator, size=(self.config.patch, self.config.patch))
        return [[Pass(judge, 2) for judge in judges], [made, *(Pass(judge) for judge in judges)]]

    # ---- Rollout --------------------------------------------------------------------------------

    def rollout_model(self) -> tuple[keras.Model, dict[str, Any]]:
        """Return the step from a history of any size to the next frames, and its description."""
        config = self.config
        history = keras.Input(self.generator.input.shape[1:], name="history")
        finest = self.generator(history)[-1]
        frame, several = finest, config.frames > 1
        if several:
            parts = ops.split(finest, config.frames, axis=-1)
            frame = ops.stack(parts, axis=1)  # (batch, time, height, width, channels)
        described = {
            "output": "frame",
            "frames": config.frames,
            "height": None,
            "width": None,
            "channels": config.channels,
            "multiple_of": MULTIPLE,
        }
        inputs = {"history": {"role": "history", "frames": config.history}}
        model = keras.Model({"history": history}, {"frame": frame}, name="multiscale_step")
        return model, {"frame": described, "inputs": inputs}


def _mean(values: list[Tensor]) -> Tensor:
    return sum(values) / len(values)
