import numpy as np

from kvidgan.data.builtin import maze
from kvidgan.data.builtin import registry as builtin
from kvidgan.data.convert import prepare
from kvidgan.data.store.reader import ClipStore


def clips(name, count, seed=0):
    source = builtin.open_builtin(name, seed)
    return [np.stack(list(video.read())) for video in source.videos[:count]]


def test_every_set_is_what_it_says():
    for name, made in builtin.SETS.items():
        source = builtin.open_builtin(name)
        assert (source.name, len(source.videos)) == (name, made.clips)
        for clip, video in zip(clips(name, 3), source.videos, strict=False):
            assert (clip.dtype, clip.shape[:3]) == (np.uint8, made.shape)
            assert (video.length, video.height, video.width) == made.shape


def test_classes_and_splits_of_the_sets():
    shapes, drawn = (builtin.open_builtin(name).videos for name in ("moving_shapes", "maze"))
    assert [v.class_index for v in shapes[:3]] == [0, 1, 0]
    assert {v.split for v in shapes} == {""}
    assert {v.class_index for v in drawn} == {-1}
    assert [v.split for v in drawn] == ["train"] * 60 + ["test"] * 12


def test_splits_reach_the_prepared_store(tmp_path, monkeypatch):
    small = builtin.SETS["maze"]._replace(clips=4, test=1)
    monkeypatch.setitem(builtin.SETS, "maze", small)
    report = prepare(builtin.open_builtin("maze", 5), tmp_path / "maze.h5")
    with ClipStore.open(report.path) as store:
        assert store.index["split"].tolist() == ["train", "train", "train", "test"]
        assert store.classes == []
        np.testing.assert_array_equal(store.read(3, 0, 40), maze.maze_clip(5, 3))


def test_clips_depend_on_seed_and_index_only():
    for name in builtin.NAMES:
        first, second = clips(name, 2)
        np.testing.assert_array_equal(clips(name, 2)[1], second)
        assert not np.array_equal(first, second)
        assert not np.array_equal(clips(name, 1, seed=1)[0], first)
