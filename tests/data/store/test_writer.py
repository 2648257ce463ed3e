import errno
import shutil

import h5py
import numpy as np
import pytest

from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Skipped, Video
from kvidgan.data.store import writer as module
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import StoreWriter
from kvidgan.errors import UserError
from tests.data.conftest import frame_records, placed, video
from tests.data.store.test_reader import write


def test_a_video_that_breaks_off_leaves_nothing(tmp_path):
    def broken():
        yield from frame_records(video(9, 3))
        raise UserError("frame 4 is damaged")

    with StoreWriter(tmp_path / "s.h5", name="set") as writer:
        writer.add(Video("a", iter), frame_records(video(1, 4)))
        with pytest.raises(UserError, match="frame 4"):
            writer.add(Video("b", iter), broken())
        with pytest.raises(UserError, match="c holds no frame"):
            writer.add(Video("c", iter), [])
        writer.add(Video("d", iter), frame_records(video(2, 4)))
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


def test_thousands_of_skipped_files_are_remembered(tmp_path):
    skipped = [Skipped(f"{number}.jpg", "x" * 100) for number in range(3000)]
    with StoreWriter(tmp_path / "s.h5", name="set") as writer:
        writer.add(Video("a", iter), frame_records(video(0, 1)))
        writer.skipped += skipped
    assert ClipStore.open(tmp_path / "s.h5").skipped == skipped


SKY = LabelSet("ids", ("sky", "road"))


def test_joining_copies_maps_to_the_right_places(tmp_path):
    """Videos of two sizes, in two parts and in one."""
    videos = [placed(number, 4 + number) for number in range(4)]
    videos = [(f, m) if n % 2 else small(f, m) for n, (f, m) in enumerate(videos)]
    for name, numbers in (("a", (0, 1)), ("b", (2, 3)), ("whole", (0, 1, 2, 3))):
        with StoreWriter(tmp_path / f"{name}.h5", name="set", labels=SKY) as writer:
            for number in numbers:
                writer.add(Video(f"v{number}", iter), frame_records(*videos[number]))
    with StoreWriter(tmp_path / "empty.h5", name="set", labels=SKY) as writer:
        writer.skipped.append(Skipped("x", "bad"))
    with StoreWriter(tmp_path / "joined.h5", name="set", labels=SKY) as writer:
        for name in ("empty", "a", "b"):
            writer.append(ClipStore.open(tmp_path / f"{name}.h5"))
    whole, joined = (ClipStore.open(tmp_path / f"{name}.h5") for name in ("whole", "joined"))
    np.testing.assert_array_equal(whole.index, joined.index)
    assert (joined.maps, joined.checksum) == (("labels", "instances"), whole.checksum)
    assert joined.skipped == [Skipped("x", "bad")]
    joined.verify()
    for number, (_, maps) in enumerate(videos):
        for name, values in maps.items():
            np.testing.assert_array_equal(joined.read_map(name, number, 0, 4 + number), values)


def small(frames, maps):
    return frames[:, ::2], {name: values[:, ::2] for name, values in maps.items()}


def test_a_labelled_video_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 1)

    def broken():
        yield from frame_records(*placed(9, 3))
        raise UserError("frame 4 is damaged")

    with StoreWriter(tmp_path / "s.h5", name="set", labels=SKY) as writer:
        with pytest.raises(UserError, match="frame 4"):
            writer.add(Video("a", iter), broken())
        writer.add(Video("b", iter), frame_records(*placed(1, 4)))
    with h5py.File(tmp_path / "s.h5") as file:
        lengths = {len(file[name]["24x32x3"]) for name in ("frames", "labels", "instances")}
    assert lengths == {4}
    with ClipStore.open(tmp_path / "s.h5") as store:
        np.testing.assert_array_equal(store.read_map("labels", 0, 0, 4), placed(1, 4)[1]["labels"])


def test_all_videos_have_the_same_maps(tmp_path):
    frames, maps = placed(1, 4)
    with StoreWriter(tmp_path / "s.h5", name="set", labels=SKY) as writer:
        writer.add(Video("a", iter), frame_records(frames, maps))
        with pytest.raises(ValueError, match="expected the maps .*instances.*, found .*'labels'"):
            writer.add(Video("b", iter), frame_records(frames, {"labels": maps["labels"]}))
