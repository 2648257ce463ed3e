"""Writing of images and videos: whole, or not at all."""

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import GifImagePlugin, Image, PngImagePlugin

from kvidgan.errors import UserError
from kvidgan.files import FRAME_MARK, check_own_frames, remove, replacing
from kvidgan.media.read import IMAGE_SUFFIXES


def write_image(path: Path, image: np.ndarray) -> None:
    """Write one image in the format that the suffix names.

    Args:
        path: Path of the file.
        image: Image to write, uint8 (height, width, 1 or 3).

    Raises:
        UserError: If the suffix is unknown, or writing fails.
    """
    form = Image.registered_extensions().get(path.suffix.lower())
    if path.suffix.lower() not in IMAGE_SUFFIXES or form is None:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise UserError(f"Cannot write {path}: expected a name that ends in one of {known}.")
    with replacing(path) as temporary:
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(temporary, form)


class Sound(NamedTuple):
    """Sound: what is heard beside frames.

    Attributes:
        path: Video or audio file that it is taken from.
        start: Second of the file at which the first frame is shown.
    """

    path: Path
    start: float


def write_frames(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: float,
    loop: bool = True,
    sound: Sound | None = None,
) -> float:
    """Write a video as `.gif`, `.mp4`, or a folder of `frame0001.png`, `frame0002.png`, ...

    The frames are written as they come, so a long video needs no more memory than a short one.

    Args:
        path: Path of the file, which ends in .gif or .mp4, or of a folder, without a suffix.
        frames: Frames of one size, uint8 (height, width, 1 or 3) each.
        fps: Wanted frames per second.
        loop: Whether a GIF plays for ever instead of once.
        sound: Sound of an .mp4 file, silent where it has ended; None for none.

    Returns:
        The frames per second written: GIF delays are whole multiples of 10 ms, 20 ms at least.

    Raises:
        UserError: If the name's ending is unknown or no .mp4 gets sound, there is no frame, the
            folder holds other files, or writing fails.

    Example:
        frames = np.zeros((10, 32, 32, 3), np.uint8)
        write_frames(Path("black.gif"), frames, fps=10)  # 10.0
    """
    writers: dict[str, Callable[..., float]] = {
        ".gif": partial(_write_gif, loop=loop),
        ".mp4": partial(_write_mp4, sound=sound),
        "": _write_folder,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UserError(
            f"Cannot write {path}: expected .gif, .mp4 or a folder name without a suffix."
        )
    if sound is not None and path.suffix.lower() != ".mp4":
        raise UserError(f"Cannot write sound into {path}: expected a name that ends in .mp4.")
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise UserError(f"Cannot write {path}: there is no frame to write.")
    with replacing(path) as temporary:
        return writer(path, temporary, _same_size(chain([first], frames), first.shape[:2]), fps)


def _same_size(frames: Iterable[np.ndarray], size: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Pass frames on as (height, width, 3); a size that changes is the caller's mistake."""
    for frame in frames:
        if frame.dtype != np.uint8 or frame.shape[:2] != size:
            raise ValueError(f"expected uint8 {size}, found {frame.dtype} {frame.shape[:2]}")
        yield np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame


def _write_gif(
    path: Path, temporary: Path, frames: Iterator[np.ndarray], fps: float, loop: bool
) -> float:
    # Browsers slow delays under 20 ms down to 100 ms.
    delay = max(2, round(100.0 / fps))
    with temporary.open("wb") as file:
        for index, frame in enumerate(frames):
            image = Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)
            # Pillow's save() keeps all frames until the end and merges equal neighbours.
            if index == 0:
                info = {"loop": 0} if loop else {}
                file.writelines(GifImagePlugin.getheader(image.copy(), info=info)[0])
            file.writelines(
                GifImagePlugin.getdata(image, duration=delay * 10, include_color_table=True)
            )
        file.write(b";")
    return 100.0 / delay


def _write_mp4(
    path: Path,
    temporary: Path,
    frames: Iterator[np.ndarray],
    fps: float,
    sound: Sound | None = None,
) -> float:
    first, count = next(frames), 0
    height, width = first.shape[:2]
    odd = ((0, height % 2), (0, width % 2), (0, 0))  # yuv420p needs even sizes
    size = (height + height % 2, width + width % 2)
    with _ffmpeg(*_video_options(size, fps), temporary) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # ffmpeg says why in its log
            for frame in chain([first], frames):
                count += 1
                process.stdin.write(np.pad(frame, odd, mode="edge").tobytes())
    if sound is not None:
        _add_sound(temporary, sound, count / fps)
    return float(_rate(fps))


def _video_options(size: tuple[int, int], fps: float) -> list[str]:
    raw = f"-f rawvideo -pix_fmt rgb24 -s {size[1]}x{size[0]} -r {_rate(fps)} -i -"
    # Converted by the matrix that is named: players of HD would take another one without a name.
    matrix = "-vf scale=out_color_matrix=bt709:out_range=tv,format=yuv420p -color_range tv"
    tags = "-colorspace bt709 -color_primaries bt709 -color_trc bt709"
    coded = "-c:v libx264 -preset medium -crf 16 -movflags +faststart -f mp4"
    return f"{raw} {matrix} {tags} {coded}".split()


def _add_sound(video: Path, sound: Sound, seconds: float) -> None:
    """Lay sound under a silent video, as long as that is: cut off, or silent at its end."""
    with_sound = video.with_name(f"{video.name}.sound")
    inputs = ["-i", str(video.absolute()), "-ss", f"{sound.start:.6f}"]
    inputs += ["-i", str(sound.path.absolute())]
    coded = "-map 0:v -map 1:a:0 -c:v copy -af apad -c:a aac -b:a 192k -movflags +faststart -f mp4"
    try:
        with _ffmpeg(*inputs, *coded.split(), "-t", f"{seconds:.6f}", with_sound):
            pass
        with_sound.replace(video)
    finally:
        remove(with_sound)


def _rate(fps: float) -> Fraction:
    """Return the rate as the fraction that ffmpeg wants, such as 30000/1001."""
    return Fraction(fps).limit_denominator(1001)


@contextmanager
def _ffmpeg(*options: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ffmpeg for the time of a block, and until it is done.

    Raises:
        OSError: If it fails, with what it says of that.
    """
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *map(str, options[:-1])]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, str(Path(options[-1]).absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            yield process
            process.communicate()
        finally:
            process.kill()  # does nothing to a process that has ended
            process.communicate()
        if process.returncode != 0:
            log.seek(0)
            raise OSError(" ".join(log.read().decode(errors="replace").split()) or "ffmpeg failed")


def _write_folder(path: Path, temporary: Path, frames: Iterator[np.ndarray], fps: float) -> float:
    if path.exists() and not path.is_dir():
        raise UserError(f"Cannot write the folder {path}: a file of this name exists.")
    if path.is_dir():
        check_own_frames(path)
    mark = PngImagePlugin.PngInfo()
    mark.add_text(*FRAME_MARK)
    temporary.mkdir()
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(temporary / f"frame{number:04d}.png", pnginfo=mark)
    return fps
