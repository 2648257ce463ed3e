import numpy as np
import pytest

from kvidgan.contract import NO_CLASS
from kvidgan.evaluation import averages as module
from kvidgan.evaluation.averages import average_frames
from kvidgan.evaluation.baselines import play_baselines
from kvidgan.evaluation.chosen_clips import choose_clips
from kvidgan.media import fit_frames, fit_maps
from tests.evaluation.conftest import labelled_videos
from tests.rollout.steps import following


def planned(store, **options):
    defaults = {"split": None, "num_frames": 2, "clips": 1, "every": 1}
    return choose_clips({"toy": following()[1]}, store, **defaults | options)


@pytest.mark.parametrize("block", [16, 3])
def test_means_of_the_training_videos(stored, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    videos, maps = labelled_videos(4)
    splits = ["train", "test", "train", "val"]
    store = stored(videos, splits=splits, maps=maps)
    told = []
    found = average_frames(planned(store), lambda *progress: told.append(progress))
    frames, labels = (np.concatenate([all_[0], all_[2]]) for all_ in (videos, maps))
    (image,) = found.images.values()
    np.testing.assert_array_equal(image, np.rint(frames.mean(0)))
    for number in range(3):
        expected = np.rint(frames[labels == number].mean(0))
        np.testing.assert_array_equal(found.colours[number], expected)
    assert (found.num_videos, found.num_frames) == (2, len(frames))
    assert told[-1] == (len(frames), len(frames), "training frames")


def test_without_splits_all_that_are_not_scored(stored):
    videos, maps = labelled_videos(5)
    store = stored(videos, maps=maps)
    found = average_frames(planned(store, every=2))
    assert found.num_videos == 2
    frames = np.concatenate([videos[1], videos[3]])
    (image,) = found.images.values()
    np.testing.assert_array_equal(image, np.rint(frames.mean(0)))
    assert average_frames(planned(store)) is None, "all are scored"


def test_classes_that_are_nowhere_have_the_mean_colour(stored):
    videos, maps = labelled_videos(2)
    for one in maps:
        one[one == 2] = 0
    found = average_frames(planned(stored(videos, splits=["train", "test"], maps=maps)))
    np.testing.assert_array_equal(found.colours[2], np.rint(videos[0].mean((0, 1, 2))))


def test_in_the_models_size(stored):
    videos, maps = labelled_videos(2)
    store = stored(videos, splits=["train", "test"], maps=maps)
    models = {"toy": following(trained=[16, 20], channels=1)[1]}
    found = average_frames(choose_clips(models, store, split=None, num_frames=2, clips=1, every=1))
    frames, labels = fit_frames(videos[0], 16, 20, 1), fit_maps(maps[0], 16, 20)
    np.testing.assert_array_equal(found.images[16, 20], np.rint(frames.mean(0)))
    np.testing.assert_array_equal(found.colours[1], np.rint(frames[labels == 1].mean(0)))


def test_pixels_of_no_class_have_a_mean_of_their_own(stored):
    videos, maps = labelled_videos(2)
    for one in maps:
        one[:, :9] = NO_CLASS
    found = average_frames(planned(stored(videos, splits=["train", "test"], maps=maps)))
    assert len(found.colours) == 4
    played = play_baselines(["class colours"], videos[1][None], iter(maps[1][:, None]), found)
    drawn = next(played["class colours"])[0]
    np.testing.assert_array_equal(
        drawn, found.colours[np.where(maps[1][0] == NO_CLASS, 3, maps[1][0])]
    )
    np.testing.assert_array_equal(found.colours[3], np.rint(videos[0][:, :9].mean((0, 1, 2))))
    for number in range(3):
        expected = np.rint(videos[0][maps[0] == number].mean(0))
        np.testing.assert_array_equal(found.colours[number], expected)
