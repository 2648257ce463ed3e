import errno

import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError
from kvidgan.media import write as writing

RNG = np.random.default_rng(0)


def flat(colour, height=20, width=30):
    return np.full((height, width, len(colour)), colour, np.uint8)


def colours(count):
    """Frames of plain, distinct colours."""
    return [flat((8 * i % 256, 200 - 5 * i, 60)) for i in range(count)]


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
    with pytest.raises(UserError, match=r"holds what kvidgan did not write, such as thesis\.txt"):
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
    with pytest.raises(UserError, match=r"one of \.avif"):
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
    monkeypatch.setattr(writing.GifImagePlugin, "getdata", full)
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
        writing._write_mp4(tmp_path / "x.mp4", tmp_path / "full", iter(colours(300)), 10)


def test_write_image_round_trip(tmp_path):
    image = RNG.integers(0, 255, (5, 7, 3), np.uint8)
    media.write_image(tmp_path / "i.png", image)
    np.testing.assert_array_equal(media.read_image(tmp_path / "i.png"), image)
    media.write_image(tmp_path / "g.png", image[..., :1])
    np.testing.assert_array_equal(media.read_image(tmp_path / "g.png")[..., 1], image[..., 0])


@pytest.mark.parametrize("size", [(48, 64), (720, 1280)])
def test_a_video_names_the_matrix_of_its_colours(tmp_path, size):
    import av

    colours = np.array([[200, 30, 40], [20, 180, 60], [30, 60, 220], [128, 128, 128]], np.uint8)
    image = np.repeat(np.repeat(colours[None], size[0], 0), size[1] // 4, 1)
    media.write_frames(tmp_path / "clip.mp4", [image] * 3, 25)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (int(frame.colorspace), int(frame.color_range)) == (1, 1), "BT.709, limited"
    frames, _ = media.read_video(tmp_path / "clip.mp4")
    seen = next(frames)[size[0] // 2, size[1] // 8 :: size[1] // 4].astype(int)
    assert np.abs(seen - colours).max() <= 4
