import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QToolTip, QVBoxLayout, QWidget

from kvidgan_viewer.colours import DARK, LIGHT
from kvidgan_viewer.playback.loop import Loop
from kvidgan_viewer.playback.rate import SPEEDS
from kvidgan_viewer.transport.scrub_bar import ScrubBar, Track
from kvidgan_viewer.transport.transport import Transport, TransportState


@pytest.fixture
def bar(qtbot):
    bar = ScrubBar()
    qtbot.addWidget(bar)
    bar.resize(400, 26)
    bar.show()
    return bar


@pytest.fixture
def seeks(bar):
    frames = []
    bar.seek_requested.connect(frames.append)
    return frames


@pytest.fixture
def transport(qtbot):
    transport = Transport()
    qtbot.addWidget(transport)
    transport.resize(700, 70)
    transport.show()
    return transport


def middle(bar, frame, num_places):
    return QPoint(int((frame + 0.5) * bar.width() / num_places), bar.height() // 2)


def colour_of(bar, frame, num_places, off=0.3):
    """The colour of a frame's place, a little to the left of where the cursor would be."""
    x = (frame + 0.5 - off) * bar.width() / num_places
    return bar.grab().toImage().pixelColor(int(x), bar.height() // 2).name()


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_bar_shows_which_frames_there_are(bar, colours):
    bar.set_colours(colours)
    bar.set_track(Track(index=9, num_frames=12, num_expected=20, num_context=4))
    seen = [colour_of(bar, frame, 20) for frame in range(20)]
    assert seen == [colours.context] * 4 + [colours.predicted] * 8 + [colours.track] * 8
    assert colour_of(bar, 9, 20, off=0) == colours.cursor


def test_frames_from_noise_are_not_called_predicted(bar):
    bar.set_track(Track(index=0, num_frames=10, num_expected=20))
    assert colour_of(bar, 5, 20) == LIGHT.filled


def test_a_film_of_many_frames_fits(bar):
    bar.set_track(Track(index=5000, num_frames=7500, num_expected=10_000, num_context=2500))
    image = bar.grab().toImage()
    y = bar.height() // 2
    seen = [image.pixelColor(x, y).name() for x in (50, 150, 200, 250, 350)]
    assert seen == [LIGHT.context, LIGHT.predicted, LIGHT.cursor, LIGHT.predicted, LIGHT.track]


def test_the_bar_has_room_past_an_open_end(bar):
    closed = Track(num_frames=100, num_expected=100)
    assert closed.num_places() == 100
    assert Track(num_frames=100, num_expected=100, open_ended=True).num_places() == 110
    assert Track(num_frames=1, num_expected=3, open_ended=True).num_places() == 7
    assert Track().num_places() == 1


def test_a_thin_line_leads_on_past_an_open_end(bar):
    bar.set_track(Track(num_frames=10, num_expected=16, open_ended=True))
    image = bar.grab().toImage()
    x = middle(bar, 18, 20).x()
    drawn = [y for y in range(26) if image.pixelColor(x, y).name() == LIGHT.track]
    assert drawn == [12, 13]


def test_frames_are_set_apart_where_there_is_room(bar):
    def gaps(num_places):
        bar.set_track(Track(num_frames=num_places, num_expected=num_places))
        row = bar.grab().toImage()
        y = bar.height() // 2
        return sum(row.pixelColor(x, y).name() != LIGHT.filled for x in range(10, 400))

    assert 18 <= gaps(20) <= 40
    assert gaps(400) == 0


def test_the_range_is_marked(bar):
    bar.set_track(Track(index=0, num_frames=10, num_expected=10))
    plain = bar.grab().toImage()
    bar.set_track(Track(index=0, num_frames=10, num_expected=10, marks=(2, 5)))
    image = bar.grab().toImage()
    row = next(
        y for y in range(bar.height()) if image.pixelColor(160, y) != plain.pixelColor(160, y)
    )
    marked = [x for x in range(400) if image.pixelColor(x, row).name() == LIGHT.mark]
    assert (marked[0], marked[-1]) == (80, 239), "from the third frame to the end of the sixth"


@pytest.mark.parametrize(("marks", "ends"), [((4, None), (160, 399)), ((None, 4), (0, 199))])
def test_half_a_range_goes_to_the_end_of_the_film(bar, marks, ends):
    bar.set_track(Track(num_frames=10, num_expected=10, marks=marks))
    image = bar.grab().toImage()
    marked = [
        x for x in range(400) for y in range(26) if image.pixelColor(x, y).name() == LIGHT.mark
    ]
    assert (min(marked), max(marked)) == ends


def test_a_click_seeks_and_moves_nothing_by_itself(bar, seeks):
    bar.set_track(Track(index=1, num_frames=20, num_expected=20))
    before = bar.grab().toImage()
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=middle(bar, 7, 20))
    assert seeks == [7]
    assert bar.grab().toImage() == before
    QTest.mouseClick(bar, Qt.MouseButton.RightButton, pos=middle(bar, 9, 20))
    assert seeks == [7]


def test_dragging_seeks_also_what_does_not_exist_yet(bar, seeks):
    bar.set_track(Track(num_frames=10, num_expected=16, open_ended=True))
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=middle(bar, 3, 20))
    for frame in (9, 12, 18):
        QTest.mouseMove(bar, middle(bar, frame, 20))
    assert seeks == [3, 9, 12, 18]
    QTest.mouseMove(bar, QPoint(5000, 10))
    QTest.mouseMove(bar, QPoint(-50, 10))
    assert seeks[4:] == [19, 0]
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton)
    QTest.mouseMove(bar, middle(bar, 5, 20))
    assert seeks[6:] == []


def test_frames_do_not_move_under_a_mouse_that_drags(bar, seeks):
    bar.set_track(Track(num_frames=10, num_expected=16, open_ended=True))
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=middle(bar, 18, 20))
    bar.set_track(Track(num_frames=30, num_expected=40, open_ended=True))
    QTest.mouseMove(bar, middle(bar, 17, 20))
    assert seeks == [18, 17]
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=middle(bar, 17, 20))
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=middle(bar, 17, 44))
    assert seeks[2:] == [17]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (0, "frame 1, given"),
        (4, "frame 5, predicted"),
        (12, "frame 13, still to come"),
    ],
)
def test_hovering_says_the_number(bar, frame, said):
    bar.set_track(Track(num_frames=10, num_expected=20, num_context=4))
    QTest.mouseMove(bar, middle(bar, frame, 20))
    assert QToolTip.text() == said


def test_the_wheel_steps(bar, seeks):
    def turn(down):
        event = QWheelEvent(
            QPointF(20, 10),
            QPointF(20, 10),
            QPoint(),
            QPoint(0, -120 if down else 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(bar, event)

    bar.set_track(Track(index=3, num_frames=10, num_expected=10))
    turn(down=True)
    turn(down=False)
    assert seeks == [4, 2]


def test_a_screen_reader_can_tell_and_seek(bar, seeks):
    bar.set_track(Track(index=3, num_frames=10, num_expected=20))
    assert bar.accessibleName()
    assert bar.accessibleDescription() == "frame 4 of 10"
    assert (bar.minimum(), bar.maximum(), bar.value()) == (0, 19, 3)
    assert seeks == [], "setting a track requests no seek"
    bar.setValue(8)
    assert seeks == [8]


def test_each_button_emits_its_signal(transport, qtbot):
    for button, signal, value in (
        (transport.play_button, transport.play_pressed, []),
        (transport.back_button, transport.stepped, [-1]),
        (transport.forward_button, transport.stepped, [1]),
        (transport.loop_button, transport.loop_pressed, []),
    ):
        with qtbot.waitSignal(signal) as got:
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert got.args == value


def test_a_speed_can_be_chosen(transport):
    chosen = []
    transport.speed_chosen.connect(chosen.append)
    for action in transport.speed_button.menu().actions():
        action.trigger()
    assert chosen == list(SPEEDS)
    assert "0.25x" in [action.text() for action in transport.speed_button.menu().actions()]


def test_seeking_passes_through(transport, qtbot):
    transport.update_state(TransportState(Track(num_frames=10, num_expected=10)))
    with qtbot.waitSignal(transport.seek_requested) as got:
        QTest.mouseClick(
            transport.scrub_bar, Qt.MouseButton.LeftButton, pos=middle(transport.scrub_bar, 6, 10)
        )
    assert got.args == [6]


def test_numbers_are_shown(transport):
    assert transport.frame_label.text() == "no frames"
    track = Track(index=6, num_frames=12, num_expected=20)
    transport.update_state(TransportState(track))
    assert (transport.frame_label.text(), transport.rate_label.text()) == ("frame 7 / 12", "25 fps")
    playing = TransportState(track, playing=True, achieved_fps=24.86, speed=2, wanted_fps=50)
    transport.update_state(playing)
    assert (transport.rate_label.text(), transport.speed_button.text()) == ("24.9 of 50 fps", "2x")
    transport.update_state(TransportState(track, playing=True, waiting=True, direction=-1))
    assert (transport.rate_label.text(), transport.speed_button.text()) == (
        "waiting for frames",
        "1x back",
    )
    transport.update_state(TransportState(wanted_fps=29.97, loop=Loop.PING_PONG))
    assert (transport.rate_label.text(), transport.loop_button.text()) == ("29.97 fps", "Ping-pong")


def ink(button):
    """How much of a button's picture is drawn, in its left and its right half."""
    image = button.icon().pixmap(32).toImage()
    halves = [
        sum(image.pixelColor(x, y).alpha() for x in columns for y in range(image.height()))
        for columns in (range(16), range(16, 32))
    ]
    return halves[0] / sum(halves), sum(halves)


def test_the_play_button_shows_what_it_would_do(transport):
    left, drawn = ink(transport.play_button)
    assert left > 0.6, "a triangle that points to the right"
    transport.update_state(TransportState(playing=True))
    assert ink(transport.play_button)[0] == pytest.approx(0.5, abs=0.05), "two bars"
    assert transport.play_button.accessibleName() == transport.play_button.toolTip() == "Pause"
    transport.update_state(TransportState(direction=-1))
    assert ink(transport.play_button)[0] == pytest.approx(1 - left, abs=0.05), "the other way round"
    assert transport.play_button.toolTip() == "Play backward"
    transport.update_state(TransportState())
    assert ink(transport.play_button) == (left, drawn)


def test_icons_take_the_colour_of_text(transport):
    for colours in (LIGHT, DARK):
        transport.set_colours(colours)
        for button in (transport.play_button, transport.back_button, transport.forward_button):
            image = button.icon().pixmap(64).toImage()
            seen = {
                image.pixelColor(x, y).name()
                for x in range(image.width())
                for y in range(image.height())
                if image.pixelColor(x, y).alpha() == 255
            }
            assert seen == {colours.text}


def test_everything_has_a_name_for_screen_readers(transport):
    for kind in (QToolButton, QLabel, ScrubBar):
        found = transport.findChildren(kind)
        assert found
        assert all(widget.accessibleName() for widget in found)


def test_a_click_leaves_the_focus_where_it_is(qtbot):
    window, other, transport = QWidget(), QWidget(), Transport()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(other)
    layout.addWidget(transport)
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    window.resize(700, 300)
    window.show()
    other.setFocus()
    for widget in (transport.play_button, transport.loop_button, transport.scrub_bar):
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        assert window.focusWidget() is other
