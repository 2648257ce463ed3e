"""Files of arrays: which array, damage, folders, clip stores."""

import sys

import h5py
import numpy as np
import pytest
import scipy.io

from kvidgan.data.clips import open_clip
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.info import describe
from tests.data.conftest import frames_of, source_of
from tests.data.layouts.writing_arrays import FILES, moving, save, stored


def test_several_arrays_in_a_file(tmp_path):
    clips = moving()
    for name in ("x.npz", "x.h5", "x.mat"):
        path = tmp_path / name
        more = {"a": clips, "b": 255 - clips, "labels": np.zeros(3)}
        if name == "x.npz":
            np.savez(path, **more)
        elif name == "x.mat":
            scipy.io.savemat(path, more)
        else:
            with h5py.File(path, "w") as file:
                for key, values in more.items():
                    file[key] = values
        with pytest.raises(UserError, match=r"2 arrays that may be videos \(a, b\): choose one wi"):
            open_source(path)
        source, videos = stored(path, Reading(select="b"))
        assert "(b)" in source.note
        np.testing.assert_array_equal(videos, 255 - clips)
        with pytest.raises(UserError, match="has no array 'c': choose another with --select, of a"):
            open_source(path, Reading(select="c"))
    np.save(tmp_path / "x.npy", clips)
    with pytest.raises(UserError, match="one array without a name: expected no --select, found 'a"):
        open_source(tmp_path / "x.npy", Reading(select="a"))


def test_an_array_in_groups_of_hdf5(tmp_path):
    clips = moving()
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["train/frames"] = clips
        file["train/names"] = ["a", "b"]
        file["link"] = h5py.ExternalLink("missing.h5", "/x")
    source, videos = stored(tmp_path / "x.h5")
    assert "(train/frames)" in source.note
    np.testing.assert_array_equal(videos, clips)


def test_folders_of_arrays(tmp_path):
    clips = moving(4, 10, 16, 24)
    for number, place in enumerate(("train/run", "train/walk", "test/run", "test/walk")):
        (tmp_path / place).mkdir(parents=True)
        np.save(tmp_path / place / "x.npy", clips[number])
    np.save(tmp_path / "train" / "run" / "odd.npy", np.zeros((16, 16, 24, 3), np.uint8))
    np.save(tmp_path / "train" / "run" / "labels.npy", np.zeros(9))
    np.save(tmp_path / "train" / "run" / "nan.npy", np.full((5, 16, 24, 3), np.nan))
    prepare(source_of([clips[0]]), tmp_path / "test" / "store.h5")
    source = open_source(tmp_path)
    assert source.classes == ["run", "walk"]
    assert [(v.split, v.class_index) for v in source.videos] == [
        *(("test", 0), ("test", 1)),
        *(("train", 0), ("train", 0), ("train", 1)),
    ]
    assert [(one.name, one.damaged) for one in source.skipped] == [
        ("test/store.h5", False),
        ("train/run/labels.npy", False),
        ("train/run/nan.npy", True),
    ]
    assert "is a clip store: open it by itself" in source.skipped[0].reason
    assert len(source.guesses) == 2
    assert "axes THWC of 16x16x24x3 are a guess by the other arrays" in source.guesses[1]
    np.testing.assert_array_equal(frames_of(source.videos[0]), clips[2])


def test_damaged_files(tmp_path):
    for name in FILES:
        path = save(tmp_path / name, np.random.default_rng(0).random((2, 3, 40, 40)))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(UserError, match="is damaged or not a.*: copy it or save it again"):
            open_source(path, Reading(axes="NTHW"))
        path.write_text("no array")
        with pytest.raises(UserError, match=r"\.(mat is damaged or|\w+ is) not an? .*: "):
            open_source(path)


def test_damage_inside_an_archive(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", np.random.default_rng(0).random((2, 3, 40, 40)))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[2000:2100] = bytes(100)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz is damaged or not an archive of NumPy arrays"):
        open_source(tmp_path / "x.npz", Reading(axes="NTHW"))


def test_arrays_never_unpickle(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"x\.npy holds Python objects, which may run code"):
        open_source(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", a=np.full((4, 8, 8, 3), None, object))
    with pytest.raises(UserError, match=r"found a object \(4, 8, 8, 3\)"):
        open_source(tmp_path / "x.npz")


def test_old_matlab_files_need_scipy(tmp_path, monkeypatch):
    path = save(tmp_path / "old.mat", moving())
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(UserError, match="before 7.3, which SciPy reads: pip install scipy, or"):
        open_source(path)


def test_clip_stores_go_by_what_is_in_them(tmp_path):
    clips = moving()
    save(tmp_path / "array.h5", clips)
    store = prepare(source_of([clips[0]]), tmp_path / "store.data").path
    assert open_clip(tmp_path / "array.h5", 1).note.startswith("array.h5/000001, 10 frames")
    assert ("videos", "6") in describe(tmp_path / "array.h5")
    assert open_clip(store).note.startswith("video0, 10 frames")
    assert describe(store)[0] == ("clip store", str(store))


def test_a_folder_of_clip_stores_alone(tmp_path):
    for name in ("a.h5", "b.h5"):
        prepare(source_of([moving()[0]]), tmp_path / name)
    with pytest.raises(UserError, match=r"holds clip stores such as a\.h5 instead of videos: open"):
        open_source(tmp_path)
