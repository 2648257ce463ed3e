import errno
import os

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan_viewer.worker.shared_memory import SLOTS, Memory, Reader, Writer


@pytest.fixture
def ends():
    memory = Memory()
    yield Writer(memory), Reader(memory)
    memory.close()


def picture(number, height=5, width=7, channels=3):
    return np.random.default_rng(number).integers(0, 256, (height, width, channels), dtype=np.uint8)


def test_what_arrives_is_what_was_sent(ends):
    writer, reader = ends
    rng = np.random.default_rng(0)
    for number in range(50):
        height, width = rng.integers(1, 80, 2)
        panes = {
            "a": picture(number, height, width),
            "none": None,
            "view": picture(number, 2 * height, 2 * width, 1)[::-2, ::2],
        }
        parcel = writer.write(panes)
        arrived = reader.read(parcel)
        writer.let_go(parcel.slot)
        assert list(arrived) == list(panes)
        assert arrived["none"] is None
        np.testing.assert_array_equal(arrived["a"], panes["a"])
        np.testing.assert_array_equal(arrived["view"], panes["view"])


def test_a_slot_is_used_again_only_after_it_was_let_go(ends):
    writer, reader = ends
    parcels = [writer.write({"a": picture(number)}) for number in range(SLOTS)]
    assert not writer.has_room({"a": picture(9)})
    with pytest.raises(ValueError, match="expected room"):
        writer.write({"a": picture(9)})
    for number, parcel in enumerate(parcels):
        np.testing.assert_array_equal(reader.read(parcel)["a"], picture(number))
    writer.let_go(parcels[2].slot)
    again = writer.write({"a": picture(9)})
    assert again.slot == parcels[2].slot
    np.testing.assert_array_equal(reader.read(again)["a"], picture(9))
    np.testing.assert_array_equal(reader.read(parcels[3])["a"], picture(3))


def test_slots_grow_when_nobody_reads_them(ends):
    writer, reader = ends
    small = writer.write({"a": picture(0)})
    large = {"a": picture(1, 100, 100)}
    assert writer.has_room({"a": picture(2)})
    assert not writer.has_room(large)
    np.testing.assert_array_equal(reader.read(small)["a"], picture(0))
    writer.let_go(small.slot)
    for _ in range(SLOTS):
        np.testing.assert_array_equal(reader.read(writer.write(large))["a"], large["a"])


def test_what_was_read_does_not_change_when_the_slot_is_used_again(ends):
    writer, reader = ends
    first = writer.write({"a": picture(0)})
    arrived = reader.read(first)
    for number in range(1, 9):
        writer.let_go(first.slot)
        first = writer.write({"a": picture(number)})
    np.testing.assert_array_equal(arrived["a"], picture(0))


def test_a_lack_of_memory_is_told(ends, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(UserError, match="Expected 4 MiB of free memory for frames of this size"):
        ends[0].write({"a": np.zeros((1024, 1024, 1), np.uint8)})


def test_the_memory_has_no_name_and_is_given_back():
    before = set(os.listdir("/dev/shm")), len(os.listdir("/proc/self/fd"))
    memory = Memory()
    writer, reader = Writer(memory), Reader(memory)
    reader.read(writer.write({"a": picture(0)}))
    assert set(os.listdir("/dev/shm")) == before[0]
    del writer, reader
    memory.close()
    memory.close()
    assert len(os.listdir("/proc/self/fd")) == before[1]
