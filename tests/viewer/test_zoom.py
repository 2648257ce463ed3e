import pytest

from kvidgan_viewer.canvas.zoom import Zoom, columns


def test_columns_of_a_full_grid_are_preferred():
    assert columns(4, 800, 800, 1.0, 0) == 2
    assert columns(4, 1000, 600, 1.0, 0) == 2
    assert columns(3, 3000, 500, 1.0, 20) == 3
    assert columns(3, 500, 3000, 1.0, 20) == 1


def test_a_point_that_is_zoomed_at_stays():
    zoom = Zoom()
    zoom.set_extent(160, 210)
    for factor, x, y in ((2, 30, 100), (0.8, 90, 60), (5, 1, 1)):
        before = zoom.scale(300, 300), zoom.centre
        zoom.zoom(factor, x, y)
        scale, centre = zoom.scale(300, 300), zoom.centre
        for axis, point in enumerate((x, y)):
            assert (point - before[1][axis]) * before[0] == pytest.approx(
                (point - centre[axis]) * scale
            )
