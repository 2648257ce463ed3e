"""Videos, decoded by FFmpeg's libraries: upright, deinterlaced, of square pixels, at one rate."""

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media.animation import is_animation, read_animation
from kvidgan.media.rate import Rate, rate_of, resampled
from kvidgan.media.read import IMAGE_SUFFIXES

# Transfer functions of high dynamic range, as ITU-T H.273 numbers them.
_HDR = {16: "PQ", 18: "HLG"}
# What FFmpeg opens as if it were a video: still images, text, sound with a cover.
_NO_VIDEOS = ("_pipe", "image2", "tty", "ico", "lrc", "srt", "ass", "webvtt", "subviewer")


# Names that say video, so that a file that holds none is called damaged. Others are looked into.
VIDEO_SUFFIXES = {
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".gif", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv",
    ".m2ts", ".3gp", ".3g2", ".ogv", ".y4m", ".vob", ".mxf", ".asf", ".f4v",
}  # fmt: skip
_OTHERS = {
    ".txt", ".json", ".csv", ".xml", ".yaml", ".yml", ".md", ".html", ".pdf", ".npy", ".npz",
    ".mat", ".h5", ".hdf5", ".zip", ".tar", ".gz", ".keras", ".pt", ".pth", ".wav", ".mp3",
    ".m4a", ".flac", ".ogg", ".srt", ".vtt", ".log", ".py",
}  # fmt: skip


def is_video(path: Path) -> bool:
    """Return whether a file is a video: by its name where that says so, else by what is in it."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return True
    return suffix not in IMAGE_SUFFIXES | _OTHERS and is_video_file(path)


def read_video(path: Path, fps: float | None = None) -> tuple[Iterator[np.ndarray], float]:
    """Open a video file, or an animation.

    Args:
        path: Path of the file.
        fps: Frames per second to return; None for the file's own, the median where they vary.

    Returns:
        The frames, read as they are asked for, uint8 (height, width, 3), and the frames per second.

    Raises:
        UserError: If the file is missing or cannot be decoded, at once or while reading.

    Example:
        frames, fps = read_video(Path("clip.mp4"))
        first = next(frames)
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist or is not a file: expected a video.")
    read = read_animation if is_animation(path) else read_video_file
    return read(path, fps)


@lru_cache(maxsize=4096)
def is_video_file(path: Path) -> bool:
    """Return whether FFmpeg finds moving pictures in a file, whatever its name."""
    import av  # takes a tenth of a second

    try:
        with av.open(str(path)) as container:
            if any(part in container.format.name for part in _NO_VIDEOS):
                return False
            return _stream(container) is not None
    except (av.error.FFmpegError, OSError, ValueError):
        return False


def read_video_file(path: Path, fps: float | None = None) -> tuple[Iterator[np.ndarray], float]:
    """Open a video file that FFmpeg knows.

    Colours become RGB by the matrix and the range that the file names; turns and mirrorings that it
    asks for are carried out; interlaced frames are deinterlaced (bwdif, one frame for each); frames
    of non-square pixels are resized to square ones in width.

    Args:
        path: The file.
        fps: Frames per second to return, by repeating and leaving out frames; None for the file's
            own, or where these vary for the median.

    Returns:
        The frames, read as they are asked for, uint8 (height, width, 3), and the frames per second.

    Raises:
        UserError: If it is none, or of high dynamic range, at once; if it is damaged, while
            reading.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = _stream(container)
            if stream is None:
                raise UserError(f"{path} holds no video: expected moving pictures.")
            _check_dynamic_range(path, stream.codec_context.color_trc)
            rate, end = _rate(container, stream)
    except av.error.FFmpegError as error:
        raise _damaged(path, error) from error
    if fps is None and rate.steady:
        return (frame for frame, _ in _converted(path)), rate.fps
    wanted = fps or rate.fps
    return resampled(_converted(path), wanted, end), wanted


def _stream(container: Any) -> Any:
    """Return the stream of moving pictures; the cover of a song is none."""
    import av

    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context
    ]
    return max(streams, key=lambda one: one.width * one.height, default=None)


def _check_dynamic_range(path: Path, transfer: int) -> None:
    if transfer in _HDR:
        raise UserError(
            f"{path} is a video of high dynamic range ({_HDR[transfer]}): expected standard range; "
            f"convert it first: ffmpeg -i {path.name} -vf zscale=t=linear:npl=100,tonemap=hable,"
            "zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p sdr.mp4."
        )


def _rate(container: Any, stream: Any) -> tuple[Rate, float]:
    """Return the rate and the second of the end, by the time stamps of all packets.

    None is decoded. Empty packets, as Theora has, tell that the frame before goes on.
    """
    times, end, empty = [], 0.0, False
    for packet in container.demux(stream):
        if packet.pts is None or packet.is_discard:
            continue
        time = float(packet.pts * packet.time_base)
        end = max(end, time + float((packet.duration or 0) * packet.time_base))
        times.append(time)
        empty = empty or not packet.size
    rate = rate_of(times, float(stream.average_rate or stream.guessed_rate or 0))
    return Rate(rate.fps, rate.steady and not empty), end


class _Converted(NamedTuple):
    frame: np.ndarray
    time: float  # seconds


def _converted(path: Path) -> Iterator[_Converted]:
    """Decode a file and convert its frames, with the second at which each begins."""
    import av

    converter = None
    found = False
    try:
        with av.open(str(path)) as container:
            stream = _stream(container)
            stream.thread_type = "AUTO"
            for frame in _decoded(container, stream):
                found = True
                if converter is None or not converter.fits(frame):
                    if converter is not None:
                        yield from converter.rest()
                    converter = _Converter(frame, stream.sample_aspect_ratio)
                yield from converter(frame)
            if converter is not None:
                yield from converter.rest()
    except av.error.FFmpegError as error:
        raise _damaged(path, error) from error
    if not found:
        raise UserError(f"{path} is a damaged video: it holds no frame.")


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        if packet.size or packet.dts is None:  # see `_rate`
            yield from packet.decode()


class _Converter:
    """Converts decoded frames of one kind to upright RGB; some come out with the next one alone."""

    def __init__(self, frame: Any, aspect: Fraction | None):
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
        square = max(1, round(width * aspect))
        chain.append(graph.add("scale", f"w={square}:h={height}:flags=bicubic"))
        chain.append(graph.add("format", "pix_fmts=rgb24"))
        chain.append(graph.add("buffersink"))
        for before, after in pairwise(chain):
            before.link_to(after)
        graph.configure()

    def fits(self, frame: Any) -> bool:
        """Return whether a frame is of the kind that this converts."""
        return _kind(frame) == self._kind

    def __call__(self, frame: Any) -> Iterator[_Converted]:
        self._times.append(float(frame.time) if frame.time is not None else math.nan)
        frame.pts, frame.time_base = len(self._times), Fraction(1, 1_000_000)
        self._graph.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[_Converted]:
        """Yield what is still inside."""
        self._graph.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[_Converted]:
        import av

        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            image = self._turn(frame.to_ndarray())
            yield _Converted(np.ascontiguousarray(image), self._times.popleft())


def _kind(frame: Any) -> tuple[Any, ...]:
    matrix = _display_matrix(frame)
    return (
        frame.width,
        frame.height,
        frame.format.name,
        int(frame.colorspace),
        int(frame.color_range),
        bool(frame.interlaced_frame),
        None if matrix is None else tuple(matrix.ravel()),
    )


def _display_matrix(frame: Any) -> np.ndarray | None:
    """Return the signs of the 2x2 matrix that (x, y) of a frame are shown at; None for as it is."""
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return None
    numbers = np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]
    return np.rint(numbers / 65536).astype(int)


def _turn(frame: Any) -> Any:
    """Return a function that turns and mirrors images as a frame's display matrix says."""
    matrix = _display_matrix(frame)
    if matrix is None or sorted(np.abs(matrix).ravel()) != [0, 0, 1, 1]:
        return lambda image: image
    # Pixel (x, y) is shown at (a x + c y, b x + d y): see FFmpeg's libavutil/display.h.
    (a, b), (c, d) = matrix
    transposed = a == 0
    right, down = (c, b) if transposed else (a, d)

    def turned(image: np.ndarray) -> np.ndarray:
        image = image.swapaxes(0, 1) if transposed else image
        return image[::down, ::right]

    return turned


def _damaged(path: Path, error: Exception) -> UserError:
    reason = str(error).split("]")[-1].split(":")[0].strip() or type(error).__name__
    return UserError(f"{path} is damaged or not a video that FFmpeg can read ({reason}).")
