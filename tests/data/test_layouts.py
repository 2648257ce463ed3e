import pickle
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.data.layouts import arrays
from kvidgan.data.layouts.registry import LAYOUTS, open_source
from kvidgan.data.schema import LayoutName
from kvidgan.errors import UserError
from tests.data.conftest import save_frames, save_strip, video


def frames_of(one):
    return np.stack(list(one.read()))


def test_film_strips(strips):
    source = open_source(strips)
    assert source.describe() == "film strips: 4 videos in 2 classes (0, 1), 8x8, 10 to 13 frames"
    assert [v.name for v in source.videos] == ["0/0.png", "0/2.png", "1/1.png", "1/3.png"]
    assert [v.class_index for v in source.videos] == [0, 0, 1, 1]
    np.testing.assert_array_equal(frames_of(source.videos[1]), video(2, 12))


def test_film_strips_stacked_flat_and_misnamed(tmp_path):
    save_strip(tmp_path / "1.jpg", video(5, 6), axis=0)
    source = open_source(tmp_path)
    assert (source.layout, source.classes, source.videos[0].class_index) == ("film_strips", [], -1)
    np.testing.assert_array_equal(frames_of(source.videos[0]), video(5, 6))


def test_one_strip(strips):
    source = open_source(strips / "0" / "2.png")
    assert (source.name, len(source.videos), source.videos[0].length) == ("2", 1, 12)


def test_strips_of_bad_length_are_skipped(strips):
    Image.new("RGB", (61, 8)).save(strips / "0" / "bad.png")
    source = open_source(strips)
    assert len(source.videos) == 4
    assert [s.name for s in source.skipped] == ["0/bad.png"]
    assert "found 61x8: 61 is no multiple (2 or more) of 8" in source.skipped[0].reason
    assert source.describe().endswith(", 1 skipped")


def test_nothing_but_strips_of_bad_length(tmp_path):
    Image.new("RGB", (61, 8)).save(tmp_path / "bad.png")
    with pytest.raises(UserError, match=r"no usable film strips: bad\.png: expected a strip"):
        open_source(tmp_path)


def test_frame_folders_in_natural_order_with_splits(tmp_path):
    for split, folder, length in [("Train", "v10", 11), ("Train", "v2", 3), ("TEST", "v1", 4)]:
        save_frames(tmp_path / split / folder, video(1, length))
    source = open_source(tmp_path)
    assert source.layout == "frame_folders"
    assert [(v.name, v.split, v.length) for v in source.videos] == [
        ("TEST/v1", "test", 4),
        ("Train/v2", "train", 3),
        ("Train/v10", "train", 11),
    ]
    assert source.classes == []
    np.testing.assert_array_equal(frames_of(source.videos[2]), video(1, 11))


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "bus"):
        save_strip(tmp_path / name / "a.png", video(0, 4))
    source = open_source(tmp_path)
    assert source.classes == ["bus", "train"]
    assert {v.split for v in source.videos} == {""}


def test_classes_below_splits(tmp_path):
    for name in ("train/run/a.png", "train/walk/a.png", "val/run/b.png"):
        save_strip(tmp_path / name, video(0, 4))
    source = open_source(tmp_path)
    assert source.classes == ["run", "walk"]
    assert [(v.split, v.class_index) for v in source.videos] == [
        ("train", 0),
        ("train", 1),
        ("val", 0),
    ]


def test_one_folder_of_frames_is_one_video(tmp_path):
    save_frames(tmp_path / "clip", video(3, 5))
    source = open_source(tmp_path / "clip")
    assert [(v.name, v.length) for v in source.videos] == [("clip", 5)]


def test_mixed_sizes_in_a_frame_folder(tmp_path):
    save_frames(tmp_path / "v", video(0, 3))
    Image.new("RGB", (9, 8)).save(tmp_path / "v" / "frame4.png")
    with pytest.raises(UserError, match=r"frame4\.png is 9x8, the frames before it are 8x8"):
        frames_of(open_source(tmp_path).videos[0])


def test_videos(tmp_path):
    for name in ("walk/b.gif", "run/c10.gif", "run/c9.gif"):
        media.write_frames(tmp_path / name, video(2, 3), 10)
    source = open_source(tmp_path)
    assert [v.name for v in source.videos] == ["run/c9.gif", "run/c10.gif", "walk/b.gif"]
    assert (source.layout, source.classes) == ("videos", ["run", "walk"])
    assert frames_of(source.videos[0]).shape == (3, 8, 8, 3)
    assert open_source(tmp_path / "walk").classes == []
    assert open_source(tmp_path / "walk" / "b.gif").describe() == "videos: 1 video"


def test_other_and_hidden_files(strips):
    (strips / "README.txt").write_text("about")
    (strips / ".DS_Store").write_text("x")
    (strips / ".git").mkdir()
    (strips / ".git" / "x.png").write_text("x")
    source = open_source(strips)
    assert len(source.videos) == 4
    skipped = [(s.name, s.reason, s.damaged) for s in source.skipped]
    assert skipped == [("README.txt", "not an image", False)]


@pytest.mark.parametrize(
    ("shape", "axes", "count", "frames"),
    [
        ((4, 6, 8, 9), "T, N, H, W", 6, (4, 8, 9, 1)),
        ((6, 4, 8, 9), "N, T, H, W", 6, (4, 8, 9, 1)),
        ((3, 4, 8, 9, 3), "N, T, H, W, C", 3, (4, 8, 9, 3)),
        ((5, 8, 9, 3), "T, H, W, C", 1, (5, 8, 9, 3)),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays(tmp_path, shape, axes, count, frames, suffix):
    array = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    path = tmp_path / f"set{suffix}"
    np.save(path, array) if suffix == ".npy" else np.savez(path, clips=array, labels=np.zeros(3))
    source = open_source(path)
    assert f"axes ({axes}) of {'x'.join(map(str, shape))}" in source.describe()
    assert len(source.videos) == count
    last = frames_of(source.videos[-1])
    assert last.shape == frames
    expected = array if count == 1 else array[:, -1] if axes[0] == "T" else array[-1]
    np.testing.assert_array_equal(last.reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"a": np.zeros((2, 3, 4, 4), np.float32)}, r"a float32 \(2, 3, 4, 4\)"),
        ({"a": np.zeros((2, 3, 4, 5), "u1"), "b": np.zeros((2, 3, 4, 5), "u1")}, "a uint8.*; b u"),
        ({"a": np.zeros((2, 3), "u1")}, r"a uint8 \(2, 3\)"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, found):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=f"expected one 8-bit .* array .*, found {found}"):
        open_source(tmp_path / "x.npz")


def floats(values, shape=(6, 4, 8, 9), dtype="f4"):
    """An array with the values up front, spread by a quarter of it each, else 0.5."""
    array = np.full(shape, 0.5, dtype)
    array.reshape(-1)[:: array.size // 4][: len(values)] = values
    return array


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (floats([0, 1]), "from 0 to 1: scale it"),
        (floats([-1, 1], dtype="f2"), "from -1 to 1: scale it"),
        (
            floats([-1, 0.75, np.nan], (3, 4, 8, 9, 3)),
            "from -1 to 0.75 with NaN in it: replace NaN",
        ),
        (floats([np.inf, np.nan], dtype=">f8"), "from 0.5 to 0.5 with NaN and infinity in it: "),
        (np.full((2, 3, 4, 4), np.nan), "no number with NaN in it: replace NaN, scale it"),
    ],
)
def test_arrays_of_floating_point(tmp_path, array, said):
    np.save(tmp_path / "x.npy", array)
    np.save(tmp_path / "f.npy", np.asfortranarray(array))
    np.savez(tmp_path / "x.npz", clips=array, labels=np.zeros(3))
    np.savez_compressed(tmp_path / "c.npz", labels=np.zeros(3), clips=array)
    for name in ("x.npy", "f.npy", "x.npz", "c.npz"):
        with pytest.raises(UserError, match="expected one 8-bit") as caught:
            open_source(tmp_path / name)
        assert f"{array.dtype} {array.shape}" in str(caught.value)
        assert said in str(caught.value)
        assert str(caught.value).endswith("scale it to 0..255 and save it as uint8.")


def test_large_arrays_of_floating_point_are_looked_at_in_part(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_INSPECTED", 640)
    array = np.zeros((6, 40, 8, 9), "f4")
    array[-1] = np.nan
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array)
    for name, found in (("x.npy", "from 0 to 0 with NaN in it"), ("x.npz", "from 0 to 0")):
        with pytest.raises(UserError, match=f"{found} in the part looked at: "):
            open_source(tmp_path / name)
    sizes = []
    monkeypatch.setattr(arrays.np, "isfinite", lambda a: sizes.append(a.size) or (a == a))
    with pytest.raises(UserError):
        open_source(tmp_path / "x.npy")
    assert sizes == [640]


def test_a_damaged_array_in_an_archive(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", np.random.default_rng(0).random((2, 3, 40, 40)))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[2000:2100] = bytes(100)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz is damaged or no NumPy array file"):
        open_source(tmp_path / "x.npz")


def test_arrays_never_unpickle(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"x\.npy is damaged or no NumPy array"):
        open_source(tmp_path / "x.npy")


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="nowhere does not exist"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no videos: expected film strips.*, found no files"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"found 1 file such as notes\.txt"):
        open_source(tmp_path)


def test_forced_layout(strips):
    source = open_source(strips, "frame_folders")
    assert [v.length for v in source.videos] == [2, 2]
    with pytest.raises(UserError, match=r"no usable videos: found 4 files such as 0/0\.png"):
        open_source(strips, "videos")
    with pytest.raises(UserError, match=r"Expected a layout of labelled_frames, .* found 'reel'"):
        open_source(strips, "reel")


def test_every_video_pickles(strips):
    one = pickle.loads(pickle.dumps(open_source(strips).videos[3]))
    np.testing.assert_array_equal(frames_of(one), video(3, 13))


def test_schema_knows_every_layout():
    assert set(get_args(LayoutName)) == {"auto", *LAYOUTS}


def test_importing_loads_no_backend():
    modules = "schema, sources, builtin, store, prepare, clips"
    check = f"import sys; from kvidgan.data import {modules}; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout
    assert "h5py" in loaded
    assert not {"keras", "cv2", "tensorflow", "imageio"} & set(eval(loaded))


def test_real_layouts(real_data):
    actions = open_source(real_data / "actions")
    assert actions.describe() == (
        "film strips: 48 videos in 4 classes (0, 1, 3, 4), 64x64, 51 to 146 frames"
    )
    pacman = open_source(real_data / "mspacman").describe()
    assert pacman.startswith("frame folders: 20 videos, 6 to test, 14 to train, 160x210")
    assert open_source(real_data / "clips").describe() == "videos: 10 videos"
    assert frames_of(actions.videos[0]).shape[1:] == (64, 64, 3)
