"""What samples begin with: noise, or clips held out from training."""

import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.rollout import Rollout
from kvidgan.rollout.comparison import GIVEN, NEITHER, PREDICTED
from kvidgan.training.samples import LARGEST, animation, examples, sample_strip
from tests.data.conftest import source_of, video
from tests.rollout import steps


@pytest.fixture
def stored(tmp_path):
    def make(videos, splits=None):
        return ClipStore.open(prepare(source_of(videos, splits=splits), tmp_path / "s.h5").path)

    return make


PREDICTOR = steps.predicting()[1]


def test_noise_needs_no_data(stored):
    begin = examples(steps.counting()[1], stored([video(0, 3)]), "train", 6, 10)
    assert begin.start == {"videos": 6, "seed": 1}
    assert begin.truth is None


def test_clips_are_of_held_out_videos(stored):
    store = stored([video(n, 9) for n in range(4)], splits=["train", "test", "train", "val"])
    begin = examples(PREDICTOR, store, "train", 8, 4)
    assert begin.truth.shape == (2, 6, 8, 8, 3)
    assert begin.truth[:, 0, 0, 0, 0].tolist() == [1, 3]
    assert begin.truth[0, :, 1, 0, 0].tolist() == [1, 2, 3, 4, 5, 6], "from the video's middle"
    np.testing.assert_array_equal(begin.start["history"], begin.truth[:, :2])
    assert (begin.start["videos"], begin.given) == (2, 2)


def test_clips_of_one_size_as_long_as_the_videos_allow(stored):
    videos = [video(0, 2), video(1, 5), video(2, 4), video(3, 9, side=6), *[video(4, 9)] * 9]
    begin = examples(PREDICTOR, stored(videos), "train", 8, 30)
    assert begin.truth.shape == (4, 5, 8, 8, 3), "four clips, the shortest of them has five"
    assert set(begin.truth[:, 0, 0, 0, 0].tolist()) == {1, 4}


def test_large_frames_show_their_middle_and_grey_ones_get_colours(stored):
    large = np.zeros((4, LARGEST + 40, 20, 1), np.uint8)
    large[:, 20] = 9
    begin = examples(PREDICTOR, stored([large]), None, 8, 2)
    assert begin.truth.shape == (1, 4, LARGEST, 20, 3)
    assert (begin.truth[:, :, 0] == 9).all()


def test_no_video_to_begin_with(stored):
    with pytest.raises(UserError, match="expected a video of more than 2 frames to draw samples"):
        examples(PREDICTOR, stored([video(0, 2)]), "train", 8, 4)


def test_the_strip_and_the_animation_of_a_predictor(stored):
    store = stored([video(n, 7) for n in range(2)])
    begin = examples(PREDICTOR, store, "train", 8, 3)
    rollout = Rollout(*steps.predicting())
    strip = sample_strip(rollout, begin, 3)
    # Two videos, truth above prediction; 2 given and 3 following frames; edges of 2, gaps of 1.
    assert strip.shape == (4 * 12 + 3, 5 * 12 + 4, 3)
    edges = strip[::13, ::13]
    assert (edges[:, :2] == GIVEN).all()
    assert (edges[::2, 2:] == NEITHER).all()
    assert (edges[1::2, 2:] == PREDICTED).all()
    np.testing.assert_array_equal(strip[2:10, 28:36], begin.truth[0, 2])
    moving = animation(rollout, begin, 48)
    assert len(moving) == 5
