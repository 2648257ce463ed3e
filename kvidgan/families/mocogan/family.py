"""MoCoGAN: motion and content decomposed (Tulyakov, Liu, Yang, Kautz, CVPR 2018, arXiv 1707.04993).

A content code is drawn once a video; a recurrent cell turns noise into a motion code a frame; a
decoder draws each frame from both. An image discriminator judges single frames, a video
discriminator whole clips, and it learns the videos' categories where there are any.
"""

from typing import Any, Literal

import keras
from keras import layers, ops

from kvidgan.adversarial import Player
from kvidgan.contract import Choice, ClipSpec, Frame, Latent, State, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.families.mocogan.config import Config
from kvidgan.families.mocogan.networks import (
    cell,
    decoder,
    image_discriminator,
    motion,
    projection,
    state_names,
    video_discriminator,
)
from kvidgan.nn.layers import to_signal
from kvidgan.nn.losses import binary_cross_entropy, softmax_cross_entropy

Tensor = Any

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
        config, names = self.config, state_names(self.config)
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
        config, states = self.config, state_names(self.config)
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
    for name in state_names(config):
        specs[name] = State(shape=[config.state_size], draw=first, next=f"{name}_next")
    return specs


def _in_order(config: Config, fixed: list[Tensor], moving: Tensor) -> list[Tensor]:
    """Return the parts of a code as the decoder takes them: content, category and motion."""
    return [moving, *fixed] if config.projected else [*fixed, moving]


def _separate(real_logits: Tensor, generated_logits: Tensor) -> Tensor:
    real = binary_cross_entropy(real_logits, real=True)
    return real + binary_cross_entropy(generated_logits, real=False)
