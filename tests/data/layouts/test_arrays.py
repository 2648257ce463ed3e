import numpy as np
import pytest

from kvidgan.data.layouts import arrays
from kvidgan.data.layouts.registry import open_source
from kvidgan.errors import UserError
from tests.data.conftest import frames_of


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
