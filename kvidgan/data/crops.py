"""Where to cut a training crop from a clip: at random, but rarely where nothing moves."""

import numpy as np

TRIES = 100
ANY_CROP = 0.05


def motion_crop(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> np.ndarray:
    """Cut a crop at a random place (Mathieu et al. 2016: patches with enough movement).

    Places are drawn uniformly until one shows enough motion; with probability 0.05 the first is
    taken whatever it shows, and after 100 tries the last.

    Args:
        frames: uint8 (time, height, width, channels), at least as large as the crop.
        size: Height and width of the crop, pixels.
        motion: What is enough: see `motion_of`; 0 takes any crop.
        rng: The only source of chance.

    Returns:
        uint8 (time, *size, channels).
    """
    high, wide = (whole - part for whole, part in zip(frames.shape[1:3], size, strict=True))
    tries = 1 if motion <= 0 or rng.random() < ANY_CROP else TRIES
    for top, left in rng.integers(0, [high, wide], size=(tries, 2), endpoint=True):
        crop = frames[:, top : top + size[0], left : left + size[1]]
        if tries > 1 and motion_of(crop) > motion:
            break
    return crop


def motion_of(frames: np.ndarray) -> float:
    """Return the mean squared difference of neighbouring frames, in the [-1, 1] scale.

    Args:
        frames: uint8 (time, ...); a single frame does not move.
    """
    if len(frames) < 2:
        return 0.0
    difference = np.diff(frames.astype(np.float32), axis=0).ravel() / 127.5
    return float(difference @ difference) / difference.size
