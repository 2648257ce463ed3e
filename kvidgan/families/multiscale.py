"""Multi-scale adversarial prediction (Mathieu, Couprie, LeCun, ICLR 2016, arXiv 1511.05440).

A pyramid of four convolution stacks predicts the next frames from the last ones, each scale
correcting the enlarged prediction of the scale below. A discriminator at every scale judges whether
frames follow from their history. Convolutions alone: trained on patches, it predicts frames of any
size.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import keras
from keras import layers, ops
from pydantic import Field, model_validator

from kvidgan.adversarial import Player
from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import ClipSpec, FamilyConfig, Frame, History, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.nn.losses import binary_cross_entropy, gradient_difference, power_error
from kvidgan.nn.resizing import Enlarge, Shrink, enlarge, shrink

Tensor = Any
_FALLING = {
    "class_name": "PolynomialDecay",
    "config": {
        "initial_learning_rate": 0.04,
        "end_learning_rate": 0.005,
        "decay_steps": 500_000,
    },
}

LOSSES = {
    "discriminator": "How badly the discriminators tell true frames from predicted ones, a sum over"
    " the four scales: 8 log 2 = 5.55 if they cannot. Near 0 for long: they have won.",
    "generator": "What the generator minimizes: the weighted sum of lp, gdl and adv.",
    "lp": "The error of the pixels to the power p, a sum over the four scales. Low by itself means"
    " blurred.",
    "gdl": "Gradient difference loss: how unlike the edges are, a sum over the four scales.",
    "adv": "What the generator loses to the discriminators, a sum over the four scales: 4 log 2 = "
    "2.77 if they cannot tell.",
}

SMALL = {"width": 1 / 64, "discriminator_width": 1 / 32}

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

# What `resize` stood for, an option of version 0.1.
RESIZE = {
    "average": {"shrink": "average", "enlarge": "nearest"},
    "bilinear": {"shrink": "bilinear", "enlarge": "bilinear"},
}


class Config(FamilyConfig):
    """Options of multi-scale prediction; the defaults are the paper's."""

    name: Literal["multiscale"] = "multiscale"
    history: int = Field(4, ge=1, description="Context frames that a prediction begins with.")
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
    shrink: Shrink = Field(
        "average",
        description="How frames are made smaller: block averages; bilinear with half-pixel "
        "centres; or top_left, TensorFlow 1's bilinear, which reads pixels 8i, 4i and 2i.",
    )
    enlarge: Enlarge = Field(
        "nearest",
        description="How a prediction is made larger: nearest neighbours; bilinear with half-pixel "
        "centres; or top_left, TensorFlow 1's bilinear.",
    )
    divisor: float = Field(
        127.5,
        ge=127,
        le=128,
        description="Frames enter the networks as uint8 / divisor - 1. The Ms. Pac-Man code has "
        "127; exported models take and give uint8 / 127.5 - 1 in any case.",
    )
    reduction: Literal["mean", "sum"] = Field(
        "mean",
        description="Over the pixels of a scale: their mean; or their sum, which weighs the finest "
        "scale most and whose GDL compares the last row and column with zeros beyond, as the Ms. "
        "Pac-Man code does.",
    )
    width: float = Field(1.0, gt=0, description="Multiplies the generator's feature maps.")
    discriminator_width: float = Field(
        1.0, gt=0, description="Multiplies the discriminators' feature maps and units."
    )
    condition_on_history: bool = Field(
        True, description="The discriminators see the history too, not the predicted frames alone."
    )
    pool_every_scale: bool = Field(
        False,
        description="The discriminators of all scales pool 2x2 before their dense layers, as in the"
        " Ms. Pac-Man code, not that of the finest scale alone (table 2).",
    )
    generator_optimizer: OptimizerConfig = Field(
        OptimizerConfig(name="sgd", learning_rate=_FALLING), description="Optimizer of G."
    )
    discriminator_optimizer: OptimizerConfig = Field(
        OptimizerConfig(name="sgd", learning_rate=0.02),
        description="Optimizer of the discriminators.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_resize(cls, given: Any) -> Any:
        """Read the config of an older run, whose `resize` chose both ways of resizing at once."""
        if not isinstance(given, dict) or given.get("resize") not in RESIZE:
            return given
        own = {key: value for key, value in given.items() if key != "resize"}
        return RESIZE[given["resize"]] | own

    @property
    def losses(self) -> Losses:
        """The preset's losses with what is set beside it."""
        preset = PRESETS[self.preset]._asdict()
        own = {key: value for key in preset if (value := getattr(self, key)) is not None}
        return Losses(**preset | own)


# ---- Networks -----------------------------------------------------------------------------------


class Scale(NamedTuple):
    """One row of table 1: the generator's maps and kernels, the discriminator's maps, kernels,
    pooling and units of the dense layers."""

    maps: tuple[int, ...]
    kernels: tuple[int, ...]
    discriminator_maps: tuple[int, ...]
    discriminator_kernels: tuple[int, ...]
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
    predicted: list[Tensor] = []
    for number, (scale, x) in enumerate(zip(SCALES, inputs, strict=True), 1):
        # The prediction of the scale below, enlarged: (batch, h, w, frames * channels).
        below = enlarge(predicted[-1], config.enlarge) if predicted else None
        if below is not None:
            x = layers.Concatenate()([x, below])

        # Convolutions at this scale's own size.
        for maps, kernel in zip(scale.maps, scale.kernels, strict=False):
            x = layers.Conv2D(_scaled(maps, config.width), kernel, padding="same")(x)
            x = layers.ReLU()(x)  # (batch, h, w, maps)
        last = layers.Conv2D(
            config.frames * config.channels,
            scale.kernels[-1],
            padding="same",
            name=f"last_{number}",
        )
        x = last(x)  # (batch, h, w, frames * channels)

        # A correction of what the scale below predicted (eq. 3).
        if below is not None and config.residual:
            x = layers.Add()([below, x])
        predicted.append(layers.Activation("tanh", dtype="float32")(x))
    return keras.Model(history, predicted, name="generator")


def discriminator(config: Config, number: int) -> keras.Model:
    """Return D_k of scale 1 (1/8) to 4: frames joined on channels to a logit (batch, 1)."""
    scale, side = SCALES[number - 1], config.patch >> (len(SCALES) - number)
    frames = config.frames + (config.history if config.condition_on_history else 0)
    x = clip = keras.Input((side, side, frames * config.channels), name="clip")
    for maps, kernel in zip(scale.discriminator_maps, scale.discriminator_kernels, strict=True):
        maps = _scaled(maps, config.discriminator_width)
        x = layers.ReLU()(layers.Conv2D(maps, kernel, padding="valid")(x))
    if scale.pool or config.pool_every_scale:
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for units in scale.units:
        x = layers.Dense(_scaled(units, config.discriminator_width), activation="relu")(x)
    logit = layers.Dense(1, dtype="float32")(x)
    return keras.Model(clip, logit, name=f"discriminator_{number}")


def joined(frames: Tensor, count: int) -> Tensor:
    """Join frames (batch, time, ..., channels) on channels, the first first."""
    return ops.concatenate([frames[:, moment] for moment in range(count)], axis=-1)


def to_range(config: Config, signal: Tensor) -> Tensor:
    """Bring frames of uint8 / 127.5 - 1, any shape, into the networks' range."""
    return _rescaled(signal, 127.5 / config.divisor)


def from_range(config: Config, signal: Tensor) -> Tensor:
    """Bring frames in the networks' range, any shape, back to uint8 / 127.5 - 1."""
    return _rescaled(signal, config.divisor / 127.5)


def _rescaled(signal: Tensor, factor: float) -> Tensor:
    return signal if factor == 1 else layers.Rescaling(factor, factor - 1)(signal)


def pyramid(config: Config, images: Tensor) -> list[Tensor]:
    """Return images (batch, height, width, channels) at 1/8, 1/4, 1/2 and 1/1, by `shrink`."""
    factors = [2**step for step in range(len(SCALES) - 1, 0, -1)]
    return [*(shrink(images, factor, config.shrink) for factor in factors), images]


def _scaled(maps: int, width: float) -> int:
    return max(1, round(maps * width))


# ---- Losses -------------------------------------------------------------------------------------


def pixel_loss(config: Config, truth: Tensor, predicted: Tensor) -> Tensor:
    """Return L_p (eq. 1) of one scale's frames (batch, height, width, channels), by `reduction`."""
    return _reduced(config, power_error(truth, predicted, config.losses.p), ops.shape(truth)[1:])


def edge_loss(config: Config, truth: Tensor, predicted: Tensor) -> Tensor:
    """Return the GDL (eq. 6) of one scale's square frames (batch, side, side, channels).

    By `reduction`, whose sum goes on to zeros below the last row and right of the last column.
    """
    if config.reduction == "sum":
        beyond = [(0, 0), (0, 1), (0, 1), (0, 0)]
        truth, predicted = ops.pad(truth, beyond), ops.pad(predicted, beyond)
    side, _, channels = ops.shape(truth)[1:]
    loss = gradient_difference(truth, predicted, config.losses.alpha)
    return _reduced(config, loss, (side, side - 1, channels))  # as many pairs of neighbours


def _reduced(config: Config, mean: Tensor, shape: Sequence[Any]) -> Tensor:
    """Return a mean over values of this shape, or a sum over them and a mean over the batch."""
    if config.reduction == "mean":
        return mean
    return mean * ops.cast(math.prod(shape), "float32")


# ---- Step ---------------------------------------------------------------------------------------


class Family(FamilyModel):
    """The generator, a discriminator a scale where the losses ask for them, and Algorithm 1."""

    def __init__(self, config: Config, seed: int = 0):
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.discriminators: list[keras.Model] = []
        variables = self.generator.trainable_variables
        self.players = {
            "generator": Player(config.generator_optimizer.build(), variables, generates=True)
        }
        if config.losses.lambda_adv:
            self.discriminators = [discriminator(config, n + 1) for n in range(len(SCALES))]
            variables = [v for d in self.discriminators for v in d.trainable_variables]
            self.players["discriminator"] = Player(
                config.discriminator_optimizer.build(), variables
            )

    def clips(self) -> dict[str, ClipSpec]:
        """Return a batch's entries: crops with motion, drawn independently for each player."""
        config = self.config
        spec = ClipSpec(
            num_frames=config.history + config.frames,
            height=config.patch,
            width=config.patch,
            channels=config.channels,
            crop=True,
            motion=config.motion,
        )
        return dict.fromkeys(self.players, spec)

    def adversarial_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Train D, where there is one, then G, on different samples; return all loss terms."""
        losses = {}
        if self.discriminators:
            history, truth, context = self._scales(batch["discriminator"])
            predicted = self.generator(history, training=True)
            predicted = [ops.stop_gradient(frames) for frames in predicted]
            losses["discriminator"] = self.minimize(
                lambda: (
                    self._adversarial_loss(context, truth, real=True)
                    + self._adversarial_loss(context, predicted, real=False)
                ),
                "discriminator",
            )
        loss, terms = self.minimize(lambda: self._generator_loss(batch["generator"]), "generator")
        return {**losses, "generator": loss, **terms}

    def _generator_loss(self, clip):
        """Return the generator's loss (eq. 7) and its terms, each a sum over scales."""
        weights = self.config.losses
        history, truth, context = self._scales(clip)
        predicted = self.generator(history, training=True)
        pairs = list(zip(truth, predicted, strict=True))

        terms = {"lp": sum(pixel_loss(self.config, *pair) for pair in pairs)}
        if weights.lambda_gdl:
            terms["gdl"] = sum(edge_loss(self.config, *pair) for pair in pairs)
        if self.discriminators:
            terms["adv"] = self._adversarial_loss(context, predicted, real=True)
        total = sum(getattr(weights, f"lambda_{name}") * term for name, term in terms.items())
        return total, terms

    def _scales(self, clip):
        """Split a uint8 clip (batch, time, height, width, channels).

        Returns:
            The history, float (batch, history, height, width, channels); and at each scale, coarse
            to fine, the frames to come and the history, both joined on channels: (batch, height/8,
            width/8, time * channels) to (batch, height, width, time * channels).
        """
        clip = ops.cast(clip, "float32") / self.config.divisor - 1.0  # [-1, 1]
        count = self.config.history
        history, following = clip[:, :count], clip[:, count:]
        truth = pyramid(self.config, joined(following, self.config.frames))
        return history, truth, pyramid(self.config, joined(history, count))

    def _adversarial_loss(self, context: Sequence[Tensor], frames: Sequence[Tensor], real: bool):
        """Return the cross-entropy of all discriminators' logits against one label, their sum."""
        if self.config.condition_on_history:
            frames = [ops.concatenate(pair, axis=-1) for pair in zip(context, frames, strict=True)]
        scales = zip(self.discriminators, frames, strict=True)
        return sum(binary_cross_entropy(d(x, training=True), real) for d, x in scales)

    # ---- Rollout --------------------------------------------------------------------------------

    def rollout_model(self) -> tuple[keras.Model, StepSpec]:
        """Return the step from a history of any size to the next frames."""
        config = self.config
        history = keras.Input(self.generator.input.shape[1:], name="history")
        # (batch, height, width, frames * channels)
        frame = from_range(config, self.generator(to_range(config, history))[-1])
        if config.frames > 1:
            parts = ops.split(frame, config.frames, axis=-1)
            frame = ops.stack(parts, axis=1)  # (batch, time, height, width, channels)
        spec = StepSpec(
            frame=Frame(
                frames=config.frames,
                height=None,
                width=None,
                channels=config.channels,
                multiple_of=MULTIPLE,
            ),
            inputs={"history": History(frames=config.history)},
        )
        model = keras.Model({"history": history}, {"frame": frame}, name="multiscale_step")
        return model, spec
