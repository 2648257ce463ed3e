"""Video-to-video synthesis: label maps to video (Wang et al., NeurIPS 2018).

The generator draws the next frame from a window of label maps and its own past: an image, a flow
that warps the past frame, and a mask that chooses between the two. Discriminators see single
frames with their labels, and frames 1, 3 and 9 apart with the flow between them.
"""

from typing import Any

import keras
from keras import ops

from kvidgan.adversarial import Player, apply_gradients, value_and_gradients, when
from kvidgan.contract import ClipSpec, Condition, Encoding, Frame, History, Looks, StepSpec
from kvidgan.families import FamilyModel
from kvidgan.families.vid2vid.config import TAPS, Config
from kvidgan.families.vid2vid.discriminators import (
    AdversarialTerms,
    DiscriminatorGroup,
    frames_apart,
)
from kvidgan.families.vid2vid.features import REMEMBERED, clusters, encoder, over_objects, remember
from kvidgan.families.vid2vid.generator import generator, past_name
from kvidgan.families.vid2vid.losses import Window, as_judged, motion_terms
from kvidgan.nn.layers import instance_edges, one_hot_labels, to_signal
from kvidgan.nn.patches import halved
from kvidgan.nn.perceptual import perceptual_loss, perceptual_network
from kvidgan.nn.temporal import span

Tensor = Any


SMALL = {
    "size": [64, 64],
    "instance_edges": False,
    "foreground_labels": [],
    "generator_width": 4,
    "foreground_width": 2,
    "foreground_blocks": 1,
    "encoder_width": 2,
    "down": 1,
    "blocks": 2,
    "fine_blocks": 1,
    "discriminator_width": 2,
    "discriminator_layers": 1,
    "discriminator_scales": 1,
    "perceptual": "none",
}


class Family(FamilyModel):
    """The networks, their players, and one step: the next frames of a sequence.

    Batches come in runs that go on with the same clips; the generated frames are kept from
    step to step. Before a run's first frame stand the real ones.
    """

    def __init__(self, config: Config, seed: int = 0):
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.encoder = encoder(config) if config.features else None
        self.image_group = DiscriminatorGroup(config, config.classes + config.channels, "image")
        channels = TAPS * config.channels + (TAPS - 1) * 2
        self.video_groups = [
            DiscriminatorGroup(config, channels, f"video{scale}")
            for scale in range(config.num_temporal_scales)
        ]
        # As attributes of their own, since Keras finds networks in attributes and lists only.
        self.image_discriminators = self.image_group.networks
        self.video_discriminators = [n for group in self.video_groups for n in group.networks]
        self.perceptual = (
            None if config.perceptual == "none" else perceptual_network(config.perceptual)
        )
        self.players = self._players()
        # Named by the scales: a run of more scales begins to count anew.
        self.steps = self.add_weight(
            (), "zeros", "int32", trainable=False, name=f"steps_at_{config.scales}_scales"
        )
        self.last_video_losses = [
            self.add_weight((), "zeros", trainable=False, name=f"last_video_loss_{3**scale}")
            for scale in range(config.num_temporal_scales)
        ]
        self.past: Any = None  # see `allocate`
        self.coarse_pasts: list[Any] = []
        self.memory: Any = None
        if config.features:
            shape = (len(config.labels or []), REMEMBERED, config.features + 1)
            self.memory = self.add_weight(shape, "zeros", trainable=False, name="remembered_looks")

    def _players(self) -> dict[str, Player]:
        config = self.config
        finest = f"scale{config.scales - 1}"
        own: dict[bool, list[keras.Variable]] = {True: [], False: []}
        for variable in self.generator.trainable_variables:
            own[variable.path.startswith(finest)].append(variable)
        if self.encoder is not None:
            own[True] += self.encoder.trainable_variables
        optimizer, opponent = config.generator_optimizer.build, config.discriminator_optimizer.build
        players = {
            "generator": Player(optimizer(), own[True], generates=True),
            "image_discriminator": Player(opponent(), self.image_group.variables),
        }
        if own[False]:
            players["coarse_generators"] = Player(optimizer(), own[False], generates=True)
        for scale, group in enumerate(self.video_groups):
            players[_video_player(scale)] = Player(opponent(), group.variables)
        return players

    def allocate(self, batch: int) -> None:
        """Make room for the frames that a step begins with."""
        config = self.config
        shape = (batch, config.kept, *config.size, config.channels)
        self.past = self.add_weight(shape, "zeros", trainable=False, name="past")
        self.coarse_pasts = []
        for scale in range(config.scales - 1 if config.flow else 0):
            height, width = (side >> (config.scales - 1 - scale) for side in config.size)
            shape = (batch, config.past, height, width, config.channels)
            name = past_name(config, scale)
            self.coarse_pasts.append(self.add_weight(shape, "zeros", trainable=False, name=name))

    def clips(self) -> dict[str, ClipSpec]:
        """Return a batch's one entry: windows of frames before those to be generated, and those."""
        config = self.config
        height, width = config.size
        video = ClipSpec(
            num_frames=config.kept + config.backprop_frames,
            height=height,
            width=width,
            channels=config.channels,
            maps=config.maps,
            flip=config.flip,
            sequence=-(-config.sequence // config.backprop_frames),
            first_sequence=-(-config.first_sequence // config.backprop_frames),
            grow_every=config.grow_every,
            advance=config.backprop_frames,
            position=True,
        )
        return {"video": video}

    # ---- Step -----------------------------------------------------------------------------------

    def adversarial_step(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Generate the next frames, then update generators and discriminators; return losses."""
        window, kept = self._window(batch), self.config.kept

        # A run begins with real frames and goes on with its own.
        begins = ops.reshape(window["position"], (-1, 1, 1, 1, 1)) == 0
        real = window["frames"][:, :kept]
        past = ops.where(begins, real, self.past.value)  # (b, kept, h, w, c)
        coarse = [
            ops.where(begins, first, own.value)  # (b, L, h', w', c)
            for first, own in zip(self._shrunk(real), self.coarse_pasts, strict=True)
        ]

        generated, raw, coarse, losses = self._step_generators(window, past, coarse)
        losses |= self._step_discriminators(window, generated, raw)
        self.past.assign(generated[:, -kept:])
        for own, frames in zip(self.coarse_pasts, coarse, strict=True):
            own.assign(frames)
        return losses

    def _shrunk(self, frames: Tensor) -> list[Tensor]:
        """Return the last frames as the coarser scales begin with them, the coarsest first."""
        shrunk: list[Tensor] = []
        images = _flat(frames[:, -self.config.past :])
        for _ in self.coarse_pasts:
            images = halved(images)
            shape = (-1, self.config.past, *images.shape[1:])
            shrunk.insert(0, ops.reshape(images, shape))
        return shrunk

    def _window(self, batch: dict[str, Tensor]) -> Window:
        """Return a batch as the networks take it; T is kept + backprop_frames."""
        config = self.config

        # Label maps (b, T', h, w, classes); of those before the new frames G sees `past`.
        first = config.kept - config.past
        labels = one_hot_labels(batch["video_labels"][:, first:], len(config.labels or []))
        if config.instance_edges:
            ids = batch["video_instances"][:, first:]  # (b, T', h, w)
            times = [instance_edges(ids[:, time]) for time in range(ids.shape[1])]
            labels = ops.concatenate([labels, ops.stack(times, axis=1)], axis=-1)

        # Objects of the new frames, whose looks are averaged: (b, backprop_frames, h, w).
        objects = {}
        if config.features:
            objects["classes"] = self._new(batch["video_labels"])
            objects["instances"] = self._new(batch["video_instances"])
        confidence = ops.cast(batch["video_confidence"], "float32")[..., None]

        # Pixels of no class have no loss, and no flow to be trusted: (b, T, h, w, 1).
        judged = {}
        if config.has_unlabelled:
            classes = ops.cast(batch["video_labels"], "int32")
            judged["judged"] = (classes < len(config.labels or []))[..., None]
            confidence = ops.where(judged["judged"], confidence, 0.0)
        return {
            **objects,
            **judged,
            "frames": to_signal(batch["video"]),  # (b, T, h, w, c) in [-1, 1]
            "labels": labels,
            "flow": ops.cast(batch["video_flow"], "float32"),  # (b, T, h, w, 2), pixels
            "confidence": confidence,
            "position": ops.cast(batch["video_position"], "int32"),
        }

    def _step_generators(self, window: Window, past: Tensor, coarse: list[Tensor]):
        players = [player for player in self.players.values() if player.generates]
        variables = [v for player in players for v in player.variables]

        def loss_fn():
            looks, objects = self._looks(window)
            outputs, generated, following = self._generate({**window, **looks}, past, coarse)
            terms = self._generator_terms(window, outputs, generated)
            raw = ops.stack([one.get("raw", one["frame"]) for one in outputs], axis=1)
            return sum(terms.values()), (generated, raw, following, terms, objects)

        (loss, (generated, raw, following, terms, objects)), gradients = value_and_gradients(
            loss_fn, variables
        )
        self._apply(gradients, players)
        for found in objects:
            self.memory.assign(remember(self.memory.value, found, self.steps.value))
        return generated, raw, following, {"generator": loss, **terms}

    def _apply(self, gradients, players):
        """Step the finest generator, and the coarser ones once their time has come."""
        finest, *coarse = players
        count = len(finest.variables)
        apply_gradients(gradients[:count], finest)
        self.steps.assign_add(1)

        def step_coarse():
            apply_gradients(gradients[count:], *coarse)
            return self.steps.value

        if coarse:
            learns = self.steps.value > self.config.fix_coarse_steps
            when(learns, step_coarse, self.steps.value)

    def _step_discriminators(
        self, window: Window, generated: Tensor, raw: Tensor
    ) -> dict[str, Tensor]:
        images = self._image_inputs(window, generated, raw)
        image = self.minimize(lambda: self.image_group.loss_of(*images), "image_discriminator")
        if not self.video_groups:
            return {"image_discriminator": image}
        videos = [
            self._step_video_discriminator(scale, window, generated)
            for scale in range(len(self.video_groups))
        ]
        return {"image_discriminator": image, "video_discriminator": sum(videos)}

    def _step_video_discriminator(self, scale: int, window: Window, generated: Tensor) -> Tensor:
        """Update the discriminators of a temporal scale unless they wait; return their loss."""
        group, last = self.video_groups[scale], self.last_video_losses[scale]

        def step():
            real, own = self._video_inputs(window, generated, scale)
            return self.minimize(lambda: group.loss_of(real, [own]), _video_player(scale))

        last.assign(when(self._judges(window, scale), step, last.value))
        return last.value

    def _judges(self, window: Window, scale: int) -> Tensor | bool:
        """Return whether all the frames that a temporal scale sees are generated ones."""
        if not self.config.wait_for_generated:
            return True
        generated = (ops.min(window["position"]) + 1) * self.config.backprop_frames
        return generated >= span(scale, TAPS)

    # ---- Generating -----------------------------------------------------------------------------

    def _looks(self, window: Window) -> tuple[Window, list[Tensor]]:
        """Return how the new real frames' objects look, (batch, time, height, width, features).

        And what `over_objects` tells of the objects of the last, in a list; nothing of both without
        an encoder.
        """
        if self.encoder is None:
            return {}, []
        real, classes = self._new(window["frames"]), len(self.config.labels or [])
        shape = (self.past.shape[0], *self.config.size, self.config.features)
        found = [
            over_objects(
                ops.reshape(self.encoder(real[:, time], training=True), shape),
                window["classes"][:, time],
                window["instances"][:, time],
                classes,
            )
            for time in range(self.config.backprop_frames)
        ]
        painted = ops.stack([one for one, _ in found], axis=1)
        return {"looks": painted}, [ops.stop_gradient(found[-1][1])]

    def _generate(
        self, window: Window, past: Tensor, coarse: list[Tensor]
    ) -> tuple[list[dict[str, Tensor]], Tensor, list[Tensor]]:
        """Make the window's new frames one after another, each from those before.

        Returns:
            What the generator gave for each, past and generated frames in one tensor (batch, time,
            height, width, channels), and what the coarser scales go on with.
        """
        config, outputs, frames = self.config, [], past
        names = [past_name(config, scale) for scale in range(len(coarse))]
        for number in range(config.backprop_frames):
            inputs = {"labels": window["labels"][:, number : number + config.past + 1]}
            if config.features:
                inputs["looks"] = window["looks"][:, number : number + 1]
            if config.flow:
                pasts = {"past": frames[:, -config.past :], **dict(zip(names, coarse, strict=True))}
                inputs |= {k: self._seen_past(window, v, number) for k, v in pasts.items()}
            output = self.generator(inputs, training=True)
            outputs.append(as_judged(config, window, output, number))
            new = outputs[-1]["frame"][:, None]  # (b, 1, h, w, c)
            frames = ops.concatenate([frames, new], axis=1)
            coarse = [outputs[-1][f"{name}_next"] for name in names]
        return outputs, frames, coarse

    def _seen_past(self, window: Window, past: Tensor, number: int) -> Tensor:
        """Hide what came before a run's first frame from a generator that is to begin by itself."""
        config = self.config
        if config.first_frame == "real":
            return past
        generated = window["position"] * config.backprop_frames + number
        ago = ops.arange(config.past, 0, -1)
        there = ops.cast(ago[None] <= generated[:, None], "float32")  # (batch, L)
        return past * there[:, :, None, None, None]

    # ---- Losses ---------------------------------------------------------------------------------

    def _generator_terms(
        self, window: Window, outputs: list[dict[str, Tensor]], generated: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the generators' loss, weighted; each is a mean over new frames."""
        config, real = self.config, self._new(window["frames"])
        raw = ops.stack([one.get("raw", one["frame"]) for one in outputs], axis=1)
        images = self.image_group.generator_terms(*self._image_inputs(window, generated, raw))
        found = {"image": images}
        if self.video_groups:
            scales = range(len(self.video_groups))
            found["video"] = [self._video_terms(window, generated, scale) for scale in scales]
        terms = {f"adv_{name}": sum(t.adversarial for t in one) for name, one in found.items()}
        terms |= {f"features_{name}": sum(t.features for t in one) for name, one in found.items()}
        if self.perceptual is not None:
            terms["perceptual"] = perceptual_loss(
                self.perceptual, _flat(real), _flat(self._new(generated))
            )
            if config.flow:
                terms["perceptual_raw"] = perceptual_loss(self.perceptual, _flat(real), _flat(raw))
        if config.flow:
            terms |= motion_terms(config, window, outputs, generated)
        return {name: getattr(config, f"{name}_weight") * term for name, term in terms.items()}

    def _video_terms(self, window: Window, generated: Tensor, scale: int) -> AdversarialTerms:
        """Return what the generators lose to a temporal scale: nothing while it waits."""

        def terms():
            real, own = self._video_inputs(window, generated, scale)
            return tuple(self.video_groups[scale].generator_terms(real, [own])[0])

        silent = (ops.zeros(()), ops.zeros(()))
        return AdversarialTerms(*when(self._judges(window, scale), terms, silent))

    def _image_inputs(self, window, generated, raw) -> tuple[Tensor, list[Tensor]]:
        """Return new frames with their labels: the real ones, and the composed and raw ones."""
        labels = window["labels"][:, self.config.past :]
        images = [
            self._new(window["frames"]),
            self._new(generated),
            *([raw] if self.config.flow else []),
        ]
        real, *others = [_flat(ops.concatenate([labels, image], axis=-1)) for image in images]
        return real, others

    def _video_inputs(self, window, generated, scale: int) -> tuple[Tensor, Tensor]:
        """Return what a temporal scale sees at the last frame, real and generated."""
        real, own = (
            frames_apart(frames, window["flow"], scale) for frames in (window["frames"], generated)
        )
        return real, own

    def _new(self, x: Tensor) -> Tensor:
        return x[:, self.config.kept :]

    # ---- Rollout --------------------------------------------------------------------------------

    def rollout_model(self) -> tuple[keras.Model, StepSpec]:
        """Return the generator: a step from label maps and past frames to a frame."""
        config, names = self.config, self.config.labels or []
        encoding = Encoding(
            one_hot=len(names),
            names=config.labels,
            found=config.labels_from or "ids",
            values=config.label_values,
            instance_edges=config.instance_edges,
        )
        inputs: dict[str, Condition | History] = {
            "labels": Condition(frames=config.past + 1, encoding=encoding)
        }
        if config.features:
            vectors = clusters(ops.convert_to_numpy(self.memory), config.looks)
            looks = Looks(features=config.features, names=names, vectors=vectors)
            inputs["looks"] = Condition(frames=1, looks=looks)
        if config.flow:
            may_be_empty = config.first_frame == "drawn"
            for scale in reversed(range(config.scales)):
                name, halvings = past_name(config, scale), config.scales - 1 - scale
                inputs[name] = History(
                    frames=config.past,
                    halvings=halvings,
                    may_be_empty=may_be_empty,
                    next=f"{name}_next" if halvings else None,
                )
        frame = Frame(
            height=None,
            width=None,
            channels=config.channels,
            multiple_of=config.multiple_of,
            trained=config.size,
        )
        extras = {"mask": "mask", "flow": "flow", "raw": "image"} if config.flow else {}
        return self.generator, StepSpec(frame=frame, inputs=inputs, extra_outputs=extras)


def _video_player(scale: int) -> str:
    return f"video_discriminator_{3**scale}"


def _flat(x: Tensor) -> Tensor:
    """Turn (batch, time, ...) into (batch * time, ...)."""
    return ops.reshape(x, (-1, *x.shape[2:]))
