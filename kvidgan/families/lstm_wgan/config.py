"""Options of the LSTM video GAN."""

from typing import Literal

from pydantic import Field, model_validator

from kvidgan.adversarial.optimizers import OptimizerConfig
from kvidgan.contract import FamilyConfig

_ADAM = OptimizerConfig(name="adam", learning_rate=2e-4, beta_1=0.5, beta_2=0.9, clipnorm=5.0)
_SGD = OptimizerConfig(name="sgd", learning_rate=1e-4, momentum=0.99, clipnorm=5.0)


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
