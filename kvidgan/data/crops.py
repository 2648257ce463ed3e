"""Crops: clips cut out at random, rarely where nothing moves, and their maps exactly alike."""

import numpy as np

from kvidgan.media import fit_flow, fit_frames, fit_maps

FRAMES = "frames"  # the key of a clip's frames, beside the names of its maps
ClipArrays = dict[str, np.ndarray]  # arrays (time, height, width, ...) of one clip

# Types that every backend computes with, where the stored ones are others.
_TYPES = {"instances": np.int32, "confidence": np.uint8}

TRIES = 100
ANY_CROP = 0.05  # probability that a crop is taken whatever it shows


def motion_crop(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> np.ndarray:
    """Cut a crop at a random place, that of `motion_place`."""
    top, left = motion_place(frames, size, motion, rng)
    return frames[:, top : top + size[0], left : left + size[1]]


def motion_place(
    frames: np.ndarray, size: tuple[int, int], motion: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Choose a random place for a crop (Mathieu et al. 2016: patches with enough movement).

    Places are drawn uniformly until one shows enough motion; with probability 0.05 the first is
    taken whatever it shows, and after 100 tries the last.

    Args:
        frames: Frames to crop, uint8 (time, height, width, channels), at least as large as that.
        size: Height and width of the crop, pixels.
        motion: Value of `motion_of` that is enough; 0 takes any crop.
        rng: Generator of all randomness.

    Returns:
        Top and left of the crop, pixels.
    """
    last = [whole - part for whole, part in zip(frames.shape[1:3], size, strict=True)]
    tries = 1 if motion <= 0 or rng.random() < ANY_CROP else TRIES
    for top, left in rng.integers(0, last, size=(tries, 2), endpoint=True):
        crop = frames[:, top : top + size[0], left : left + size[1]]
        if tries > 1 and motion_of(crop) > motion:
            break
    return int(top), int(left)


def motion_of(frames: np.ndarray) -> float:
    """Return the mean squared difference of neighbouring frames, in the [-1, 1] scale.

    Args:
        frames: Frames to measure, uint8 (time, ...); a single one does not move.
    """
    if len(frames) < 2:
        return 0.0
    difference = np.diff(frames.astype(np.float32), axis=0).ravel() / 127.5
    return float(difference @ difference) / difference.size


def cropped(clip: ClipArrays, place: tuple[int, int], size: tuple[int, int]) -> ClipArrays:
    """Cut frames and maps out at one place.

    Args:
        clip: Frames and maps of one clip.
        place: Top and left of the crop, pixels.
        size: Height and width of the crop, pixels.
    """
    (top, left), (height, width) = place, size
    return {
        name: values[:, top : top + height, left : left + width] for name, values in clip.items()
    }


def fitted(clip: ClipArrays, height: int, width: int, channels: int) -> ClipArrays:
    """Crop frames and maps to the middle and resize them.

    Args:
        clip: Frames and maps of one clip.
        height: Wanted height in pixels.
        width: Wanted width in pixels.
        channels: Wanted channels of the frames, 1 or 3.

    Returns:
        Arrays of types that every backend computes with: flow is float32, instances are int32,
        confidence is uint8; others stay.
    """
    arrays: ClipArrays = {}
    for name, values in clip.items():
        if name == FRAMES:
            arrays[name] = fit_frames(values, height, width, channels)
        elif name == "flow":
            arrays[name] = fit_flow(values.astype(np.float32), height, width)
        else:
            arrays[name] = fit_maps(values, height, width)
    return {name: values.astype(_TYPES.get(name, values.dtype)) for name, values in arrays.items()}


def mirrored(clip: ClipArrays) -> ClipArrays:
    """Return a clip as seen in a mirror: what moved to the right moves to the left."""
    arrays = {name: values[:, :, ::-1] for name, values in clip.items()}
    if "flow" in arrays:
        arrays["flow"] = arrays["flow"] * np.array([-1, 1], np.float32)
    return arrays
