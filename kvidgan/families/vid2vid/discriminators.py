"""The discriminators of vid2vid (Wang et al. 2018, eq. 2 and 3), and what generators lose."""

from typing import Any, NamedTuple

import keras
from keras import ops

from kvidgan.adversarial import Pass
from kvidgan.families.vid2vid.config import TAPS, Config
from kvidgan.nn.losses import feature_matching, gan_loss
from kvidgan.nn.patches import multi_scale, patch_discriminator
from kvidgan.nn.temporal import at_scale
from kvidgan.nn.warp import long_flow

Tensor = Any
FLOW_UNIT = 20.0  # pixels; flows are shown to discriminators as multiples


class Verdict(NamedTuple):
    """What a generator loses: to a discriminator's scores, and by differing in what it sees."""

    adversarial: Tensor
    features: Tensor


class Judge:
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

    def verdicts(self, real: Tensor, made: list[Tensor]) -> list[Verdict]:
        """Return what the generator loses by each of `made`, to be told apart from `real`."""
        of_real, *of_others = self._seen([ops.stop_gradient(real), *made])
        found = []
        for of_made in of_others:
            features = feature_matching([s[:-1] for s in of_real], [s[:-1] for s in of_made])
            scores = [seen[-1] for seen in of_made]
            found.append(Verdict(gan_loss(self.loss, scores, real=True, generator=True), features))
        return found

    def error(self, real: Tensor, made: list[Tensor]) -> Tensor:
        """Return the discriminator's own loss: of real and of made images, a scalar, half each."""
        of_all = self._seen([ops.stop_gradient(x) for x in (real, *made)])
        losses = [
            gan_loss(self.loss, [scale[-1] for scale in seen], real=number == 0)
            for number, seen in enumerate(of_all)
        ]
        return (losses[0] + sum(losses[1:]) / len(made)) / 2

    def passes(self, size: tuple[int, int], times: int) -> list[Pass]:
        """Return what so many looks at frames of a height and width keep: `VideoGAN.passes`."""
        sizes = [tuple(-(-side // 2**n) for side in size) for n in range(len(self.networks))]
        return [Pass(network, times, s) for network, s in zip(self.networks, sizes, strict=True)]

    def _seen(self, images: list[Tensor]) -> list[list[list[Tensor]]]:
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
        scale: They are 3**scale frames apart.

    Returns:
        (batch, height, width, 3 * channels + 2 * 2).
    """
    apart = 3**scale
    ends = [flows[:, : flows.shape[1] - back * apart] for back in range(TAPS - 1)]
    between = [long_flow(flow, apart) / FLOW_UNIT for flow in ends]
    chosen = at_scale(frames, scale, TAPS)
    return ops.concatenate([chosen[:, tap] for tap in range(TAPS)] + between, axis=-1)
