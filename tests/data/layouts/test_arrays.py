"""Arrays as NumPy, SciPy and h5py write them, against the values that were written."""

import sys
from functools import cache

import h5py
import numpy as np
import pytest
import scipy.io

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import frames_of, source_of
from tests.textures import texture


@cache
def moving(videos=6, length=10, height=16, width=16, channels=3):
    """Textures that move to the right: uint8 (videos, time, height, width, channels)."""
    first = [texture(height, width, channels, seed) for seed in range(videos)]
    return np.stack([[np.roll(one, t, axis=1) for t in range(length)] for one in first])


def arranged(clips, axes):
    """Clips (videos, time, height, width, channels) with these axes; those left out are of 1."""
    left = [i for i, letter in enumerate("NTHWC") if letter not in axes]
    kept = [letter for letter in "NTHWC" if letter in axes]
    return clips.squeeze(tuple(left)).transpose([kept.index(letter) for letter in axes])


def save(path, array, key="clips"):
    """Write an array by the program that the suffix names."""
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.name.endswith("c.npz"):
        np.savez_compressed(path, **{key: array, "labels": np.zeros(3)})
    elif path.suffix == ".npz":
        np.savez(path, **{key: array, "labels": np.zeros(3)})
    elif path.name == "old.mat":
        scipy.io.savemat(path, {key: array, "labels": np.zeros((1, 3)), "title": "a, b"})
    elif path.name == "old_c.mat":
        scipy.io.savemat(path, {key: array}, do_compression=True)
    else:
        save_hdf5(path, array, key)
    return path


def save_hdf5(path, array, key):
    """Write HDF5; as MATLAB does, with its axes reversed, if the suffix is .mat."""
    matlab = path.suffix == ".mat"
    with h5py.File(path, "w", userblock_size=512 if matlab else 0) as file:
        data = file.create_dataset(key, data=array.T if matlab else array, compression="gzip")
        labels = file.create_dataset("labels", data=np.zeros((3, 1), "u2"))
        if matlab:
            data.attrs["MATLAB_class"] = np.bytes_("uint8")
            labels.attrs["MATLAB_class"] = np.bytes_("char")


def stored(path, reading=Reading()):
    """Read a source through `prepare` and a clip store: the source, and its videos."""
    source = open_source(path, reading)
    report = prepare(source, path.with_name("stored.h5"), overwrite=True)
    with ClipStore.open(report.path) as store:
        videos = [store.read(n, 0, int(row["length"])) for n, row in enumerate(store.index)]
    return source, videos


FILES = ["x.npy", "x.npz", "c.npz", "old.mat", "old_c.mat", "new.mat", "x.h5", "x.hdf5"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("axes", ["NTHWC", "TNHWC", "NTHW", "TNHW", "HWCTN", "HWTN", "HWNT"])
def test_many_videos_in_any_file(tmp_path, name, axes):
    clips = moving(channels=3 if "C" in axes else 1)
    path = save(tmp_path / name, arranged(clips, axes))
    source, videos = stored(path)
    assert f"axes ({', '.join(axes)}) of" in source.note
    assert source.guesses == [
        f"axes {axes} of {'x'.join(map(str, arranged(clips, axes).shape))} are a guess by its"
        " sizes and what it shows: --axes says otherwise"
    ]
    np.testing.assert_array_equal(videos, clips)


@pytest.mark.parametrize(
    ("axes", "height", "width", "channels"),
    [
        *[("THWC", 16, 24, channels) for channels in (1, 3)],
        ("THWC", 9, 70, 3),
        ("CTHW", 16, 24, 1),
        ("TCHW", 16, 24, 1),
        ("HWT", 16, 16, 1),
        ("THW", 16, 16, 1),
        ("HWCT", 16, 16, 1),
    ],
)
def test_one_video_whose_sizes_leave_one_reading(tmp_path, axes, height, width, channels):
    clips = moving(1, 10, height, width, channels)
    source, videos = stored(save(tmp_path / "x.npy", arranged(clips, axes)))
    assert "are a guess by its sizes: --axes says otherwise" in source.guesses[0]
    np.testing.assert_array_equal(videos, clips)


ORDERS = ["THW", "WTH", "THWC", "CWHT", "TCHW", "HWCT", "HWTC", "NTHWC", "CNWTH", "WHNCT", "NHWT"]


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("name", ["x.npy", "new.mat"])
def test_stated_axes(tmp_path, axes, name):
    clips = moving(3 if "N" in axes else 1, 4, 5, 6, 3 if "C" in axes else 1)
    source, videos = stored(save(tmp_path / name, arranged(clips, axes)), Reading(axes=axes))
    assert source.guesses == []
    np.testing.assert_array_equal(videos, clips)
    assert len(source.videos) == (3 if "N" in axes else 1)


@pytest.mark.parametrize(
    ("shape", "candidates"),
    [
        ((20, 3, 64, 64), "TCHW or NTHW or TNHW"),
        ((3, 20, 64, 64), "CTHW or NTHW or TNHW"),
        ((64, 64, 3, 20), "HWCT or HWTN or HWNT"),
        ((240, 240, 320, 3), "THWC or HWTN or HWNT"),
        ((30, 48, 64), "THW or HWT"),
        ((64, 64, 64), "THW or HWT"),
        ((6, 10, 16, 16, 3), "NTHWC or TNHWC"),
    ],
)
def test_axes_that_are_left_open(tmp_path, shape, candidates):
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    first = candidates.split()[0]
    message = rf"which may be {candidates}: say which with --axes {first} \(N: videos, T: time"
    with pytest.raises(UserError, match=message):
        open_source(tmp_path / "x.npy")


def test_noise_says_nothing_of_its_axes(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (6, 9, 16, 16), "u1"))
    with pytest.raises(UserError, match="which may be NTHW or TNHW: say which"):
        open_source(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [(64, 64, 3), (3, 64, 64), (2, 5, 4, 4), (10, 9, 3), (7, 7)])
def test_no_reading_is_left(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.ones(shape, np.uint8))
    with pytest.raises(UserError, match=r"x\.npy: expected an array .*; say with --axes what"):
        open_source(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("NTHW", r"expected 4 axes \(NTHW\), found 5 of sizes 2x5x4x3x3; give --axes a letter"),
        ("NCTHW", "expected 1, 3 or 4 colours along C"),
    ],
)
def test_axes_that_an_array_cannot_have(tmp_path, axes, sentence):
    np.save(tmp_path / "x.npy", np.zeros((2, 5, 4, 3, 3), np.uint8))
    with pytest.raises(UserError, match=sentence):
        open_source(tmp_path / "x.npy", Reading(axes=axes))


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("NTHWX", "letters of NTHWC"),
        ("TTHW", "T stands twice"),
        ("NTH", "W lacks"),
        ("", "T lacks"),
    ],
)
def test_axes_that_are_none(axes, sentence):
    with pytest.raises(ValueError, match=sentence):
        Reading(axes=axes)


def test_axes_in_small_letters_and_alpha_over_black(tmp_path):
    clips = moving(1, 4, 8, 9, 4)
    _, videos = stored(save(tmp_path / "x.npy", arranged(clips, "THWC")), Reading(axes="thwc"))
    seen = clips[..., :3] * (clips[..., 3:] / 255.0)
    assert np.abs(videos - seen).max() <= 0.51


# --- values

GREY = moving(3, 6, channels=1)


@pytest.mark.parametrize(
    ("values", "note", "guess"),
    [
        *[((GREY / 255).astype(kind), f"{kind} from 0 to 1", "") for kind in ("float32", ">f8")],
        *[((GREY / 127.5 - 1).astype(k), f"{k} from -1 to 1", "") for k in ("float16", "float32")],
        *[(GREY.astype(k), f"{k} from 0 to 255", "") for k in ("float16", "float32", "float64")],
        *[
            (GREY.astype(k), f"{k} of 8 bit", f"{k}: 8 bit is a guess, the least that holds")
            for k in ("int16", "uint16", "int32", "uint32", "int64", "uint64")
        ],
        ((GREY // 2).astype("int8"), "int8 of 8 bit", "int8: 8 bit is a guess"),
        (GREY.astype("u2") * 257, "uint16 of 16 bit", "16 bit is a guess"),
        (np.rint(GREY * (1023 / 255)).astype("u2"), "uint16 of 10 bit", "from 0 to 1023: --bit-d"),
        (np.rint(GREY * (4095 / 255)).astype("i4"), "int32 of 12 bit", "12 bit is a guess"),
        (np.rint(GREY * (16383 / 255)).astype("u2"), "uint16 of 14 bit", "14 bit is a guess"),
        (GREY > 127, "bool", ""),
        ((GREY > 127).astype("u1"), "uint8 from 0 to 1", "0 and 1 alone as black and white are"),
        ((GREY > 127).astype("i8"), "int64 from 0 to 1", "--bit-depth 8 says otherwise"),
        ((GREY > 127).astype("f4"), "float32 from 0 to 1", ""),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5"])
def test_each_kind_of_values(tmp_path, values, note, guess, suffix):
    source, videos = stored(save(tmp_path / f"x{suffix}", values), Reading(axes="NTHWC"))
    assert source.note.endswith(note)
    assert len(source.guesses) == bool(guess)
    assert guess in "".join(source.guesses)
    two = len(np.unique(values)) == 2
    expected = np.where(GREY > 127, 255, 0) if two else GREY // 2 if "int8 of" in note else GREY
    expected = GREY // 2 if note.startswith("int8") else expected
    assert np.abs(np.stack(videos).astype(int) - expected).max() <= 0


def test_a_stated_bit_depth(tmp_path):
    values = GREY.astype("u2") * 4
    path = save(tmp_path / "x.npy", values)
    source, videos = stored(path, Reading(axes="NTHWC", bit_depth=12))
    assert (source.guesses, source.note.endswith("uint16 of 12 bit")) == ([], True)
    np.testing.assert_array_equal(videos, np.rint(values * (255 / 4095)))
    with pytest.raises(UserError, match="expected 9 bit, from 0 to 511, found values from 0 to 10"):
        open_source(path, Reading(axes="NTHWC", bit_depth=9))
    _, floats = stored(save(path, values.astype("f4")), Reading(axes="NTHWC", bit_depth=10))
    np.testing.assert_array_equal(floats, np.rint(values * (255 / 1023)))
    _, dark = stored(save(path, (GREY > 9).astype("u1")), Reading(axes="NTHWC", bit_depth=8))
    np.testing.assert_array_equal(dark, GREY > 9)
    with pytest.raises(UserError, match="expected more than 8 bit for --bit-depth 10, found uint8"):
        open_source(path, Reading(axes="NTHWC", bit_depth=10))


def spoilt(values, *others):
    values = values.copy()
    values.reshape(-1)[-len(others) :] = others
    return values


FRACTIONS = (GREY / 255).astype("f4")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            GREY.astype("i2") - 128,
            "whole numbers from 0 to 65535, found int16 with values from -",
        ),
        (GREY.astype("u4") * 1000, "found uint32 with values from 0 to 255000"),
        (spoilt(FRACTIONS, np.nan), "expected numbers, found float32 with NaN among the values"),
        (spoilt(FRACTIONS, np.inf), "found float32 with infinity among the values"),
        (spoilt(FRACTIONS, 1.05), "from 0 to 1, -1 to 1 or 0 to 255, found float32 .* 0 to 1.05"),
        (FRACTIONS - 0.5, "found float32 with values from -0.5 to 0.5; bring them there"),
        (FRACTIONS * 4 - 2, "found float32 with values from -2 to 2"),
        (spoilt(FRACTIONS, -0.1), "found float32 with values from -0.1 to 1"),
        (FRACTIONS * 1023, "found float32 with values from 0 to 1023"),
        (FRACTIONS * 8, "found float32 with values from 0 to 8"),
    ],
)
@pytest.mark.parametrize("name", ["x.npy", "c.npz", "x.h5", "old.mat"])
def test_values_that_are_no_pictures(tmp_path, values, found, name):
    with pytest.raises(UserError, match=found):
        open_source(save(tmp_path / name, values), Reading(axes="NTHWC"))


def test_a_hair_beyond_is_rounded_not_refused(tmp_path):
    _, videos = stored(save(tmp_path / "x.npy", spoilt(FRACTIONS, 1 + 1e-6, -1e-6)))
    assert (videos[-1].ravel()[-2:] == [255, 0]).all()


def test_all_values_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("kvidgan.data.layouts.array_files.BLOCK", 500)
    for name in ("x.npy", "f.npy", "x.npz", "x.h5"):
        values = spoilt(np.zeros((2, 9, 16, 16, 1), "u2"), 65535)
        path = save(tmp_path / name, np.asfortranarray(values) if name == "f.npy" else values)
        assert open_source(path, Reading(axes="NTHWC")).note.endswith("uint16 of 16 bit")


def test_arrays_of_one_source_have_the_same_levels(tmp_path):
    for number, highest in enumerate((900, 3000)):
        values = np.full((4, 8, 9), highest, "u2")
        np.save(tmp_path / f"{number}.npy", values)
    source = open_source(tmp_path, Reading(axes="THW"))
    assert source.note == "axes (T, H, W) of 4x8x9, uint16 of 12 bit"
    assert [int(frames_of(one).max()) for one in source.videos] == [56, 187]
    for number, (low, high) in enumerate(((0, 1), (-1, 1))):
        np.save(tmp_path / f"{number}.npy", np.linspace(low, high, 288).reshape(4, 8, 9))
    source = open_source(tmp_path, Reading(axes="THW"))
    assert [int(frames_of(one).min()) for one in source.videos] == [128, 0]


# --- files


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
    from kvidgan.data.clips import open_clip
    from kvidgan.info import describe

    assert open_clip(tmp_path / "array.h5", 1).note.startswith("array.h5/000001, 10 frames")
    assert describe(tmp_path / "array.h5")[0][1].startswith("arrays: 6 videos")
    assert open_clip(store).note.startswith("video0, 10 frames")
    assert describe(store)[0] == ("clip store", str(store))


def test_a_folder_of_clip_stores_alone(tmp_path):
    for name in ("a.h5", "b.h5"):
        prepare(source_of([moving()[0]]), tmp_path / name)
    with pytest.raises(UserError, match=r"holds clip stores such as a\.h5 instead of videos: open"):
        open_source(tmp_path)
