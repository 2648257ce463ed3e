from itertools import islice

import cv2
import numpy as np
import pytest

from kvidgan.data.labels import WARM_UP, LabelSet, find_labels, found_label_set
from kvidgan.media import fit_frames, read_video
from tests.textures import texture


def test_what_is_found():
    assert found_label_set("edges") == LabelSet("edges", ("background", "edge"))
    assert found_label_set("foreground") == LabelSet("foreground", ("background", "foreground"))
    assert len(found_label_set("edges")) == 2


def test_label_sets_in_words():
    assert LabelSet("ids", ("0", "1", "2")).describe() == "ids of 3 classes"
    assert LabelSet("ids", ("0",)).describe() == "ids of 1 class"
    assert LabelSet("ids", ("0",), {"0": "0", "255": None}).describe() == (
        "ids of 1 class, and pixels of none"
    )
    many = LabelSet("ids", tuple("abcdefghijklmn"))
    assert many.describe() == "ids of 14 classes (a, b, c, d, e, f, g, h, i, j, k, l, ...)"
    assert found_label_set("edges").describe() == "edges of 2 classes (background, edge)"


@pytest.mark.parametrize("kind", ["edges", "foreground"])
def test_labels_are_streamed(kind):
    read = []

    def frames():
        for number in range(200):
            read.append(number)
            yield np.full((20, 30, 3), number, np.uint8)

    maps = find_labels(kind, frames())
    assert not read, "nothing is read unasked"
    for number, found in enumerate(maps):
        assert (found.dtype, found.shape) == (np.uint8, (20, 30))
        assert len(read) <= max(number + 1, WARM_UP)
    assert number == 199
    assert list(find_labels(kind, iter(()))) == []


# --- edges


def rectangle(ground, inside, channels=3):
    frame = np.full((60, 80, channels), ground, np.uint8)
    frame[20:40, 20:50] = inside
    return frame


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("ground", "inside"), [(0, 255), (255, 0), (0, 40), (200, 230), (20, 90)])
def test_the_edges_of_a_rectangle(ground, inside, channels):
    (found,) = find_labels("edges", [rectangle(ground, inside, channels)])
    assert set(np.unique(found)) == {0, 1}
    ring = np.zeros((60, 80), np.uint8)
    cv2.rectangle(ring, (20, 20), (49, 39), 1)
    near = cv2.dilate(ring, np.ones((5, 5)))
    assert not found[near == 0].any(), "none elsewhere"
    assert cv2.dilate(found, np.ones((5, 5)))[ring == 1].mean() > 0.95, "all around"


def test_noise_has_no_edges():
    noise = np.random.default_rng(0).integers(100, 104, (60, 80, 3), np.uint8)
    (found,) = find_labels("edges", [noise])
    assert not found.any()


def test_dark_pale_and_plain_frames_show_the_same_edges():
    clip = texture(96, 128).astype(float)
    frames = [np.rint(clip * gain + lift).astype(np.uint8) for gain, lift in ((1, 0), (0.5, 120))]
    one, other = find_labels("edges", frames)
    assert 0.03 < one.mean() < 0.25
    assert (one == other).mean() > 0.93


def test_an_edge_map_hangs_on_its_own_frame_only():
    frames = [rectangle(0, 255), texture(60, 80), rectangle(200, 230)]
    together = list(find_labels("edges", frames))
    for frame, found in zip(frames, together, strict=True):
        np.testing.assert_array_equal(next(find_labels("edges", [frame])), found)


# --- foreground


def walking(frames=60, side=14):
    """A textured square crosses a still, textured ground, with a camera's noise."""
    rng = np.random.default_rng(1)
    ground, square = texture(64, 96) // 2, 128 + texture(side, side, seed=3) // 2
    clip = np.repeat(ground[None], frames, axis=0)
    inside = np.zeros(clip.shape[:3], bool)
    for time in range(frames):
        place = (slice(25, 25 + side), slice(4 + time, 4 + time + side))
        clip[time][place], inside[time][place] = square, True
    return np.clip(clip + rng.normal(0, 2, clip.shape), 0, 255).astype(np.uint8), inside


def overlap(found, inside):
    """Intersection over union."""
    found = np.array(found) == 1
    return (found & inside).sum((1, 2)) / (found | inside).sum((1, 2))


def test_what_moves_is_foreground_from_the_first_frame_on():
    clip, inside = walking()
    found = list(find_labels("foreground", clip))
    assert set(np.unique(found)) == {0, 1}
    shared = overlap(found, inside)
    assert shared[:10].mean() > 0.8
    assert shared.mean() > 0.8


def test_a_change_of_exposure_is_not_foreground():
    clip, inside = walking()
    clip = clip // 2 + 40
    clip[30:] += 15
    found = list(find_labels("foreground", clip))
    assert overlap(found, inside)[30:40].mean() > 0.7


def test_foreground_in_grey():
    clip, inside = walking()
    found = list(find_labels("foreground", fit_frames(clip, 64, 96, 1)))
    assert overlap(found, inside).mean() > 0.7


def test_nothing_moves():
    clip = np.repeat(texture(40, 50)[None], 40, axis=0)
    assert not np.any(list(find_labels("foreground", clip)))
    assert not np.any(list(find_labels("foreground", clip[:1])))


def test_real_clips(real_data):
    for path in sorted((real_data / "clips").iterdir()):
        frames = [fit_frames(f[None], 96, 128, 3)[0] for f in islice(read_video(path)[0], 5)]
        for found in find_labels("edges", frames):
            assert 0.005 < found.mean() < 0.2, f"{path.name}: neither empty nor scribble"
    road = (fit_frames(f[None], 96, 128, 3)[0] for f in read_video(real_data / "clips" / ROAD)[0])
    shares = [found.mean() for found in islice(find_labels("foreground", road), 150)]
    assert max(shares[:30]) < 0.01, "an empty road"
    assert 0.03 < shares[75] < 0.15, "a car on it"


ROAD = "bgslibrary_video.avi"
