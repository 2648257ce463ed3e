import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.media import colour_flow
from kvidgan.rollout.extra_outputs import check_extras, extra_picture
from tests.rollout.steps import described, following, labelled


def test_pictures_of_each_kind():
    description = following()[1]
    mask = np.array([0.0, 0.2, 1.0], np.float32).reshape(1, 3, 1)
    assert extra_picture(description, "mask", mask).ravel().tolist() == [0, 51, 255]
    flow = np.random.default_rng(0).normal(size=(4, 5, 2)).astype(np.float32)
    np.testing.assert_array_equal(extra_picture(description, "flow", flow), colour_flow(flow))
    image = np.array([-2.0, -1.0, 0.2, 1.0]).reshape(1, 4, 1)
    assert extra_picture(description, "raw", image).ravel().tolist() == [0, 0, 153, 255]


def test_images_are_in_the_models_range():
    inputs = {"labels": {"role": "condition", "frames": 1}}
    frame = {"height": None, "width": None, "channels": 1, "range": [0, 4]}
    description = described(frame=frame, inputs=inputs, extra_outputs={"raw": "image"})
    image = np.array([0.0, 1.0, 4.0]).reshape(1, 3, 1)
    assert extra_picture(description, "raw", image).ravel().tolist() == [0, 64, 255]


@pytest.mark.parametrize(
    ("step", "names", "sentence"),
    [
        (following, ["flow", "hair"], r"mask \(mask\), flow \(flow\), raw \(image\), found 'hair'"),
        (labelled, ["flow"], "extra outputs of this toy model, which are none, found 'flow'"),
        (following, ["raw", "raw"], "each extra output once, found 'raw' twice"),
    ],
)
def test_names_that_are_not_there(step, names, sentence):
    with pytest.raises(UserError, match=sentence):
        check_extras(step()[1], names)
