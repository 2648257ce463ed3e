"""MoCoGAN: motion and content decomposed (Tulyakov, Liu, Yang, Kautz, CVPR 2018, arXiv 1707.04993).

A content code is drawn once a video; a recurrent cell turns noise into a motion code a frame; a
decoder draws each frame from both. An image discriminator judges single frames, a video
discriminator whole clips, and it learns the videos' categories where there are any.
"""

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops
from pydantic import Field, model_validator

from kvidgan.adversarial import Player
from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import (
    Choice,
    ClipSpec,
    DataFacts,
    FamilyConfig,
    Frame,
    Latent,
    State,
    StepSpec,
)
from kvidgan.families import FamilyModel
from kvidgan.nn.convolutions import Conv2DTranspose, Conv3D
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy, softmax_cross_entropy

Tensor = Any
_ADAM = OptimizerConfig(weight_decay=1e-5)

LOSSES = {
    "image_discriminator": "How badly the discriminator of single frames tells real from generated:"
    " 2 log 2 = 1.39 if it cannot. Near 0 for long: it has won, and the generator learns nothing.",
    "video_discriminator": "How badly the discriminator of clips tells real from generated: "
    "2 log 2 = 1.39 if it cannot; with categories, category_real is added.",
    "generator": "What the generator loses to both discriminators, and category_generated. It moves"
    " up and down with its opponents: it need not fall while pictures get better.",
    "category_real": "The cross-entropy of the classes of real videos.",
    "category_generated": "The cross-entropy of the classes that generated videos were meant to "
    "have.",
}

SMALL = {
    "size": 32,
    "frames": 7,
    "content": 3,
    "motion": 4,
    "generator_width": 2,
    "image_width": 2,
    "video_width": 2,
    "time_kernel": 2,
}

# ---- Config -------------------------------------------------------------------------------------


class Config(FamilyConfig):
    """Options of MoCoGAN; where none says otherwise, the defaults are the paper's."""

    name: Literal["mocogan"] = "mocogan"
    size: Literal[32, 48, 64, 96, 128] = Field(64, description="Side of the frames, pixels.")
    channels: Literal[1, 3] = Field(3, description="1 grey, 3 RGB.")
    frames: int = Field(16, ge=2, description="Length of the clips trained on, T.")
    content: int = Field(50, ge=1, description="Dimension of the content code, fixed in a video.")
    motion: int = Field(10, ge=1, description="Dimension of the motion code, one a frame.")
    categories: list[str] | None = Field(
        None, description="Names of the categories; null takes the data's classes, [] uses none."
    )
    cell: Literal["gru", "lstm", "projected_lstm"] = Field(
        "gru",
        description="Recurrent cell of the motion code. gru, lstm: its state is the code. "
        "projected_lstm: an LSTM of `hidden` units begins at zeros and sees one noise a video; a "
        "linear layer and batch norm make the code, which stands before the content.",
    )
    hidden: int = Field(100, ge=1, description="Units of the projected LSTM.")
    walk: int | None = Field(
        None,
        ge=2,
        description="Frames of the walks that generated clips are cut from, at one random place a "
        "batch, in training; null: clips are walks from their beginning.",
    )
    infogan: bool = Field(
        True, description="Ask the generator to make its category recognisable (section 3.2)."
    )
    generator_width: int = Field(64, ge=1, description="Feature maps of the decoder's last layer.")
    image_width: int = Field(64, ge=1, description="Feature maps of D_I's first layer.")
    video_width: int = Field(64, ge=1, description="Feature maps of D_V's first layer.")
    image_discriminator: Literal["patch", "full"] = Field(
        "patch", description="D_I judges patches of a frame, or the whole frame with one logit."
    )
    video_discriminator: Literal["patch", "full"] = Field(
        "full", description="D_V judges patches of a clip, or the whole clip with one logit."
    )
    time_kernel: int = Field(4, ge=2, description="D_V's kernel size in time, frames.")
    image_noise: float = Field(0.0, ge=0, description="Sigma of noise before each layer of D_I.")
    video_noise: float = Field(0.0, ge=0, description="Sigma of noise before each layer of D_V.")
    image_last_noise: bool = Field(
        True, description="Noise before D_I's last layer too; the original: only if it is a patch."
    )
    video_last_noise: bool = Field(
        True, description="Noise before D_V's last layer too; the original: no."
    )
    first_weights: Literal["normal", "pytorch"] = Field(
        "normal",
        description="normal: kernels N(0, 0.02), gains 1; pytorch: its defaults of 2017, kernels "
        "uniform by the number of inputs, gains uniform from 0 to 1.",
    )
    uniform_over: Literal["videos", "frames"] = Field(
        "videos",
        description="What D_I's real frames are drawn uniformly from: of all frames, long videos "
        "give more.",
    )
    batch_norm_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the averages.")
    reuse_generated: bool = Field(
        False, description="Train D and G on the same generated batch: one generator pass, not two."
    )
    generator_optimizer: OptimizerConfig = Field(_ADAM, description="Optimizer of the generator.")
    discriminator_optimizer: OptimizerConfig = Field(
        _ADAM, description="Optimizer of D_I and of D_V."
    )

    @model_validator(mode="after")
    def _frames_suffice(self) -> "Config":
        convolutions = 3 if self.video_discriminator == "patch" else self.blocks
        full = self.video_discriminator == "full"
        shortest = (self.time_kernel - 1) * (convolutions + (0 if full else 1)) + 1
        if self.frames < shortest:
            raise ValueError(
                f"frames: expected at least {shortest} for a {self.video_discriminator} video "
                f"discriminator at size {self.size} with time_kernel {self.time_kernel}, found "
                f"{self.frames}; use more frames or a smaller time_kernel"
            )
        if self.walk is not None and self.walk < self.frames:
            raise ValueError(
                f"walk: expected at least frames, {self.frames}, found {self.walk}; use a longer "
                "walk or none"
            )
        return self

    @property
    def steps(self) -> int:
        """Number of frames that the motion goes on for in training."""
        return self.walk or self.frames

    @property
    def blocks(self) -> int:
        """Number of times that the decoder doubles its side, from 4 (or 6) pixels to `size`."""
        return {32: 3, 48: 3, 64: 4, 96: 4, 128: 5}[self.size]

    @property
    def projected(self) -> bool:
        """Whether a linear layer makes the motion code of a larger state."""
        return self.cell == "projected_lstm"

    @property
    def state_size(self) -> int:
        """Dimension of the recurrent cell's state."""
        return self.hidden if self.projected else self.motion

    @property
    def smallest(self) -> int:
        """Side of the decoder's first feature map, pixels."""
        return self.size >> self.blocks

    def for_data(self, data: DataFacts) -> "Config":
        """Complete the options by the data's class names.

        Raises:
            ValueError: If categories are named and differ from the data's classes, or are used and
                some videos have none.
        """
        categories = self.categories
        if categories is None:
            categories = data.classes if len(data.classes) > 1 else []
        if categories and categories != data.classes:
            raise ValueError(
                f"family.categories: expected the data's classes {data.classes}, found "
                f"{categories}; leave the key out to take them from the data"
            )
        if categories and data.unlabelled:
            raise ValueError(
                f"family.categories: expected every video in a class folder, found "
                f"{data.unlabelled} "
                "outside; move them, or train without categories by family.categories=[]"
            )
        return self.model_copy(update={"categories": categories})


# ---- Networks -----------------------------------------------------------------------------------


def cell(config: Config) -> keras.Layer:
    """Return the recurrent cell R_M: (batch, motion) noise and state to the next state."""
    if config.projected:
        return _lstm_that_keeps(config)
    kind = layers.GRUCell if config.cell == "gru" else layers.LSTMCell
    return kind(config.motion, name="motion_cell", **_cell_weights(config))


def _lstm_that_keeps(config: Config) -> keras.Layer:
    # The course's first weights: Glorot's, and a forget bias of 1 in each of PyTorch's two biases.
    made = layers.LSTMCell(
        config.hidden, recurrent_initializer="glorot_uniform", name="motion_cell"
    )
    made.build((None, config.motion))
    made.bias.assign(np.repeat([0.0, 2.0, 0.0, 0.0], config.hidden))  # input, forget, new, output
    return made


def projection(config: Config) -> keras.Model:
    """Return what makes a motion code (batch, motion) of the state (batch, hidden) of one frame.

    Its batch norm has no gain and no bias. It sees the videos of a batch at one frame: each frame
    is normalized by itself in training, and all share one running average.
    """
    hidden = keras.Input((config.hidden,), name="hidden")
    x = layers.Dense(config.motion, name="projection")(hidden)
    norm = _batch_norm(config, center=False, scale=False, dtype="float32")
    return keras.Model(hidden, norm(x), name="projection")


def motion(
    config: Config, motion_cell: keras.Layer, projected: keras.Model | None = None
) -> keras.Model:
    """Return R_M over time: noise and first states to codes (batch, steps, motion).

    Noise is (batch, steps, motion), or (batch, motion) where a projection makes the codes.
    """
    shape = (config.motion,) if projected else (config.steps, config.motion)
    noise = keras.Input(shape, name="noise")
    states = [keras.Input((config.state_size,), name=name) for name in _states(config)]
    each = layers.RepeatVector(config.steps)(noise) if projected else noise
    codes = layers.RNN(motion_cell, return_sequences=True)(each, initial_state=states)
    if projected:
        codes = ops.stack([projected(codes[:, t]) for t in range(config.steps)], axis=1)
    return keras.Model([noise, *states], codes, name="motion")


def decoder(config: Config) -> keras.Model:
    """Return G_I: code (batch, content + categories + motion) to a frame in [-1, 1]."""
    code = keras.Input((_code_size(config),), name="code")
    width = config.generator_width << (config.blocks - 1)
    x = layers.Reshape((1, 1, -1))(code)
    x = _up(config, x, width, config.smallest, strides=1, padding="valid")
    for _ in range(config.blocks - 1):
        width //= 2
        x = _up(config, x, width, 4, strides=2, padding="same")
    weights = _weights(config, "fan_out")
    x = Conv2DTranspose(config.channels, 4, strides=2, padding="same", use_bias=False, **weights)(x)
    frame = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(code, frame, name="decoder")


def image_discriminator(config: Config) -> keras.Model:
    """Return D_I: frames (batch, size, size, channels) to logits (batch, rows, columns, 1)."""
    frame = keras.Input((config.size, config.size, config.channels), name="frame")
    patch = config.image_discriminator == "patch"
    x, width = frame, config.image_width
    for block in range(3 if patch else config.blocks):
        x = _noise(x, config.image_noise)
        conv = layers.Conv2D(width, 4, 2, padding="same", use_bias=False, **_weights(config))
        x = _activate(config, conv(x), normalize=block > 0)
        width *= 2
    x = _noise(x, config.image_noise if config.image_last_noise else 0.0)
    last = (4, 2, "same") if patch else (config.smallest, 1, "valid")
    x = layers.Conv2D(1, *last, use_bias=False, **_weights(config))(x)
    return keras.Model(frame, _logits(x), name="image_discriminator")


def video_discriminator(config: Config) -> keras.Model:
    """Return D_V: clips (batch, T, size, size, channels) to logits, one real/generated, K classes.

    The logits are (batch, t, rows, columns, 1 + K), with t = rows = columns = 1 when "full".
    """
    clip = keras.Input((config.frames, config.size, config.size, config.channels), name="clip")
    patch = config.video_discriminator == "patch"
    outputs = 1 + len(config.categories or [])
    x, width, time = clip, config.video_width, config.time_kernel
    for block in range(3 if patch else config.blocks):
        x = _down3d(config, _noise(x, config.video_noise), width, time)
        x = _activate(config, x, normalize=block > 0)
        width *= 2
    x = _noise(x, config.video_noise if config.video_last_noise else 0.0)
    if patch:
        x = _down3d(config, x, outputs, time)
    else:
        x = Conv3D(outputs, x.shape[1:4], use_bias=False, **_weights(config))(x)
    return keras.Model(clip, _logits(x), name="video_discriminator")


def _states(config: Config) -> list[str]:
    return ["hidden"] if config.cell == "gru" else ["hidden", "carry"]


def _code_size(config: Config) -> int:
    return config.content + len(config.categories or []) + config.motion


def _weights(config: Config, inputs: str = "fan_in") -> dict[str, Any]:
    if config.first_weights == "normal":
        return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    # From -1 / sqrt(n) to 1 / sqrt(n), with n values that an output is made of. Of a transposed
    # convolution PyTorch then took all of a kernel; Keras calls those its fan_out.
    uniform = keras.initializers.VarianceScaling(1 / 3, inputs, "uniform")
    return {"kernel_initializer": uniform}


def _cell_weights(config: Config) -> dict[str, Any]:
    if config.first_weights == "normal":
        return {}
    limit = 1 / math.sqrt(config.motion)
    names = [f"{part}_initializer" for part in ("kernel", "recurrent", "bias")]
    uniform = {name: keras.initializers.RandomUniform(-limit, limit) for name in names}
    return uniform if config.cell == "gru" else {**uniform, "unit_forget_bias": False}


def _up(config, x, width, kernel, strides, padding):
    weights = _weights(config, "fan_out")
    x = Conv2DTranspose(width, kernel, strides, padding, use_bias=False, **weights)(x)
    return layers.ReLU()(_batch_norm(config)(x))


def _down3d(config, x, width, time):
    # Padded in space, not in time: the clip shortens by time - 1 frames a layer.
    x = layers.ZeroPadding3D((0, 1, 1))(x)
    return Conv3D(width, (time, 4, 4), (1, 2, 2), use_bias=False, **_weights(config))(x)


def _activate(config, x, normalize):
    return layers.LeakyReLU(0.2)(_batch_norm(config)(x) if normalize else x)


def _batch_norm(config, **options):
    if config.first_weights == "pytorch":
        options["gamma_initializer"] = keras.initializers.RandomUniform(0.0, 1.0)
    momentum = config.batch_norm_momentum
    return layers.BatchNormalization(momentum=momentum, epsilon=1e-5, **options)


def _noise(x, sigma):
    return layers.GaussianNoise(sigma)(x) if sigma else x


def _logits(x):
    return layers.Activation("linear", dtype="float32")(x)


# ---- Step ---------------------------------------------------------------------------------------


class Family(FamilyModel):
    """MoCoGAN's networks, players and losses (section 3.3)."""

    def __init__(self, config: Config, seed: int = 0):
        super().__init__()
        self.config = config
        self.seeds = keras.random.SeedGenerator(seed)
        self.cell = cell(config)
        self.projection = projection(config) if config.projected else None
        self.motion = motion(config, self.cell, self.projection)
        self.decoder = decoder(config)
        self.image_discriminator = image_discriminator(config)
        self.video_discriminator = video_discriminator(config)
        generating = self.motion.trainable_variables + self.decoder.trainable_variables
        optimizer = config.discriminator_optimizer
        self.players = {
            "image_discriminator": Player(
                optimizer.build(), self.image_discriminator.trainable_variables
            ),
            "video_discriminator": Player(
                optimizer.build(), self.video_discriminator.trainable_variables
            ),
            "generator": Player(config.generator_optimizer.build(), generating, generates=True),
        }

    def clips(self) -> dict[str, ClipSpec]:
        """Return a batch's entries: clips, "video", and single frames of others, "image"."""
        config = self.config
        video = ClipSpec(
            num_frames=config.frames,
            height=config.size,
            width=config.size,
            channels=config.channels,
        )
        single = {"num_frames": 1, "uniform_over": config.uniform_over}
        return {"video": video, "image": video.model_copy(update=single)}

    def adversarial_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Train D_I, D_V and G once each; return the losses by player, and the category terms."""
        count = ops.shape(batch["video"])[0]
        if self.config.reuse_generated:
            loss, losses = self.minimize(
                lambda: self._train_discriminators_then_score(batch, count), "generator"
            )
        else:
            losses = self._train_discriminators(batch, *self._generate(count))
            loss, terms = self.minimize(
                lambda: self._generator_loss(*self._generate(count)), "generator"
            )
            losses |= terms
        return {"generator": loss, **losses}

    def _train_discriminators_then_score(self, batch, count):
        generated = self._generate(count)
        losses = self._train_discriminators(batch, *generated)
        loss, terms = self._generator_loss(*generated)
        return loss, losses | terms

    def _train_discriminators(self, batch, image, video, category):
        del category  # D_V learns categories from real videos only
        image, video = ops.stop_gradient(image), ops.stop_gradient(video)
        real_image, real_video = to_signal(batch["image"][:, 0]), to_signal(batch["video"])
        image_loss = self.minimize(
            lambda: _separate(
                self.image_discriminator(real_image, training=True),
                self.image_discriminator(image, training=True),
            ),
            "image_discriminator",
        )
        video_loss, terms = self.minimize(
            lambda: self._video_loss(real_video, batch["video_class"], video),
            "video_discriminator",
        )
        return {"image_discriminator": image_loss, "video_discriminator": video_loss, **terms}

    def _video_loss(self, real, category, generated):
        real_logits, class_logits = self._video_logits(real)
        loss = _separate(real_logits, self._video_logits(generated)[0])
        if not self.config.categories:
            return loss, {}
        term = softmax_cross_entropy(class_logits, category)
        return loss + term, {"category_real": term}

    def _generator_loss(self, image, video, category):
        logits, class_logits = self._video_logits(video)
        loss = binary_cross_entropy(logits, real=True)
        image_logits = self.image_discriminator(image, training=True)
        loss = loss + binary_cross_entropy(image_logits, real=True)
        if not (self.config.categories and self.config.infogan):
            return loss, {}
        term = softmax_cross_entropy(class_logits, category)
        return loss + term, {"category_generated": term}

    def _video_logits(self, video):
        """Return logits of real or generated, (batch, t, h, w, 1), and of classes, (batch, K)."""
        logits = self.video_discriminator(video, training=True)  # (batch, t, h, w, 1 + K)
        return logits[..., :1], ops.mean(logits[..., 1:], axis=(1, 2, 3))

    def _generate(self, count):
        """Draw frames (count, H, W, C), clips (count, T, H, W, C) and the clips' categories."""
        # Single frames: one random place of a walk each, independent of the clips below.
        codes, _ = self._codes(count)  # (count, T, code)
        place = keras.random.randint((count, 1, 1), 0, self.config.frames, seed=self.seeds)
        codes = ops.take_along_axis(codes, place, axis=1)[:, 0]  # (count, code)
        image = self.decoder(codes, training=True)  # (count, H, W, C)

        # Clips: all places of another walk, drawn as one batch of frames.
        codes, category = self._codes(count)  # (count, T, code)
        codes = ops.reshape(codes, (-1, codes.shape[-1]))  # (count * T, code)
        frames = self.decoder(codes, training=True)  # (count * T, H, W, C)
        video = ops.reshape(frames, (-1, self.config.frames, *frames.shape[1:]))
        return image, video, category

    def _codes(self, count):
        """Draw codes (count, T, all parts of the code) and category numbers (count,)."""
        config, frames = self.config, self.config.frames
        content = self._normal(count, config.content)
        classes = len(config.categories or [])
        category = keras.random.randint((count,), 0, max(classes, 1), seed=self.seeds)
        fixed = [content, *([ops.one_hot(category, classes)] if classes else [])]
        fixed = [ops.repeat(code[:, None], frames, axis=1) for code in fixed]
        moving = ops.cast(self.motion(self._motion_inputs(count), training=True), "float32")
        if config.walk is not None:
            last = config.walk - frames
            start = keras.random.randint((), 0, last + 1, seed=self.seeds)
            moving = ops.take(moving, start + ops.arange(frames), axis=1)
        return ops.concatenate(_in_order(config, fixed, moving), axis=-1), category

    def _motion_inputs(self, count):
        """Draw what the motion begins with: noise and first states."""
        config, names = self.config, _states(self.config)
        if config.projected:
            zeros = ops.zeros((count, config.hidden))
            return [self._normal(count, config.motion), *(zeros for _ in names)]
        states = [self._normal(count, config.motion) for _ in names]
        return [self._normal(count, config.steps, config.motion), *states]

    def _normal(self, *shape):
        return keras.random.normal(shape, seed=self.seeds)

    # ---- Rollout --------------------------------------------------------------------------------

    def rollout_model(self) -> tuple[keras.Model, StepSpec]:
        """Return the step from noise and motion state to a frame and the next state."""
        config, states = self.config, _states(self.config)
        specs = _inputs(config)
        inputs = {name: keras.Input(tuple(s.shape), name=name) for name, s in specs.items()}

        code, following = self.cell(inputs["noise"], [inputs[name] for name in states])
        outputs = {f"{n}_next": v for n, v in zip(states, following, strict=True)}
        if self.projection is not None:
            code = self.projection(code)
            outputs["noise_next"] = layers.Identity()(inputs["noise"])
        fixed = [inputs[name] for name in ("content", "category") if name in inputs]
        frame = self.decoder(layers.Concatenate()(_in_order(config, fixed, code)))

        size = Frame(height=config.size, width=config.size, channels=config.channels)
        model = keras.Model(inputs, {"frame": frame, **outputs}, name="mocogan_step")
        return model, StepSpec(frame=size, inputs=specs)


def _inputs(config: Config) -> dict[str, Latent | Choice | State]:
    """Return the meaning of the exported step's inputs."""
    classes, motion_shape = config.categories or [], [config.motion]
    specs: dict[str, Latent | Choice | State] = {
        "content": Latent(shape=[config.content], per="video")
    }
    if classes:
        specs["category"] = Choice(shape=[len(classes)], labels=classes)
    if config.projected:
        # A state that stays as it was drawn: so it is motion's seed that draws it, not content's.
        specs["noise"] = State(shape=motion_shape, draw="normal", next="noise_next")
    else:
        specs["noise"] = Latent(shape=motion_shape, per="frame")
    first: Literal["zeros", "normal"] = "zeros" if config.projected else "normal"
    for name in _states(config):
        specs[name] = State(shape=[config.state_size], draw=first, next=f"{name}_next")
    return specs


def _in_order(config: Config, fixed: list[Tensor], moving: Tensor) -> list[Tensor]:
    """Return the parts of a code as the decoder takes them: content, category and motion."""
    return [moving, *fixed] if config.projected else [*fixed, moving]


def _separate(real_logits: Tensor, generated_logits: Tensor) -> Tensor:
    real = binary_cross_entropy(real_logits, real=True)
    return real + binary_cross_entropy(generated_logits, real=False)
