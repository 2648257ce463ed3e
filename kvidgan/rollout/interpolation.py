"""Interpolation: the latents on the way from one content to another."""

import numpy as np

from kvidgan.errors import UserError
from kvidgan.rollout.rollout import Rollout


def interpolated_latents(rollout: Rollout, count: int, seed: int) -> dict[str, np.ndarray]:
    """Go from one content to another, in equal steps along great circles.

    Args:
        rollout: An opened model.
        count: The number of contents, the two ends included.
        seed: The seed of the first content; the last is that of the next seed.

    Returns:
        The latents for `Rollout.start`, (count, ...) each: what is fixed in a video or, where
        nothing is, its first state.

    Raises:
        UserError: If the model draws neither.
    """
    names = rollout.description.noise.path
    if not names:
        family = rollout.description.family
        raise UserError(f"This {family} model draws no content to interpolate between.")
    shares = np.linspace(0, 1, count)
    ends = {name: (rollout.draw(name, seed), rollout.draw(name, seed + 1)) for name in names}
    return {n: np.stack([slerp(*pair, s) for s in shares]) for n, pair in ends.items()}


def slerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Go a share of the way from a to b along a great circle (Shoemake 1985).

    Between normal draws the straight line is too short: its middle is no likely draw.
    """
    cosine = np.vdot(a, b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - share) * a + share * b
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
