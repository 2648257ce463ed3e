from itertools import islice

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.playback.playback import category_choice, play
from kvidgan.rollout import Rollout
from tests.rollout import steps


def shown(values):
    return np.rint((np.asarray(values) + 1) * 127.5)


def pictures(rollout, count, seed=0, category=None, arrangement="plain"):
    choices = category_choice(rollout, category)
    plan = NoisePlan(count, seed, seed, choices, arrangement)
    return (one.frame for one in play(rollout, plan).frames)


def test_a_walk_is_interpolated_by_its_first_state():
    rollout = Rollout(*steps.walking())
    first, second = islice(pictures(rollout, 3, seed=4, arrangement="interpolate"), 2)
    # Three frames of 1x3 side by side, gaps of 2 between; the ends are those of seeds 4 and 5.
    a, b = rollout.draw("first", 4), rollout.draw("first", 5)
    np.testing.assert_array_equal(first[0, :3, 0], shown(a))
    np.testing.assert_array_equal(first[0, 10:, 0], shown(b))
    np.testing.assert_array_equal(second[0, :3, 0], shown(a / 2))
    middle = (first[0, 5:8, 0] / 127.5 - 1) * 2  # both states, on the great circle between
    angle = np.arccos(np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))
    expected = (a + b) * np.sin(angle / 2) / np.sin(angle)
    np.testing.assert_allclose(middle / 2, expected, atol=1 / 127)


def test_rows_of_content_and_columns_of_motion():
    rollout = Rollout(*steps.counting())
    (picture,) = islice(pictures(rollout, 2, arrangement="content-motion"), 1)
    cells = [picture[top : top + 2, left : left + 2] for top in (0, 4) for left in (0, 4)]
    seeds = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for cell, (content, motion) in zip(cells, seeds, strict=True):
        played = rollout.start(content_seeds=[content], motion_seeds=[motion])
        np.testing.assert_array_equal(cell, next(played).frames[0])


@pytest.mark.parametrize(
    ("step", "options", "sentence"),
    [
        (steps.walking, {"arrangement": "content-motion"}, "no content apart from its motion"),
        (steps.walking, {"category": "run"}, "has no categories; leave out --category"),
        (steps.predicting, {}, "goes on with a clip instead of beginning from noise"),
        (steps.labelled, {}, "follows label maps instead of beginning from noise: kvidgan predict"),
    ],
)
def test_what_a_model_has_not_is_refused(step, options, sentence):
    with pytest.raises(UserError, match=sentence):
        next(pictures(Rollout(*step()), 2, **options))


def test_a_clip_is_played_with_what_is_shown_beside(tmp_path):
    clip = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 3), np.uint8)
    np.save(tmp_path / "clip.npy", clip)
    rollout = Rollout(*steps.predicting())
    playback = play(rollout, ClipPlan(str(tmp_path / "clip.npy"), start=1))
    assert (playback.num_context, playback.num_before_step, playback.total) == (2, 2, None)
    assert (playback.has_truth, playback.has_label_maps) == (True, False)
    assert (playback.extra_names, playback.step_shape) == (("twice",), (1, 8, 12))
    frames = list(islice(playback.frames, 6))
    assert [one.is_context for one in frames] == [True, True, False, False, False, False]
    for one, true in zip(frames[:5], clip[1:], strict=True):
        np.testing.assert_array_equal(one.truth, true)
    assert frames[5].truth is None, "the clip has ended"
    direct = rollout.start(context=clip[1:3])
    for one, step in zip(frames[2:], direct, strict=False):
        np.testing.assert_array_equal(one.frame, step.frames[0])
        assert one.extras["twice"].shape == (8, 12, 3)
    assert not frames[0].extras


def test_a_plan_of_another_kind_is_refused():
    with pytest.raises(UserError, match="Expected a model that goes on with a clip or follows"):
        play(Rollout(*steps.counting()), ClipPlan("maze"))
