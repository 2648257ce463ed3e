"""Where to cut a training crop from a clip: at random, but rarely where nothing moves."""

import numpy as np

TRIES = 100
ANY_CROP = 0.05


def motion_crop(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Draw the place of a crop (Mathieu et al. 2015, section 3.1: patches with enough movement).

    Places are drawn uniformly until one shows enough motion; with probability 0.05 the first is
    taken whatever it shows, and after 100 tries the last.

    Args:
        frames: uint8 (time, height, width, channels), at least as large as the crop.
        size: Height and width of the crop, pixels.
        motion: The squared difference of neighbouring frames, as a mean over the crop's values in
            the [-1, 1] scale, that is enough; 0 takes any crop.
        rng: The only source of chance.

    Returns:
        The top row and the left column.
    """
    high, wide = (whole - part for whole, part in zip(frames.shape[1:3], size, strict=True))
    take_any = motion <= 0 or rng.random() < ANY_CROP
    places = rng.integers(0, [high, wide], size=(1 if take_any else TRIES, 2), endpoint=True)
    if take_any:
        return int(places[0, 0]), int(places[0, 1])
    enough = _motion_at(frames, size, places) > motion
    top, left = places[np.argmax(enough) if enough.any() else -1]
    return int(top), int(left)


def _motion_at(frames: np.ndarray, size: tuple[int, int], places: np.ndarray) -> np.ndarray:
    """Return the mean squared difference of neighbouring frames in the crop at each place."""
    squared = np.diff(frames.astype(np.float32), axis=0) ** 2
    above = np.zeros((frames.shape[1] + 1, frames.shape[2] + 1))  # sums over all above and left
    above[1:, 1:] = squared.sum(axis=(0, 3), dtype=np.float64).cumsum(0).cumsum(1)
    top, left = places.T
    bottom, right = top + size[0], left + size[1]
    inside = above[bottom, right] - above[top, right] - above[bottom, left] + above[top, left]
    values = (len(frames) - 1) * size[0] * size[1] * frames.shape[-1]
    return inside / max(values, 1) / 127.5**2
