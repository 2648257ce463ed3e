import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.evaluation import chosen_clips as module
from kvidgan.evaluation.evaluate import evaluate
from tests.evaluation.conftest import copying, rollout, squares


@pytest.fixture
def store(stored):
    """Four long videos, two of them larger, and one with six frames."""
    larger = squares(3, side=60)
    return stored([*squares(2), *larger[1:], squares(1, length=6)[0]])


def test_clips_start_evenly_spaced_and_sizes_stay_together(store):
    models = {"copying": rollout(copying())}
    chosen = evaluate(models, store, num_frames=2, clips=3).clips
    assert [clip.start for clip in chosen.starts if clip.video == 3] == [0, 3, 6]
    assert [clip.start for clip in chosen.starts if clip.video == 4] == [0, 1, 2]
    assert chosen.sizes == {(48, 48): 9, (60, 60): 6}
    in_order = [0] * 3 + [1] * 3 + [4] * 3 + [2] * 3 + [3] * 3
    assert [clip.video for clip in chosen.starts] == in_order
    chosen = evaluate(models, store, num_frames=4, clips=3, every=4).clips
    assert chosen.starts == [(0, 0), (0, 2), (0, 4), (4, 0)], "no clip twice"


def test_a_batch_is_as_large_as_its_frames_allow(store):
    models = {"copying": rollout(copying())}
    chosen = evaluate(models, store, num_frames=1, clips=2).clips
    assert list(chosen.batches()) == [(range(6), 6), (range(6, 10), 4)]
    shape = module.FrameShape(360, 480, 3)
    large = module.ChosenClips(store, None, 1, 1, 2, 1, shape, chosen.starts[:2], 0)
    assert list(large.batches()) == [(range(1), 1), (range(1, 2), 1)]


def test_short_videos_are_left_out_and_counted(store, caplog):
    chosen = evaluate({"copying": rollout(copying())}, store, num_frames=5, clips=1).clips
    assert chosen.too_short == 1
    assert 4 not in chosen.videos
    assert "clips.h5: 1 of 5 videos have fewer than 7 frames and are not scored." in caplog.text


@pytest.mark.parametrize(("frames", "hint"), [(9, "predict at most 8"), (100, "at most 8")])
def test_no_video_is_long_enough(store, frames, hint):
    with pytest.raises(
        UserError, match=f"{frames} predicted frames need .* longest has 10: .*{hint}"
    ):
        evaluate({"copying": rollout(copying())}, store, num_frames=frames)


def test_a_history_that_no_video_can_fill(store):
    with pytest.raises(UserError, match=r"12 given .* the longest has 10: use longer videos"):
        evaluate({"copying": rollout(copying(12))}, store, num_frames=1)


@pytest.mark.parametrize(
    ("splits", "wanted", "numbers"),
    [
        (["train", "test", "val", "test"], None, {1, 3}),
        (["train", "train", "val", "train"], None, {2}),
        (["train", "train", "train", "train"], None, {0, 1, 2, 3}),
        (None, None, {0, 1, 2, 3}),
        (["train", "test", "val", "test"], "train", {0}),
    ],
)
def test_splits(stored, splits, wanted, numbers):
    store = stored(squares(4, length=4), splits=splits)
    models = {"copying": rollout(copying())}
    chosen = evaluate(models, store, split=wanted, num_frames=1, clips=1).clips
    assert set(chosen.videos) == numbers


def test_unknown_splits(stored):
    models = {"copying": rollout(copying())}
    store = stored(squares(2), splits=["train", "test"])
    with pytest.raises(UserError, match="no split 'val': expected one of test, train"):
        evaluate(models, store, split="val")
    with pytest.raises(UserError, match="has no splits, found 'val': leave the split out"):
        evaluate(models, stored(squares(2), name="plain"), split="val")


def test_the_models_stride_is_kept(store):
    strided = {"data": {"stride": 3}}
    models = {"copying": rollout(copying(config=strided))}
    scores = evaluate(models, store, num_frames=2, clips=1)
    assert (scores.clips.stride, scores.clips.span) == (3, 10)
    first = scores.clips.starts[0]
    np.testing.assert_array_equal(
        scores.clips.read(0, 2, 4), store.read(first.video, first.start + 6, first.start + 10, 3)
    )
    assert evaluate(models, store, num_frames=2, clips=1, stride=1).clips.span == 4
    with pytest.raises(UserError, match="2 given and 3 predicted frames, 3 apart, need videos of"):
        evaluate(models, store, num_frames=3)
    both = {**models, "plain": rollout(copying())}
    with pytest.raises(UserError, match=r"equal strides .*3 \(copying\), 1 \(plain\)"):
        evaluate(both, store, num_frames=2)
    assert evaluate(both, store, num_frames=2, stride=2).clips.stride == 2
