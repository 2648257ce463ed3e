import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.media import BACKGROUND
from kvidgan.rollout import Rollout
from kvidgan.rollout.comparison import (
    GIVEN,
    NEITHER,
    PREDICTED,
    compared,
    history_length,
    predict,
    suited,
)
from tests.rollout.steps import counting, predicting, several

rng = np.random.default_rng(0)
FRAMES = rng.integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)


def test_a_clip_goes_on():
    rollout = Rollout(*predicting())
    made = list(predict(rollout, FRAMES[:3], 3))
    first = FRAMES[1:3].astype(float).mean(axis=0)
    second = (FRAMES[2] + first) / 2
    for found, expected in zip(made, [first, second, (first + second) / 2], strict=True):
        assert found.shape == (5, 7, 3)
        assert np.abs(found - expected).max() <= 0.6


def test_several_frames_a_step_come_one_by_one():
    rollout = Rollout(*several())
    steps = list(zip(range(5), rollout.start(history=FRAMES[:2]), strict=False))
    # A step makes the last frame and its negative; the history is then these two.
    last = FRAMES[1]
    for (number, step), expected in zip(
        steps, [last, 255 - last, 255 - last, last, last], strict=True
    ):
        assert np.abs(step.frames[0].astype(int) - expected).max() <= 1, number
        assert step.extras["half"].shape == (1, 5, 7, 3)


def test_what_makes_videos_from_noise_goes_on_with_nothing():
    with pytest.raises(UserError, match="Expected a model that goes on with a clip or follows"):
        history_length(counting()[1])


def test_clips_are_made_to_suit():
    description = predicting()[1]
    assert history_length(description) == 2
    assert suited(description, FRAMES) is FRAMES
    grey = FRAMES[..., :1]
    np.testing.assert_array_equal(suited(description, grey), grey.repeat(3, axis=-1))
    fixed = description.model_copy(
        update={"frame": description.frame.model_copy(update={"height": 2, "width": 4})}
    )
    assert suited(fixed, FRAMES).shape == (6, 2, 4, 3)


def test_truth_prediction_and_difference_stand_side_by_side():
    made = 255 - FRAMES[2:5]
    pictures = list(compared(FRAMES[:2], iter(FRAMES[2:4]), iter(made), scale=1))
    assert len(pictures) == 5
    for number, picture in enumerate(pictures):
        # Edges of 2 pixels around 5x7, gaps of 2 between.
        assert picture.shape == (9, 3 * 11 + 2 * 2, 3)
        truth, shown, difference = (picture[:, left : left + 11] for left in (0, 13, 26))
        inside = (slice(2, -2), slice(2, -2))
        assert (truth[0] == (GIVEN if number < 2 else NEITHER)).all()
        assert (shown[:, -2:] == (GIVEN if number < 2 else PREDICTED)).all()
        expected = FRAMES[number] if number < 2 else made[number - 2]
        np.testing.assert_array_equal(shown[inside], expected)
        if number < 4:
            np.testing.assert_array_equal(truth[inside], FRAMES[number])
            by_hand = abs(FRAMES[number].astype(int) - expected)
            np.testing.assert_array_equal(difference[inside], by_hand)
        else:
            assert (truth[inside] == BACKGROUND).all(), "the truth has ended"
            assert (difference[inside] == BACKGROUND).all()
