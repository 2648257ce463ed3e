import pytest

from kvidgan_viewer.playback.loop import Loop, walk


def one_by_one(index, steps, direction, low, high, loop):
    """The rules of looping, a frame at a time."""
    for _ in range(steps):
        if (direction > 0 and index >= high) or (direction < 0 and index <= low):
            end, start = (high, low) if direction > 0 else (low, high)
            if loop is Loop.ONCE:
                return end
            if loop is Loop.LOOP:
                index = start
                continue
            index, direction = end, -direction
            if low == high:
                continue
        index += direction
    return index


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 1), (2, 5), (0, 6)])
def test_a_walk_of_many_frames_is_many_walks_of_one(loop, direction, low, high):
    for index in range(8):
        for steps in range(1, 25):
            expected = one_by_one(index, steps, direction, low, high, loop)
            assert walk(index, steps, direction, (low, high), loop)[0] == expected


@pytest.mark.parametrize("loop", [Loop.LOOP, Loop.PING_PONG])
def test_two_walks_go_as_far_as_one(loop):
    for first in range(1, 12):
        for second in range(1, 12):
            at, direction = walk(3, first, 1, (1, 6), loop)
            assert (
                walk(at, second, direction, (1, 6), loop)[0]
                == (walk(3, first + second, 1, (1, 6), loop)[0])
            )
