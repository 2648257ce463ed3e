"""What samples begin with: noise, or clips held out from training."""

import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import CONTEXT_COLOUR, PREDICTED_COLOUR
from kvidgan.media.comparison import NO_COLOUR
from kvidgan.rollout import Rollout
from kvidgan.training.samples import LARGEST, animation, sample_inputs, sample_strip
from tests.data.conftest import source_of, video
from tests.rollout import steps


@pytest.fixture
def stored(tmp_path):
    def make(videos, splits=None):
        return ClipStore.open(prepare(source_of(videos, splits=splits), tmp_path / "s.h5").path)

    return make


PREDICTOR = steps.predicting()[1]


def test_noise_needs_no_data(stored):
    inputs = sample_inputs(steps.counting()[1], stored([video(0, 3)]), "train", 6, 10)
    assert inputs.options == {"videos": 6, "seed": 1}
    assert inputs.truth is None


def test_clips_are_of_held_out_videos(stored):
    store = stored([video(n, 9) for n in range(4)], splits=["train", "test", "train", "val"])
    inputs = sample_inputs(PREDICTOR, store, "train", 8, 4)
    assert inputs.truth.shape == (2, 6, 8, 8, 3)
    assert inputs.truth[:, 0, 0, 0, 0].tolist() == [1, 3]
    assert inputs.truth[0, :, 1, 0, 0].tolist() == [1, 2, 3, 4, 5, 6], "from the video's middle"
    assert (inputs.options, inputs.num_context) == ({"videos": 2}, 2)
    assert inputs.maps is None
    played = inputs.play(Rollout(*steps.predicting()), 1)
    means = inputs.truth[:, :2].mean(axis=1)
    assert np.abs(played[:, 0] - means).max() <= 0.6, "it goes on with these two"


def test_clips_of_one_size_as_long_as_the_videos_allow(stored):
    videos = [video(0, 2), video(1, 5), video(2, 4), video(3, 9, side=6), *[video(4, 9)] * 9]
    inputs = sample_inputs(PREDICTOR, stored(videos), "train", 8, 30)
    assert inputs.truth.shape == (4, 5, 8, 8, 3), "four clips, the shortest of them has five"
    assert set(inputs.truth[:, 0, 0, 0, 0].tolist()) == {1, 4}


def test_large_frames_show_their_middle_and_grey_ones_get_colours(stored):
    large = np.zeros((4, LARGEST + 40, 20, 1), np.uint8)
    large[:, 20] = 9
    inputs = sample_inputs(PREDICTOR, stored([large]), None, 8, 2)
    assert inputs.truth.shape == (1, 4, LARGEST, 20, 3)
    assert (inputs.truth[:, :, 0] == 9).all()


def test_no_video_to_begin_with(stored):
    with pytest.raises(UserError, match="expected a video of more than 2 frames to draw samples"):
        sample_inputs(PREDICTOR, stored([video(0, 2)]), "train", 8, 4)


def test_the_strip_and_the_animation_of_a_predictor(stored):
    store = stored([video(n, 7) for n in range(2)])
    inputs = sample_inputs(PREDICTOR, store, "train", 8, 3)
    rollout = Rollout(*steps.predicting())
    strip = sample_strip(rollout, inputs, 3)
    # Two videos, truth above prediction; 2 given and 3 following frames; edges of 2, gaps of 1.
    assert strip.shape == (4 * 12 + 3, 5 * 12 + 4, 3)
    edges = strip[::13, ::13]
    assert (edges[:, :2] == CONTEXT_COLOUR).all()
    assert (edges[::2, 2:] == NO_COLOUR).all()
    assert (edges[1::2, 2:] == PREDICTED_COLOUR).all()
    np.testing.assert_array_equal(strip[2:10, 28:36], inputs.truth[0, 2])
    moving = animation(rollout, inputs, 48)
    assert len(moving) == 5
