import errno
import multiprocessing
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from kvidgan.data import store as module
from kvidgan.data.listing import Skipped, Video
from kvidgan.data.store import ClipStore, StoreWriter
from kvidgan.errors import UserError

from .conftest import video


def write(path, videos, **about):
    with StoreWriter(path, name="set", classes=["a", "b"], **about) as writer:
        for number, frames in enumerate(videos):
            writer.add(Video(f"é{number}", iter, number % 2, "train" if number else ""), frames)
        writer.skipped.append(Skipped("bad", "too bad"))
    return ClipStore.open(path)


@pytest.fixture
def store(tmp_path):
    with write(tmp_path / "s.h5", [video(0, 5), video(1, 7, side=4), video(2, 9)]) as opened:
        yield opened


def test_frames_and_index_come_back(store):
    assert len(store) == 3
    assert store.index["length"].tolist() == [5, 7, 9]
    assert store.index["start"].tolist() == [0, 0, 5]
    assert store.index["name"].tolist() == ["é0", "é1", "é2"]
    assert store.index["split"].tolist() == ["", "train", "train"]
    assert store.index["class"].tolist() == [0, 1, 0]
    np.testing.assert_array_equal(store.read(1, 0, 7), video(1, 7, side=4))
    np.testing.assert_array_equal(store.read(2, 2, 9, 3), video(2, 9)[2:9:3])
    assert store.skipped == [Skipped("bad", "too bad")]
    store.verify()


def test_thousands_of_skipped_files_are_remembered(tmp_path):
    skipped = [Skipped(f"{number}.jpg", "x" * 100) for number in range(3000)]
    with StoreWriter(tmp_path / "s.h5", name="set") as writer:
        writer.add(Video("a", iter), video(0, 1))
        writer.skipped += skipped
    assert ClipStore.open(tmp_path / "s.h5").skipped == skipped


def test_reading_outside_a_video_is_an_error(store):
    with pytest.raises(IndexError, match="frames 3:6 of a video with 5"):
        store.read(0, 3, 6)


def test_describe_and_provenance(store):
    facts = dict(store.describe())
    assert facts["sizes"] == "8x8x3 (2), 4x4x3 (1)"
    assert facts["lengths"] == "5 to 9 frames, median 7"
    assert facts["classes"] == "a (2), b (1)"
    assert facts["splits"] == "train (2)"
    assert facts["skipped"] == "bad: too bad"
    assert (facts["videos"], facts["frames"]) == ("3", "21")
    assert "settings" not in facts, "what is empty is left out"
    assert store.provenance() == {
        "data": "set",
        "videos": 3,
        "frames": 21,
        "checksum": store.checksum,
    }


def test_one_frame_per_compressed_chunk(store):
    with h5py.File(store.path) as file:
        frames = file["frames/8x8x3"]
        assert (frames.chunks, frames.compression) == ((1, 8, 8, 3), "lzf")


def test_checksum_depends_on_frames_only(tmp_path, store):
    again = write(tmp_path / "t.h5", [video(0, 5), video(1, 7, side=4), video(2, 9)], source="x")
    other = write(tmp_path / "u.h5", [video(0, 5), video(1, 7, side=4), video(3, 9)])
    assert store.checksum == again.checksum != other.checksum


def test_verify_finds_a_changed_frame(store):
    with h5py.File(store.path, "r+") as file:
        file["frames/8x8x3"][7, 3, 3] = 99
    with pytest.raises(UserError, match=r"s\.h5 is damaged at é2"):
        store.verify()


def test_threads_and_pickles(store):
    with ThreadPoolExecutor(4) as pool:
        for step in (1, 2):
            for frames in pool.map(lambda _, step=step: store.read(2, 0, 9, step), range(200)):
                np.testing.assert_array_equal(frames, video(2, 9)[::step])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store)).read(0, 0, 5), video(0, 5))


def test_a_process_of_its_own(store):
    store.read(0, 0, 1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(store.read, (2, 0, 9)), video(2, 9))


def test_a_video_that_breaks_off_leaves_nothing(tmp_path):
    def broken():
        yield from video(9, 3)
        raise UserError("frame 4 is damaged")

    with StoreWriter(tmp_path / "s.h5", name="set") as writer:
        writer.add(Video("a", iter), video(1, 4))
        with pytest.raises(UserError, match="frame 4"):
            writer.add(Video("b", iter), broken())
        with pytest.raises(UserError, match="c holds no frame"):
            writer.add(Video("c", iter), [])
        writer.add(Video("d", iter), video(2, 4))
    with ClipStore.open(tmp_path / "s.h5") as store:
        assert store.index["start"].tolist() == [0, 4]
        np.testing.assert_array_equal(store.read(1, 0, 4), video(2, 4))


def test_an_error_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), StoreWriter(tmp_path / "s.h5", name="x"):
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(h5py.Dataset, "resize", full)
    with pytest.raises(UserError, match=r"Cannot write .*s\.h5: the disk is full; free some"):
        write(tmp_path / "s.h5", [video(0, 5)])
    assert list(tmp_path.iterdir()) == []


def test_almost_full_disk(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    free = module.RESERVE + video(0, 5).nbytes
    for left, enough in ((free, True), (free - 1, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, left=left: usage._replace(free=left))
        if enough:
            write(tmp_path / "s.h5", [video(0, 5)])
            (tmp_path / "s.h5").unlink()
        else:
            with pytest.raises(UserError, match="the disk is full"):
                write(tmp_path / "s.h5", [video(0, 5)])
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_store(tmp_path, store):
    def message(name):
        with pytest.raises(UserError) as caught:
            ClipStore.open(tmp_path / name)
        return str(caught.value)

    (tmp_path / "text.h5").write_text("no")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    whole = store.path.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "newer.h5").write_bytes(whole)
    with h5py.File(tmp_path / "newer.h5", "r+") as file:
        file.attrs["kvidgan_clip_store"] = 99
    assert "none.h5 does not exist" in message("none.h5")
    assert "is a folder" in message(".")
    assert "text.h5 is not an HDF5 file" in message("text.h5")
    assert "other.h5 is an HDF5 file but not a clip store" in message("other.h5")
    assert "cut.h5 is truncated or damaged" in message("cut.h5")
    assert "newer.h5 is a clip store of format 99, this kvidgan reads up to 1" in message(
        "newer.h5"
    )
