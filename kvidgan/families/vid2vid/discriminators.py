"""Discriminators of vid2vid, of single frames and of several (Wang et al. 2018, eq. 2 and 3)."""

from typing import Any, NamedTuple

import keras
from keras import ops

from kvidgan.families.vid2vid.config import TAPS, Config
from kvidgan.nn.losses import feature_matching, gan_loss
from kvidgan.nn.patches import multi_scale, patch_discriminator
from kvidgan.nn.temporal import at_scale
from kvidgan.nn.warp import long_flow

Tensor = Any
FLOW_UNIT = 20.0  # pixels; flows are shown to discriminators as multiples


class AdversarialTerms(NamedTuple):
    """What a generator loses: to a discriminator's scores, and by differing in what it sees."""

    adversarial: Tensor
    features: Tensor


class DiscriminatorGroup:
    """One discriminator at several sizes, of single frames or of several.

    Attributes:
        networks: One a size, the finest first.
    """

    def __init__(self, config: Config, channels: int, name: str):
        self.loss, self.norm = config.loss, config.norm
        self.networks = [
            patch_discriminator(
                channels,
                config.discriminator_width,
                config.discriminator_layers,
                config.norm,
                f"{name}_{size}",
            )
            for size in range(config.discriminator_scales)
        ]

    def generator_terms(self, real: Tensor, generated: list[Tensor]) -> list[AdversarialTerms]:
        """Return what the generator loses by each of `generated`, to be told apart from `real`."""
        of_real, *of_others = self._outputs([ops.stop_gradient(real), *generated])
        found = []
        for of_generated in of_others:
            features = feature_matching([s[:-1] for s in of_real], [s[:-1] for s in of_generated])
            scores = [seen[-1] for seen in of_generated]
            found.append(
                AdversarialTerms(gan_loss(self.loss, scores, real=True, generator=True), features)
            )
        return found

    def loss_of(self, real: Tensor, generated: list[Tensor]) -> Tensor:
        """Return the discriminator's own loss: of each pair of real and generated, their mean."""
        of_all = self._outputs([ops.stop_gradient(x) for x in (real, *generated)])
        of_real, *of_others = [
            gan_loss(self.loss, [scale[-1] for scale in seen], real=number == 0)
            for number, seen in enumerate(of_all)
        ]
        return sum((of_real + one) / 2 for one in of_others)

    def _outputs(self, images: list[Tensor]) -> list[list[list[Tensor]]]:
        """Return what the networks see of each image: by scale, the outputs of all layers.

        In one go where images do not share statistics: backends without a compiler take almost as
        long for each call of a network.
        """
        if self.norm == "batch":
            return [multi_scale(self.networks, x, training=True) for x in images]
        together = multi_scale(self.networks, ops.concatenate(images, axis=0), training=True)
        split = [[ops.split(x, len(images), axis=0) for x in scale] for scale in together]
        return [[[x[n] for x in scale] for scale in split] for n in range(len(images))]

    @property
    def variables(self) -> list[keras.Variable]:
        """All that may be trained."""
        return [v for network in self.networks for v in network.trainable_variables]


def frames_apart(frames: Tensor, flows: Tensor, scale: int) -> Tensor:
    """Return what a video discriminator sees of the last frames: three, and the flows between.

    Args:
        frames: (batch, time, height, width, channels).
        flows: (batch, time, height, width, 2), pixels: of each frame to the one before.
        scale: Temporal scale: the frames are 3**scale apart.

    Returns:
        (batch, height, width, 3 * channels + 2 * 2), frames and flows from the earliest to the
        last; flows in units of 20 pixels.
    """
    apart = 3**scale
    ends = [flows[:, : flows.shape[1] - back * apart] for back in reversed(range(TAPS - 1))]
    between = [long_flow(flow, apart) / FLOW_UNIT for flow in ends]
    chosen = at_scale(frames, scale, TAPS)
    return ops.concatenate([chosen[:, tap] for tap in range(TAPS)] + between, axis=-1)
