"""What people have, kind by kind: written with other tools, converted, and compared as stored.

Each case writes files and returns what a clip store has to hold then: frames by the name of the
video, or by (name, class, split).
"""

import numpy as np
import pytest
from PIL import ExifTags, Image

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.store.reader import ClipStore
from tests.media.test_video import FIELDS, SOURCE, TURNS, expected, ffmpeg

SIDE = (24, 32)


def stored(folder, **options):
    """Convert a folder; return its videos by (name, class, split), and the rates by name."""
    report = prepare(open_source(folder), folder.parent / "store.h5", **options)
    videos, rates = {}, {}
    with ClipStore.open(report.path) as store:
        for number, row in enumerate(store.index):
            label = store.classes[row["class"]] if row["class"] >= 0 else ""
            key = (str(row["name"]), label, str(row["split"]))
            videos[key] = store.read(number, 0, int(row["length"]))
            rates[key[0]] = float(row["fps"])
    return videos, rates


def check(folder, expected_videos, tolerance=0):
    videos, rates = stored(folder)
    wanted = {k if isinstance(k, tuple) else (k, "", ""): v for k, v in expected_videos.items()}
    assert list(videos) == list(wanted), "names, classes, splits and their order"
    for key, frames in wanted.items():
        assert videos[key].shape == np.shape(frames), key
        assert np.abs(videos[key].astype(int) - np.asarray(frames, int)).max() <= tolerance, key
    return rates


# --- videos, against the frames that FFmpeg's own program decodes

CODECS = [
    ("libx264", "yuv420p", "mp4"), ("libx264", "yuv420p", "m4v"), ("libx264", "yuv420p", "mkv"),
    ("libx264", "yuv420p", "mov"), ("libx264", "yuv420p", "flv"), ("libx264", "yuv420p", "3gp"),
    ("libx264", "yuv420p", "ts"), ("libx264", "yuv420p", "mts"), ("libx264", "yuv420p", "avi"),
    ("libx264", "yuv422p", "mp4"), ("libx264", "yuv444p", "mp4"), ("libx264", "gray", "mp4"),
    ("libx264", "yuvj420p", "mp4"), ("libx264", "yuv420p10le", "mkv"),
    ("libx264", "yuv422p10le", "mov"), ("libx264rgb", "rgb24", "mkv"),
    ("libx265", "yuv420p", "mp4"), ("libx265", "yuv420p10le", "mp4"),
    ("mpeg1video", "yuv420p", "mpg"), ("mpeg2video", "yuv420p", "mpg"),
    ("mpeg2video", "yuv420p", "m2ts"), ("mpeg2video", "yuv420p", "vob"),
    ("mpeg2video", "yuv422p", "mxf"), ("mpeg4", "yuv420p", "avi"), ("mpeg4", "yuv420p", "mp4"),
    ("msmpeg4v3", "yuv420p", "avi"), ("wmv1", "yuv420p", "wmv"), ("wmv2", "yuv420p", "asf"),
    ("flv", "yuv420p", "flv"), ("mjpeg", "yuvj420p", "avi"), ("mjpeg", "yuvj444p", "mov"),
    ("mjpeg", "yuvj422p", "mkv"), ("huffyuv", "yuv422p", "avi"), ("ffvhuff", "yuv420p", "mkv"),
    ("ffv1", "yuv420p", "mkv"), ("ffv1", "yuv444p10le", "mkv"), ("ffv1", "bgr0", "mkv"),
    ("ffv1", "gray", "mkv"), ("rawvideo", "yuv420p", "avi"),
    ("rawvideo", "yuv420p", "y4m"), ("utvideo", "yuv420p", "avi"), ("prores", "yuv422p10le", "mov"),
    ("png", "rgb24", "mov"), ("png", "rgba", "mov"), ("qtrle", "rgb24", "mov"),
    ("libvpx", "yuv420p", "webm"), ("libvpx-vp9", "yuv420p", "webm"),
    ("libvpx-vp9", "yuv444p", "mkv"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "pixels", "suffix"), CODECS)
def test_codecs_pixel_formats_and_containers(tmp_path, codec, pixels, suffix):
    path = tmp_path / "set" / f"clip.{suffix}"
    path.parent.mkdir()
    ffmpeg(*SOURCE, "-c:v", codec, "-pix_fmt", pixels, "-strict", "-1", path)
    frames = expected(path, (-1, 48, 64, 3))
    assert len(frames) == 10
    rates = check(path.parent, {path.name: frames}, tolerance=1)
    assert rates[path.name] == pytest.approx(25, rel=1e-4)


@pytest.mark.parametrize("rate", ["10", "12.5", "24000/1001", "24", "25", "30000/1001", "50", "60"])
def test_rates(tmp_path, rate):
    path = tmp_path / "set" / "clip.mp4"
    path.parent.mkdir()
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=32x32:r={rate}", "-frames:v", 6, path)
    rates = check(path.parent, {"clip.mp4": expected(path, (6, 32, 32, 3))}, tolerance=1)
    number = np.divide(*map(float, rate.split("/"))) if "/" in rate else float(rate)
    assert rates["clip.mp4"] == pytest.approx(number, rel=1e-4)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_turns(tmp_path, turn, suffix):
    straight, path = tmp_path / f"straight.{suffix}", tmp_path / "set" / f"clip.{suffix}"
    path.parent.mkdir()
    ffmpeg(*SOURCE, "-c:v", "libx264", straight)
    ffmpeg(*TURNS[turn], "-i", straight, "-c", "copy", path)
    height, width = (64, 48) if "quarter" in turn else (48, 64)
    check(path.parent, {path.name: expected(path, (10, height, width, 3))}, tolerance=1)


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "ffv1"])
def test_interlaced(tmp_path, order, codec):
    path = tmp_path / "set" / "clip.mkv"
    path.parent.mkdir()
    options = ["-x264-params", f"{order}=1"] if codec == "libx264" else []
    weave = f"interlace=scan={order}:lowpass=0,format=yuv420p"
    flags = ["-flags", "+ildct+ilme"] if codec != "ffv1" else ["-field_order", order[0] * 2]
    ffmpeg(*FIELDS, "-vf", weave, *flags, "-c:v", codec, *options, path)
    videos, _ = stored(path.parent)
    (frames,) = videos.values()
    true = expected(path, (10, 48, 64, 3), "bwdif=mode=send_frame:deint=all")
    assert np.abs(frames[1:].astype(int) - true[1:]).mean() < 2.5, "nothing black, no combs"


def test_digital_video_of_a_tape(tmp_path):
    path = tmp_path / "set" / "tape.dv"
    path.parent.mkdir()
    tape = ["-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=0.12"]
    ffmpeg(*tape, "-c:v", "dvvideo", "-pix_fmt", "yuv420p", path)
    videos, _ = stored(path.parent)
    (frames,) = videos.values()
    filters = "bwdif=mode=send_frame:deint=interlaced,scale=768:576"
    true = expected(path, (3, 576, 768, 3), filters)
    assert frames.shape == true.shape, "12:11 pixels"
    assert np.abs(frames[1:].astype(int) - true[1:]).mean() < 0.5


@pytest.mark.parametrize(("aspect", "width"), [("4/3", 85), ("8/9", 57), ("12/11", 70), ("2", 128)])
def test_pixels_that_are_not_square(tmp_path, aspect, width):
    path = tmp_path / "set" / "clip.mp4"
    path.parent.mkdir()
    ffmpeg(*SOURCE, "-vf", f"setsar={aspect}", "-c:v", "libx264", path)
    check(path.parent, {path.name: expected(path, (10, 48, width, 3), f"scale={width}:48")}, 1)


# --- animations


def pictures(count=5, size=SIDE, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 3, 4, 3), dtype=np.uint8)
    return small.repeat(size[0] // 3, 1).repeat(size[1] // 4, 2)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "apng", "tif", "tiff"])
@pytest.mark.parametrize("delay", [40, 100])
def test_animations(tmp_path, suffix, delay):
    frames = pictures()
    path = tmp_path / "set" / f"clip.{suffix}"
    path.parent.mkdir()
    images = [Image.fromarray(frame) for frame in frames]
    if suffix == "gif":
        images = [image.quantize(16) for image in images]
    more = {"tif": {}, "tiff": {}}.get(suffix, {"duration": delay})
    more |= {"lossless": True} if suffix == "webp" else {}
    form = {"apng": "PNG"}.get(suffix)
    images[0].save(path, form, save_all=True, append_images=images[1:], **more)
    rates = check(path.parent, {path.name: frames}, tolerance=4 if suffix == "gif" else 0)
    if "tif" not in suffix:
        assert rates[path.name] == pytest.approx(1000 / delay)


def test_one_short_delay_does_not_make_many_frames(tmp_path):
    frames = pictures(12)
    (tmp_path / "set").mkdir()
    images = [Image.fromarray(frame).quantize(16) for frame in frames]
    delays = [100] * 12
    delays[4] = 20
    images[0].save(
        tmp_path / "set" / "clip.gif", save_all=True, append_images=images[1:], duration=delays
    )
    videos, rates = stored(tmp_path / "set")
    (found,) = videos.values()
    assert len(found) in (11, 12)
    assert rates["clip.gif"] == pytest.approx(10)


# --- images


def save_all(folder, frames, suffix, mode="RGB", **options):
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).convert(mode).save(folder / f"{number}.{suffix}", **options)


MODES = [
    ("png", "RGB"), ("png", "L"), ("png", "RGBA"), ("png", "LA"), ("png", "1"), ("bmp", "RGB"),
    ("bmp", "L"), ("tif", "RGB"), ("tif", "L"), ("tiff", "CMYK"), ("ppm", "RGB"), ("pgm", "L"),
    ("jpg", "RGB"), ("jpeg", "L"), ("jpg", "CMYK"), ("webp", "RGB"), ("PNG", "RGB"), ("JPG", "RGB"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "mode"), MODES)
def test_formats_and_modes(tmp_path, suffix, mode):
    folder = tmp_path / "set" / "video"
    save_all(folder, pictures(), suffix, mode)
    true = [
        np.array(Image.open(folder / f"{number}.{suffix}").convert("RGB")) for number in range(5)
    ]
    check(folder.parent, {"video": true})


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palettes(tmp_path, suffix):
    folder, frames = tmp_path / "set" / "video", pictures()
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).quantize(16).save(folder / f"{number}.{suffix}")
    if suffix == "gif":  # each of them is a video of one frame, as nobody can tell
        assert len(stored(folder.parent)[0]) == 5
    else:
        check(folder.parent, {"video": frames}, tolerance=4)


@pytest.mark.parametrize("alpha", [0, 255])
def test_transparency_is_laid_over_black(tmp_path, alpha):
    folder, frames = tmp_path / "set" / "video", pictures()
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        shown = np.dstack([frame, np.full(SIDE, alpha, np.uint8)])
        Image.fromarray(shown).save(folder / f"{number}.png")
    check(folder.parent, {"video": frames * (alpha > 0)})


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_exif_orientation(tmp_path, orientation, suffix):
    folder, frames = tmp_path / "set" / "video", pictures()
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"webp": {"lossless": True}}.get(suffix, {})
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number}.{suffix}", exif=exif, **options)
    check(folder.parent, {"video": [TURNED[orientation](frame) for frame in frames]})


ORDERS = [
    ["1", "2", "3", "10", "11"],
    ["frame1", "frame2", "frame9", "frame10", "frame100"],
    ["0001", "0002", "0010", "0100", "1000"],
    ["img_0.5", "img_0.75", "img_1.25", "img_2", "img_10.5"],
    ["1700000000.123", "1700000000.456", "1700000001.1", "1700000002", "1700000010.5"],
    ["кадр 1", "кадр 2", "кадр 3", "кадр 20", "кадр 21"],
    ["IMG-001 (copy)", "IMG-002 (copy)", "IMG-003 (copy)", "IMG-020 (copy)", "IMG-021 (copy)"],
    ["2024-01-09_10h", "2024-01-09_11h", "2024-01-10_02h", "2024-02-01_01h", "2025-01-01_00h"],
]


@pytest.mark.parametrize("names", ORDERS, ids=[names[0] for names in ORDERS])
@pytest.mark.parametrize("shuffled", [False, True])
def test_order(tmp_path, names, shuffled):
    folder, frames = tmp_path / "set" / "video", pictures()
    folder.mkdir(parents=True)
    pairs = list(zip(names, frames, strict=True))
    for name, frame in pairs[::-1] if shuffled else pairs:
        Image.fromarray(frame).save(folder / f"{name}.png")
    (folder / ".hidden.png").write_bytes(b"no")
    (folder / "Thumbs.db").write_bytes(b"no")
    check(folder.parent, {"video": frames})


SEQUENCES = {
    "two clips": (["clipA_{}", "clipB_{}"], ["video/clipA", "video/clipB"]),
    "cameras": (["cam0_{}", "cam1_{}"], ["video/cam0", "video/cam1"]),
    "dashes": (["left-{}", "right-{}"], ["video/left", "video/right"]),
}


@pytest.mark.parametrize("kind", SEQUENCES)
def test_several_sequences_in_a_folder(tmp_path, kind):
    patterns, names = SEQUENCES[kind]
    videos = [pictures(seed=number) for number in range(2)]
    for pattern, frames in zip(patterns, videos, strict=True):
        for number, frame in enumerate(frames):
            path = tmp_path / "set" / "video" / f"{pattern.format(f'{number:03d}')}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(frame).save(path)
    check(tmp_path / "set", dict(zip(names, videos, strict=True)))


@pytest.mark.parametrize("cover", ["cover.png", "thumbnail.jpg", "preview.png", "poster.webp"])
def test_a_cover_is_no_frame_and_drops_no_folder(tmp_path, cover):
    frames = pictures()
    save_all(tmp_path / "set" / "video", frames, "png")
    Image.new("RGB", (99, 77)).save(tmp_path / "set" / "video" / cover)
    check(tmp_path / "set", {"video": frames})


def test_the_same_frame_twice_is_one(tmp_path):
    frames = pictures()
    save_all(tmp_path / "set" / "video", frames, "png")
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "set" / "video" / f"{number}.jpg", quality=30)
    check(tmp_path / "set", {"video": frames})


@pytest.mark.parametrize("bad", ["truncated", "other size", "no image", "empty"])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_bad_frame_is_left_out(tmp_path, bad, place):
    frames = pictures()
    save_all(tmp_path / "set" / "video", frames, "png")
    path = tmp_path / "set" / "video" / f"{place}.png"
    if bad == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif bad == "other size":
        Image.new("RGB", (9, 7)).save(path)
    else:
        path.write_bytes(b"no" if bad == "no image" else b"")
    check(tmp_path / "set", {"video": np.delete(frames, place, axis=0)})


# --- strips, wide frames, splits and classes


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("stacked", [False, True])
def test_film_strips(tmp_path, suffix, stacked):
    videos = {f"{n}.{suffix}": pictures(6 + n, (24, 24), n) for n in range(3)}
    (tmp_path / "set").mkdir()
    for name, frames in videos.items():
        image = Image.fromarray(np.concatenate(frames, axis=0 if stacked else 1))
        image.save(tmp_path / "set" / name, **({"lossless": True} if suffix == "webp" else {}))
    check(tmp_path / "set", videos)


@pytest.mark.parametrize("size", [(36, 120), (24, 96), (12, 128)])
def test_wide_frames_are_no_strips(tmp_path, size):
    rng = np.random.default_rng(1)
    x = np.linspace(0, 3, size[1])
    ramp = np.clip(80 * x, 0, 255)[None, :, None] + rng.integers(0, 9, (5, size[0], size[1], 3))
    frames = np.clip(ramp, 0, 255).astype(np.uint8)
    save_all(tmp_path / "set" / "video", frames, "png")
    check(tmp_path / "set", {"video": frames})


SPLITS = [
    ("train", "test", "train", "test"), ("Train", "Test", "train", "test"),
    ("training", "testing", "train", "test"), ("train", "val", "train", "val"),
    ("TRAIN", "valid", "train", "val"), ("train", "validation", "train", "val"),
    ("train", "eval", "train", "val"), ("training", "evaluation", "train", "val"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "first", "second"), SPLITS)
@pytest.mark.parametrize("classes", [False, True])
def test_splits(tmp_path, one, two, first, second, classes):
    inside = ["run", "walk"] if classes else [""]
    wanted = {}
    pairs = sorted([(one, first), (two, second)], key=lambda pair: pair[0].lower())
    for seed, (folder, split) in enumerate(pairs):
        for number, label in enumerate(inside):
            frames = pictures(seed=10 * seed + number)
            place = "/".join(filter(None, [folder, label, "clip"]))
            save_all(tmp_path / "set" / place, frames, "png")
            wanted[place, label, split] = frames
    for stray in ("overview.png", "demo.gif", "README.md"):
        if stray.endswith("md"):
            (tmp_path / "set" / stray).write_text("about")
        else:
            Image.new("RGB", (50, 40)).save(tmp_path / "set" / stray)
    check(tmp_path / "set", wanted)
