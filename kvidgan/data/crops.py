"""How clips are cut: at random, but rarely where nothing moves; their maps exactly alike."""

import numpy as np

from kvidgan.media import fit_flow, fit_frames, fit_maps

# The frames of a clip, (time, height, width, ...), under "", and its maps under their names.
Clip = dict[str, np.ndarray]

_KINDS = {"instances": np.int32, "confidence": np.uint8}

TRIES = 100
ANY_CROP = 0.05


def motion_crop(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> np.ndarray:
    """Cut a crop at a random place: see `motion_place`."""
    top, left = motion_place(frames, size, motion, rng)
    return frames[:, top : top + size[0], left : left + size[1]]


def motion_place(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Choose a random place for a crop (Mathieu et al. 2016: patches with enough movement).

    Places are drawn uniformly until one shows enough motion; with probability 0.05 the first is
    taken whatever it shows, and after 100 tries the last.

    Args:
        frames: uint8 (time, height, width, channels), at least as large as the crop.
        size: Height and width of the crop, pixels.
        motion: What is enough: see `motion_of`; 0 takes any crop.
        rng: The only source of chance.

    Returns:
        Top and left of the crop, pixels.
    """
    high, wide = (whole - part for whole, part in zip(frames.shape[1:3], size, strict=True))
    tries = 1 if motion <= 0 or rng.random() < ANY_CROP else TRIES
    for top, left in rng.integers(0, [high, wide], size=(tries, 2), endpoint=True):
        crop = frames[:, top : top + size[0], left : left + size[1]]
        if tries > 1 and motion_of(crop) > motion:
            break
    return int(top), int(left)


def motion_of(frames: np.ndarray) -> float:
    """Return the mean squared difference of neighbouring frames, in the [-1, 1] scale.

    Args:
        frames: uint8 (time, ...); a single frame does not move.
    """
    if len(frames) < 2:
        return 0.0
    difference = np.diff(frames.astype(np.float32), axis=0).ravel() / 127.5
    return float(difference @ difference) / difference.size


def cropped(clip: Clip, place: tuple[int, int], size: tuple[int, int]) -> Clip:
    """Cut frames and maps at one place, (top, left), to one size, (height, width)."""
    (top, left), (height, width) = place, size
    return {
        name: values[:, top : top + height, left : left + width] for name, values in clip.items()
    }


def fitted(clip: Clip, height: int, width: int, channels: int) -> Clip:
    """Crop frames and maps to the middle and resize them.

    Returns:
        Types that every backend computes with: flow is float32, instances are int32, confidence is
        uint8; others stay.
    """
    made: Clip = {}
    for name, values in clip.items():
        if name == "":
            made[name] = fit_frames(values, height, width, channels)
        elif name == "flow":
            made[name] = fit_flow(values.astype(np.float32), height, width)
        else:
            made[name] = fit_maps(values, height, width)
    return {name: values.astype(_KINDS.get(name, values.dtype)) for name, values in made.items()}


def mirrored(clip: Clip) -> Clip:
    """Return a clip as seen in a mirror: what moved to the right moves to the left."""
    turned = {name: values[:, :, ::-1] for name, values in clip.items()}
    if "flow" in turned:
        turned["flow"] = turned["flow"] * np.array([-1, 1], np.float32)
    return turned
