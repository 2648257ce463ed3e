"""Timing: when the frames of a video file are shown, and what of it is missing, by its packets.

Nothing is decoded for it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from kvidgan.media.rate import rate_of

_SHORT = 0.06  # seconds: less is rounding, or how much sound is coded at a time
_LOGGING = threading.Lock()  # the level of FFmpeg's messages is one for the process


class Timing(NamedTuple):
    """Timing: when frames are shown.

    Attributes:
        fps: Frames per second, the median where they vary.
        steady: Whether frames follow each other evenly.
        length: Number of frames; 0 where the file has no time stamps.
        start: Second at which the first frame is shown.
        end: Second at which the last frame ends.
        missing: What is missing or broken, in a few words; "" for nothing.
    """

    fps: float
    steady: bool
    length: int
    start: float
    end: float
    missing: str = ""


def timing_of(container: Any, stream: Any) -> Timing:
    """Read all packets of an opened file.

    Empty packets, as Theora has, tell that the frame before goes on.

    Args:
        container: PyAV's container.
        stream: Its stream of moving pictures.
    """
    times, end, last, empty, packets = [], 0.0, 0.0, False, 0
    with _messages() as messages:
        for packet in container.demux():
            if packet.pts is None or packet.stream.type not in ("video", "audio"):
                continue
            time = float(packet.pts * packet.time_base)
            until = time + float((packet.duration or 0) * packet.time_base)
            last = max(last, until)
            if packet.stream.index != stream.index:
                continue
            packets += 1
            if not packet.is_discard:
                end = max(end, until)
                times.append(time)
                empty = empty or not packet.size
    rate = rate_of(times, float(stream.average_rate or stream.guessed_rate or 0))
    missing = _missing(container, stream, packets, last, rate.fps)
    if not missing and messages:
        missing = messages[0]
    steady = rate.steady and not empty
    return Timing(rate.fps, steady, len(times), min(times, default=0.0), end, missing)


def _missing(container: Any, stream: Any, packets: int, last: float, fps: float) -> str:
    """Compare what is there with what the file promises."""
    if 0 < packets < stream.frames:
        return f"it ends after {packets} of {stream.frames} frames"
    promised = float(container.duration or 0) / 1_000_000
    start = float(container.start_time or 0) / 1_000_000
    tolerance = max(_SHORT, 1.5 / fps if fps > 0 else 0.0)
    if packets and promised and last - start < promised - tolerance:
        return f"it ends after {max(0.0, last - start):.1f} of {promised:.1f} seconds"
    return ""


@contextmanager
def _messages() -> Iterator[list[str]]:
    """Collect what FFmpeg reports as errors while packets are read in this thread."""
    from av import logging

    texts: list[str] = []
    with _LOGGING:
        before = logging.get_level()
        logging.set_level(logging.ERROR)
        try:
            with logging.Capture(True) as logs:
                yield texts
        finally:
            logging.set_level(before)
    texts += [text.strip() for level, _, text in logs if level <= logging.ERROR and text.strip()]
