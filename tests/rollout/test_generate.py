from itertools import islice

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import Rollout
from kvidgan.rollout.generate import generate
from tests.rollout import steps


def shown(values):
    return np.rint((np.asarray(values) + 1) * 127.5)


def test_a_walk_is_interpolated_by_its_first_state():
    rollout = Rollout(*steps.walking())
    first, second = islice(generate(rollout, 3, 2, seed=4, arrangement="interpolate"), 2)
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
    (picture,) = generate(rollout, 2, 1, arrangement="content-motion")
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
        next(generate(Rollout(*step()), 2, 1, **options))
