import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Skipped, Video
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import StoreWriter
from kvidgan.errors import UserError
from tests.data.conftest import PLACES, frame_records, placed, video


def write(path, videos, **about):
    with StoreWriter(path, name="set", classes=["a", "b"], **about) as writer:
        for number, frames in enumerate(videos):
            writer.add(
                Video(f"é{number}", iter, number % 2, "train" if number else ""),
                frame_records(frames),
            )
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
    assert "newer.h5 is a clip store of format 99, this kvidgan reads up to 3" in message(
        "newer.h5"
    )


# --- maps


@pytest.fixture
def mapped(tmp_path):
    """A store of two videos with all maps; flow and confidence are any."""
    with StoreWriter(tmp_path / "m.h5", name="set", labels=SKY) as writer:
        for number, length in ((1, 5), (2, 7)):
            writer.add(Video(f"v{number}", iter), frame_records(*everything(number, length)))
    with ClipStore.open(tmp_path / "m.h5") as opened:
        yield opened


SKY = LabelSet("ids", ("sky", "road"))


def everything(number, length):
    frames, maps = placed(number, length)
    flow = np.zeros((length, 24, 32, 2), np.float16)
    flow[..., 0] = PLACES[..., 1] - 7.5
    flow[..., 1] = np.arange(length)[:, None, None] / 4
    return frames, {**maps, "flow": flow, "confidence": flow[..., 0] > number}


def test_maps_come_back(mapped):
    assert mapped.maps == ("labels", "instances", "flow", "confidence")
    assert (mapped.labels, len(mapped.labels)) == (SKY, 2)
    kinds = {"labels": "uint8", "instances": "uint16", "flow": "float16", "confidence": "bool"}
    for place, (number, length) in enumerate(((1, 5), (2, 7))):
        frames, maps = everything(number, length)
        np.testing.assert_array_equal(mapped.read(place, 0, length), frames)
        for name, values in maps.items():
            found = mapped.read_map(name, place, 1, length, 2)
            assert found.dtype.name == kinds[name]
            np.testing.assert_array_equal(found, values[1::2])
    mapped.verify()


def test_maps_lie_beside_their_frames_in_compressed_chunks(mapped):
    with h5py.File(mapped.path) as file:
        assert file.attrs["kvidgan_clip_store"] == 3, "older versions must not read half of it"
        for name, inner in (("labels", ()), ("instances", ()), ("flow", (2,))):
            values = file[name]["24x32x3"]
            assert (values.chunks, values.compression) == ((1, 24, 32, *inner), "lzf")
            assert len(values) == 12


def test_a_store_says_which_maps_it_has(mapped, store):
    facts = dict(mapped.describe())
    assert facts["maps"] == "labels, instances, flow, confidence"
    assert facts["labels"] == "ids of 2 classes (sky, road)"
    assert (store.maps, store.labels) == ((), None)
    assert not {"maps", "labels"} & dict(store.describe()).keys()


def test_reading_what_is_not_there(mapped, store):
    with pytest.raises(ValueError, match="expected one of the maps .*, found 'flow'"):
        store.read_map("flow", 0, 0, 1)
    with pytest.raises(IndexError, match="frames 3:6 of a video with 5"):
        mapped.read_map("flow", 0, 3, 6)


@pytest.mark.parametrize(
    ("name", "counts"),
    [("frames", True), ("labels", True), ("instances", True), ("flow", False)],
)
def test_verify_and_checksum_mind_all_that_is_given(mapped, tmp_path, name, counts):
    with h5py.File(mapped.path, "r+") as file:
        values = file[name]["24x32x3"]
        values[8] = values[8] + 1
    if counts:
        with pytest.raises(UserError, match=r"m\.h5 is damaged at v2"):
            mapped.verify()
    else:
        mapped.verify()
    other = tmp_path / "other.h5"
    with StoreWriter(other, name="set", labels=SKY) as writer:
        for number in (0, 1):
            frames = mapped.read(number, 0, mapped.index["length"][number])
            maps = {m: mapped.read_map(m, number, 0, len(frames)) for m in mapped.maps}
            writer.add(Video("v", iter), frame_records(frames, maps))
    assert (ClipStore.open(other).checksum != mapped.checksum) == counts


def test_a_store_with_maps_pickles(mapped):
    again = pickle.loads(pickle.dumps(mapped))
    np.testing.assert_array_equal(again.read_map("flow", 1, 0, 7), everything(2, 7)[1]["flow"])
