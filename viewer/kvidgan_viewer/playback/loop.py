"""Loop: what follows the last frame of a range, nothing, the first one, or the way back."""

from enum import StrEnum


class Loop(StrEnum):
    """Ways of going on after the last frame."""

    ONCE = "once"
    LOOP = "loop"
    PING_PONG = "ping-pong"


def walk(
    index: int, steps: int, direction: int, frames: tuple[int, int], loop: Loop
) -> tuple[int, int]:
    """Walk some frames along a range.

    Args:
        index: Index of the frame to begin at; from outside of the range the way leads into it.
        steps: Number of frames to go, at least 1.
        direction: 1 forward, -1 backward.
        frames: The first and the last frame of the range.
        loop: What follows the last frame.

    Returns:
        The index and the direction there: 0 where the way ends.
    """
    low, high = frames
    if direction < 0:
        index, turned = walk(-index, steps, 1, (-high, -low), loop)
        return -index, -turned
    index = min(index, high)
    past = index + steps - high
    if loop is Loop.ONCE:
        return min(index + steps, high), int(past < 0)
    if past <= 0:
        return index + steps, 1
    if loop is Loop.LOOP:
        return low + (past - 1) % (high - low + 1), 1
    return _reflect(past, low, high)


def _reflect(past: int, low: int, high: int) -> tuple[int, int]:
    """Return the index and direction of a ping-pong, `past` frames after the high end."""
    span = high - low
    past %= max(1, 2 * span)
    if span == 0 or past == 0:
        return high, 1
    return (high - past, -1) if past <= span else (low + past - span, 1)
