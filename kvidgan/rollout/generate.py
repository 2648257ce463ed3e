"""Arrange what a generator can vary: content, motion, category, the path between two contents."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import grid
from kvidgan.rollout.description import Choice, Condition, Description, History, Latent, State
from kvidgan.rollout.rollout import Rollout

Arrangement = Literal["plain", "content-motion", "interpolate"]


def generate(
    rollout: Rollout,
    count: int,
    frames: int,
    *,
    seed: int = 0,
    arrangement: Arrangement = "plain",
    category: str | None = None,
) -> Iterator[np.ndarray]:
    """Play videos side by side.

    Args:
        rollout: An opened model that starts from noise.
        count: "plain": how many different videos. "content-motion": how many contents, one a row,
            and how many motions, one a column. "interpolate": how many contents on the way from
            one to another, all with the same motion.
        frames: How many frames; may exceed the length trained on.
        seed: The same seed gives the same frames.
        arrangement: See `count`.
        category: A label for all videos; drawn from the seed if None.

    Yields:
        uint8 (height, width, channels), one picture of all videos a frame.

    Raises:
        UserError: If the model has nothing of what is asked for.
    """
    check_noise(rollout.description)
    plan, columns = _plan(rollout, count, seed, arrangement)
    choices = _choices(rollout, category)
    for step in islice(rollout.start(choices=choices, **plan), frames):
        yield grid(step.frames[:, None], columns=columns)[0]


def check_noise(description: Description) -> None:
    """Raise UserError for a model that begins from something else than noise."""
    for role, does, what in (
        (Condition, "follows label maps", "LABELS"),
        (History, "goes on with a clip", "CLIP"),
    ):
        if description.named(role):
            raise UserError(
                f"This {description.family} model {does} instead of beginning from noise: "
                f"kvidgan predict MODEL {what} -o out.mp4."
            )


def _plan(rollout, count, seed, arrangement) -> tuple[dict[str, Any], int | None]:
    if arrangement == "plain":
        return {"videos": count, "seed": seed}, None
    seeds = range(seed, seed + count)
    if arrangement == "content-motion":
        _check_content(rollout.description)
        content = [row for row in seeds for _ in seeds]
        motion = [column for _ in seeds for column in seeds]
        return {"videos": count**2, "content_seeds": content, "motion_seeds": motion}, count
    plan = {
        "videos": count,
        "content_seeds": [seed] * count,
        "motion_seeds": [seed] * count,
        "latents": between(rollout, count, seed),
    }
    return plan, count


def _check_content(description):
    specs = description.inputs.values()
    if not any(
        isinstance(s, Choice) or (isinstance(s, Latent) and s.per == "video") for s in specs
    ):
        raise UserError(
            f"This {description.family} model draws no content apart from its motion; leave out "
            "--grid."
        )


def between(rollout: Rollout, count: int, seed: int) -> dict[str, np.ndarray]:
    """Go from one content to another, in equal steps.

    Args:
        rollout: An opened model.
        count: How many contents, the two ends included.
        seed: Of the first content; the last is that of the next seed.

    Returns:
        `Rollout.start`'s latents: what is fixed in a video or, where nothing is, its first state,
        (count, ...).

    Raises:
        UserError: If the model draws neither.
    """
    description = rollout.description
    fixed = {n: s for n, s in description.named(Latent).items() if s.per == "video"}
    states = description.named(State)
    fixed = fixed or {
        name: spec for name, spec in states.items() if spec.draw != "zeros" and spec.same_as is None
    }
    if not fixed:
        raise UserError(f"This {description.family} model draws no content to interpolate between.")
    shares = np.linspace(0, 1, count)
    ends = {name: (rollout.draw(name, seed), rollout.draw(name, seed + 1)) for name in fixed}
    return {n: np.stack([_slerp(*pair, s) for s in shares]) for n, pair in ends.items()}


def _slerp(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Go from a to b along a great circle: between normal draws a straight line is too short."""
    cosine = np.vdot(a, b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return (1 - share) * a + share * b
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def _choices(rollout, category):
    if category is None:
        return {}
    names = list(rollout.description.named(Choice))
    if not names:
        raise UserError(
            f"This {rollout.description.family} model has no categories; leave out --category."
        )
    return {names[0]: category}
