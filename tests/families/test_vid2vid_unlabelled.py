"""Pixels of no class: vid2vid is shown no class there, and loses nothing there."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.contract import NO_CLASS, DataFacts
from kvidgan.families.vid2vid import Config
from kvidgan.families.vid2vid.features import over_objects
from tests.families.common import batch, numbers
from tests.families.small_vid2vid import SMALL, family

VALUES = {"0": "road", "1": "car", "2": "sky", "255": None}
HOLE = (slice(4, 11), slice(6, 17))  # rows and columns of no class


class Drawing(keras.layers.Layer):
    """Stands for a generator: its outputs are variables, each frame with a bit of the past."""

    def __init__(self, config, seed=3):
        super().__init__()
        rng = np.random.default_rng(seed)
        channels = {"frame": config.channels, "raw": config.channels, "flow": 2, "mask": 1}
        self.made = [
            {
                name: self.add_weight((2, *config.size, count), name=f"{name}_{number}")
                for name, count in channels.items()
            }
            for number in range(config.backprop_frames)
        ]
        for variable in self.trainable_variables:
            variable.assign(rng.uniform(0.1, 0.9, variable.shape))
        self.number = 0

    def call(self, inputs):
        made = {name: variable.value for name, variable in self.made[self.number].items()}
        self.number += 1
        return {**made, "frame": made["frame"] + 0.1 * ops.mean(inputs["past"], axis=1)}


def with_hole(gan, **options):
    """A batch in which a part of every frame is of no class."""
    made = batch(gan, **options)
    made["video_labels"][(..., *HOLE)] = NO_CLASS
    return made


def judged(**options):
    """A family whose generator is a drawing, with all terms of its loss."""
    options = {"first_frame": "drawn", "temporal_scales": 1, **options}
    gan = family(label_values=VALUES, **options)
    x = keras.Input((None, None, 3))
    wide = keras.layers.AveragePooling2D(3, 1, "same")(x)  # as VGG, sees neighbours
    gan.perceptual = keras.Model(x, [layer * wide for layer in (1.0, 2.0, 3.0, 4.0, 5.0)])
    gan.generator = Drawing(gan.config)
    return gan


def terms(gan, made):
    """Return each term of the loss of what is drawn."""
    gan.generator.number = 0
    window = gan._window(made)
    outputs, frames, _ = gan._generate(window, window["frames"][:, : gan.config.kept], [])
    return gan._generator_terms(window, outputs, frames)


@pytest.mark.every_backend
@pytest.mark.parametrize("backprop_frames", [1, 2])
def test_there_is_no_gradient_where_there_is_no_class(backprop_frames):
    gan = judged(backprop_frames=backprop_frames)
    made, variables = with_hole(gan, position=9), gan.generator.trainable_variables
    _, gradients = value_and_gradients(lambda: sum(terms(gan, made).values()), variables)
    for variable, gradient in zip(variables, map(numbers, gradients), strict=True):
        assert (gradient[(slice(None), *HOLE)] == 0).all(), variable.name
        assert (gradient[:, :4] != 0).any(), f"{variable.name} is learned elsewhere"


@pytest.mark.every_backend
def test_the_loss_is_the_same_whatever_is_drawn_there():
    gan = judged(backprop_frames=2)
    made = with_hole(gan, position=9)

    def losses():
        return {name: float(numbers(term)) for name, term in terms(gan, made).items()}

    before = losses()
    for variable in gan.generator.trainable_variables:
        values = numbers(variable.value).copy()
        values[(slice(None), *HOLE)] = -0.7
        variable.assign(values)
    assert losses() == before
    names = {"adv_image", "adv_video", "features_image", "features_video", "perceptual"}
    names |= {"perceptual_raw", "flow", "warp", "steady", "mask"}
    assert set(before) == names, "all that there are"
    made["video_labels"][(..., *HOLE)] = 1
    assert all(loss != before[name] for name, loss in losses().items()), "with a class it counts"


@pytest.mark.every_backend
def test_a_step_and_a_second_one_with_coarser_scales():
    gan = family(label_values=VALUES, scales=2, generator_width=4, flow=True, backprop_frames=2)
    made = with_hole(gan)
    losses = gan.train_on_batch(made, return_dict=True)
    assert np.isfinite(list(losses.values())).all()
    kept = numbers(gan.past.value)
    real = made["video"][:, -gan.config.kept :] / np.float32(127.5) - 1
    hole = (slice(None), slice(-2, None), *HOLE)
    np.testing.assert_allclose(kept[hole], real[hole], atol=1e-6)
    assert abs(kept - real).max() > 0.1, "elsewhere it is drawn"
    made["video_position"] += 1
    assert np.isfinite(list(gan.train_on_batch(made, return_dict=True).values())).all()


@pytest.mark.every_backend
def test_what_is_shown_of_no_class_is_all_zeros():
    gan = family(label_values=VALUES)
    window = gan._window(with_hole(gan))
    labels = numbers(window["labels"])
    assert (labels[(..., *HOLE, slice(None))] == 0).all()
    assert (labels.sum(-1) == 1).sum() == labels[..., 0].size - labels[..., 0][(..., *HOLE)].size
    assert (numbers(window["confidence"])[(..., *HOLE, slice(None))] == 0).all()


@pytest.mark.every_backend
def test_looks_of_what_is_of_no_class():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 6, 8, 3)).astype("float32")
    labels = rng.integers(0, 2, (2, 6, 8)).astype("uint8")
    instances = rng.integers(0, 2, (2, 6, 8)).astype("int32")
    labels[:, 2:4, 1:5] = NO_CLASS
    painted, table = map(
        numbers, over_objects(*map(ops.convert_to_tensor, (features, labels, instances)), 2)
    )
    assert (painted[labels == NO_CLASS] == 0).all()
    for number, of_one in enumerate(table):
        for label in (0, 1):
            for instance in (0, 1):
                where = (labels[number] == label) & (instances[number] == instance)
                np.testing.assert_allclose(
                    of_one[label, instance, :3], features[number][where].mean(0), rtol=1e-4
                )
                assert of_one[label, instance, 3] == pytest.approx(where.mean())


def test_a_family_with_looks_and_foreground_takes_such_maps():
    gan = family(
        label_values=VALUES, features=2, instance_edges=True, foreground_labels=["car"],
        foreground_width=2,
    )  # fmt: skip
    losses = gan.train_on_batch(with_hole(gan), return_dict=True)
    assert np.isfinite(list(losses.values())).all()


def test_values_are_those_of_the_data():
    config = Config(**{**SMALL, "labels": None})
    names = ["road", "car"]
    facts = DataFacts(labels=names, labels_from="ids", label_values={"0": "road", "200": "car"})
    found = config.for_data(facts)
    assert (found.label_values, found.has_unlabelled) == (facts.label_values, False)
    with pytest.raises(ValueError, match="label_values: expected the data's, None, found"):
        found.for_data(DataFacts(labels=names, labels_from="ids"))
    _, spec = family(label_values=VALUES).rollout_model()
    assert spec.inputs["labels"].encoding.values == VALUES
