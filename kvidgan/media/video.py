"""Videos, decoded by FFmpeg's libraries: upright, deinterlaced, of square pixels, at one rate."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kvidgan.errors import UserError
from kvidgan.media.animation import is_animation, probe_animation, read_animation
from kvidgan.media.converter import Converter, display_matrix
from kvidgan.media.damage import damaged
from kvidgan.media.foreign import FOREIGN_SUFFIXES
from kvidgan.media.levels import ImageLevels
from kvidgan.media.rate import Timed, VideoFacts, resampled, slots
from kvidgan.media.read import IMAGE_SUFFIXES
from kvidgan.media.timing import timing_of

# Transfer functions of high dynamic range, as ITU-T H.273 numbers them.
_HDR = {16: "PQ", 18: "HLG"}
_BT2020 = (9, 10)  # colour matrices, as numbered there
_FULL_RANGE = 2  # as PyAV numbers it
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
    if suffix in IMAGE_SUFFIXES | FOREIGN_SUFFIXES | _OTHERS or suffix.startswith(".tfrecord"):
        return False
    return is_video_file(path)


def read_video(
    path: Path, fps: float | None = None, levels: ImageLevels | None = None
) -> tuple[Iterator[np.ndarray], float]:
    """Open a video file, or an animation.

    Args:
        path: Path of the file.
        fps: Frames per second to return; None for the file's own, the median where they vary.
        levels: Levels of TIFF pages of more than 8 bit; None for those of this file.

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
    return read_animation(path, fps, levels) if is_animation(path) else read_video_file(path, fps)


def probe_video(path: Path, fps: float | None = None) -> VideoFacts:
    """Look into a video file, or an animation.

    Args:
        path: Path of the file.
        fps: Frames per second to read; None for the file's own, the median where they vary.

    Raises:
        UserError: If the file is missing or cannot be decoded.
    """
    return (probe_animation if is_animation(path) else _probe_file)(path, fps)


def _probe_file(path: Path, fps: float | None) -> VideoFacts:
    with _opened(path) as (container, stream):
        timing = timing_of(container, stream)
    with _opened(path) as (container, stream):
        first = next((frame for frame, _ in _decoded(container, stream) if frame), None)
        if first is None:
            raise UserError(f"{path} is a damaged video: it holds no frame.")
        aspect = stream.sample_aspect_ratio
    height, width = Converter(first, aspect).shape
    wanted = fps or (timing.fps if math.isfinite(timing.fps) and timing.fps > 0 else None)
    same = timing.steady and fps in (None, timing.fps)
    length = timing.length
    if wanted and not same:
        length = max(1, slots(timing.end - timing.start, wanted))
    conversions = {
        "deinterlaced": first.interlaced_frame,
        "turned or mirrored": display_matrix(first) is not None,
        "pixels made square": (aspect or 1) != 1,
        "colours of full range": int(first.color_range) == _FULL_RANGE,
        "colours of BT.2020": int(first.colorspace) in _BT2020,
        f"brought to {wanted:g} fps": not same,
    }
    done = tuple(name for name, happens in conversions.items() if happens)
    return VideoFacts(wanted, length, height, width, done, timing.missing)


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


def has_sound(path: Path) -> bool:
    """Return whether a file that FFmpeg opens has sound."""
    import av

    try:
        with av.open(str(path)) as container:
            return len(container.streams.audio) > 0
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
    with _opened(path) as (container, stream):
        timing = timing_of(container, stream)
    converted = _whole(path, timing.missing)
    even = timing.steady or timing.missing  # a hole is not a frame that is shown for long
    if even and fps in (None, timing.fps):
        return (one.frame for one in converted), timing.fps
    wanted = fps or timing.fps
    return resampled(converted, wanted, timing.end), wanted


def _whole(path: Path, missing: str) -> Iterator[Timed]:
    """Convert a file's frames, then report what is missing."""
    yield from _converted(path)
    if missing:
        damaged(UserError(f"{path} is a damaged video: {missing}; the rest is read."))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Open a file and its stream of moving pictures, with FFmpeg's errors in one sentence."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = _stream(container)
            if stream is None:
                raise UserError(f"{path} holds no video: expected moving pictures.")
            if any(part in container.format.name for part in _NO_VIDEOS):
                raise UserError(f"{path} is damaged or no video: expected moving pictures.")
            _check_dynamic_range(path, stream.codec_context.color_trc)
            yield container, stream
    except av.error.FFmpegError as error:
        raise _damaged(path, error) from error


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


def _converted(path: Path) -> Iterator[Timed]:
    """Decode a file and convert its frames, with the second at which each begins.

    Frames of other sizes than the first are brought to its size.
    """
    converter = None
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        for frame in _intact(path, container, stream):
            if converter is None or not converter.fits(frame):
                if converter is not None:
                    yield from converter.rest()
                converter = Converter(frame, stream.sample_aspect_ratio, converter)
            yield from converter(frame)
        if converter is not None:
            yield from converter.rest()
    if converter is None:
        raise UserError(f"{path} is a damaged video: it holds no frame.")


def _intact(path: Path, container: Any, stream: Any) -> Iterator[Any]:
    """Decode a file; broken frames and those that build on them are left out, if that is tolerated.

    They end at the next key frame, which builds on no other.
    """
    broken_at: float | None = None
    for frame, time in _decoded(container, stream):
        if frame is None or frame.is_corrupt:
            broken_at = time if broken_at is None else broken_at
        elif broken_at is None:
            yield frame
        elif frame.key_frame:
            damaged(_broken(path, broken_at, f"second {time:.2f}"))
            broken_at = None
            yield frame
    if broken_at is not None:
        damaged(_broken(path, broken_at, "the end"))


def _decoded(container: Any, stream: Any) -> Iterator[tuple[Any, float]]:
    """Yield frame after frame with its second, and None for what cannot be decoded."""
    import av

    time = 0.0
    for packet in container.demux(stream):
        if packet.size or packet.dts is None:  # see `timing_of`
            try:
                for frame in packet.decode():
                    time = time if frame.time is None else frame.time
                    yield frame, time
            except av.error.FFmpegError:
                yield None, time


def _broken(path: Path, start: float, end: str) -> UserError:
    return UserError(
        f"{path} is a damaged video: from second {start:.2f} to {end} it cannot be decoded; the"
        " rest is read."
    )


def _damaged(path: Path, error: Exception) -> UserError:
    reason = str(error).split("]")[-1].split(":")[0].strip() or type(error).__name__
    return UserError(f"{path} is damaged or not a video that FFmpeg can read ({reason}).")
