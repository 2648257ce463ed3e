from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError

from kvidgan.contract import NO_CLASS, Looks
from kvidgan.errors import UserError
from kvidgan.rollout import Rollout
from kvidgan.rollout.label_maps import shared_stream
from tests.rollout.steps import dressed, following

RED, BLUE, GREY, WHITE = [1, -1, -1], [-1, -1, 1], [0, 0, 0], [1, 1, 1]
LOOKS = [[GREY], [RED, BLUE, WHITE], []]  # of a, b and c, which was never seen
A, B, C = range(3)


def colour(vector):
    return (np.array(vector) + 1) * 127.5


@pytest.fixture(scope="module")
def rollout():
    return Rollout(*dressed(LOOKS))


def played(rollout, maps, videos=1, **start):
    given = shared_stream(rollout.description, np.asarray(maps))
    steps = rollout.start(conditions=given, videos=videos, **start)
    return np.stack([step.frames for step in steps])  # (time, videos, height, width, 3)


def scene(objects=12):
    """Four moments in which objects of class b, one a pixel, walk to the right, before a and c."""
    maps = np.zeros((4, 3, objects + 4, 2), np.int32)
    maps[:, 2, :, 0] = C
    for time, number in product(range(4), range(objects)):
        maps[time, 1, number + time] = B, 1000 + number
    return maps


def close(frames, vector):
    return np.abs(frames - colour(vector)).max() < 1


def test_a_model_with_looks_follows_instances(rollout):
    assert rollout.description.maps == ("labels", "instances")
    assert following()[1].maps == ("labels",)


def test_objects_keep_their_look_and_others_have_another(rollout):
    frames = played(rollout, scene())[:, 0]
    walking = np.stack([frames[time, 1, time : time + 12] for time in range(4)])
    assert (walking == walking[0]).all(), "an object keeps its look on the way"
    for one in walking[0]:
        assert any(close(one, vector) for vector in LOOKS[B])
    assert len(np.unique(walking[0], axis=0)) > 1, "of twelve objects not all look alike"
    assert close(frames[:, 0], GREY), "class a has one look"
    assert close(frames[:, 2], GREY), "features of a class that was never seen are zeros"


def test_what_is_of_no_class_has_no_look(rollout):
    maps = scene()
    maps[:, 0, :5, 0] = NO_CLASS
    frames = played(rollout, maps)[:, 0]
    assert close(frames[:, 0], GREY), "features of zeros"


def test_looks_come_from_the_content_seed(rollout):
    both = played(rollout, scene(), videos=3, content_seeds=[5, 6, 5])
    np.testing.assert_array_equal(both[:, 0], both[:, 2])
    assert (both[:, 0] != both[:, 1]).any()
    np.testing.assert_array_equal(both[:, :1], played(rollout, scene(), seed=5))
    moved = played(rollout, scene(), content_seeds=[5], motion_seeds=[9])
    np.testing.assert_array_equal(both[:, :1], moved)


def test_the_look_of_a_class_or_of_an_object_is_chosen(rollout):
    frames = played(rollout, scene(), looks={"b": 1})[:, 0]
    assert all(close(frames[time, 1, time : time + 12], BLUE) for time in range(4))
    frames = played(rollout, scene(), looks={"b:1003": 2, "b": 0})[:, 0]
    assert close(frames[0, 1, 3], WHITE)
    assert close(np.delete(frames[0, 1, :12], 3, 0), RED)


@pytest.mark.parametrize(
    ("looks", "message"),
    [
        ({"d": 0}, "of the classes a, b, c, found 'd'"),
        ({"b:x": 0}, "one of its objects as c:7, of the classes a, b, c, found 'b:x'"),
        ({"b": 3}, "expected a look of b, 0 to 2, found 3"),
        ({"c:1": 0}, "expected a look of c, none: it was never seen in training, found 0"),
    ],
)
def test_a_look_that_is_not_there(rollout, looks, message):
    with pytest.raises(UserError, match=message):
        played(rollout, scene(), looks=looks)


def test_a_model_without_looks(rollout):
    other = Rollout(*following(past=0))
    with pytest.raises(UserError, match="gives objects no look: leave out the look of 'b'"):
        played(other, scene()[..., 0], looks={"b": 0})
    with pytest.raises(UserError, match=r"expected a \(height, width, 2\) array of class and inst"):
        played(rollout, scene()[..., 0])


@pytest.mark.parametrize("vectors", [[[[0, 0]], []], [[[0, 0, 0]]]])
def test_a_description_of_uneven_looks_is_refused(vectors):
    with pytest.raises(ValidationError, match="vectors of 3 numbers for each class"):
        Looks(features=3, names=["a", "b"], vectors=vectors)
