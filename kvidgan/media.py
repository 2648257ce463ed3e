"""The one module that converts ranges and colours, and reads and writes images and videos.

Frames are uint8 arrays in RGB order; grey ones have one channel.
"""

import errno
import math
import os
import re
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path, PurePath
from typing import IO, Any

import numpy as np
from PIL import GifImagePlugin, Image

from kvidgan.errors import UserError

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
)
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".gif"})
BACKGROUND = 64

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def to_uint8(frames: np.ndarray) -> np.ndarray:
    """Convert floats in [-1, 1] to uint8: clipped, then rounded, then cast."""
    return np.rint((np.clip(frames, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)


def to_float(frames: np.ndarray) -> np.ndarray:
    """Convert uint8 to float32 in [-1, 1]."""
    return frames.astype(np.float32) / np.float32(127.5) - np.float32(1.0)


def natural_key(path: str | PurePath) -> tuple[Any, ...]:
    """Return a sort key under which frame2 comes before frame10, folder by folder."""
    return tuple(_natural_part(part) for part in PurePath(path).parts)


def _natural_part(name: str) -> tuple[Any, ...]:
    # The pattern's group makes text and numbers alternate, so equal places compare equal types.
    pieces = re.split(r"(\d+)", name.lower())
    return tuple(int(p) if place % 2 else p for place, p in enumerate(pieces)), name


# --- reading


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) from an image's header, without decoding it.

    Raises:
        UserError: If the file is not an image.
    """
    with _open_image(path) as image:
        return image.height, image.width


def read_image(path: Path) -> np.ndarray:
    """Read an image as uint8 (height, width, 3); its content decides the format, not its suffix.

    Grey becomes RGB, transparency is laid over black, 16 bit is scaled to 8.

    Raises:
        UserError: If the file is missing, no image, or truncated.
    """
    with _open_image(path) as image:
        try:
            return _rgb_array(image)
        except _UNREADABLE as error:
            raise UserError(f"{path} is a damaged image ({_reason(error)}): replace it.") from error


@contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    try:
        image = Image.open(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist.") from error
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise UserError(f"{path} is not a readable image: expected PNG, JPEG or alike.") from error
    with image:
        yield image


def _rgb_array(image: Image.Image) -> np.ndarray:
    """Decode one Pillow image (or the current frame of an animation) to uint8 (H, W, 3)."""
    if image.mode.startswith("I"):  # 16 bit grey; 65535 / 255 = 257
        grey = np.rint(np.clip(np.asarray(image), 0, 65535) / 257.0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode == "F":
        raise ValueError("expected 8 or 16 bit, found floating point")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGB", image.size)
        black.paste(image, mask=image.getchannel("A"))
        return np.array(black)
    return np.array(image.convert("RGB"))


def read_video(path: Path) -> tuple[Iterator[np.ndarray], float]:
    """Open a video file, or an animated GIF.

    Returns:
        The frames, read as they are asked for, uint8 (height, width, 3) at their true size, and the
        frames per second, the mean where they vary. A GIF's frame that is shown k times as long as
        its shortest is returned k times: writers merge equal neighbours.

    Raises:
        UserError: If the file is missing or cannot be decoded, at once or while reading.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist or is not a file: expected a video.")
    return _read_gif(path) if path.suffix.lower() == ".gif" else _read_opencv(path)


def _read_gif(path: Path) -> tuple[Iterator[np.ndarray], float]:
    delays = []  # milliseconds
    with _open_image(path) as image:
        try:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                # Browsers show a frame without a delay for 100 ms.
                delays.append(image.info.get("duration") or 100)
        except _UNREADABLE as error:
            raise UserError(f"{path} is a damaged GIF ({_reason(error)}).") from error
    unit = min(delays)
    repeats = [round(delay / unit) for delay in delays]
    return _gif_frames(path, repeats), sum(repeats) * 1000.0 / sum(delays)


def _gif_frames(path: Path, repeats: list[int]) -> Iterator[np.ndarray]:
    with _open_image(path) as image:
        for index, count in enumerate(repeats):
            try:
                image.seek(index)
                frame = _rgb_array(image)
            except _UNREADABLE as error:
                raise UserError(f"{path} is a damaged GIF ({_reason(error)}).") from error
            for _ in range(count):
                yield frame


def _read_opencv(path: Path) -> tuple[Iterator[np.ndarray], float]:
    import cv2  # takes half a second

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise UserError(f"{path} is damaged or not a video that OpenCV can read.")
    return _opencv_frames(path, capture), capture.get(cv2.CAP_PROP_FPS)


def _opencv_frames(path: Path, capture: Any) -> Iterator[np.ndarray]:
    read, frame = capture.read()
    if not read:
        raise UserError(f"{path} is a damaged video: it holds no frame.")
    while read:
        yield np.ascontiguousarray(frame[..., ::-1])  # OpenCV's order is BGR
        read, frame = capture.read()


# --- shaping


def fit_frames(frames: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """Crop centrally to an aspect, resize, and convert between grey and RGB.

    Args:
        frames: uint8 (time, height, width, channels), 1 or 3 channels.
        height: Wanted height in pixels.
        width: Wanted width in pixels.
        channels: 1 for luma (ITU-R BT.601), 3 for RGB.

    Returns:
        uint8 (time, height, width, channels); the argument itself when there is nothing to do.
    """
    if channels == 1 and frames.shape[-1] == 3:
        frames = np.rint(frames @ _LUMA).astype(np.uint8)[..., None]
    if frames.shape[1:3] != (height, width):
        frames = _resize(_crop(frames, height, width), height, width)
    if channels == 3 and frames.shape[-1] == 1:
        frames = np.repeat(frames, 3, axis=-1)
    return frames


def _crop(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    tall, wide = frames.shape[1:3]
    kept_tall = max(1, min(tall, round(wide * height / width)))
    kept_wide = max(1, min(wide, round(tall * width / height)))
    top, left = (tall - kept_tall) // 2, (wide - kept_wide) // 2
    return frames[:, top : top + kept_tall, left : left + kept_wide]


def _resize(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    import cv2

    shrinking = height * width < frames.shape[1] * frames.shape[2]
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    resized = np.empty((len(frames), height, width, frames.shape[-1]), np.uint8)
    for target, frame in zip(resized, frames, strict=True):
        image = cv2.resize(np.ascontiguousarray(frame), (width, height), interpolation=how)
        target[...] = image.reshape(target.shape)  # OpenCV drops a single channel
    return resized


def grid(videos: np.ndarray, columns: int | None = None, gap: int = 2) -> np.ndarray:
    """Lay videos out side by side on dark grey.

    Args:
        videos: uint8 (videos, time, height, width, channels).
        columns: Videos per row; by default about as many as rows, the rows full if they can be.
        gap: Pixels between neighbours.

    Returns:
        uint8 (time, height, width, channels) of the whole.
    """
    count, time, height, width, channels = videos.shape
    columns = columns or _columns(count)
    rows = math.ceil(count / columns)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    canvas = np.full((time, *size, channels), BACKGROUND, np.uint8)
    for index, video in enumerate(videos):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[:, top : top + height, left : left + width] = video
    return canvas


def _columns(count: int) -> int:
    """Choose the columns of a grid about as wide as high, its rows full where that can be."""
    square = math.ceil(math.sqrt(count))
    return next((c for c in range(square, square + square // 2 + 1) if count % c == 0), square)


def enlarge(frames: np.ndarray, scale: int = 0) -> np.ndarray:
    """Repeat pixels, so that small frames can be looked at.

    Args:
        frames: uint8 (..., height, width, channels).
        scale: A whole number; 0 chooses the largest that keeps both sides within 512 pixels.

    Returns:
        uint8 (..., height * scale, width * scale, channels).
    """
    scale = scale or max(1, 512 // max(frames.shape[-3:-1]))
    return frames.repeat(scale, axis=-3).repeat(scale, axis=-2)


def bordered(frame: np.ndarray, colour: tuple[int, ...], width: int = 2) -> np.ndarray:
    """Draw an edge around a frame.

    Args:
        frame: uint8 (height, width, 1 or 3).
        colour: RGB, 0 to 255.
        width: Of the edge, pixels.

    Returns:
        uint8 (height + 2 * width, width + 2 * width, 3).
    """
    height, wide = frame.shape[:2]
    framed = np.empty((height + 2 * width, wide + 2 * width, 3), np.uint8)
    framed[...] = colour
    framed[width:-width, width:-width] = frame
    return framed


def strip(
    videos: np.ndarray | Sequence[Sequence[np.ndarray]], gap: int = 1, every: int = 1
) -> np.ndarray:
    """Lay every `every`-th frame of each video side by side, one row per video.

    Args:
        videos: uint8 (videos, time, height, width, channels), or frames in nested lists.
        gap: Pixels between neighbours.
        every: Distance between the frames shown.

    Returns:
        One image, uint8 (height, width, channels).
    """
    shown = np.asarray(videos)[:, ::every]
    frames = shown.reshape(-1, 1, *shown.shape[2:])
    return grid(frames, columns=shown.shape[1], gap=gap)[0]


# --- writing


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary sibling to write, which takes the final name only on success.

    Raises:
        UserError: If writing fails, as on a full disk; nothing is left behind then.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _take_place(temporary, path)
    except OSError as error:
        raise UserError(_cannot_write(path, error)) from error
    finally:
        _remove(temporary)


def _take_place(temporary: Path, path: Path) -> None:
    if temporary.is_dir() and path.is_dir():  # a folder does not replace a full one
        _remove(path)
    os.replace(temporary, path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # it was never made; why not, is told already
            path.unlink()


def _cannot_write(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC or "No space left" in str(error):
        return f"Cannot write {path}: the disk is full; free some space or choose another folder."
    return f"Cannot write {path}: {_reason(error)}; choose another file name or folder."


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # libraries add paragraphs of their own
    return str(error).strip().rstrip(".") or type(error).__name__


def write_image(path: Path, image: np.ndarray) -> None:
    """Write one uint8 image (height, width, 1 or 3), in the format that the suffix names.

    Raises:
        UserError: If the suffix is unknown, or writing fails.
    """
    form = Image.registered_extensions().get(path.suffix.lower())
    if path.suffix.lower() not in IMAGE_SUFFIXES or form is None:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise UserError(f"Cannot write {path}: expected a name that ends in one of {known}.")
    with replacing(path) as temporary:
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(temporary, form)


def write_frames(path: Path, frames: Iterable[np.ndarray], fps: float) -> float:
    """Write a video as `.gif`, `.mp4`, or a folder of `frame0001.png`, `frame0002.png`, ...

    The frames are written as they come, so a long video needs no more memory than a short one.

    Args:
        path: Ends in .gif or .mp4; without a suffix it is a folder.
        frames: uint8 (height, width, 1 or 3), all of one size.
        fps: Frames per second wanted.

    Returns:
        The frames per second written: GIF delays are whole multiples of 10 ms, 20 ms at least.

    Raises:
        UserError: If the name's ending is unknown, there is no frame, the folder holds other files,
            or writing fails.
    """
    writers = {".gif": _write_gif, ".mp4": _write_mp4, "": _write_folder}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UserError(
            f"Cannot write {path}: expected .gif, .mp4 or a folder name without a suffix."
        )
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise UserError(f"Cannot write {path}: there is no frame to write.")
    with replacing(path) as temporary:
        return writer(path, temporary, _same_size(chain([first], frames), first.shape[:2]), fps)


def _same_size(frames: Iterable[np.ndarray], size: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Pass frames on as (H, W, 3); a size that changes is the caller's mistake."""
    for frame in frames:
        if frame.dtype != np.uint8 or frame.shape[:2] != size:
            raise ValueError(f"expected uint8 {size}, found {frame.dtype} {frame.shape[:2]}")
        yield np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame


def _write_gif(path: Path, temporary: Path, frames: Iterator[np.ndarray], fps: float) -> float:
    # Browsers slow delays under 20 ms down to 100 ms.
    delay = max(2, round(100.0 / fps))
    with temporary.open("wb") as file:
        for index, frame in enumerate(frames):
            image = Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)
            # Pillow's save() keeps all frames until the end and merges equal neighbours.
            if index == 0:
                file.writelines(GifImagePlugin.getheader(image.copy(), info={"loop": 0})[0])
            file.writelines(
                GifImagePlugin.getdata(image, duration=delay * 10, include_color_table=True)
            )
        file.write(b";")
    return 100.0 / delay


def _write_mp4(path: Path, temporary: Path, frames: Iterator[np.ndarray], fps: float) -> float:
    first = next(frames)
    height, width = first.shape[:2]
    odd = ((0, height % 2), (0, width % 2), (0, 0))  # yuv420p needs even sizes
    size = (height + height % 2, width + width % 2)
    with tempfile.TemporaryFile() as log, _ffmpeg(temporary, size, fps, log) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # ffmpeg says why in its log
            for frame in chain([first], frames):
                process.stdin.write(np.pad(frame, odd, mode="edge").tobytes())
        process.communicate()
        if process.returncode != 0:
            log.seek(0)
            raise OSError(" ".join(log.read().decode(errors="replace").split()) or "ffmpeg failed")
    return float(_rate(fps))


def _rate(fps: float) -> Fraction:
    """Return the rate as ffmpeg wants it, such as 30000/1001."""
    return Fraction(fps).limit_denominator(1001)


@contextmanager
def _ffmpeg(
    path: Path, size: tuple[int, int], fps: float, log: IO[bytes]
) -> Iterator[subprocess.Popen]:
    import imageio_ffmpeg  # type: ignore[import-untyped]

    raw = f"-y -v error -f rawvideo -pix_fmt rgb24 -s {size[1]}x{size[0]} -r {_rate(fps)} -i -"
    coded = "-c:v libx264 -preset medium -crf 16 -pix_fmt yuv420p -movflags +faststart -f mp4"
    process = subprocess.Popen(
        [imageio_ffmpeg.get_ffmpeg_exe(), *f"{raw} {coded}".split(), str(path.absolute())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    try:
        yield process
    finally:
        process.kill()  # does nothing to a process that has ended
        process.communicate()


def _write_folder(path: Path, temporary: Path, frames: Iterator[np.ndarray], fps: float) -> float:
    if path.exists() and not path.is_dir():
        raise UserError(f"Cannot write the folder {path}: a file of this name exists.")
    foreign = [p.name for p in path.iterdir() if not _is_frame(p)] if path.is_dir() else []
    if foreign:
        raise UserError(
            f"Cannot write frames into {path}: it holds other files, such as {foreign[0]};"
            " choose a new or an empty folder."
        )
    temporary.mkdir()
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(temporary / f"frame{number:04d}.png")
    return fps


def _is_frame(path: Path) -> bool:
    return re.fullmatch(r"frame\d+\.png", path.name) is not None
