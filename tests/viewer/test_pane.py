import os
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from kvidgan_viewer.canvas.canvas import CanvasContent
from kvidgan_viewer.canvas.pane import PaneSpec
from kvidgan_viewer.colours import DARK, LIGHT
from tests.viewer.screen import (
    THREE,
    as_array,
    colour,
    colourful,
    inside,
    open_canvas,
    settle,
    three,
    wheel,
)


@pytest.fixture
def canvas(qtbot):
    return open_canvas(qtbot, THREE, three())


@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_of_a_small_frame_is_a_sharp_square(qtbot, channels):
    frame = colourful(5, 7, channels)
    canvas = open_canvas(qtbot, THREE[:1], {"truth": frame}, size=(500, 400))
    rect, screen = canvas.frame_rect("truth"), as_array(canvas.grab_frame())
    side = rect.width() / 7
    assert side > 50
    assert rect.height() == pytest.approx(5 * side)
    for y in range(5):
        for x in range(7):
            left, top = round(rect.left() + x * side) + 1, round(rect.top() + y * side) + 1
            square = screen[top : top + int(side) - 2, left : left + int(side) - 2]
            assert (square == frame[y, x]).all()


def test_a_smooth_frame_has_colours_in_between(qtbot):
    frame = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    canvas = open_canvas(qtbot, THREE[:1], {"truth": frame}, size=(500, 300))
    assert set(np.unique(inside(canvas, "truth"))) == {0, 255}
    canvas.smooth = True
    assert len(np.unique(inside(canvas, "truth"))) > 100
    canvas.smooth = False
    assert set(np.unique(inside(canvas, "truth"))) == {0, 255}


def test_a_frame_that_is_made_smaller_is_smooth(qtbot):
    board = (np.indices((600, 600)).sum(0) % 2 * 255).astype(np.uint8)[..., None]
    canvas = open_canvas(qtbot, THREE[:1], {"truth": board}, size=(430, 430))
    seen = inside(canvas, "truth")
    assert ((seen > 40) & (seen < 215)).mean() > 0.3


def test_frames_of_another_size_fill_the_same_place(qtbot):
    frames = {
        "truth": colourful(30, 40),
        "prediction": colourful(15, 20),
        "flow": colourful(30, 20),
    }
    canvas = open_canvas(qtbot, THREE, frames)
    truth, prediction, flow = (canvas.frame_rect(spec.name) for spec in THREE)
    assert prediction.size() == truth.size()
    assert flow.height() == pytest.approx(truth.height())
    assert flow.width() == pytest.approx(truth.width() / 2)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("kind", ["context", "predicted", ""])
def test_the_border_tells_context_from_predicted(qtbot, kind, colours):
    canvas = open_canvas(qtbot, THREE, three(), kind=kind)
    canvas.set_colours(colours)
    settle()
    image, rect = canvas.grab_frame(), canvas.frame_rect("prediction")
    middle = rect.center()
    expected = {"context": colours.context, "predicted": colours.predicted, "": colours.canvas}[
        kind
    ]
    for x, y in (
        (rect.left() - 2, middle.y()),
        (rect.right() + 1, middle.y()),
        (middle.x(), rect.top() - 2),
        (middle.x(), rect.bottom() + 1),
    ):
        assert colour(image, x, y) == expected
    assert colour(image, rect.left() - 5, middle.y()) == colours.canvas


def test_a_pane_that_is_not_marked_has_no_border(qtbot):
    specs = [PaneSpec("truth", "Truth", borders={}), THREE[1]]
    canvas = open_canvas(qtbot, specs, three(), kind="predicted")
    image = canvas.grab_frame()
    for name, expected in (("truth", LIGHT.canvas), ("prediction", LIGHT.predicted)):
        rect = canvas.frame_rect(name)
        assert colour(image, rect.left() - 2, rect.center().y()) == expected


def test_the_border_is_seen_where_the_frame_is_larger_than_its_pane(qtbot):
    canvas = open_canvas(qtbot, THREE[:1], three(), kind="context")
    wheel(canvas, QPointF(450, 200), 6)
    screen = as_array(canvas.grab_frame())
    green = [int(LIGHT.context[start : start + 2], 16) for start in (1, 3, 5)]
    assert (screen == green).all(axis=-1).sum() > 2 * (800 + 300)


def test_a_pane_without_a_frame_says_why(qtbot):
    frames = three() | {"truth": "The clip ends here."}
    canvas = open_canvas(qtbot, THREE, frames, kind="predicted")
    screen = as_array(canvas.grab_frame())
    rect = canvas.frame_rect("truth")
    room = screen[
        round(rect.top()) : round(rect.bottom()), round(rect.left()) : round(rect.right())
    ]
    written = (room != room[0, 0]).any(axis=-1)
    assert 50 < written.sum() < written.size / 4
    rows = np.flatnonzero(written.any(axis=1))
    assert abs((rows[0] + rows[-1]) / 2 - len(room) / 2) < 4, "in the middle"
    canvas.display(CanvasContent(three()))
    settle()
    assert (inside(canvas, "truth")[2, 2] == three()["truth"][0, 0]).all()


def test_a_pane_that_is_not_named_is_empty(qtbot):
    canvas = open_canvas(qtbot, THREE, {"truth": colourful(30, 40)})
    assert canvas.pane_image("truth") is not None
    assert canvas.pane_image("prediction") is None


def test_the_title_and_the_corner_stand_above_the_frame(canvas):
    def line():
        rect = canvas.frame_rect("prediction")
        rows = slice(round(rect.top()) - 20, round(rect.top()) - 4)
        return as_array(canvas.grab_frame())[rows, round(rect.left()) : round(rect.right())]

    before = line()
    canvas.display(CanvasContent(three(), corner="t+3"))
    settle()
    changed = np.flatnonzero((line() != before).any(axis=(0, 2)))
    assert len(changed) > 5
    assert changed[0] > before.shape[1] * 0.7, "the corner is on the right"
    assert (before[:, : before.shape[1] // 3] != before[0, -1]).any(), "the title on the left"


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7, 1), (33, 31, 3)])
def test_the_image_of_a_pane_is_its_frame(qtbot, shape):
    frame = colourful(*shape)
    canvas = open_canvas(qtbot, THREE[:1], {"truth": frame})
    image = as_array(canvas.pane_image("truth"))
    assert image.shape[:2] == shape[:2]
    assert (image == frame).all()
    assert canvas.pane_image("nothing") is None


def test_frames_may_be_views_with_other_strides(qtbot):
    frame = colourful(20, 14)[::2, ::2]
    canvas = open_canvas(qtbot, THREE[:1], {"truth": frame})
    assert (as_array(canvas.pane_image("truth")) == frame).all()


AT_HIGH_DPI = """
import numpy as np
from PySide6.QtWidgets import QApplication
from kvidgan_viewer.canvas.canvas import Canvas, CanvasContent
from kvidgan_viewer.canvas.pane import PaneSpec

app = QApplication([])
canvas = Canvas()
canvas.resize(300, 200)
canvas.set_panes([PaneSpec("a", "A")])
frame = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
canvas.display(CanvasContent({"a": frame}))
canvas.show()
for _ in range(3):
    app.processEvents()
image, rect = canvas.grab_frame(), canvas.frame_rect("a")
assert (image.width(), image.height()) == (600, 400), image.size()
side = 2 * rect.width() / 4
for y in range(4):
    for x in range(4):
        left, top = 2 * rect.left() + side * (x + 0.5), 2 * rect.top() + side * (y + 0.5)
        seen = image.pixelColor(int(left), int(top))
        assert seen.getRgb()[:3] == tuple(frame[y, x]), (x, y)
"""


def test_a_screen_of_high_resolution_is_used():
    environment = os.environ | {"QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", AT_HIGH_DPI], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_frame_of_another_shape_is_placed_anew(canvas):
    frames = three()
    before = canvas.frame_rect("prediction")
    narrow = colourful(30, 10)
    canvas.display(CanvasContent(frames | {"prediction": narrow}))
    settle()
    seen = inside(canvas, "prediction")
    assert (seen[2, 2] == narrow[0, 0]).all()
    assert (seen[-2, -2] == narrow[-1, -1]).all()
    assert canvas.frame_rect("prediction").height() == pytest.approx(before.height())
    assert canvas.frame_rect("prediction").width() == pytest.approx(before.width() / 4)


def test_new_panes_take_the_colours_and_the_smoothness_of_the_others(qtbot):
    frame = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    canvas = open_canvas(qtbot, THREE[:1], {"prediction": frame}, kind="context")
    canvas.set_colours(DARK)
    canvas.smooth = True
    canvas.set_panes(THREE[1:2])
    settle()
    rect = canvas.frame_rect("prediction")
    assert colour(canvas.grab_frame(), rect.center().x(), rect.top() - 2) == DARK.context
    assert len(np.unique(inside(canvas, "prediction"))) > 100
