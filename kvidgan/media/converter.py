"""Converter: decoded frames made upright RGB of square pixels, deinterlaced."""

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from kvidgan.media.rate import Timed


class Converter:
    """Converter of decoded frames of one kind; some come out only with the next one.

    Args:
        frame: One of PyAV's frames of that kind.
        aspect: Width of a pixel by its height; None for square ones.
        like: Converter of frames before it, whose size these are brought to; None for their own.

    Attributes:
        shape: Height and width of the converted frames, pixels.
    """

    def __init__(self, frame: Any, aspect: Fraction | None, like: "Converter | None" = None):
        import av

        self._kind, self._times = _kind(frame), deque[float]()
        self._turn = _turn(frame)
        self._graph = graph = av.filter.Graph()
        width, height = frame.width, frame.height
        aspect = aspect or Fraction(1)
        chain = [
            graph.add(
                "buffer",
                f"video_size={width}x{height}:pix_fmt={frame.format.name}:time_base=1/1000000"
                f":pixel_aspect=1/1:colorspace={int(frame.colorspace)}"
                f":range={int(frame.color_range)}",
            )
        ]
        if frame.interlaced_frame:
            chain.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
        size = height, max(1, round(width * aspect))
        transposed = _is_transposed(display_matrix(frame))
        if like is not None:
            size = like.shape[::-1] if transposed else like.shape
        self.shape: tuple[int, int] = size[::-1] if transposed else size
        chain.append(graph.add("scale", f"w={size[1]}:h={size[0]}:flags=bicubic"))
        chain.append(graph.add("format", "pix_fmts=rgb24"))
        chain.append(graph.add("buffersink"))
        for before, after in pairwise(chain):
            before.link_to(after)
        graph.configure()

    def fits(self, frame: Any) -> bool:
        """Return whether a frame is of the kind that this converts."""
        return _kind(frame) == self._kind

    def __call__(self, frame: Any) -> Iterator[Timed]:
        """Take one decoded frame; yield what comes out of the converter."""
        self._times.append(float(frame.time) if frame.time is not None else math.nan)
        frame.pts, frame.time_base = len(self._times), Fraction(1, 1_000_000)
        self._graph.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[Timed]:
        """Yield what is still inside."""
        self._graph.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[Timed]:
        import av

        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            image = self._turn(frame.to_ndarray())
            yield Timed(np.ascontiguousarray(image), self._times.popleft())


def _kind(frame: Any) -> tuple[Any, ...]:
    matrix = display_matrix(frame)
    return (
        frame.width,
        frame.height,
        frame.format.name,
        int(frame.colorspace),
        int(frame.color_range),
        bool(frame.interlaced_frame),
        None if matrix is None else tuple(matrix.ravel()),
    )


# By degrees counterclockwise.
_ROTATIONS = {
    90: np.array([[0, -1], [1, 0]]),
    180: np.array([[-1, 0], [0, -1]]),
    270: np.array([[0, 1], [-1, 0]]),
}


def display_matrix(frame: Any) -> np.ndarray | None:
    """Return the signs of the 2x2 matrix that (x, y) of a frame are shown at; None for as it is."""
    from av.sidedata.sidedata import Type

    try:
        data = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV names no kind of data newer than itself, and gives none of the others
        return _ROTATIONS.get(frame.rotation % 360)
    if data is None:
        return None
    numbers = np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]
    return np.rint(numbers / 65536).astype(int)


def _is_turn(matrix: np.ndarray) -> bool:
    return sorted(np.abs(matrix).ravel()) == [0, 0, 1, 1]


def _is_transposed(matrix: np.ndarray | None) -> bool:
    """Return whether a matrix exchanges the sides."""
    return matrix is not None and _is_turn(matrix) and matrix[0, 0] == 0


def _turn(frame: Any) -> Any:
    """Return a function that turns and mirrors images as a frame's display matrix says."""
    matrix = display_matrix(frame)
    if matrix is None or not _is_turn(matrix):
        return lambda image: image
    # Pixel (x, y) is shown at (a x + c y, b x + d y): see FFmpeg's libavutil/display.h.
    (a, b), (c, d) = matrix
    transposed = _is_transposed(matrix)
    right, down = (c, b) if transposed else (a, d)

    def turned(image: np.ndarray) -> np.ndarray:
        image = image.swapaxes(0, 1) if transposed else image
        return image[::down, ::right]

    return turned
