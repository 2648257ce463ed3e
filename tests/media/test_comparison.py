import numpy as np

from kvidgan.media import BACKGROUND, CONTEXT_COLOUR, PREDICTED_COLOUR
from kvidgan.media.comparison import NO_COLOUR, comparison

rng = np.random.default_rng(0)
FRAMES = rng.integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


def test_truth_prediction_and_difference_stand_side_by_side():
    predicted = 255 - FRAMES[2:5]
    truth = [FRAMES[2], FRAMES[3], None]
    pictures = [comparison(frame, is_context=True, scale=1) for frame in FRAMES[:2]] + [
        comparison(frame, is_context=False, truth=true, scale=1)
        for frame, true in zip(predicted, truth, strict=True)
    ]
    for number, picture in enumerate(pictures):
        # Edges of 2 pixels around 5x7, gaps of 2 between.
        assert picture.shape == (9, 3 * 11 + 2 * 2, 3)
        true, shown, difference = (picture[:, left : left + 11] for left in (0, 13, 26))
        inside = (slice(2, -2), slice(2, -2))
        assert (true[0] == (CONTEXT_COLOUR if number < 2 else NO_COLOUR)).all()
        assert (shown[:, -2:] == (CONTEXT_COLOUR if number < 2 else PREDICTED_COLOUR)).all()
        expected = FRAMES[number] if number < 2 else predicted[number - 2]
        np.testing.assert_array_equal(shown[inside], expected)
        if number < 4:
            np.testing.assert_array_equal(true[inside], FRAMES[number])
            by_hand = abs(FRAMES[number].astype(int) - expected)
            np.testing.assert_array_equal(difference[inside], by_hand)
        else:
            assert (true[inside] == BACKGROUND).all(), "the truth has ended"
            assert (difference[inside] == BACKGROUND).all()


def test_without_truth_and_with_a_label_map():
    labels = np.ones((5, 7), np.uint8)
    picture = comparison(FRAMES[0], is_context=False, has_truth=False, label_map=labels, scale=1)
    assert picture.shape == (9, 2 * 11 + 2, 3)
    assert (picture[2:-2, 2:9] == 255).all(), "class 1 is white"
    np.testing.assert_array_equal(picture[2:-2, 15:-2], FRAMES[0])
