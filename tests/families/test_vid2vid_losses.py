"""The losses of vid2vid: reductions, weights, and when its discriminators judge."""

import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.families.vid2vid import LOSSES, Config
from kvidgan.families.vid2vid.discriminators import FLOW_UNIT, DiscriminatorGroup, frames_apart
from kvidgan.families.vid2vid.losses import motion_terms
from kvidgan.nn.patches import halved
from tests.families.common import batch, numbers, values
from tests.families.small_vid2vid import SMALL, family


def test_every_discriminator_reaches_the_generator():
    gan = family(temporal_scales=2)
    window = gan._window(batch(gan, position=9))
    past = window["frames"][:, : gan.config.kept]
    adversarial = ("adv_image", "adv_video", "features_image", "features_video")
    for name in (*adversarial, "flow", "warp", "steady"):

        def loss(name=name):
            outputs, made, _ = gan._generate(window, past, [])
            return gan._generator_terms(window, outputs, made)[name]

        head = [v for v in gan.generator.trainable_variables if v.path.endswith("head/kernel")]
        _, gradients = value_and_gradients(loss, head)
        reached = {
            v.path.split("/")[0]: float(ops.max(ops.abs(g))) > 0
            for v, g in zip(head, gradients, strict=True)
        }
        drawn = name not in ("flow", "warp")
        expected = {"scale0_image_head": drawn, "scale0_flow_head": True, "scale0_mask_head": drawn}
        assert reached == expected, name


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_what_a_video_discriminator_sees(scale):
    apart, time = 3**scale, 2 * 3**scale + 2
    frames = np.arange(time, dtype="float32")[None, :, None, None, None] * np.ones(
        (1, time, 4, 4, 3), "float32"
    )
    flows = np.zeros((1, time, 4, 4, 2), "float32")
    flows[..., 0] = np.arange(time)[None, :, None, None]  # frame t moved by t pixels
    seen = numbers(frames_apart(ops.convert_to_tensor(frames), ops.convert_to_tensor(flows), scale))
    last = time - 1
    assert seen.shape == (1, 4, 4, 13)
    assert seen[0, 1, 1, [0, 3, 6]].tolist() == [last - 2 * apart, last - apart, last]
    steps = [range(last - apart, last - 2 * apart, -1), range(last, last - apart, -1)]
    expected = [sum(one) / FLOW_UNIT for one in steps]
    np.testing.assert_allclose(seen[0, 1, 1, [9, 11]], expected, rtol=1e-5)
    assert (seen[..., [10, 12]] == 0).all()


def test_the_terms_of_motion_by_hand():
    gan = family(first_frame="drawn")
    shape = (1, 3, 4, 4)
    window = {
        "frames": np.zeros((*shape, 3), "float32"),
        "flow": np.full((*shape, 2), 1.5, "float32"),
        "confidence": np.zeros((*shape, 1), "float32"),
    }
    window["confidence"][:, 2, :2] = 1.0  # half of the new frame
    window["frames"][:, 1], window["frames"][:, 2] = 0.25, 1.0
    made = np.full((*shape, 3), -0.5, "float32")
    made[:, 2] = 0.5
    output = {
        "flow": np.zeros((1, 4, 4, 2), "float32"),
        "frame": made[:, 2],
        "mask": np.full((1, 4, 4, 1), 0.75, "float32"),
    }
    terms = motion_terms(gan.config, window, [output], made)
    found = {name: float(value) for name, value in terms.items()}
    assert found == pytest.approx({"flow": 1.5 / 2, "warp": 0.75 / 2, "steady": 0.5, "mask": 0.375})
    fine = family(first_frame="drawn", scales=3, generator_width=4, size=[16, 24])
    terms = motion_terms(fine.config, window, [output], made)
    assert float(terms["flow"]) == pytest.approx(1.5 / 2 / 4), "in pixels of the coarsest scale"


def test_a_group_sums_over_sizes_as_published():
    config = Config(**{**SMALL, "discriminator_layers": 2, "discriminator_scales": 2})
    group = DiscriminatorGroup(config, 3, "one")
    rng = np.random.default_rng(0)
    for network in group.networks:
        for variable in network.trainable_variables:
            variable.assign(rng.standard_normal(variable.shape) * 0.3)
    images = rng.normal(size=(3, 2, 16, 24, 3)).astype("float32")
    real, generated, other = (ops.convert_to_tensor(one) for one in images)

    def outputs(image):
        sizes = zip(group.networks, (image, halved(image)), strict=True)
        return [[numbers(x) for x in network(one)] for network, one in sizes]

    of_real, of_generated, of_other = outputs(real), outputs(generated), outputs(other)
    adversarial = sum(np.mean((size[-1] - 1) ** 2) for size in of_generated)
    features = 0.0
    for size, true in zip(of_generated, of_real, strict=True):
        for layer, aim in zip(size[:-1], true[:-1], strict=True):
            features += 1 / 2 * 4 / (2 + 1) * np.mean(np.abs(layer - aim))
    found = group.generator_terms(real, [other, generated])[1]
    assert float(numbers(found.adversarial)) == pytest.approx(adversarial, rel=1e-4)
    assert float(numbers(found.features)) == pytest.approx(features, rel=1e-4)
    loss = 0.0
    for of_one in (of_generated, of_other):
        for size, true in zip(of_one, of_real, strict=True):
            loss += 0.5 * (np.mean((true[-1] - 1) ** 2) + np.mean(size[-1] ** 2))
    found = numbers(group.loss_of(real, [generated, other]))
    assert float(found) == pytest.approx(loss, rel=1e-4)


def test_every_term_has_its_weight_and_is_summed_over_images_and_temporal_scales():
    gan = family(temporal_scales=2, first_frame="drawn")
    window = gan._window(batch(gan, position=9))
    outputs, made, _ = gan._generate(window, window["frames"][:, : gan.config.kept], [])

    def terms(**weights):
        config = gan.config.model_copy(update={f"{k}_weight": v for k, v in weights.items()})
        gan.config = config
        return {
            k: float(numbers(v)) for k, v in gan._generator_terms(window, outputs, made).items()
        }

    names = [name for name in LOSSES if hasattr(gan.config, f"{name}_weight")]
    once = terms(**dict.fromkeys(names, 1.0))
    assert set(names) - set(once) == {"perceptual", "perceptual_raw"}, "there is no VGG"
    weighted = terms(**{name: n + 2.0 for n, name in enumerate(names)})
    for n, name in enumerate(names):
        if name in once:
            assert weighted[name] == pytest.approx((n + 2) * once[name], rel=1e-5)
    raw = outputs[0]["raw"][:, None]
    images = gan.image_group.generator_terms(*gan._image_inputs(window, made, raw))
    assert len(images) == 2, "composed and raw"
    assert once["adv_image"] == pytest.approx(
        sum(float(numbers(i.adversarial)) for i in images), rel=1e-5
    )
    videos = [gan._video_terms(window, made, scale) for scale in (0, 1)]
    assert once["features_video"] == pytest.approx(
        sum(float(numbers(v.features)) for v in videos), rel=1e-5
    )


def test_vgg_judges_the_composed_and_the_raw_image_each_with_its_weight():
    gan = family(temporal_scales=0)
    x = keras.Input((None, None, 3))
    gan.perceptual = keras.Model(x, [layer * x for layer in (1.0, 2.0, 3.0, 4.0, 5.0)])
    window = gan._window(batch(gan))
    outputs, made, _ = gan._generate(window, window["frames"][:, : gan.config.kept], [])
    gan.config = gan.config.model_copy(
        update={"perceptual_weight": 3.0, "perceptual_raw_weight": 7.0}
    )
    terms = gan._generator_terms(window, outputs, made)
    real = numbers(window["frames"])[:, -1]
    layers = sum(weight * n for n, weight in enumerate([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1], start=1))
    for name, weight, image in (
        ("perceptual", 3, outputs[0]["frame"]),
        ("perceptual_raw", 7, outputs[0]["raw"]),
    ):
        expected = weight * layers * np.abs(numbers(image) - real).mean()
        assert float(numbers(terms[name])) == pytest.approx(expected, rel=1e-5), name


@pytest.mark.every_backend
def test_a_video_discriminator_is_silent_until_it_sees_generated_frames_alone():
    gan = family(temporal_scales=2)
    names = ("video_discriminator_1", "video_discriminator_3")
    heard = []
    positions = (1, 2, 5, 6)
    for position in positions:
        before = {name: values(gan.players[name].variables) for name in names}
        losses = gan.train_on_batch(batch(gan, seed=position, position=position), return_dict=True)
        moved = [
            any((numbers(v) != old).any() for v, old in zip(p.variables, before[name], strict=True))
            for name, p in gan.players.items()
            if name in names
        ]
        heard.append([*moved, losses["adv_video"] > 0, losses["video_discriminator"] > 0])
    first, slow = ([p >= least for p in positions] for least in (2, 6))  # of 3 and 7 frames
    assert heard == [list(one) for one in zip(first, slow, first, first, strict=True)]
    eager = family(wait_for_generated=False)
    losses = eager.train_on_batch(batch(eager, position=0), return_dict=True)
    assert losses["adv_video"] > 0 < losses["video_discriminator"]
