import numpy as np
import pytest

from kvidgan.data.crops import ANY_CROP, TRIES, motion_crop


def flickering(height=40, width=60):
    """Black, but for a block of 8x8 pixels at row 10 and column 30 that flickers."""
    frames = np.zeros((3, height, width, 3), np.uint8)
    frames[1, 10:18, 30:38] = 255
    return frames


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


def motion_by_hand(frames, top, left):
    crop = frames[:, top : top + 16, left : left + 16].astype(float) / 127.5 - 1
    return np.mean((crop[1:] - crop[:-1]) ** 2)


def test_the_first_place_with_enough_motion_is_taken():
    frames = flickering()
    half, whole = (4, 18), (8, 26)  # four of the block's columns, and all
    assert 0 < motion_by_hand(frames, *half) < motion_by_hand(frames, *whole)
    between = (motion_by_hand(frames, *half) + motion_by_hand(frames, *whole)) / 2
    rng = Fixed([(20, 0), half, whole, (9, 27)])
    assert motion_crop(frames, (16, 16), between, rng) == whole
    assert motion_crop(frames, (16, 16), 1e-6, rng) == half
    just = motion_by_hand(frames, *whole)
    assert motion_crop(frames, (16, 16), just * 0.9999, rng) == whole
    assert motion_crop(frames, (16, 16), just * 1.0001, rng) != whole


def test_after_a_hundred_tries_the_last_is_taken():
    rng = Fixed([(n % 24, n % 40) for n in range(TRIES)])
    assert TRIES == 100
    assert motion_crop(np.zeros((3, 40, 60, 3), np.uint8), (16, 16), 0.01, rng) == (
        99 % 24,
        99 % 40,
    )
    assert rng.asked == (100, 2)


def test_one_crop_in_twenty_is_taken_whatever_it_shows():
    assert ANY_CROP == 0.05
    exempt, not_exempt = (Fixed([(20, 0), (8, 26)], r) for r in (0.0499, 0.0501))
    assert motion_crop(flickering(), (16, 16), 0.01, exempt) == (20, 0)
    assert motion_crop(flickering(), (16, 16), 0.01, not_exempt) == (8, 26)
    moving = 0
    for seed in range(2000):
        place = motion_crop(flickering(), (16, 16), 1e-6, np.random.default_rng(seed))
        moving += motion_by_hand(flickering(), *place) > 0
    blind = 23 * 23 / (25 * 45)  # places that see any of the block
    assert moving / 2000 == pytest.approx(0.95 + 0.05 * blind, abs=0.012)


def test_without_a_threshold_every_place_is_as_likely():
    places = [
        motion_crop(flickering(18, 17), (16, 16), 0.0, np.random.default_rng(s)) for s in range(600)
    ]
    found, counts = np.unique(places, axis=0, return_counts=True)
    assert found.tolist() == [[top, left] for top in range(3) for left in range(2)]
    assert counts.min() > 60


def test_a_crop_as_large_as_the_frame():
    frames = flickering(16, 16)
    assert motion_crop(frames, (16, 16), 0.5, np.random.default_rng(0)) == (0, 0)
