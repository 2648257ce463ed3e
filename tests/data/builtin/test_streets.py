import cv2
import numpy as np
import pytest

from kvidgan.data.builtin import registry as builtin
from kvidgan.data.builtin import street_objects as street_things
from kvidgan.data.builtin import streets
from kvidgan.data.flow import backward_flow
from kvidgan.data.labels import LabelSet

SKY, BUILDING, TREE, ROAD, MARKING, SIDEWALK, CAR, PERSON = range(8)


@pytest.fixture(scope="module")
def drawn():
    """Eight clips: (frames, labels, instances) of each."""
    made = []
    for index in range(8):
        frames, maps = streets.frames(3, index), streets.maps(3, index)
        made.append((frames, maps["labels"], maps["instances"]))
    return made


def test_the_set():
    source = builtin.open_builtin("streets")
    assert source.describe() == (
        "built-in: 120 videos, 108 to train, 12 to test, 96x64, 40 frames, labels: ids of 8 classes"
        " (sky, building, tree, road, marking, sidewalk, car, person), seed 0"
    )
    assert source.labels == LabelSet("ids", streets.CLASSES)
    video = source.videos[119]
    assert (video.split, video.length) == ("test", streets.TIME)
    maps = list(video.read_maps())
    for name, values in streets.maps(0, 119).items():
        np.testing.assert_array_equal([one[name] for one in maps], values)


def test_shapes_and_types(drawn):
    for frames, labels, instances in drawn:
        assert (frames.dtype, frames.shape) == (np.uint8, (40, 64, 96, 3))
        assert (labels.dtype, labels.shape) == (np.uint8, (40, 64, 96))
        assert (instances.dtype, instances.shape) == (np.uint16, (40, 64, 96))


def test_all_depends_on_seed_and_index_only(drawn):
    frames, labels, instances = drawn[1]
    streets._scene.cache_clear()
    again = streets.maps(3, 1)
    np.testing.assert_array_equal(again["labels"], labels)
    np.testing.assert_array_equal(again["instances"], instances)
    np.testing.assert_array_equal(streets.frames(3, 1), frames)
    assert not np.array_equal(streets.frames(4, 1), frames)


def test_every_class_is_there(drawn):
    shares = np.array([[(labels == kind).mean() for kind in range(8)] for _, labels, _ in drawn])
    assert (shares.mean(0) > 0.005).all()
    assert (shares[:, [SKY, BUILDING, ROAD, SIDEWALK]] > 0.01).all(), "in every clip"
    assert 0.02 < shares[:, CAR].mean() < 0.2


def test_cars_and_people_are_instances_and_nothing_else_is(drawn):
    for _, labels, instances in drawn:
        np.testing.assert_array_equal(instances > 0, np.isin(labels, (CAR, PERSON)))
        for one in set(np.unique(instances)) - {0}:
            assert len(np.unique(labels[instances == one])) == 1, "one class each"
        assert len(np.unique(instances)) > 3


def test_instances_move_smoothly_and_keep_their_ids(drawn):
    steps = []
    for _, _, instances in drawn:
        for one in set(np.unique(instances)) - {0}:
            seen = (instances == one).any((1, 2))
            for time in np.flatnonzero(seen[1:] & seen[:-1]):
                before, after = (np.argwhere(instances[t] == one)[:, 1] for t in (time, time + 1))
                steps.append(min(abs(after.min() - before.min()), abs(after.max() - before.max())))
    assert max(steps) <= 5
    assert 0.5 < np.mean(steps) < 3


def test_near_things_hide_far_ones(drawn):
    for _, labels, _ in drawn:
        assert not (labels[:, 58:] == ROAD).any(), "the near sidewalk lies before the road"
        assert set(np.unique(labels[:, -1])) <= {SIDEWALK, PERSON}
        assert set(np.unique(labels[:, 0])) <= {SKY, BUILDING}
    both = [np.isin(labels[:, 50:56], PERSON).any() for _, labels, _ in drawn]
    assert any(both), "people on the near sidewalk stand before the road"


def test_frames_show_what_the_labels_say(drawn):
    """Nearest neighbours in colour and height, from four clips, know the classes of the others."""
    rng = np.random.default_rng(0)
    features, classes = [], []
    for frames, labels, _ in drawn:
        height = np.broadcast_to(np.arange(64)[:, None, None] * 4, (64, 96, 1))
        colours = [frames[20], cv2.blur(frames[20], (3, 3)), height]
        some = rng.choice(64 * 96, 800, replace=False)
        features.append(np.concatenate(colours, axis=-1).reshape(-1, 7)[some].astype(float))
        classes.append(labels[20].ravel()[some])
    known, unknown = np.concatenate(features[:4]), np.concatenate(features[4:])
    distances = (unknown**2).sum(1)[:, None] - 2 * unknown @ known.T + (known**2).sum(1)
    guessed = np.concatenate(classes[:4])[distances.argmin(1)]
    assert (guessed == np.concatenate(classes[4:])).mean() > 0.75


def test_labels_move_with_the_frames(drawn):
    """What the frames' flow says of a still or passing street, the labels do too."""
    for frames, labels, _ in drawn[:3]:
        for time, (flow, right) in enumerate(backward_flow(frames[:6])):
            if time:
                y, x = np.indices(labels.shape[1:])
                y = np.clip(np.rint(y + flow[..., 1]).astype(int), 0, 63)
                x = np.clip(np.rint(x + flow[..., 0]).astype(int), 0, 95)
                assert right.mean() > 0.75
                kept = labels[time] == labels[time - 1][y, x]
                assert kept[right].mean() > 0.93


def test_some_cameras_drive_and_some_stand():
    ways = [streets._camera(np.random.default_rng(seed)) for seed in range(60)]
    ends = np.array([way[-1] for way in ways])
    assert 8 < (ends == 0).sum() < 32
    assert all(way[0] == 0 and (np.diff(way) >= 0).all() for way in ways)
    assert max(np.diff(way).max() for way in ways) < 3


def test_pictures_are_laid_over_each_other():
    ground, thing = street_things.Picture(2, 3), street_things.Picture(1, 1)
    ground.paint(ground.box(0, 2, 0, 3), (10, 20, 30), ROAD)
    thing.paint(thing.box(0, 1, 0.5, 1), (200, 0, 0), CAR)
    where, seen = ground.put(thing, -0.5, 2.5)
    assert (where, seen.tolist()) == ((slice(0, 2), slice(10, 12)), [[False] * 2] * 2)
    assert (ground.classes == ROAD).all(), "its right half is outside"
    ground.put(thing, 1.5, 1)
    assert np.argwhere(ground.classes == CAR).tolist() == [[6, 6], [6, 7], [7, 6], [7, 7]]
    assert ground.colours[7, 7].tolist() == [200, 0, 0]
    ground.put(thing.mirrored(), 0, 0)
    assert np.argwhere(ground.classes[:4, :4] == CAR)[:, 1].max() == 1
    assert ground.put(thing, 9, 9)[1].size == 0
