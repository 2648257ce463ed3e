"""moving_shapes: a disc or square that swings along one axis."""

import numpy as np

TIME, SIDE = 16, 32


def moving_shape(seed: int, index: int) -> np.ndarray:
    """Draw one disc or square that swings along x (even index) or y (odd).

    Args:
        seed: Seed of the data set.
        index: Number of the clip.

    Returns:
        Frames, uint8 (16, 32, 32, 3): red, yellow, green, cyan, blue or magenta on black,
        anti-aliased, never touching the edge.
    """
    rng = np.random.default_rng((seed, index))
    radius = rng.uniform(4.0, 6.0)
    margin = radius + 0.5  # half a pixel of anti-aliasing
    amplitude = rng.uniform(3.0, 8.0)
    cycles = TIME / rng.uniform(10.0, 20.0)
    phase = rng.uniform(0.0, 2.0 * np.pi) + 2.0 * np.pi * cycles * np.arange(TIME) / TIME
    centre = rng.uniform(margin + amplitude, SIDE - 1 - margin - amplitude)
    moving = centre + amplitude * np.sin(phase)  # (time,)
    resting = np.full(TIME, rng.uniform(margin, SIDE - 1 - margin))
    x, y = (moving, resting) if index % 2 == 0 else (resting, moving)
    cover = (_disc if rng.random() < 0.5 else _square)(x, y, radius)
    frames: np.ndarray = np.rint(cover[..., None] * _saturated(rng.integers(6) / 6))
    return frames.astype(np.uint8)


def _distances(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return |dx| (time, 1, width) and |dy| (time, height, 1) of every pixel to the centre."""
    pixels = np.arange(SIDE)
    return abs(pixels - x[:, None])[:, None, :], abs(pixels - y[:, None])[:, :, None]


def _disc(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    cover: np.ndarray = np.clip(radius + 0.5 - np.hypot(*_distances(x, y)), 0.0, 1.0)
    return cover


def _square(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    across, down = (np.clip(radius + 0.5 - d, 0.0, 1.0) for d in _distances(x, y))
    cover: np.ndarray = across * down
    return cover


def _saturated(hue: float) -> np.ndarray:
    """Return the RGB colour, 0 to 255, of a hue in [0, 1) at full saturation and value."""
    ramp = abs((hue * 6.0 + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0
    return np.clip(ramp, 0.0, 1.0) * 255.0
