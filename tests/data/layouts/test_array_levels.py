"""Values of arrays, against those that were written."""

import numpy as np
import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.conftest import frames_of
from tests.data.layouts.writing_arrays import moving, save, stored

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
