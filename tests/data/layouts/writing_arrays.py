"""Arrays of moving textures, written by NumPy, SciPy and h5py, and read through a clip store."""

from functools import cache

import h5py
import numpy as np
import scipy.io

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from tests.textures import texture

FILES = ["x.npy", "x.npz", "c.npz", "old.mat", "old_c.mat", "new.mat", "x.h5", "x.hdf5"]


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
