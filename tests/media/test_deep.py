"""Images of more than 8 bit, as OpenCV, tifffile and hand-made bytes write them."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError
from tests.textures import texture

SEEN = texture(24, 32)  # what is to be seen, 8 bit
DEPTHS = (8, 10, 12, 14, 16)


def stored(depth, seen=SEEN):
    """The values of a bit depth that show a picture."""
    return np.rint(seen * ((2**depth - 1) / 255)).astype(np.uint16)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def save_png(path, values, kind, *chunks):
    """Write a PNG of 16 bit by hand: kind 0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    end = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + end)


def save(path, values):
    """Write grey or RGB values in the format that the suffix names."""
    if path.suffix == ".png":
        save_png(path, values, 2 if values.ndim == 3 else 0)
    elif path.suffix in (".pgm", ".ppm"):
        size = f"{values.shape[1]} {values.shape[0]}"
        kind = "P6" if values.ndim == 3 else "P5"
        path.write_bytes(f"{kind}\n{size}\n65535\n".encode() + values.astype(">u2").tobytes())
    else:
        options = {"big": {"bigtiff": True}, "be": {"byteorder": ">"}, "zip": {"compression": 8}}
        photometric = "rgb" if values.ndim == 3 else "minisblack"
        tifffile.imwrite(path, values, photometric=photometric, **options.get(path.stem, {}))
    return path


NAMES = ["x.png", "x.tif", "big.tif", "be.tif", "zip.tif"]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", [*NAMES, "x.ppm"])
def test_colours_by_the_least_depth_that_holds_them(tmp_path, depth, name):
    path = save(tmp_path / name, stored(depth))
    np.testing.assert_array_equal(media.read_image(path), SEEN)
    assert media.image_size(path) == (24, 32)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", [*NAMES, "x.pgm"])
def test_grey_by_the_least_depth_that_holds_it(tmp_path, depth, name):
    path = save(tmp_path / name, stored(depth, SEEN[..., 0]))
    np.testing.assert_array_equal(media.read_image(path), np.repeat(SEEN[..., :1], 3, -1))


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_levels_of_the_source_go_first(tmp_path, name):
    path = save(tmp_path / name, stored(10))
    levels = media.ImageLevels(media.depth_levels(12))
    np.testing.assert_array_equal(media.read_image(path, levels), np.rint(stored(10) / 4095 * 255))
    levels = media.ImageLevels(media.depth_levels(8))
    with pytest.raises(UserError, match="do not fit: 1023 is beyond 8 bit: say --bit-depth 10"):
        media.read_image(path, levels)


def test_what_a_file_states_needs_no_guess(tmp_path):
    dark = stored(10) // 5
    for name, kind, values in (("x.ppm", "P6", dark), ("x.pgm", "P5", dark[..., 0])):
        header = f"{kind}\n32 24\n1023\n".encode()
        (tmp_path / name).write_bytes(header + values.astype(">u2").tobytes())
        seen = media.read_image(tmp_path / name)
        assert np.abs(seen[..., 0] - dark[..., 0] / 1023 * 255).max() <= 0.51
        assert media.image_extent(tmp_path / name) is None


@pytest.mark.parametrize("highest", [15, 1023, 65535])
def test_plain_ppm_and_pgm(tmp_path, highest):
    values = np.rint(SEEN / 255 * highest).astype(int)
    for name, kind, part in (("x.ppm", "P3", values), ("x.pgm", "P2", values[..., :1])):
        text = "\n".join(map(str, part.ravel()))
        (tmp_path / name).write_text(f"{kind}\n32 24\n{highest}\n{text}\n")
        assert np.abs(media.read_image(tmp_path / name) - part / highest * 255).max() <= 0.51


@pytest.mark.parametrize(("kind", "channels"), [(4, [0]), (6, [0, 1, 2])])
@pytest.mark.parametrize("opaque", [1023, 65535])
def test_alpha_is_laid_over_black(tmp_path, kind, channels, opaque):
    alpha = np.linspace(0, opaque, 24 * 32).reshape(24, 32, 1).astype(np.uint16)
    colours = stored(10)[..., channels]
    save_png(tmp_path / "x.png", np.concatenate([colours, alpha], -1), kind)
    expected = np.broadcast_to(SEEN[..., channels] * (alpha / opaque), (24, 32, 3))
    found = media.read_image(tmp_path / "x.png")
    assert np.abs(found - expected).max() <= 0.51


def test_a_transparent_colour(tmp_path):
    values, hidden = stored(16), stored(16)[3, 4]
    save_png(tmp_path / "x.png", values, 2, chunk(b"tRNS", struct.pack(">HHH", *map(int, hidden))))
    found = media.read_image(tmp_path / "x.png")
    assert found[3, 4].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(found[5], SEEN[5])
    grey = values[..., 0]
    save_png(tmp_path / "g.png", grey, 0, chunk(b"tRNS", struct.pack(">H", int(grey[3, 4]))))
    found = media.read_image(tmp_path / "g.png")
    np.testing.assert_array_equal(found[..., 1], np.where(grey == grey[3, 4], 0, SEEN[..., 0]))


def test_alpha_of_tiff(tmp_path):
    alpha = np.full((24, 32, 1), 1023 // 3, np.uint16)
    values = np.concatenate([stored(10), alpha], -1)
    for extra, expected in (("unassalpha", SEEN / 3), ("assocalpha", SEEN), ("unspecified", SEEN)):
        tifffile.imwrite(tmp_path / "x.tif", values, photometric="rgb", extrasamples=[extra])
        found = media.read_image(tmp_path / "x.tif", media.ImageLevels(media.depth_levels(10)))
        assert np.abs(found - expected).max() <= 0.51, extra


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif", "float"])
@pytest.mark.parametrize("channels", [1, 3])
def test_orientation(tmp_path, orientation, kind, channels):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain, path = tmp_path / "plain.png", tmp_path / f"x.{'png' if kind == 'png' else 'tif'}"
    Image.fromarray(SEEN[..., 0] if channels == 1 else SEEN).save(plain, exif=exif)
    values = stored(12)[..., 0] if channels == 1 else stored(12)
    if kind == "png":
        save_png(path, values, 2 if channels == 3 else 0, chunk(b"eXIf", exif.tobytes()[6:]))
    else:
        values = values / np.float32(4095) if kind == "float" else values
        tag = (274, "H", 1, orientation, False)
        photometric = "rgb" if channels == 3 else "minisblack"
        tifffile.imwrite(path, values, photometric=photometric, extratags=[tag])
    np.testing.assert_array_equal(media.read_image(path), media.read_image(plain))
    assert media.image_size(path) == media.image_size(plain)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("white", [1, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_fractions(tmp_path, kind, white, channels):
    seen = SEEN[..., :channels]
    values = (seen / 255 * white).astype(kind).squeeze()
    path = save(tmp_path / "x.tif", values)
    np.testing.assert_array_equal(media.read_image(path), np.broadcast_to(seen, SEEN.shape))
    assert media.image_size(path) == (24, 32)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (SEEN.astype("f4") * 4, "expected fractions from 0 to 1, found values from 0 to 1020"),
        (SEEN / np.float32(255) - np.float32(0.2), "found values from -0.2 to 0.8"),
        (np.full((24, 32), np.nan, "f4"), "found NaN among the values"),
        (
            stored(16).astype("i4")[..., 0] - 9,
            "expected whole numbers from 0 to 65535, found",
        ),
        (stored(16).astype("i4")[..., 0] * 9, "found values from 0 to 5"),
        (SEEN.astype("f2"), "damaged, or of a kind that is not read"),
    ],
)
def test_values_that_are_no_colours(tmp_path, values, sentence):
    with pytest.raises(UserError, match=sentence):
        media.read_image(save(tmp_path / "x.tif", values))


def test_tiff_that_all_read_wrong_is_refused(tmp_path):
    planes = np.moveaxis(stored(16), -1, 0)
    tifffile.imwrite(tmp_path / "p.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(UserError, match="in separate planes of more than 8 bit"):
        media.read_image(tmp_path / "p.tif")
    tifffile.imwrite(tmp_path / "n.tif", stored(16)[..., 0], photometric="miniswhite")
    with pytest.raises(UserError, match="is a negative of more than 8 bit"):
        media.read_image(tmp_path / "n.tif")


@pytest.mark.parametrize("depth", [10, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_pages(tmp_path, depth, channels, kind):
    pages = np.stack([np.roll(SEEN[..., :channels], shift, 1) for shift in range(5)])
    values = stored(depth, pages) if kind == "uint16" else pages / np.float32(255)
    photometric = "rgb" if channels == 3 else "minisblack"
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, values if channels == 3 else values[..., 0], photometric=photometric)
    assert media.is_animation(path)
    frames, fps = media.read_video(path)
    assert fps == 10
    np.testing.assert_array_equal(list(frames), np.broadcast_to(pages, (5, 24, 32, 3)))
    assert media.probe_video(path)[:4] == (10, 5, 24, 32)


def test_pages_have_the_levels_of_their_file_or_those_given(tmp_path):
    pages = np.stack([stored(10) // 9, stored(10) // 2, stored(10)])
    tifffile.imwrite(tmp_path / "x.tif", pages, photometric="rgb")
    first, *_ = media.read_video(tmp_path / "x.tif")[0]
    np.testing.assert_array_equal(first, np.rint(pages[0] / 1023 * 255))
    levels = media.ImageLevels(media.depth_levels(8))
    with pytest.raises(UserError, match="is beyond 8 bit: say --bit-depth 10"):
        list(media.read_video(tmp_path / "x.tif", levels=levels)[0])


@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_jpeg_2000(tmp_path, suffix):
    Image.fromarray(SEEN).save(tmp_path / f"x.{suffix}")  # without loss
    np.testing.assert_array_equal(media.read_image(tmp_path / f"x.{suffix}"), SEEN)
    Image.fromarray(stored(16)[..., 0]).save(tmp_path / f"grey.{suffix}")
    found = media.read_image(tmp_path / f"grey.{suffix}")
    np.testing.assert_array_equal(found[..., 2], SEEN[..., 0])


@pytest.mark.parametrize("depth", [10, 16])
def test_jpeg_2000_of_16_bit_in_colour(tmp_path, depth):
    seen = texture(64, 64)
    options = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    assert cv2.imwrite(str(tmp_path / "x.jp2"), stored(depth, seen)[..., ::-1], options)
    levels = media.ImageLevels(media.depth_levels(16))
    written = stored(depth, seen) / 257
    assert np.abs(media.read_image(tmp_path / "x.jp2", levels) - written).max() <= 1


def test_avif(tmp_path):
    Image.fromarray(SEEN).save(tmp_path / "x.avif", quality=100, subsampling="4:4:4")
    assert np.abs(media.read_image(tmp_path / "x.avif").astype(int) - SEEN).max() <= 3
    assert not media.is_video(tmp_path / "x.avif")
    pages = [Image.fromarray(np.roll(SEEN, shift, 1)) for shift in range(4)]
    options = {"quality": 100, "subsampling": "4:4:4", "duration": 50}
    pages[0].save(tmp_path / "m.avif", save_all=True, append_images=pages[1:], **options)
    frames, fps = media.read_video(tmp_path / "m.avif")
    assert fps == pytest.approx(20)
    assert np.abs(np.stack(list(frames)).astype(int) - np.stack(pages)).max() <= 12


def test_avif_of_high_dynamic_range(tmp_path):
    Image.fromarray(SEEN).save(tmp_path / "x.avif")
    content = (tmp_path / "x.avif").read_bytes()
    place = content.index(b"colrnclx") + 10
    (tmp_path / "x.avif").write_bytes(content[:place] + b"\0\x10" + content[place + 2 :])
    with pytest.raises(UserError, match=r"of high dynamic range \(PQ\): expected standard range"):
        media.read_image(tmp_path / "x.avif")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x76\x2f\x31\x01\x02\0\0\0", r"linear light \(OpenEXR\): expected .*; tone-map it"),
        (b"#?RADIANCE\nFORMAT=32-bit", r"linear light \(Radiance HDR\)"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is HEIC, which is not read: .*; convert it to PNG"),
        (b"\xff\x0a\xfa\x7f", "is JPEG XL, which is not read"),
        (b"SDPX\0\0\x20\0", "is DPX, which is not read"),
    ],
)
def test_foreign_images_are_named(tmp_path, start, kind):
    for suffix in (".png", ".exr"):
        (tmp_path / f"x{suffix}").write_bytes(start + bytes(400))
        with pytest.raises(UserError, match=rf"x{suffix} .*{kind}"):
            media.read_image(tmp_path / f"x{suffix}")
        assert not media.is_video(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_damage(tmp_path, name, kind):
    if kind == "float32" and name.endswith("png"):
        return
    noise = np.random.default_rng(0).integers(0, 65535, (64, 64, 3)).astype(kind)
    path = save(tmp_path / name, noise / 65535 if kind == "float32" else noise)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(UserError, match="damaged|not a readable image"):
        media.read_image(path)


def test_an_animated_png_of_16_bit(tmp_path):
    import subprocess

    import imageio_ffmpeg

    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-pix_fmt", "rgb48be"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source]
    subprocess.run([*program, "-f", "apng", tmp_path / "x.png"], check=True)
    with pytest.raises(UserError, match="is an animation of 16 bit: expected 8 bit"):
        list(media.read_video(tmp_path / "x.png")[0])
