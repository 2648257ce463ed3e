from itertools import islice

import numpy as np
import pytest
from keras import ops

from kvidgan.contract import DataFacts
from kvidgan.families.vid2vid import Config, Family
from kvidgan.families.vid2vid.generator import (
    compose,
    foreground_mask,
    generator,
    overlay,
    where_drawn,
)
from kvidgan.nn.patches import halved
from kvidgan.nn.warp import warp
from kvidgan.rollout import Description, Rollout, export_step
from tests.families.common import batch, numbers, values
from tests.families.small_vid2vid import SMALL, family

# ---- What a frame is made of


def test_the_mask_chooses_between_drawn_and_warped():
    drawn, warped = np.random.default_rng(0).normal(size=(2, 1, 4, 5, 3)).astype("float32")
    for value, expected in ((1.0, drawn), (0.0, warped), (0.25, 0.25 * drawn + 0.75 * warped)):
        mask = np.full((1, 4, 5, 1), value, "float32")
        np.testing.assert_allclose(numbers(compose(drawn, warped, mask)), expected, rtol=1e-6)


def test_the_foreground_overrides_both():
    config = Config(**SMALL, foreground_labels=["car"])
    labels = np.zeros((1, 3, 4, 5, 3), "float32")
    labels[:, -1, 1, 2, 1] = 1.0  # a car now
    labels[:, 0, 3, 3, 1] = 1.0  # there was one
    where = numbers(foreground_mask(config, labels))
    assert where.sum() == where[0, 1, 2, 0] == 1
    previous = np.ones((1, 4, 5, 3), "float32")
    mask = numbers(where_drawn(np.zeros((1, 4, 5, 1), "float32"), previous))
    drawn, warped, car = np.random.default_rng(0).normal(size=(3, 1, 4, 5, 3)).astype("float32")
    frame = numbers(overlay(compose(drawn, warped, mask), car, where))
    np.testing.assert_allclose(frame[0, 1, 2], car[0, 1, 2])
    np.testing.assert_allclose(
        np.delete(frame.reshape(20, 3), 7, 0), np.delete(warped.reshape(20, 3), 7, 0)
    )


def test_without_a_past_frame_all_is_drawn():
    mask = np.full((2, 4, 5, 1), 0.3, "float32")
    previous = np.zeros((2, 4, 5, 3), "float32")
    previous[1, 2, 2, 0] = 1 / 255
    found = numbers(where_drawn(mask, previous))
    assert (found[0] == 1).all()
    np.testing.assert_allclose(found[1], 0.3)


def test_the_exported_frame_is_composed_of_what_the_file_shows(tmp_path):
    gan = family(foreground_labels=["car"], foreground_width=2, past=3)
    step, described = gan.rollout_model()
    description = Description(family="vid2vid", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(step, description, tmp_path / "x.keras"))
    rng = np.random.default_rng(0)
    history = rng.integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
    labels = rng.integers(0, 3, (6, 16, 24))
    played = list(rollout.start(context=history, conditions={"labels": labels}, condition_offset=3))
    assert len(played) == 3, "one for each label map behind the history's"
    previous = history[-1] / 127.5 - 1
    for step in played:
        flow, mask, raw = (step.extras[name] for name in ("flow", "mask", "raw"))
        warped = numbers(warp(ops.convert_to_tensor(previous[None].astype("float32")), flow))
        expected = mask * raw + (1 - mask) * warped
        # The file goes on with its own frames before they were rounded to 8 bits.
        assert np.abs(step.frames - (expected + 1) * 127.5).max() < 1.6
        assert (mask.min() >= 0) & (mask.max() <= 1)
        previous = step.frames[0] / 127.5 - 1
    with pytest.raises(Exception, match="expected 3 real frames to begin with"):
        next(rollout.start(conditions={"labels": labels}))


def test_a_model_that_begins_by_itself(tmp_path):
    gan = family(first_frame="drawn", instance_edges=True)
    step, described = gan.rollout_model()
    description = Description(family="vid2vid", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(step, description, tmp_path / "x.keras"))
    maps = np.random.default_rng(0).integers(0, 3, (4, 18, 26, 2))  # any size
    steps = list(rollout.start(conditions={"labels": maps}))
    assert [step.frames.shape for step in steps] == [(1, 18, 26, 3)] * 4
    assert (steps[0].extras["mask"] == 1).all()
    assert (steps[1].extras["mask"] < 1).any()
    first = (steps[0].extras["raw"] + 1) * 127.5
    assert np.abs(steps[0].frames - first).max() < 0.6


# ---- One step


def test_a_run_begins_with_real_frames_and_goes_on_with_its_own():
    gan = family()
    first, second = batch(gan, seed=0, position=0), batch(gan, seed=1, position=1)
    kept = gan.config.kept
    assert kept == 2
    seen = []
    draw = gan._generate
    gan._generate = lambda *given: seen.append(numbers(given[1])) or draw(*given)
    gan.train_on_batch(first)
    gan.train_on_batch(second)
    real = first["video"][:, :kept] / 127.5 - 1
    np.testing.assert_allclose(seen[0], real, atol=1e-6)
    np.testing.assert_allclose(seen[1][:, 0], first["video"][:, 1] / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(seen[1][:, 1], seen[1][:, -1])
    inputs = {
        "labels": np.eye(3, dtype="float32")[first["video_labels"]][:, :3],
        "past": real.astype("float32"),
    }
    before = family()  # the weights that drew it
    made = numbers(before.generator(inputs, training=True)["frame"])
    np.testing.assert_allclose(seen[1][:, -1], made, atol=1e-4)


def test_what_came_before_a_drawn_start_is_hidden():
    gan = family(first_frame="drawn", past=3, backprop_frames=2)
    past = np.ones((2, 3, 2, 2, 3), "float32")
    for position, number, visible in ((0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3), (5, 0, 3)):
        window = {"position": np.full(2, position, "int32")}
        found = numbers(gan._seen_past(window, past, number))[:, :, 0, 0, 0]
        assert found.tolist() == [[0.0] * (3 - visible) + [1.0] * visible] * 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"flow": False},
        {"loss": "hinge", "temporal_scales": 0, "first_frame": "drawn"},
        {"loss": "bce", "backprop_frames": 2, "instance_edges": True, "flip": False},
    ],
    ids=str,
)
def test_a_step_moves_every_player(options):
    gan = family(**options)
    gan.train_on_batch(batch(gan))  # the first frame may have no past to learn from
    before = {name: values(player.variables) for name, player in gan.players.items()}
    losses = gan.train_on_batch(batch(gan, seed=1, position=5), return_dict=True)
    terms = {"adv_image", "features_image"}
    if gan.config.flow:
        terms |= {"flow", "warp", "steady"}
    if gan.video_groups:
        terms |= {"adv_video", "features_video"}
    if options.get("first_frame") == "drawn":
        terms.add("mask")
    judges = {"image_discriminator", *(["video_discriminator"] if gan.video_groups else [])}
    assert set(losses) == terms | judges | {"generator"}
    assert losses["generator"] == pytest.approx(sum(losses[term] for term in terms), rel=1e-5)
    for name, player in gan.players.items():
        moved = [
            np.abs(numbers(v) - old).max() > 0
            for v, old in zip(player.variables, before[name], strict=True)
        ]
        still = {v.path for v, did in zip(player.variables, moved, strict=True) if not did}
        # A hinge's slopes for real and made cancel out in the last bias.
        assert not still - ({"image_0_scores/bias"} if "hinge" in options.values() else set()), name


def test_the_coarse_generator_rests_and_then_learns():
    gan = family(scales=2, fix_coarse_steps=2, generator_width=4)
    moved = []
    for number in range(4):
        before = {name: values(player.variables) for name, player in gan.players.items()}
        gan.train_on_batch(batch(gan, seed=number, position=number))
        moved.append(
            {
                name: sum(
                    (numbers(v) != old).any()
                    for v, old in zip(p.variables, before[name], strict=True)
                )
                for name, p in gan.players.items()
            }
        )
    assert [step["coarse_generators"] for step in moved[:2]] == [0, 0]
    # Its own heads draw what it goes on with, and no loss sees that.
    own = gan.players["coarse_generators"].variables
    count = sum("_head/" not in variable.path for variable in own)
    assert [step["coarse_generators"] for step in moved[2:]] == [count, count]
    assert all(step["generator"] == len(gan.players["generator"].variables) for step in moved)
    names = {v.path.split("_")[0] for v in gan.players["coarse_generators"].variables}
    assert names == {"scale0"}
    names = {v.path.split("_")[0] for v in gan.players["generator"].variables}
    assert names == {"scale1"}


def test_the_coarse_scale_goes_on_with_its_own_frames(tmp_path):
    gan = family(scales=2, generator_width=4)
    first, second = batch(gan, seed=0, position=0), batch(gan, seed=1, position=1)
    real = first["video"][:, :2] / np.float32(127.5) - 1
    small = np.stack([numbers(halved(real[:, n])) for n in (0, 1)], axis=1)
    inputs = {
        "labels": np.eye(3, dtype="float32")[first["video_labels"]][:, :3],
        "past": real,
        "past_scale0": small,
    }
    drawn = {k: numbers(v) for k, v in gan.generator(inputs, training=True).items()}
    gan.train_on_batch(first)
    kept = numbers(gan.coarse_pasts[0].value)
    np.testing.assert_allclose(kept[:, 0], small[:, 1], atol=1e-6)
    np.testing.assert_allclose(kept, drawn["past_scale0_next"], atol=1e-4)
    untrained = {v.path: v.value for v in family(scales=2, generator_width=4).generator.variables}
    alone = generator(Config(**{**SMALL, "size": [8, 12], "generator_width": 4}))
    for variable in alone.variables:
        variable.assign(untrained[variable.path])
    window = [numbers(halved(inputs["labels"][:, n])) for n in range(3)]
    coarse = numbers(alone({"labels": np.stack(window, axis=1), "past": small})["frame"])
    np.testing.assert_allclose(coarse, drawn["past_scale0_next"][:, 1], atol=1e-4)
    gan.train_on_batch(second)
    after = numbers(gan.coarse_pasts[0].value)
    np.testing.assert_array_equal(after[:, 0], kept[:, 1], "not the first of a run")
    step, described = gan.rollout_model()
    description = Description(family="vid2vid", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(step, description, tmp_path / "x.keras"))
    options = {"context": first["video"][0, :2], "condition_offset": 2}
    steps = list(rollout.start(conditions={"labels": first["video_labels"][0]}, **options))
    assert len(steps) == len(first["video_labels"][0]) - 2
    inputs = {k: v[:1] for k, v in inputs.items()}
    for number, played in enumerate(steps):
        window = first["video_labels"][:1, number : number + 3]
        inputs["labels"] = np.eye(3, dtype="float32")[window]
        made = {k: numbers(v) for k, v in gan.generator(inputs, training=False).items()}
        assert np.abs(played.frames - (made["frame"] + 1) * 127.5).max() < 0.6
        inputs["past"] = np.concatenate([inputs["past"][:, 1:], made["frame"][:, None]], axis=1)
        inputs["past_scale0"] = made["past_scale0_next"]


@pytest.mark.slow
def test_the_foreground_network_is_as_the_published_one():
    classes = [str(number) for number in range(35)]
    config = Config(labels=classes, instance_edges=True, foreground_labels=["26"])
    own = [v for v in generator(config).trainable_variables if "foreground" in v.path]
    count = sum(int(np.prod(v.shape)) for v in own)
    assert count == pytest.approx(45.9e6, rel=1e-3), "of 64 maps, 3 halvings and 9 blocks"


def test_each_scale_has_a_foreground_network():
    two = generator(Config(**SMALL, scales=2, foreground_labels=["car"]))
    scales = {v.path[:6] for v in two.trainable_variables if "foreground" in v.path}
    assert scales == {"scale0", "scale1"}


def test_keras_knows_every_variable_that_is_trained():
    gan = family(scales=2, foreground_labels=["car"], foreground_width=2)
    known = {id(variable) for variable in gan.trainable_variables}
    assert known == {id(v) for player in gan.players.values() for v in player.variables}


# ---- Options


def test_labels_are_those_of_the_data():
    data = DataFacts(labels=["background", "edge"], labels_from="edges")
    config = Config(size=[64, 64]).for_data(data)
    assert (config.labels, config.labels_from) == (["background", "edge"], "edges")
    assert config.classes == 2
    assert config.for_data(data) == config, "resolved once"
    with pytest.raises(ValueError, match="vid2vid needs a label map for every frame"):
        Config().for_data(DataFacts())
    with pytest.raises(ValueError, match="family.labels_from: expected the data's, edges"):
        Config(labels_from="ids").for_data(data)
    with pytest.raises(ValueError, match="^family.foreground_labels: expected classes of the data"):
        Config(foreground_labels=["car"]).for_data(data)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": [16, 25]}, "size: expected multiples of 2, at least 4, found 25"),
        ({"scales": 3, "generator_width": 6}, "generator_width: expected a multiple of 4"),
        (
            {"scales": 2, "foreground_labels": ["car"], "foreground_width": 3},
            "foreground_width: expected a multiple of 2",
        ),
        ({"size": [16, 12], "discriminator_layers": 3}, "at least 16, found 12"),
    ],
)
def test_impossible_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Config(**{**SMALL, **options})


def test_windows_hold_what_the_slowest_discriminator_needs():
    spans = {0: 2, 1: 2, 2: 6, 3: 18}
    for scales, kept in spans.items():
        config = Config(**{**SMALL, "temporal_scales": scales}, backprop_frames=2)
        assert config.kept == kept
        assert Family(config).clips()["video"].num_frames == kept + 2
    assert Config(**SMALL, flow=False).kept == 2, "labels alone"


def test_a_stage_of_more_scales_keeps_the_names_of_the_coarsest():
    one, two = family(), family(scales=2, size=[32, 48])
    names = [{v.path: v.shape for v in gan.generator.trainable_variables} for gan in (one, two)]
    assert names[0].items() < names[1].items()


def test_the_per_frame_model_needs_labels_alone(tmp_path):
    gan = family(flow=False)
    step, described = gan.rollout_model()
    description = Description(family="vid2vid", kvidgan_version="0", **dict(described))
    rollout = Rollout.open(export_step(step, description, tmp_path / "x.keras"))
    labels = np.random.default_rng(0).integers(0, 3, (3, 16, 24))
    played = [s.frames for s in islice(rollout.start(conditions={"labels": labels}), 3)]
    assert len(played) == 3
    assert set(description.inputs) == {"labels"}
    assert not description.extra_outputs
