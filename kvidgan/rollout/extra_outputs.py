"""Extra outputs of a step, masks, flow and images, as pictures."""

from collections.abc import Sequence

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media import colour_flow, colour_mask, to_uint8
from kvidgan.rollout.description import Description


def check_extras(description: Description, names: Sequence[str]) -> None:
    """Raise UserError for a name that is not one of a model's extra outputs, or given twice."""
    for place, name in enumerate(names):
        if name not in description.extra_outputs:
            known = ", ".join(f"{n} ({kind})" for n, kind in description.extra_outputs.items())
            raise UserError(
                f"Expected extra outputs of this {description.family} model, which are "
                f"{known or 'none'}, found {name!r}."
            )
        if name in names[:place]:
            raise UserError(f"Expected each extra output once, found {name!r} twice.")


def extra_picture(description: Description, name: str, values: np.ndarray) -> np.ndarray:
    """Turn what `Step.extras` holds into pictures.

    Args:
        description: The model's.
        name: Name of the extra output.
        values: Float (..., height, width, channels).

    Returns:
        uint8 (..., height, width, 1 or 3): an image in its colours, a mask in grey, flow on
        `media.colour_flow`'s wheel.
    """
    kind = description.extra_outputs[name]
    if kind == "flow":
        return colour_flow(values)
    return colour_mask(values) if kind == "mask" else to_uint8(signal(description, values))


def signal(description: Description, frames: np.ndarray) -> np.ndarray:
    """Bring frames from a model's range to [-1, 1]."""
    low, high = description.frame.range
    return (frames - low) * (2.0 / (high - low)) - 1.0
