"""An LSTM that walks through noise space, a DCGAN that draws each frame, a 3-D critic.

The generator is that of the videoGAN project: a layer-normalised LSTM (Ba et al. 2016) begins at z,
its hidden states are drawn by transposed convolutions (Radford et al. 2016). The critic is a 3-D
convolutional network (Vondrick et al. 2016), trained with a gradient penalty (Gulrajani et al.
2017), several times for each step of the generator.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from kvidgan.adversarial import (
    Player,
    apply_gradients,
    gradient_penalty,
    value_and_gradients,
    when,
)
from kvidgan.contract import ClipSpec, Frame, State, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.families.lstm_wgan.config import Config
from kvidgan.families.lstm_wgan.networks import critic, decoder, lstm
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy

Tensor = Any

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
