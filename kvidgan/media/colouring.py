"""Show as colours what is none: class numbers, flow, masks."""

import numpy as np

# Class 0, mostly the ground, is dark and class 1 white: edges and masks read as such. Then Sasha
# Trubetskoy's list of colours that are told apart by name.
_NAMED = bytes.fromhex(
    "202020 ffffff e6194b 3cb44b ffe119 4363d8 f58231 911eb4 42d4f4 f032e6 bfef45 fabed4 469990"
    " dcbeff 9a6324 fffac8 800000 aaffc3 808000 ffd8b1 000075 a9a9a9"
)
_GOLDEN = 0.618034  # of a turn, between the hues of the classes beyond


def colour_labels(labels: np.ndarray) -> np.ndarray:
    """Paint every class in a colour of its own, the same in all pictures.

    Args:
        labels: Class numbers, 0 to 255, (..., height, width).

    Returns:
        uint8 (..., height, width, 3).
    """
    return _palette()[labels]


def _palette() -> np.ndarray:
    named = np.frombuffer(_NAMED, np.uint8).reshape(-1, 3)
    number = np.arange(256 - len(named))
    hues = _hue(number * _GOLDEN % 1.0)
    pale, bright = np.array([0.0, 0.5])[number % 2], np.array([1.0, 0.8, 0.6])[number % 3]
    more = (hues + pale[:, None] * (1 - hues)) * bright[:, None]
    return np.concatenate([named, np.rint(255 * more).astype(np.uint8)])


def flow_scale(height: int, width: int) -> float:
    """Return the displacement, in pixels, that `colour_flow` shows in full colour by default."""
    return max(height, width) / 32


def colour_flow(flow: np.ndarray, full: float | None = None) -> np.ndarray:
    """Paint flow on a colour wheel (after Baker et al. 2011): no motion is white.

    The hue is the direction, red to the right, yellow-green down, cyan to the left, violet up; the
    saturation is the length.

    Args:
        flow: Displacements in pixels, to the right and down, (..., height, width, 2).
        full: The length that is shown in full colour, as are longer ones; by default `flow_scale`.

    Returns:
        uint8 (..., height, width, 3).
    """
    full = flow_scale(*flow.shape[-3:-1]) if full is None else full
    right, down = flow[..., 0], flow[..., 1]
    hues = _hue(np.arctan2(down, right) / (2 * np.pi) % 1.0)
    length = np.minimum(np.hypot(right, down) / full, 1.0)[..., None]
    return np.rint(255 * (1 - length * (1 - hues))).astype(np.uint8)


def colour_mask(mask: np.ndarray) -> np.ndarray:
    """Paint shares from 0, black, to 1, white: (..., 1) as uint8 (..., 1)."""
    return np.rint(255 * np.clip(mask, 0, 1)).astype(np.uint8)


def _hue(turn: np.ndarray) -> np.ndarray:
    """Return the pure colour (..., 3), 0 to 1, at a turn from 0 to 1: red, yellow, green, ..."""
    away = abs((turn[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3)
    return np.clip(away - 1, 0, 1)
