"""Pictures with something to see everywhere, as optical flow needs."""

import cv2
import numpy as np


def texture(height, width, channels=3, seed=0):
    """Smooth noise over the whole range: uint8 (height, width, channels)."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((height, width, channels)), (0, 0), 1.5)
    noise = noise.reshape(height, width, channels)
    return np.rint(255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)


def moving_square(frames, speed=2, side=64, channels=3):
    """A textured square that moves right over a still, textured ground.

    Returns uint8 (frames, side, side, channels), and boolean masks of where the square is.
    """
    ground, square = texture(side, side, channels), texture(20, 20, channels, seed=1)
    clip = np.repeat(ground[None], frames, axis=0)
    inside = np.zeros(clip.shape[:3], bool)
    for time in range(frames):
        place = (slice(20, 40), slice(8 + speed * time, 28 + speed * time))
        clip[time][place], inside[time][place] = square, True
    return clip, inside
