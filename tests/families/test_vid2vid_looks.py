"""How objects look: features found, remembered and chosen."""

import numpy as np

from kvidgan.families.vid2vid.features import REMEMBERED, clusters, over_objects, remember
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import batch, numbers, values
from tests.families.small_vid2vid import family

OBJECTS = {"features": 3, "encoder_width": 2, "looks": 4}


def test_features_are_averaged_over_each_object_by_hand():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    labels, instances = rng.integers(0, 3, (2, 4, 5)), rng.integers(0, 4, (2, 4, 5)) * 100
    painted, objects = (numbers(x) for x in over_objects(features, labels, instances, 3))
    assert objects.shape == (2, 3, 256, 4)
    for frame in range(2):
        for label, instance in {*zip(labels[frame].flat, instances[frame].flat, strict=True)}:
            mine = (labels[frame] == label) & (instances[frame] == instance)
            mean = features[frame][mine].mean(0)
            np.testing.assert_allclose(painted[frame][mine], np.tile(mean, (mine.sum(), 1)), 1e-5)
            entry = objects[frame, label, instance % 256]
            np.testing.assert_allclose(entry, [*mean, mine.mean()], 1e-5)
    np.testing.assert_allclose(objects[..., -1].sum((1, 2)), 1, 1e-5)


def test_the_latest_objects_of_each_class_are_remembered():
    memory = np.zeros((2, REMEMBERED, 4), "float32")
    objects = np.zeros((2, 2, 256, 4), "float32")
    for image, instance in ((0, 3), (0, 9), (1, 0)):  # of class 1; class 0 is not there
        objects[image, 1, instance] = [image, instance, 1, 0.2]
    seen = set()
    for step in range(1, 60):
        memory = numbers(remember(memory, objects, np.int32(step)))
        assert (memory[0] == 0).all()
        *found, there = memory[1, step % REMEMBERED].tolist()
        assert there == 1
        seen.add(tuple(found))
    assert seen == {(0, 3, 1), (0, 9, 1), (1, 0, 1)}


def test_looks_are_the_means_of_well_separated_groups_the_commonest_first():
    rng = np.random.default_rng(0)
    groups = [(5, [0.5, 0.5]), (20, [-0.5, 0.0]), (10, [0.9, -0.9])]
    drawn = [np.array(at) + rng.normal(size=(n, 2)) * 0.01 for n, at in groups]
    memory = np.zeros((2, REMEMBERED, 3), "float32")
    memory[1, :35, :2], memory[1, :35, 2] = rng.permutation(np.concatenate(drawn)), 1
    none, three = clusters(memory, 3)
    assert none == []
    expected = [drawn[place].mean(0) for place in (1, 2, 0)]
    np.testing.assert_allclose(three, expected, atol=1e-3)
    assert len(clusters(memory[:, :3], 10)[1]) == 3, "no more looks than different objects"


def test_one_step_teaches_the_encoder_and_remembers_what_it_found(tmp_path):
    gan = family(**OBJECTS)
    before = values(gan.encoder.trainable_variables)
    gan.train_on_batch(batch(gan, seed=0))
    assert all(
        (a != b).any() for a, b in zip(before, values(gan.encoder.trainable_variables), strict=True)
    )
    memory = numbers(gan.memory)
    assert (memory[:, 1, -1] == 1).all(), "after step 1 one of each class lies in place 1"
    assert memory[..., -1].sum() == 3
    step, described = gan.rollout_model()
    own = described.inputs["looks"].looks
    np.testing.assert_allclose([v[0] for v in own.vectors], memory[:, 1, :-1], atol=1e-4)
    description = Description(family="vid2vid", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(step, description, tmp_path / "x.keras"))
    maps = np.random.default_rng(0).integers(0, 3, (4, 16, 24, 2))
    start = {"context": np.full((2, 16, 24, 3), 99, np.uint8), "condition_offset": 2}
    steps = rollout.start(conditions={"labels": maps, "looks": maps}, **start)
    assert [one.frames.shape for one in steps] == [(1, 16, 24, 3)] * 2
