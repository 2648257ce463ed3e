import errno
import os

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan_viewer.worker.shared_memory import SLOTS, Reader, SharedMemory, Writer


@pytest.fixture
def ends():
    memory = SharedMemory()
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
        location = writer.write(panes)
        arrived = reader.read(location)
        writer.release(location.slot)
        assert list(arrived) == list(panes)
        assert arrived["none"] is None
        np.testing.assert_array_equal(arrived["a"], panes["a"])
        np.testing.assert_array_equal(arrived["view"], panes["view"])


def test_a_slot_is_used_again_only_after_it_was_let_go(ends):
    writer, reader = ends
    locations = [writer.write({"a": picture(number)}) for number in range(SLOTS)]
    assert not writer.has_room({"a": picture(9)})
    with pytest.raises(ValueError, match="expected room"):
        writer.write({"a": picture(9)})
    for number, location in enumerate(locations):
        np.testing.assert_array_equal(reader.read(location)["a"], picture(number))
    writer.release(locations[2].slot)
    again = writer.write({"a": picture(9)})
    assert again.slot == locations[2].slot
    np.testing.assert_array_equal(reader.read(again)["a"], picture(9))
    np.testing.assert_array_equal(reader.read(locations[3])["a"], picture(3))


def test_slots_grow_when_nobody_reads_them(ends):
    writer, reader = ends
    small = writer.write({"a": picture(0)})
    large = {"a": picture(1, 100, 100)}
    assert writer.has_room({"a": picture(2)})
    assert not writer.has_room(large)
    np.testing.assert_array_equal(reader.read(small)["a"], picture(0))
    writer.release(small.slot)
    for _ in range(SLOTS):
        np.testing.assert_array_equal(reader.read(writer.write(large))["a"], large["a"])


def test_what_was_read_does_not_change_when_the_slot_is_used_again(ends):
    writer, reader = ends
    first = writer.write({"a": picture(0)})
    arrived = reader.read(first)
    for number in range(1, 9):
        writer.release(first.slot)
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
    memory = SharedMemory()
    writer, reader = Writer(memory), Reader(memory)
    reader.read(writer.write({"a": picture(0)}))
    assert set(os.listdir("/dev/shm")) == before[0]
    del writer, reader
    memory.close()
    memory.close()
    assert len(os.listdir("/proc/self/fd")) == before[1]
