import numpy as np

from kvidgan.data.builtin import moving_shapes


def test_moving_shapes_stay_inside_and_move_along_one_axis():
    for index in range(200):
        clip = moving_shapes.moving_shape(0, index).max(-1).astype(float)  # (time, height, width)
        border = [clip[:, 0], clip[:, -1], clip[:, :, 0], clip[:, :, -1]]
        mass = clip.sum((1, 2))
        x = (clip.sum(1) * np.arange(32)).sum(1) / mass
        y = (clip.sum(2) * np.arange(32)).sum(1) / mass
        moving, resting = (x, y) if index % 2 == 0 else (y, x)
        assert max(edge.max() for edge in border) < 255, "the full shape is inside"
        np.testing.assert_allclose(mass, mass[0], rtol=0.02)
        assert np.ptp(moving) > 2.5 > 0.05 > np.ptp(resting)
        assert clip.max() == 255


def test_moving_shapes_stay_as_they_were_drawn_for_published_models():
    clips = [moving_shapes.moving_shape(0, index)[-1].max(-1).astype(float) for index in range(4)]
    x = [np.average(np.arange(32), weights=clip.sum(0)) for clip in clips]
    y = [np.average(np.arange(32), weights=clip.sum(1)) for clip in clips]
    np.testing.assert_allclose(x, [20.017, 10.632, 13.482, 18.974], atol=2e-3)
    np.testing.assert_allclose(y, [23.531, 6.853, 11.747, 16.905], atol=2e-3)


def test_colours_are_saturated():
    colours = np.stack([moving_shapes._saturated(hue) for hue in np.linspace(0, 0.99, 25)])
    np.testing.assert_allclose(colours.max(1), 255)
    np.testing.assert_allclose(colours.min(1), 0, atol=1e-9)
    np.testing.assert_allclose(moving_shapes._saturated(1 / 3), [0, 255, 0], atol=1e-9)
