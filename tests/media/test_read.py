import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError

RNG = np.random.default_rng(0)


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["jpg", "png", "tiff"])
def test_images_stand_as_their_exif_orientation_says(tmp_path, orientation, form):
    # EXIF 2.3: where the stored row 0 and column 0 are seen.
    turns = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1),
        6: lambda x: x.swapaxes(0, 1)[:, ::-1],
        7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
        8: lambda x: x.swapaxes(0, 1)[::-1],
    }
    stored = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((8, 8), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{form}"
    Image.fromarray(stored).convert("RGB").save(path, exif=exif)
    seen = media.read_image(path)
    expected = turns[orientation](stored)
    assert media.image_size(path) == expected.shape == seen.shape[:2]
    assert np.abs(seen[..., 0].astype(int) - expected).max() <= 8
