"""An LSTM that walks through noise space, a DCGAN that draws each frame, a 3-D critic.

The generator is that of the videoGAN project: a layer-normalised LSTM (Ba et al. 2016) begins at z,
its hidden states are drawn by transposed convolutions (Radford et al. 2016). The critic is a 3-D
convolutional network (Vondrick et al. 2016), trained with a gradient penalty (Gulrajani et al.
2017), several times for each step of the generator.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import keras
from keras import layers, ops
from pydantic import Field, model_validator

from kvidgan.adversarial import (
    Player,
    apply_gradients,
    gradient_penalty,
    value_and_gradients,
    when,
)
from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import ClipSpec, FamilyConfig, Frame, State, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.nn.convolutions import Conv2DTranspose, Conv3D
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy

Tensor = Any
_ADAM = OptimizerConfig(name="adam", learning_rate=2e-4, beta_1=0.5, beta_2=0.9, clipnorm=5.0)
_SGD = OptimizerConfig(name="sgd", learning_rate=1e-4, momentum=0.99, clipnorm=5.0)

LOSSES = {
    "critic": "What the critic minimizes: the sum of its terms. With wgan_gp it falls at first, "
    "then rises towards 0 as clips get better.",
    "generator": "What decoder and LSTM minimize. It moves up and down with the critic: by itself "
    "it says little.",
    "wasserstein": "What generated clips score minus what real ones do: minus an estimate of their "
    "distance. Towards 0 is better.",
    "penalty": "How far the critic's gradient is from length 1, weighted by lambda.",
    "real": "The critic's cross-entropy on real clips.",
    "generated": "The critic's cross-entropy on generated clips.",
    "l2": "The sum of the critic's squared kernels, weighted.",
    "iteration": "The number of turns that the generator has had: a step updates either side.",
}

SMALL = {"size": 32, "frames": 3, "latent": 3, "decoder_width": 1, "critic_width": 1}

# ---- Config -------------------------------------------------------------------------------------


class Config(FamilyConfig):
    """Options of the LSTM video GAN; where none says otherwise, the defaults are the project's."""

    name: Literal["lstm_wgan"] = "lstm_wgan"
    size: Literal[32, 64, 128] = Field(64, description="Side of the frames, pixels.")
    channels: Literal[1, 3] = Field(1, description="1 grey, 3 RGB.")
    frames: int = Field(20, ge=2, description="Length of the clips trained on, T.")
    latent: int = Field(128, ge=1, description="Dimension of z and of the LSTM's state.")
    feed_back_frame: bool = Field(
        True, description="The LSTM sees the frame drawn before; else it walks by itself."
    )
    input_noise: float = Field(
        0.0, ge=0, description="Sigma of white noise on the frames fed back, in training."
    )
    decoder_width: int = Field(64, ge=1, description="Maps of the decoder's last hidden layer.")
    decoder_biases: bool = Field(
        False, description="Biases before the decoder's layer normalisations, as in the project."
    )
    critic_width: int = Field(64, ge=1, description="Maps of the critic's first layer.")
    critic_dropout: float = Field(0.0, ge=0, lt=1, description="Share dropped; the project: 0.2.")
    critic_dropout_after: Literal["each", "last"] = Field(
        "each", description="Blocks of the critic that dropout follows; the project: last."
    )
    first_weights: Literal["normal", "project"] = Field(
        "normal",
        description="normal: N(0, 0.02), the LSTM's recurrent ones N(0, 0.1); project: all of the "
        "LSTM's N(0, 0.1), the others N(0, 0.02) cut off at two sigma.",
    )
    instance_noise: float = Field(0.0, ge=0, description="Sigma of noise on what the critic sees.")
    loss: Literal["wgan_gp", "basic", "alternative", "minimax", "smoothed"] = Field(
        "wgan_gp",
        description="wgan_gp: Wasserstein with gradient penalty. The project's two others: basic, "
        "-log D(G(z)); alternative, with two logits a clip and both labels smoothed, 0.7 to 1. "
        "minimax: log(1 - D(G(z))), which saturates. smoothed: basic with only the label of real "
        "clips smoothed.",
    )
    penalty: float = Field(200.0, ge=0, description="Weight of the gradient penalty, lambda.")
    critic_l2: float = Field(0.0, ge=0, description="Weight of the critic's squared kernels.")
    critic_steps: int = Field(5, ge=1, description="Critic steps an iteration.")
    critic_batch: Literal["fresh", "shared"] = Field(
        "fresh",
        description="Real clips of a critic step: fresh ones, or those of the iteration's first.",
    )
    generator_steps: int = Field(1, ge=1, description="Generator steps an iteration.")
    warm_up_iterations: int = Field(
        25,
        ge=0,
        description="First iterations of warm_up_steps each: 25 was "
        "meant, 0 is what the project's code does.",
    )
    warm_up_every: int = Field(
        500, ge=0, description="Iterations of warm_up_steps too: 0 and each so many-th; 0: none."
    )
    warm_up_steps: int = Field(100, ge=1, description="Critic steps of a warm-up iteration.")
    critic_threshold: float | None = Field(
        None, description="A critic loss below ends the critic's steps of an iteration."
    )
    generator_threshold: float | None = Field(
        None, description="A generator loss below ends the generator's steps of an iteration."
    )
    gradient_norms: bool = Field(
        False, description="Log gradient norms of each player and loss term; costs time."
    )
    critic_optimizer: OptimizerConfig = Field(_ADAM, description="Optimizer of the critic.")
    decoder_optimizer: OptimizerConfig = Field(_ADAM, description="Optimizer of the decoder.")
    lstm_optimizer: OptimizerConfig = Field(_SGD, description="Optimizer of the LSTM.")

    @model_validator(mode="after")
    def _noise_has_an_input(self) -> "Config":
        if self.input_noise and not self.feed_back_frame:
            raise ValueError(
                f"input_noise: expected 0 without feed_back_frame, found {self.input_noise}; there "
                "is no frame to lay it on"
            )
        return self

    @property
    def blocks(self) -> int:
        """Number of times that 4 pixels are doubled to `size`."""
        return {32: 3, 64: 4, 128: 5}[self.size]

    @property
    def first_dropout(self) -> int:
        """Number of the first block of the critic that dropout may follow."""
        return self.blocks - 1 if self.critic_dropout_after == "last" else 0


# ---- Networks -----------------------------------------------------------------------------------


def lstm(config: Config) -> keras.Model:
    """Return the LSTM's step: [frame (batch, H, W, C),] hidden, cell (batch, latent) to the next.

    gates = LN(hidden U) [+ LN(frame W)] + b, forget bias 1; the new cell is normalised before the
    output's tanh (Ba et al. 2016, eq. 20 to 22).
    """
    hidden = keras.Input((config.latent,), name="hidden")
    memory = keras.Input((config.latent,), name="cell")
    inputs = {"hidden": hidden, "cell": memory}
    gates = layers.LayerNormalization(epsilon=1e-5, name="recurrent_norm")(
        layers.Dense(4 * config.latent, use_bias=False, name="recurrent", **_normal(0.1))(hidden)
    )
    if config.feed_back_frame:
        frame = keras.Input((config.size, config.size, config.channels), name="previous")
        inputs["previous"] = frame
        x = layers.GaussianNoise(config.input_noise)(frame) if config.input_noise else frame
        sigma = 0.1 if config.first_weights == "project" else 0.02
        x = layers.Dense(4 * config.latent, use_bias=False, name="input", **_normal(sigma))(
            layers.Flatten()(x)
        )
        x = layers.LayerNormalization(epsilon=1e-5, name="input_norm")(x)
        gates = layers.Add()([gates, x])
    take, forget, new, show = ops.split(gates, 4, axis=-1)
    kept = ops.sigmoid(forget + 1.0) * memory
    following = kept + ops.sigmoid(take) * ops.tanh(new)
    normed = layers.LayerNormalization(epsilon=1e-5, name="cell_norm")(following)
    outputs = {"hidden": ops.sigmoid(show) * ops.tanh(normed), "cell": following}
    return keras.Model(inputs, outputs, name="lstm")


def decoder(config: Config) -> keras.Model:
    """Return the DCGAN: hidden (batch, latent) to a frame (batch, size, size, channels), -1..1."""
    hidden = keras.Input((config.latent,), name="hidden")
    width = config.decoder_width << (config.blocks - 1)
    x = layers.Reshape((1, 1, config.latent))(hidden)
    biases = config.decoder_biases
    x = _up(config, x, width, strides=1, padding="valid", use_bias=biases)
    for _ in range(config.blocks - 1):
        x, width = _normalized(x), width // 2
        x = _up(config, x, width, use_bias=biases)
    x = _up(config, _normalized(x), config.channels)
    frame = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(hidden, frame, name="decoder")


def critic(config: Config) -> keras.Model:
    """Return the critic: clips (batch, T, size, size, channels) to scores or logits (batch, 1).

    With the loss "alternative" there are two logits, of generated and of real. Nothing in it is
    normalised: the penalty is on single samples.
    """
    clip = keras.Input((config.frames, config.size, config.size, config.channels), name="clip")
    x = layers.GaussianNoise(config.instance_noise)(clip) if config.instance_noise else clip
    for block in range(config.blocks):
        x = Conv3D(config.critic_width << block, 4, 2, padding="same", **_small(config))(x)
        x = layers.LeakyReLU(0.2)(x)
        if config.critic_dropout and block >= config.first_dropout:
            x = layers.Dropout(config.critic_dropout)(x)
    logits = 2 if config.loss == "alternative" else 1
    score = layers.Dense(logits, dtype="float32", **_small(config))(layers.Flatten()(x))
    return keras.Model(clip, score, name="critic")


def _up(config: Config, x: Tensor, maps: int, **options: Any) -> Tensor:
    options = {"strides": 2, "padding": "same", **_small(config), **options}
    return Conv2DTranspose(maps, 4, **options)(x)


def _normalized(x: Tensor) -> Tensor:
    # One group: all of a sample's values, with a gain and a bias a map.
    return layers.ReLU()(layers.GroupNormalization(groups=1, epsilon=1e-5)(x))


def _normal(sigma: float) -> dict[str, Any]:
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=sigma)}


def _small(config: Config) -> dict[str, Any]:
    if config.first_weights == "normal":
        return _normal(0.02)
    return {"kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.02)}


# ---- Step ---------------------------------------------------------------------------------------

CRITIC, GENERATOR = 0, 1  # whose turn it is
WASSERSTEIN, CROSS_ENTROPY = ("wasserstein", "penalty"), ("real", "generated")


class Family(FamilyModel):
    """The networks, three players, and whose turn it is.

    A step of training is one update of the critic or of the generator; an iteration is the critic's
    turn, of several steps, and then the generator's. The losses of the side whose turn it is not
    are those of its last step.
    """

    def __init__(self, config: Config, seed: int = 0):
        super().__init__()
        self.config = config
        self.seeds = keras.random.SeedGenerator(seed)
        self.lstm, self.decoder, self.critic = lstm(config), decoder(config), critic(config)
        optimizers = config.critic_optimizer, config.decoder_optimizer, config.lstm_optimizer
        critic_optimizer, decoder_optimizer, lstm_optimizer = (one.build() for one in optimizers)
        self.players = {
            "critic": Player(critic_optimizer, self.critic.trainable_variables),
            "decoder": Player(decoder_optimizer, self.decoder.trainable_variables, generates=True),
            "lstm": Player(lstm_optimizer, self.lstm.trainable_variables, generates=True),
        }
        self.iteration, self.turn, self.steps_of_turn = (
            self._number(name, "int32") for name in ("iteration", "turn", "steps_of_turn")
        )
        self.held: Any = None  # see `allocate`
        terms = [*_terms(config), *(["l2"] if config.critic_l2 else [])]
        self.last = {
            "critic": self._last("critic", terms, ["critic"]),
            "generator": self._last("generator", [], ["decoder", "lstm"]),
        }

    def _number(self, name, dtype="float32"):
        return self.add_weight((), "zeros", dtype, trainable=False, name=name)

    def _last(self, side, terms, players):
        """Return a variable for each scalar that a side's step is logged with."""
        norms = [f"norm_{n}" for n in (*players, *terms)] if self.config.gradient_norms else []
        return {name: self._number(f"last_{name}") for name in (side, *terms, *norms)}

    def allocate(self, batch: int) -> None:
        """Make room for the real clips that the critic's steps of an iteration share."""
        config = self.config
        if config.critic_batch == "shared":
            shape = (batch, config.frames, config.size, config.size, config.channels)
            self.held = self.add_weight(shape, "zeros", "uint8", trainable=False, name="held")

    def clips(self) -> dict[str, ClipSpec]:
        """Return a batch's one entry, clips; on the generator's turn they are not looked at."""
        config = self.config
        video = ClipSpec(
            num_frames=config.frames,
            height=config.size,
            width=config.size,
            channels=config.channels,
        )
        return {"video": video}

    def adversarial_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take the step of the side whose turn it is; return both sides' last losses."""
        real, turn = to_signal(self._real(batch["video"])), self.is_turn(GENERATOR)
        critic = self._when("critic", self.is_turn(CRITIC), lambda: self._critic_step(real))
        count = ops.shape(real)[0]
        generator = self._when("generator", turn, lambda: self._generator_step(count))
        self._pass_on(turn, critic["critic"], generator["generator"])
        return critic | generator | {"iteration": ops.cast(self.iteration.value, "float32")}

    def _real(self, clips):
        """Return the clips of the critic's step: those of the batch, or of the turn's first."""
        if self.config.critic_batch == "fresh":
            return clips
        if self.held is None:
            raise ValueError("Expected allocate(batch) before compile, for the clips to be shared.")
        self.held.assign(ops.where(self.steps_of_turn.value == 0, clips, self.held.value))
        return self.held.value

    def _when(self, side, condition, step):
        last = self.last[side]
        found = when(condition, step, {name: v.value for name, v in last.items()})
        for name, variable in last.items():
            variable.assign(found[name])
        return found

    def _pass_on(self, turn, critic_loss, generator_loss):
        """Count the step; give the turn to the other side when this one has had enough."""
        config, iteration = self.config, self.iteration.value

        # How many steps this turn has: more of the critic while it warms up.
        warm = iteration < config.warm_up_iterations
        if config.warm_up_every:
            warm = ops.logical_or(warm, iteration % config.warm_up_every == 0)
        critics = ops.where(warm, config.warm_up_steps, config.critic_steps)

        # It ends when they are done, or when the side's loss is below its threshold.
        steps = self.steps_of_turn.value + 1
        done = steps >= ops.where(turn, config.generator_steps, critics)
        if config.critic_threshold is not None:
            below = critic_loss < config.critic_threshold
            done = ops.logical_or(done, ops.logical_and(ops.logical_not(turn), below))
        if config.generator_threshold is not None:
            below = generator_loss < config.generator_threshold
            done = ops.logical_or(done, ops.logical_and(turn, below))

        self.iteration.assign_add(ops.cast(ops.logical_and(done, turn), "int32"))
        self.turn.assign(ops.cast(ops.logical_xor(turn, done), "int32"))
        self.steps_of_turn.assign(ops.where(done, 0, steps))

    def _critic_step(self, real):
        count = ops.shape(real)[0]
        generated = ops.stop_gradient(self._generate(count))
        chances = [
            keras.random.uniform((count,), seed=self.seeds)
            for _ in range(2 if self.config.loss == "alternative" else 1)
        ]
        return self._update(
            "critic", lambda: self._critic_terms(real, generated, *chances), ["critic"]
        )

    def _generator_step(self, count):
        z = self._z(count)
        return self._update(
            "generator", lambda: {"adv": self._generator_loss(z)}, ["decoder", "lstm"]
        )

    def _update(self, side, terms, names):
        """Take one step of some players on a sum of terms; return what is logged of it."""
        players = [self.players[name] for name in names]
        variables = [v for player in players for v in player.variables]
        (loss, found), gradients = value_and_gradients(lambda: _summed(terms()), variables)
        found = found if len(found) > 1 else {}
        logged = {side: loss} | found
        if self.config.gradient_norms:
            for name in found:
                _, alone = value_and_gradients(partial(_one, terms, name), variables)
                logged[f"norm_{name}"] = _norm(alone)
            first = 0
            for name, player in zip(names, players, strict=True):
                last = first + len(player.variables)
                logged[f"norm_{name}"], first = _norm(gradients[first:last]), last
        apply_gradients(gradients, *players)
        return logged

    def _critic_terms(self, real, generated, mix, other=None) -> dict[str, Tensor]:
        """Return the critic's weighted terms.

        `mix`, (batch,) in [0, 1), mixes samples for the penalty, or smooths real labels; `other`
        smooths those of generated clips.
        """
        config = self.config
        score = lambda clip: self.critic(clip, training=True)  # noqa: E731
        of_real, of_generated = score(real), score(generated)  # (batch, 1 or 2) each
        if config.loss == "wgan_gp":
            penalty = gradient_penalty(score, real, generated, mix)
            parts = [ops.mean(of_generated) - ops.mean(of_real), config.penalty * penalty]
        elif config.loss == "alternative":
            parts = [_two_logits(of_real, mix, 1), _two_logits(of_generated, other, 0)]
        else:
            label = 1.0 - 0.3 * mix[:, None] if config.loss == "smoothed" else 1.0
            wrong = binary_cross_entropy(of_generated, real=False)
            parts = [_cross_entropy(of_real, label), wrong]
        terms = dict(zip(_terms(config), parts, strict=True))
        if config.critic_l2:
            kernels = [v for v in self.critic.trainable_variables if len(v.shape) > 1]
            terms["l2"] = config.critic_l2 * sum(ops.sum(v.value**2) for v in kernels)
        return terms

    def _generator_loss(self, z):
        score = self.critic(self._walk(z), training=True)
        if self.config.loss == "wgan_gp":
            return -ops.mean(score)
        if self.config.loss == "minimax":
            return -binary_cross_entropy(score, real=False)
        return binary_cross_entropy(score, real=True)  # of both logits, where there are two

    def _generate(self, count):
        return self._walk(self._z(count))

    def _z(self, count):
        return keras.random.uniform((count, self.config.latent), -1.0, 1.0, seed=self.seeds)

    def _walk(self, z):
        """Return clips (batch, T, size, size, channels) that begin at z (batch, latent)."""
        config = self.config
        state, hidden, frames = {"hidden": z, "cell": z}, [], []
        shape = (ops.shape(z)[0], config.size, config.size, config.channels)
        previous = ops.zeros(shape)
        for _ in range(config.frames):
            fed_back = {"previous": previous} if config.feed_back_frame else {}
            state = self.lstm(state | fed_back, training=True)  # (batch, latent) each
            hidden.append(state["hidden"])
            if config.feed_back_frame:
                previous = self.decoder(state["hidden"], training=True)  # (batch, H, W, C)
                frames.append(previous)
        if frames:
            return ops.stack(frames, axis=1)

        # Without feedback the walk is known first, and all frames are drawn as one batch.
        flat = ops.reshape(ops.stack(hidden, axis=1), (-1, config.latent))
        return ops.reshape(self.decoder(flat, training=True), (-1, config.frames, *shape[1:]))

    # ---- Rollout --------------------------------------------------------------------------------

    def rollout_model(self) -> tuple[keras.Model, StepSpec]:
        """Return the step from the LSTM's state to a frame and the next state."""
        config = self.config
        specs = {
            "hidden": State(shape=[config.latent], draw="uniform", next="hidden_next"),
            "cell": State(
                shape=[config.latent], draw="uniform", same_as="hidden", next="cell_next"
            ),
        }
        if config.feed_back_frame:
            shape = [config.size, config.size, config.channels]
            specs["previous"] = State(shape=shape, next="frame")
        inputs = {name: keras.Input(spec.shape, name=name) for name, spec in specs.items()}

        following = self.lstm(inputs)
        frame = self.decoder(following["hidden"])
        outputs = {"frame": frame, **{f"{name}_next": v for name, v in following.items()}}

        size = Frame(height=config.size, width=config.size, channels=config.channels)
        model = keras.Model(inputs, outputs, name="lstm_wgan_step")
        return model, StepSpec(frame=size, inputs=specs)


def _terms(config: Config) -> tuple[str, ...]:
    """Return the names of the critic's terms; the generator's loss has one."""
    return WASSERSTEIN if config.loss == "wgan_gp" else CROSS_ENTROPY


def _cross_entropy(logits: Tensor, label: Tensor | float) -> Tensor:
    """Return the mean cross-entropy of logits against labels from 0 to 1."""
    return ops.mean(ops.softplus(-logits) + (1.0 - label) * logits)


def _two_logits(logits: Tensor, chance: Tensor, kind: int) -> Tensor:
    """Compare (batch, 2) logits with 0.7 to 1 for the kind that clips are of, and 0."""
    label = ops.one_hot([kind], 2) * (1.0 - 0.3 * chance[:, None])  # (batch, 2)
    return _cross_entropy(logits, label)


def _summed(terms: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    return sum(terms.values()), terms


def _one(terms: Callable[[], dict[str, Tensor]], name: str) -> Tensor:
    return terms()[name]


def _norm(gradients: list[Tensor]) -> Tensor:
    return ops.sqrt(sum(ops.sum(gradient**2) for gradient in gradients))
