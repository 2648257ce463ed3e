import numpy as np
import pytest

from kvidgan import media

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (7, 3, 3), (8, 4, 2), (9, 3, 3)]
)
def test_grid_prefers_full_rows(count, columns, rows):
    videos = np.zeros((count, 1, 4, 4, 1), np.uint8)
    assert media.grid(videos, gap=0).shape == (1, 4 * rows, 4 * columns, 1)


def test_grid_places_videos_row_by_row():
    videos = np.arange(1, 4, dtype=np.uint8)[:, None, None, None, None] * np.ones(
        (3, 2, 4, 5, 1), np.uint8
    )
    whole = media.grid(videos, columns=2, gap=1)
    assert whole.shape == (2, 9, 11, 1)
    assert [whole[0, y, x, 0] for y, x in [(0, 0), (0, 6), (5, 0), (5, 6), (4, 0)]] == [
        1,
        2,
        3,
        media.BACKGROUND,
        media.BACKGROUND,
    ]
    assert media.grid(videos).shape == (2, 4, 19, 1)


def test_strip_has_a_row_per_video():
    videos = np.arange(12, dtype=np.uint8).reshape(2, 6, 1, 1, 1) * np.ones((1, 1, 3, 4, 3), "u1")
    image = media.strip(videos, gap=0, every=2)
    assert image.shape == (6, 12, 3)
    assert image[::3, ::4, 0].tolist() == [[0, 2, 4], [6, 8, 10]]


def test_strip_takes_lists_of_frames():
    videos = RNG.integers(0, 255, (2, 3, 4, 4, 3), np.uint8)
    np.testing.assert_array_equal(media.strip([list(v) for v in videos]), media.strip(videos))


def test_enlarge_repeats_pixels():
    frames = RNG.integers(0, 255, (2, 3, 4, 3), np.uint8)
    large = media.enlarge(frames, 2)
    assert large.shape == (2, 6, 8, 3)
    for top, left in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        np.testing.assert_array_equal(large[:, top::2, left::2], frames)
    assert media.enlarge(np.zeros((100, 200, 3), np.uint8)).shape == (200, 400, 3)
    assert media.enlarge(np.zeros((600, 200, 3), np.uint8)).shape == (600, 200, 3)
