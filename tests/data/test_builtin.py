import numpy as np

from kvidgan.data import builtin


def clips(name, count, seed=0):
    source = builtin.open_builtin(name, seed)
    return [np.stack(list(video.read())) for video in source.videos[:count]]


def test_every_set_is_what_it_says():
    for name, made in builtin.SETS.items():
        source = builtin.open_builtin(name)
        assert (source.name, len(source.videos)) == (name, made.clips)
        for clip, video in zip(clips(name, 3), source.videos, strict=False):
            assert (clip.dtype, clip.shape[:3]) == (np.uint8, made.shape)
            assert (video.length, video.height, video.width) == made.shape


def test_clips_depend_on_seed_and_index_only():
    for name in builtin.NAMES:
        first, second = clips(name, 2)
        np.testing.assert_array_equal(clips(name, 2)[1], second)
        assert not np.array_equal(first, second)
        assert not np.array_equal(clips(name, 1, seed=1)[0], first)


def test_moving_shapes_stay_inside_and_move_along_one_axis():
    for index in range(200):
        clip = builtin.moving_shape(0, index).max(-1).astype(float)  # (time, height, width)
        border = [clip[:, 0], clip[:, -1], clip[:, :, 0], clip[:, :, -1]]
        mass = clip.sum((1, 2))
        x = (clip.sum(1) * np.arange(32)).sum(1) / mass
        y = (clip.sum(2) * np.arange(32)).sum(1) / mass
        moving, resting = (x, y) if index % 2 == 0 else (y, x)
        assert max(edge.max() for edge in border) < 255, "the full shape is inside"
        np.testing.assert_allclose(mass, mass[0], rtol=0.02)
        assert np.ptp(moving) > 2.5 > 0.05 > np.ptp(resting)
        assert clip.max() == 255


def test_colours_are_saturated():
    colours = np.stack([builtin._saturated(hue) for hue in np.linspace(0, 0.99, 25)])
    np.testing.assert_allclose(colours.max(1), 255)
    np.testing.assert_allclose(colours.min(1), 0, atol=1e-9)
    np.testing.assert_allclose(builtin._saturated(1 / 3), [0, 255, 0], atol=1e-9)
