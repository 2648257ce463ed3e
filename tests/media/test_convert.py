import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.errors import UserError

RNG = np.random.default_rng(0)


def test_ranges_clip_then_round_then_cast():
    floats = np.array([-2.0, -1.0, -0.9961, 0.0, 0.999, 1.0, 3.0], np.float32)
    np.testing.assert_array_equal(media.to_uint8(floats), [0, 0, 0, 128, 255, 255, 255])


def test_ranges_round_trip():
    every = np.arange(256, dtype=np.uint8)
    floats = media.to_float(every)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == (-1.0, 1.0)
    np.testing.assert_array_equal(media.to_uint8(floats), every)


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


PLACES = np.indices((24, 40)).transpose(1, 2, 0)  # (y, x) of each pixel


@pytest.mark.parametrize(
    ("size", "crop", "step"),
    [((8, 8), (0, 8), 3), ((12, 20), (0, 0), 2), ((4, 10), (4, 0), 4), ((24, 24), (0, 8), 1)],
)
def test_maps_are_cut_where_frames_are(size, crop, step):
    frames = np.repeat(PLACES, [2, 1], axis=-1)[None].astype(np.uint8)  # y, y, x
    maps = [media.fit_maps(PLACES[None, ..., axis].astype(np.uint16), *size) for axis in (0, 1)]
    cut = media.fit_frames(frames, *size, 3)
    for found, frame, axis in zip(maps, (cut[..., 0], cut[..., 2]), (0, 1), strict=True):
        assert (found.dtype, found.shape) == (np.uint16, (1, *size))
        assert abs(found.astype(int) - frame).max() <= 1, "the middle of the averaged pixels"
        centres = crop[axis] + step * np.arange(size[axis]) + step // 2
        np.testing.assert_array_equal(np.unique(found), centres)


def test_maps_invent_no_value_and_may_grow():
    maps = RNG.choice(np.array([3, 200], np.uint8), (2, 6, 8))
    np.testing.assert_array_equal(
        media.fit_maps(maps, 12, 16), maps.repeat(2, axis=1).repeat(2, axis=2)
    )
    assert set(np.unique(media.fit_maps(maps, 7, 11))) == {3, 200}
    assert media.fit_maps(maps, 6, 8) is maps
    assert media.fit_maps(maps == 3, 3, 4).dtype == bool


def test_flow_scales_with_the_frame():
    flow = np.broadcast_to(np.array([6.0, -3.0], np.float32), (2, 24, 40, 2))
    for size, scaled in (((12, 20), (3, -1.5)), ((24, 24), (6, -3)), ((5, 33), (4.95, -2.5))):
        found = media.fit_flow(flow, *size)
        assert (found.dtype, found.shape) == (np.float32, (2, *size, 2))
        np.testing.assert_allclose(found, np.broadcast_to(scaled, found.shape), rtol=1e-6)
    assert media.fit_flow(flow, 24, 40) is flow
    ramp = PLACES[None].astype(np.float32)
    half = media.fit_flow(ramp, 12, 20)
    np.testing.assert_allclose(half[0, :, 5, 0], np.arange(12) + 0.25)
    np.testing.assert_allclose(half[0, 5, :, 1], np.arange(20) + 0.25)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512x256", (256, 512)), ("64X1", (1, 64)), (" 99999x00007 ", (7, 99999))],
)
def test_sizes_are_read_as_width_by_height(text, size):
    assert media.parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "512", "x256", "512x", "0x256", "512x0", "-1x2", "1x2x3", "1.5x2", "100000x1", "٣x٣"],
)
def test_what_is_no_size(text):
    with pytest.raises(UserError) as error:
        media.parse_size(text, "--size")
    sentence = f"xpected WIDTHxHEIGHT in pixels, such as 512x256, found {text!r}."
    assert str(error.value) == f"--size: e{sentence}"
    with pytest.raises(UserError) as error:
        media.parse_size(text)
    assert str(error.value) == f"E{sentence}"
