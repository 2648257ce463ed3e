import gzip
import pickle
from functools import cache

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from kvidgan.data.builtin import moving_digits as module
from kvidgan.data.builtin import registry as builtin
from kvidgan.data.open import find_source, open_data, prepare_path
from kvidgan.data.reading import Reading
from kvidgan.data.schema import DataConfig, DigitsConfig
from kvidgan.errors import UserError


@cache
def clip(index, seed=0, **options):
    return module.moving_digits(seed, index, DigitsConfig(**options))


def moments(frame):
    """The ink, its middle (x, y), and how it lies about it (xx, xy, yy), of one frame."""
    found = cv2.moments(frame[..., 0].astype(np.float32))
    ink = found["m00"]
    middle = np.array([found["m10"], found["m01"]]) / ink
    return ink, middle, np.array([found["mu20"], found["mu11"], found["mu02"]]) / ink


def pieces(frame):
    """How many there are, each in one piece."""
    return cv2.connectedComponents((frame[..., 0] > 100).astype(np.uint8))[0] - 1


def test_the_defaults():
    shown = clip(0)
    assert (shown.dtype, shown.shape) == (np.uint8, (20, 32, 32, 1))
    assert (shown.min(), shown.max()) == (0, 255)
    source = builtin.open_builtin("moving_digits")
    assert source.describe() == "built-in: 2000 videos, 32x32, 20 frames, seed 0, 1 digit"
    assert source.classes == []
    assert {(v.split, v.class_index) for v in source.videos} == {("", -1)}


def test_a_clip_is_a_pure_function():
    again = module.moving_digits(0, 3, DigitsConfig())
    np.testing.assert_array_equal(again, clip(3))
    assert not np.array_equal(clip(3), clip(4))
    assert not np.array_equal(clip(3), clip(3, seed=1))


def test_clips_stay_as_they_were_drawn_for_published_models():
    inks, middles, _ = zip(*(moments(clip(index)[-1]) for index in range(3)), strict=True)
    expected = [[18.863, 17.811], [22.286, 14.493], [15.46, 14.788]]
    np.testing.assert_allclose(middles, expected, atol=2e-3)
    np.testing.assert_allclose(np.array(inks) / 255, [127.29, 65.36, 57.63], atol=0.05)


def test_a_longer_clip_begins_with_the_shorter():
    np.testing.assert_array_equal(clip(5, frames=50)[:20], clip(5))


def test_digits_are_about_18_pixels_of_32_and_scale():
    heights, scales = [], []
    for index in range(100):
        small, large = clip(index)[0], clip(index, size=96, frames=2)[0]
        heights.append(np.ptp(np.flatnonzero(small.max((1, 2)) > 100)) + 1)
        scales.append(np.sqrt(moments(large)[0] / moments(small)[0]))
    assert 16 <= min(heights) <= max(heights) <= 20
    assert 17 < np.mean(heights) < 19
    np.testing.assert_allclose(scales, 3, rtol=0.03)


def test_digits_keep_their_ink_and_shape_also_at_the_edges():
    touched = 0
    for index in range(200):
        shown = clip(index, size=64)
        inks, _, shapes = zip(*map(moments, shown), strict=True)
        np.testing.assert_allclose(inks, inks[0], rtol=0.02)
        np.testing.assert_allclose(shapes, np.broadcast_to(shapes[0], (20, 3)), atol=2)
        touched += shown.sum() > shown[:, 3:-3, 3:-3].sum()
    assert touched > 180, "of 200 digits, which would lose ink if they went on beyond the edge"


def test_a_digit_moved_back_is_the_same_but_for_parts_of_a_pixel():
    for index in range(20):
        shown = clip(index, size=64).astype(np.float32)
        middles = np.array([moments(frame)[1] for frame in shown])
        size = np.ptp(shown, axis=0).max()
        for frame, way in zip(shown[1:], middles[0] - middles[1:], strict=True):
            moved = cv2.warpAffine(frame, np.float32([[1, 0, way[0]], [0, 1, way[1]]]), (64, 64))
            wrong = cv2.GaussianBlur(abs(moved - shown[0, ..., 0]), (0, 0), 2)
            assert wrong.max() < 0.15 * size


def test_speed_is_constant_between_bounces():
    turned = 0
    for index in range(200):
        steps = np.diff([moments(frame)[1] for frame in clip(index, size=64)], axis=0)
        speeds = np.median(abs(steps), axis=0)  # (x, y)
        assert 2.95 < np.hypot(*speeds) < 6.05
        assert (abs(steps) < speeds + 0.2).all()
        for line, speed in zip(steps.T, speeds, strict=True):
            for time in np.flatnonzero(abs(line[1:-1]) < speed - 0.2) + 1:
                assert line[time - 1] * line[time + 1] < 0, "a slower step only where it turns"
                turned += 1
    assert turned > 200


def test_directions_and_places_are_spread():
    first, second = (
        np.array([moments(clip(index)[time])[1] for index in range(200)]) for time in (0, 1)
    )
    assert 14 < first.mean() < 17
    assert (first.std(0) > 2.5).all()
    assert (abs((second > first).mean(0) - 0.5) < 0.12).all()


@pytest.mark.parametrize("number", [1, 2])
def test_number_of_digits(number):
    most = [max(map(pieces, clip(index, number=number, size=128))) for index in range(20)]
    assert max(most) == number
    assert np.mean(np.array(most) == number) > 0.5


def test_digits_add_up_to_255():
    for index in range(20):
        one, two = clip(index).astype(int), clip(index, number=2).astype(int)
        assert (two >= one).all()
        assert (two[one == 255] == 255).all()
        assert two.max() == 255
        # Where they do not overlap, each is there in full.
        assert two.sum() > 1.25 * one.sum()


def test_no_hand_leaves_the_smallest_frame():
    for number in range(2000):
        written = module._written(number % 10, 16, np.random.default_rng(number))
        assert (16 - 1 - 2 * written.reach > 1).all()


@pytest.mark.parametrize(
    "digits",
    [{"number": 0}, {"number": 10}, {"size": 15}, {"frames": 1}, {"clips": 0}, {"colour": 1}],
)
def test_options_out_of_bounds(digits):
    with pytest.raises(ValidationError, match=next(iter(digits))):
        DataConfig(path="moving_digits", digits=digits)


def test_other_options_are_another_store(tmp_path):
    names, changes = set(), [{}, {"number": 2}, {"size": 16}, {"frames": 5}, {"clips": 3}]
    for change in changes:
        options = DigitsConfig(**{"clips": 2, **change})
        config = DataConfig(path="moving_digits", digits=options, cache=str(tmp_path))
        said = []
        for _ in range(2):
            with open_data(config, say=said.append) as store:
                names.add(store.path.name)
        assert len(said) == 1, "the second time it is there"
        digits = "2 digits" if "number" in change else "1 digit"
        assert f"{options.frames} frames, seed 0, {digits}: converting once" in said[0]
        assert digits in dict(store.describe())["settings"]
        assert len(store) == options.clips
        expected = clip(1, **{k: v for k, v in change.items() if k != "clips"})
        np.testing.assert_array_equal(store.read(1, 0, options.frames), expected)
    assert len(names) == len(changes)


def test_prepare_takes_the_defaults(tmp_path, monkeypatch):
    small = builtin.SETS["moving_digits"]._replace(clips=3)
    monkeypatch.setitem(builtin.SETS, "moving_digits", small)
    said = []
    report = prepare_path("moving_digits", tmp_path / "m.h5", say=said.append)
    assert report.written == 3
    assert said[:2] == ["layout     built-in, seed 0, 1 digit", "videos     3"]


def test_options_of_other_data_are_refused(strips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = prepare_path(str(strips), tmp_path / "s.h5").path
    strips.rename(tmp_path / "moving_digits")  # what lies there goes before a built-in set
    for path in ("moving_shapes", "moving_digits", str(store)):
        config = DataConfig(path=path, digits=DigitsConfig(size=64), cache=str(tmp_path / "cache"))
        message = r"^data\.digits\.size: expected the built-in moving_digits as data\.path, found"
        with pytest.raises(UserError, match=message):
            open_data(config)
    open_data(DataConfig(path="moving_digits", cache=str(tmp_path / "cache"))).close()


def test_clips_on_the_command_line_are_for_another_layout():
    with pytest.raises(UserError, match="moving_digits is a built-in set: expected no --clips, f"):
        find_source("moving_digits", Reading(clips=5))


def test_videos_pickle():
    options = DigitsConfig(number=2, clips=3)
    videos = builtin.open_builtin("moving_digits", 4, options).videos
    frames = np.stack(list(pickle.loads(pickle.dumps(videos[2])).read()))
    np.testing.assert_array_equal(frames, clip(2, seed=4, number=2))


def test_who_knows_handwriting_reads_the_digits(real_data):
    def read(name, header):
        content = gzip.decompress((real_data / "mnist" / f"train-{name}.gz").read_bytes())
        return np.frombuffer(content, np.uint8, offset=header)

    images = read("images-idx3-ubyte", 16).reshape(-1, 28, 28)[:3000]
    labels = read("labels-idx1-ubyte", 8)[:3000]
    known = np.stack([features(image) for image in images])
    asked = np.stack([features(centred(number)) for number in range(200)])
    nearest = labels[np.argsort(asked @ known.T)[:, -5:]]
    named = [np.bincount(row).argmax() for row in nearest]
    assert np.mean(named == np.arange(200) % 10) > 0.9


def features(image):
    blurred = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1).ravel()
    return blurred / np.linalg.norm(blurred)


def centred(number):
    """A digit as MNIST has them: about 20 pixels high, its ink's middle in the middle of 28x28."""
    written = module._written(number % 10, 35, np.random.default_rng(number))
    middle, frame = np.full(2, 13.5), np.zeros((28, 28))
    module._draw(frame, written, middle)
    middle += 14 - moments(frame[..., None])[1][::-1]
    frame = np.zeros((28, 28))
    module._draw(frame, written, middle)
    return frame
