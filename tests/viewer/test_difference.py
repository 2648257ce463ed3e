import numpy as np
import pytest
from skimage.color import rgb2lab

from kvidgan_viewer.canvas.difference import difference, heat_colours


def frame(*values, channels=1):
    return np.repeat(np.array(values, np.uint8).reshape(1, -1, 1), channels, axis=-1)


def test_signed_is_grey_where_equal_and_bright_where_the_made_frame_is_brighter():
    truth, prediction = frame(7, 0, 255, 100, 102), frame(7, 255, 0, 102, 100)
    assert difference(truth, prediction, "signed").ravel().tolist() == [128, 255, 0, 129, 127]


def test_absolute_takes_no_side():
    truth, prediction = frame(7, 0, 255, 100), frame(7, 255, 0, 102)
    assert difference(truth, prediction, "absolute").ravel().tolist() == [0, 255, 255, 2]
    assert np.array_equal(
        difference(truth, prediction, "absolute"), difference(prediction, truth, "absolute")
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_heat_is_black_where_equal_and_white_from_a_quarter_of_the_range(channels):
    truth, prediction = (
        frame(9, 0, 0, 255, channels=channels),
        frame(9, 63, 64, 0, channels=channels),
    )
    heat = difference(truth, prediction, "heat")
    assert heat.shape == (1, 4, 3)
    assert heat[0, 0].tolist() == [0, 0, 0]
    assert heat[0, 2].tolist() == heat[0, 3].tolist() == [255, 255, 255]
    assert heat[0, 1].min() > 200, "almost white just below a quarter"


def test_heat_is_of_the_mean_over_channels():
    truth = np.zeros((1, 1, 3), np.uint8)
    one = difference(truth, np.array([[[60, 0, 0]]], np.uint8), "heat")
    all_three = difference(truth, np.array([[[20, 20, 20]]], np.uint8), "heat")
    assert np.array_equal(one, all_three)


def test_heat_rises_in_equal_steps_of_lightness():
    lightness = rgb2lab(heat_colours()[None])[0, :, 0]
    assert np.abs(lightness - np.linspace(0, 100, 256)).max() < 1


def test_heat_goes_over_red_and_yellow():
    colours = heat_colours().tolist()
    assert colours[0] == [0, 0, 0]
    assert colours[-1] == [255, 255, 255]
    assert [255, 0, 0] in colours or any(r > 240 and g < 20 and b == 0 for r, g, b in colours)
    assert any(r == 255 and g > 240 and b < 60 for r, g, b in colours)


@pytest.mark.parametrize("mode", ["signed", "absolute", "heat"])
def test_nothing_to_compare_is_none(mode):
    grey, coloured = frame(1, 2), frame(1, 2, channels=3)
    assert difference(None, grey, mode) is None
    assert difference(grey, None, mode) is None
    assert difference(grey, coloured, mode) is None
    assert difference(grey, frame(1, 2, 3), mode) is None


def test_an_unknown_mode_names_the_known_ones():
    with pytest.raises(ValueError, match=r"absolute, signed, heat.*'squared'"):
        difference(frame(1), frame(1), "squared")
