import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import Rollout
from kvidgan.rollout.label_maps import (
    check_alike,
    check_classes,
    shared_stream,
    split,
)
from tests.rollout.steps import counting, following, labelled, predicting


def test_which_models_follow_labels():
    kinds = [step()[1].kind for step in (following, labelled, predicting, counting)]
    assert kinds == ["labels", "labels", "clip", "noise"]
    assert [step()[1].maps for step in (following, predicting)] == [("labels",), ()]


@pytest.mark.parametrize(
    ("kind", "count", "sentence"),
    [
        ("ids", 4, r"maps: expected label maps of at most the 3 classes .*\(0, 1, 2\), found 4"),
        ("edges", 2, "maps: this toy model follows class ids .*, found edges found in frames"),
    ],
)
def test_labels_that_do_not_fit(kind, count, sentence):
    description = following()[1]
    check_classes(description, "maps", "ids", ["a", "b"])
    with pytest.raises(UserError, match=sentence):
        check_classes(description, "maps", kind, [str(k) for k in range(count)])


def test_a_model_that_draws_the_first_frames():
    description = following()[1]
    check_alike(description, following(past=0)[1], "other.keras")
    check_alike(description, following(empty=True)[1], "other.keras")
    for other, sentence in (
        (following()[1], "from label maps alone, found a toy model that begins with 2 real"),
        (predicting()[1], "from label maps alone, found a toy model that begins with 2 real"),
        (following(past=0, classes=4)[1], "other.keras: expected the classes .*, 3, found 4"),
        (following(past=0, found="edges")[1], "expected the label maps .*, class ids"),
        (following(past=0, channels=1)[1], "expected the channels .*, 3, found 1"),
        (counting()[1], "make videos with kvidgan generate"),
    ):
        with pytest.raises(UserError, match=sentence):
            check_alike(description, other, "other.keras")


def test_sizes():
    free, trained = following()[1], following(trained=[64, 96])[1]
    assert (free.size, trained.size) == (None, (64, 96))
    assert trained.at_size((32, 40)).size == (32, 40)
    assert trained.at_size(None) is trained
    fixed = following(height=8, width=12)[1]
    assert fixed.at_size((8, 12)).size == (8, 12)
    with pytest.raises(UserError, match="makes frames of 12x8 only, found --size 12x9"):
        fixed.at_size((9, 12))


def test_a_stream_is_split():
    given = []
    one, two = split((given.append(k) or k for k in range(5)), 2)
    assert [next(one), next(one), next(two)] == [0, 1, 0]
    assert given == [0, 1], "as asked for"
    assert (list(two), list(one)) == ([1, 2, 3, 4], [2, 3, 4])


def test_what_all_have_read_of_a_stream_is_gone():
    frames = (np.zeros(3) for _ in range(9))
    one, two = split(frames, 2)
    kept = weakref.ref(next(one))
    assert kept() is not None, "the other has not read it"
    next(two)
    assert kept() is None


def test_a_rollout_over_many_labels_keeps_none_of_them():
    """600 label maps come from a generator, and go."""
    rollout, sizes = Rollout(*following()), []
    labels = (np.full((32, 48), k % 3, np.uint8) for k in range(600))
    start = {"conditions": shared_stream(rollout.description, labels), "condition_offset": 2}
    made = 0
    for step in rollout.start(context=np.zeros((2, 32, 48, 3), np.uint8), **start):
        made, size = made + 1, step.frames.nbytes
        if made == 100:
            tracemalloc.start()
        if made in (300, 590):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert made == 598
    assert sizes[1] - sizes[0] < 20 * size, "not those of 290 frames"
