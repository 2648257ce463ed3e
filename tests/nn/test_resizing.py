import cv2
import numpy as np
import pytest
from keras import ops

from kvidgan.nn.resizing import enlarge, shrink
from tests.families.common import numbers

pytestmark = pytest.mark.every_backend


def image(height, width):
    return np.random.default_rng(0).uniform(-1, 1, (height, width, 3)).astype("float32")


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("how", ["average", "bilinear"])
def test_shrinking_with_half_pixel_centres_is_opencvs(how, factor):
    given = image(16, 24)
    method = {"average": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR}[how]
    wanted = cv2.resize(given, (24 // factor, 16 // factor), interpolation=method)
    found = shrink(ops.convert_to_tensor(given[None]), factor, how)
    np.testing.assert_allclose(numbers(found)[0], wanted, atol=1e-6)


@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_enlarging_with_half_pixel_centres_is_opencvs(how):
    given = image(5, 7)
    method = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}[how]
    wanted = cv2.resize(given, (14, 10), interpolation=method)
    found = enlarge(ops.convert_to_tensor(given[None]), how)
    np.testing.assert_allclose(numbers(found)[0], wanted, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_from_the_top_left_every_so_many_th_pixel_is_read(factor):
    given = image(16, 24)
    found = shrink(ops.convert_to_tensor(given[None]), factor, "top_left")
    np.testing.assert_array_equal(numbers(found)[0], given[::factor, ::factor])


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8)])
def test_from_the_top_left_resizing_is_tensorflow_1s(size):
    tf = pytest.importorskip("tensorflow")
    old = tf.compat.v1.image.resize_bilinear
    given = image(*size)[None]
    wanted = old(given, (2 * size[0], 2 * size[1])).numpy()
    found = numbers(enlarge(ops.convert_to_tensor(given), "top_left"))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    wide = image(16, 24)[None]
    for factor in (2, 4, 8):
        wanted = old(wide, (16 // factor, 24 // factor)).numpy()
        found = numbers(shrink(ops.convert_to_tensor(wide), factor, "top_left"))
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("resize", [lambda x: shrink(x, 2, "cubic"), lambda x: enlarge(x, "area")])
def test_unknown_ways(resize):
    with pytest.raises(ValueError, match="Expected how to be one of .*top_left. Received:"):
        resize(ops.zeros((1, 2, 2, 1)))
