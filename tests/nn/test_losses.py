import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.nn.losses import (
    binary_cross_entropy,
    feature_matching,
    gan_loss,
    gradient_difference,
    masked_l1,
    power_error,
    softmax_cross_entropy,
)

pytestmark = pytest.mark.every_backend


def test_binary_cross_entropy_by_hand():
    logits = ops.convert_to_tensor(np.array([0.0, 2.0], "float32"))
    real = (np.log(2) + np.log(1 + np.exp(-2))) / 2
    assert float(binary_cross_entropy(logits, real=True)) == pytest.approx(real, rel=1e-6)
    assert float(binary_cross_entropy(logits, real=False)) == pytest.approx(real + 1, rel=1e-6)


def test_softmax_cross_entropy_by_hand():
    logits = ops.convert_to_tensor(np.log(np.array([[1.0, 3.0], [1.0, 1.0]], "float32")))
    labels = ops.convert_to_tensor(np.array([1, 0], "int32"))
    expected = -(np.log(3 / 4) + np.log(1 / 2)) / 2
    assert float(softmax_cross_entropy(logits, labels)) == pytest.approx(expected, rel=1e-6)


TRUTH = [[0, 1, 0], [2, 0, 0], [0, 0, 3]]
MADE = [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


def image(rows):
    return ops.convert_to_tensor(np.array(rows, "float32")[None, :, :, None])


def test_power_errors_by_hand():
    truth, made = image(TRUTH), image(MADE)
    assert float(power_error(truth, made, 1)) == pytest.approx((1 + 1 + 2) / 9)
    assert float(power_error(truth, made, 2)) == pytest.approx((1 + 1 + 4) / 9)


def test_the_gradient_difference_by_hand_ignores_the_border():
    truth, made = image(TRUTH), image(MADE)
    # |down|   2 1 0 | 2 0 3  against  1 0 0 | 1 0 1: differences 1 1 0 | 1 0 2
    # |across| 1 1 | 2 0 | 0 3  against  0 0 | 1 0 | 0 1: differences 1 1 | 1 0 | 0 2
    assert float(gradient_difference(truth, made, 1)) == pytest.approx(5 / 6 + 5 / 6)
    assert float(gradient_difference(truth, made, 2)) == pytest.approx(7 / 6 + 7 / 6)
    # Equal up to a constant: nothing differs, also not against a border of zeros.
    assert float(gradient_difference(truth, truth + 5, 1)) == 0


SCORES = [[-2.0, 0.0], [0.5, 3.0]]


@pytest.mark.parametrize(
    ("kind", "real", "generator", "expected"),
    [
        ("lsgan", True, False, (9 + 1 + 0.25 + 4) / 4),
        ("lsgan", False, False, (4 + 0 + 0.25 + 9) / 4),
        ("lsgan", True, True, (9 + 1 + 0.25 + 4) / 4),
        ("hinge", True, False, (3 + 1 + 0.5 + 0) / 4),
        ("hinge", False, False, (0 + 1 + 1.5 + 4) / 4),
        ("hinge", True, True, -1.5 / 4),
        ("bce", True, False, sum(np.log(1 + np.exp(-s)) for s in (-2, 0, 0.5, 3)) / 4),
        ("bce", False, True, sum(np.log(1 + np.exp(s)) for s in (-2, 0, 0.5, 3)) / 4),
    ],
)
def test_gan_losses_by_hand(kind, real, generator, expected):
    scores = image(SCORES)
    assert float(gan_loss(kind, scores, real, generator)) == pytest.approx(expected, rel=1e-6)


def test_a_gan_loss_of_several_scales_is_their_sum_however_large_they_are():
    scores = [image(SCORES), image([[2.0]])]
    assert float(gan_loss("lsgan", scores, real=True)) == pytest.approx(14.25 / 4 + 1)


@pytest.mark.parametrize("kind", ["lsgan", "hinge", "bce"])
def test_gan_losses_pull_scores_to_their_aim(kind):
    scores = keras.Variable(np.array([0.25, 0.75], "float32"))
    for real, generator in [(True, False), (False, False), (True, True)]:

        def loss(real=real, generator=generator):
            return gan_loss(kind, scores.value, real, generator)

        _, (gradient,) = value_and_gradients(loss, [scores])
        assert (np.sign(ops.convert_to_numpy(gradient)) == (-1 if real else 1)).all()


def test_an_unknown_gan_loss_names_the_known_ones():
    with pytest.raises(ValueError, match="lsgan, hinge, bce.*'wgan'"):
        gan_loss("wgan", image(SCORES), real=True)


def test_feature_matching_by_hand_moves_what_is_made_alone():
    real = [keras.Variable(np.full((1, 2, 2, 1), v, "float32")) for v in (1.0, 2.0, 3.0)]
    made = [keras.Variable(np.full((1, 2, 2, 1), v, "float32")) for v in (1.5, 0.0, 2.5)]

    def loss():
        r, m = ([v.value for v in values] for values in (real, made))
        return feature_matching([r[:2], r[2:]], [m[:2], m[2:]])  # two scales: of 2 layers, of 1

    value, gradients = value_and_gradients(loss, real + made)
    assert float(value) == pytest.approx(4 * (0.5 + 2 + 0.5) / 3)
    steps = [float(ops.sum(gradient)) for gradient in gradients]
    np.testing.assert_allclose(steps, [0, 0, 0, 4 / 3, -4 / 3, -4 / 3], atol=1e-6)


def test_feature_matching_refuses_another_number_of_maps():
    with pytest.raises(ValueError, match="zip"):
        feature_matching([image(TRUTH), image(TRUTH)], [image(TRUTH)])


def test_masked_differences_are_a_mean_over_all_positions():
    truth = ops.convert_to_tensor(np.array([[[[1.0, 2.0], [3.0, 4.0]]]], "float32"))
    made = ops.convert_to_tensor(np.array([[[[0.0, 4.0], [9.0, 9.0]]]], "float32"))
    mask = ops.convert_to_tensor(np.array([[[[0.5], [0.0]]]], "float32"))
    assert float(masked_l1(truth, made, mask)) == pytest.approx((1 + 2) * 0.5 / 4)
