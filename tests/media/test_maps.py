"""Maps, written by Pillow and OpenCV or byte by byte."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError

RNG = np.random.default_rng(0)


def png(path, width, height, depth, kind, rows, extra=b""):
    """Write a PNG byte by byte."""

    def chunk(name, data):
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", head) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


@pytest.mark.parametrize(
    ("mode", "values", "expected", "kind"),
    [
        ("L", [0, 7, 255], [0, 7, 255], "uint8"),
        ("1", [0, 1, 1], [0, 255, 255], "uint8"),
        ("I;16", [0, 7, 60000], [0, 7, 60000], "uint16"),
    ],
)
def test_numbers(tmp_path, mode, values, expected, kind):
    dtype = {"L": np.uint8, "1": bool, "I;16": np.uint16}[mode]
    Image.fromarray(np.array([values] * 2, dtype)).save(tmp_path / "m.png")
    found = media.read_map(tmp_path / "m.png")
    assert (found.numbers.dtype.name, found.numbers.tolist()) == (kind, [expected] * 2)
    assert (found.palette, found.colours, found.lossy, found.size) == (None, None, False, (2, 3))


@pytest.mark.parametrize(
    ("name", "dtype"), [("m.png", np.uint16), ("m.tif", np.uint16), ("m.tif", np.float32)]
)
def test_numbers_of_16_bit_by_opencv(tmp_path, name, dtype):
    values = np.array([[24001, 7], [26000, 65535]], dtype)
    cv2.imwrite(str(tmp_path / name), values)
    assert media.read_map(tmp_path / name).numbers.tolist() == [[24001, 7], [26000, 65535]]


def test_whole_numbers_of_32_bit(tmp_path):
    Image.fromarray(np.array([[0, 70000 - 5000]], np.int32)).save(tmp_path / "m.tif")
    assert media.read_map(tmp_path / "m.tif").numbers.tolist() == [[0, 65000]]


def test_places_in_a_palette(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 9, 9, 9])
    image.putdata([2, 0, 1])
    image.save(tmp_path / "p.png", transparency=0)
    found = media.read_map(tmp_path / "p.png")
    assert found.numbers.tolist() == [[2, 0, 1]]
    assert found.as_colours.tolist() == [[[9, 9, 9], [255, 0, 0], [0, 255, 0]]]


def test_colours_and_opaque_ones(tmp_path):
    colours = RNG.integers(0, 256, (4, 5, 3), np.uint8)
    opaque = np.dstack([colours, np.full((4, 5), 255, np.uint8)])
    for number, image in enumerate((colours, opaque)):
        path = tmp_path / f"{number}.png"
        Image.fromarray(image).save(path)
        found = media.read_map(path)
        np.testing.assert_array_equal(found.colours, colours)
        assert (found.numbers, found.size) == (None, (4, 5))
    grey = np.dstack([colours[..., 0], np.full((4, 5), 255, np.uint8)])
    Image.fromarray(grey, "LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(media.read_map(tmp_path / "la.png").numbers, colours[..., 0])


@pytest.mark.parametrize(
    ("name", "options", "lossy"),
    [
        ("m.png", {}, False),
        ("m.jpg", {}, True),
        ("m.bmp", {}, False),
        ("m.webp", {"lossless": True}, False),
        ("m.webp", {"lossless": False}, True),
        ("m.webp", {"lossless": True, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}, False),
        ("m.webp", {"lossless": False, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}, True),
    ],
)
def test_formats_that_change_values(tmp_path, name, options, lossy):
    Image.fromarray(RNG.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / name, **options)
    assert media.read_map(tmp_path / name).lossy is lossy


def test_turned_as_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.array([[1, 2, 3]], np.uint8)).save(tmp_path / "m.png", exif=exif)
    assert media.read_map(tmp_path / "m.png").numbers.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.array([[0.5, 1]], np.float32), "has fractions or numbers beyond 0 to 65535"),
        (np.array([[np.nan, 1]], np.float32), "has fractions or numbers beyond 0 to 65535"),
        (np.array([[-1, 1]], np.int32), "has fractions or numbers beyond 0 to 65535"),
        (np.array([[70000, 1]], np.int32), "has fractions or numbers beyond 0 to 65535"),
        (np.full((1, 2, 4), 200, np.uint8), "is transparent in places"),
    ],
)
def test_what_is_no_map(tmp_path, values, said):
    Image.fromarray(values).save(tmp_path / "m.tif")
    with pytest.raises(media.NotAMap, match=rf"m\.tif {said}: expected .*"):
        media.read_map(tmp_path / "m.tif")


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_colours_of_16_bit_are_refused(tmp_path, kind, channels):
    """Pillow would drop their last eight."""
    png(tmp_path / "m.png", 2, 1, 16, kind, [b"\xff\x01" * 2 * channels])
    with pytest.raises(media.NotAMap, match="has colours or transparency in 16 bit: expected"):
        media.read_map(tmp_path / "m.png")


def test_damage(tmp_path):
    Image.fromarray(RNG.integers(0, 255, (64, 64), np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:1500])
    with pytest.raises(UserError, match=r"cut\.png is a damaged image") as error:
        media.read_map(tmp_path / "cut.png")
    assert not isinstance(error.value, media.NotAMap)
