import numpy as np
import pytest

from kvidgan.data.crops import ANY_CROP, TRIES, motion_crop, motion_of


def flickering(height=40, width=60):
    """A block of 8x8 pixels at row 10 and column 30 flickers in blue; red is the row, green the
    column."""
    frames = np.zeros((3, height, width, 3), np.uint8)
    frames[..., 0] = np.arange(height)[:, None]
    frames[..., 1] = np.arange(width)
    frames[1, 10:18, 30:38, 2] = 255
    return frames


def place(crop):
    return tuple(crop[0, 0, 0, :2].tolist())


class Fixed:
    """A generator that draws given places, and a given number for the exemption."""

    def __init__(self, places, exemption=0.5):
        self.places, self.exemption, self.asked = places, exemption, None

    def random(self):
        return self.exemption

    def integers(self, low, high, size, endpoint):
        assert (low, list(high), endpoint) == (0, [40 - 16, 60 - 16], True)
        self.asked = size
        return np.array((self.places * TRIES)[: size[0]])


def found(motion, rng, frames=None):
    return place(motion_crop(flickering() if frames is None else frames, (16, 16), motion, rng))


def test_motion_by_hand():
    # In both pairs of frames 64 of 256 pixels differ by 2 in one of three channels.
    assert motion_of(flickering()[:, 8:24, 26:42]) == pytest.approx(64 * 2**2 / (256 * 3))
    assert motion_of(flickering()[:, 4:20, 18:34]) == pytest.approx(32 * 2**2 / (256 * 3))
    assert motion_of(flickering()[:1]) == 0


def test_the_first_place_with_enough_motion_is_taken():
    half, whole = (4, 18), (8, 26)  # four of the block's columns, and all
    rng = Fixed([(20, 0), half, whole, (9, 27)])
    assert found(0.25, rng) == whole
    assert found(0.1, rng) == half
    assert found(0.3333, rng) == whole
    assert found(0.3334, rng) not in (whole, half)


def test_after_a_hundred_tries_the_last_is_taken():
    rng = Fixed([(n % 24, n % 40) for n in range(TRIES)])
    assert TRIES == 100
    assert found(0.01, rng, flickering()[:1]) == (99 % 24, 99 % 40)
    assert rng.asked == (100, 2)


def test_one_crop_in_twenty_is_taken_whatever_it_shows():
    assert ANY_CROP == 0.05
    exempt, not_exempt = (Fixed([(20, 0), (8, 26)], r) for r in (0.0499, 0.0501))
    assert found(0.01, exempt) == (20, 0)
    assert found(0.01, not_exempt) == (8, 26)
    crops = [
        motion_crop(flickering(), (16, 16), 1e-6, np.random.default_rng(seed))
        for seed in range(2000)
    ]
    moving = sum(motion_of(crop) > 0 for crop in crops)
    by_chance = 23 * 23 / (25 * 45)  # places that see any of the block
    assert moving / 2000 == pytest.approx(0.95 + 0.05 * by_chance, abs=0.012)


def test_without_a_threshold_every_place_is_as_likely():
    places = [found(0.0, np.random.default_rng(s), flickering(18, 17)) for s in range(600)]
    each, counts = np.unique(places, axis=0, return_counts=True)
    assert each.tolist() == [[top, left] for top in range(3) for left in range(2)]
    assert counts.min() > 60


def test_a_crop_as_large_as_the_frame():
    frames = flickering(16, 16)
    crop = motion_crop(frames, (16, 16), 0.5, np.random.default_rng(0))
    np.testing.assert_array_equal(crop, frames)
