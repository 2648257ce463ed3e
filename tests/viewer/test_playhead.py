from collections import Counter

import numpy as np
import pytest

from kvidgan_viewer.playback.loop import Loop
from kvidgan_viewer.playback.playhead import Player
from kvidgan_viewer.playback.rate import SPEEDS
from tests.viewer.test_loop import one_by_one


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def player(clock):
    player = Player(fps=25, clock=clock)
    player.set_length(10)
    return player


def watch(player, clock, seconds, rate=60.0, jitter=0.0, seed=0):
    """Tick as a screen does; return the indices in the order in which they were shown."""
    rng = np.random.default_rng(seed)
    seen, start = [player.index], clock.now
    for tick in range(1, round(seconds * rate) + 1):
        clock.now = start + tick / rate + jitter / rate * rng.uniform(-1, 1)
        before = player.index
        assert player.tick() == (player.index != before)
        if player.index != before:
            seen.append(player.index)
    clock.now = start + seconds
    return seen


def test_every_frame_is_shown_once_a_loop(player, clock):
    player.play()
    seen = watch(player, clock, seconds=4)
    assert seen == [index % 10 for index in range(101)]


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("direction", [1, -1])
def test_all_ways_of_looping_in_both_directions(player, clock, loop, direction):
    player.loop, player.direction = loop, direction
    player.seek(4)
    player.play()
    seen = watch(player, clock, seconds=1.21)
    expected = [4]
    for steps in range(1, 31):
        index = one_by_one(4, steps, direction, 0, 9, loop)
        if index != expected[-1]:
            expected.append(index)
    assert seen == expected
    assert player.playing == (loop is not Loop.ONCE)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_index_follows_the_clock_at_every_speed(clock, speed):
    player = Player(fps=25, clock=clock)
    player.set_length(10_000)
    player.speed = speed
    player.play()
    seen = watch(player, clock, seconds=16)
    assert abs(player.index - 16 * 25 * speed) <= 1.5
    if 25 * speed <= 60:
        assert set(np.diff(seen)) == {1}


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 59.94, 60])
@pytest.mark.parametrize("seed", range(3))
def test_a_trembling_screen_skips_and_repeats_no_frame(clock, fps, seed):
    player = Player(fps=fps, clock=clock)
    player.set_length(1000)
    player.play()
    held, start, rng = Counter(), clock.now, np.random.default_rng(seed)
    for tick in range(1, 600):
        clock.now = start + (tick + 0.15 * rng.uniform(-1, 1)) / 60
        player.tick()
        held[player.index] += 1
    shown = sorted(held)[1:-1]
    assert shown == list(range(shown[0], shown[-1] + 1)), "none was skipped"
    longest = int(np.ceil(60 / fps)) if fps != 59.94 else 2
    assert max(held[index] for index in shown) <= longest, "none stayed a tick too long"


def test_slow_drawing_drops_frames_and_keeps_the_pace(clock):
    player = Player(fps=25, clock=clock)
    player.set_length(1000)
    player.play()
    seen = watch(player, clock, seconds=8, rate=7)
    assert abs(player.index - 200) <= 1.5
    assert set(np.diff(seen)) <= {2, 3, 4, 5}


def test_a_moment_of_slowness_drops_nothing(clock):
    player = Player(fps=25, clock=clock)
    player.set_length(1000)
    player.play()
    seen = watch(player, clock, seconds=1)
    clock.now += 0.05
    seen += watch(player, clock, seconds=1)[1:]
    assert set(np.diff(seen)) == {1}


def test_a_paused_player_stays(player, clock):
    assert watch(player, clock, seconds=1) == [0]
    player.play()
    watch(player, clock, seconds=0.2)
    player.pause()
    at = player.index
    assert watch(player, clock, seconds=1) == [at]
    player.toggle()
    clock.now += 0.02
    assert not player.tick(), "the pause is not made up for"
    clock.now += 0.02
    assert player.tick()
    assert player.index == at + 1


def test_play_again_begins_again_after_a_film_that_is_played_once(player, clock):
    player.loop = Loop.ONCE
    player.play()
    assert watch(player, clock, seconds=1) == list(range(10))
    assert not player.playing
    player.play()
    assert player.index == 0
    assert watch(player, clock, seconds=1) == list(range(10))


def test_speeds_go_up_and_down_and_back(player):
    player.slower()
    player.slower()
    assert player.speed == 0.25
    player.faster()
    assert player.speed == 0.5
    assert player.wanted_fps == 12.5
    player.normal_speed()
    for _ in range(50):
        player.faster()
    assert player.speed == SPEEDS[-1]
    for _ in range(50):
        player.slower()
    assert player.speed == SPEEDS[0]


def test_the_same_direction_again_is_faster_and_the_other_one_turns_around(player):
    player.forward()
    assert (player.playing, player.direction, player.speed) == (True, 1, 1)
    player.forward()
    player.forward()
    assert player.speed == 4
    player.backward()
    assert (player.playing, player.direction, player.speed) == (True, -1, 1)
    player.backward()
    assert player.speed == 2
    player.pause()
    player.backward()
    assert (player.playing, player.direction, player.speed) == (True, -1, 2)


def test_frames_a_second_of_the_film_are_above_zero(player):
    with pytest.raises(ValueError, match="above 0, received 0"):
        player.fps = 0


def test_next_loop_goes_round(player):
    seen = [player.loop]
    for _ in range(3):
        player.next_loop()
        seen.append(player.loop)
    assert seen == ["loop", "ping-pong", "once", "loop"]


def test_a_range_is_played_and_cleared(player, clock):
    player.seek(3)
    player.mark_start()
    player.seek(5)
    player.mark_end()
    assert player.marks == (3, 5)
    assert player.range == (3, 5)
    player.home()
    player.play()
    assert watch(player, clock, seconds=0.29) == [3, 4, 5, 3, 4, 5, 3, 4]
    player.seek(8)
    assert watch(player, clock, seconds=0.09) == [8, 3, 4], "from outside into the range"
    player.clear_range()
    assert player.range == (0, 9)


def test_a_mark_on_the_wrong_side_clears_the_other_one(player):
    player.seek(3)
    player.mark_end()
    player.seek(5)
    player.mark_start()
    assert player.marks == (5, None)
    player.seek(2)
    player.mark_end()
    assert player.marks == (None, 2)


def test_home_and_end_are_those_of_the_range(player):
    assert player.end()
    assert player.index == 9
    assert player.home()
    assert player.index == 0
    assert not player.home()
    player.seek(2)
    player.mark_start()
    player.seek(6)
    player.mark_end()
    player.home()
    assert player.index == 2
    player.end()
    assert player.index == 6


@pytest.mark.parametrize(
    ("loop", "start", "count", "end"),
    [
        (Loop.LOOP, 9, 1, 0),
        (Loop.LOOP, 0, -1, 9),
        (Loop.LOOP, 5, 10, 5),
        (Loop.ONCE, 9, 1, 9),
        (Loop.ONCE, 4, -10, 0),
        (Loop.PING_PONG, 4, 10, 9),
    ],
)
def test_steps_wrap_or_stop_and_pause(player, loop, start, count, end):
    player.loop = loop
    player.play()
    player.seek(start)
    assert player.step(count) == (start != end)
    assert player.index == end
    assert not player.playing


def test_steps_stay_in_the_range_that_they_are_in(player):
    player.seek(3)
    player.mark_start()
    player.seek(5)
    player.mark_end()
    player.step(1)
    assert player.index == 3
    player.seek(7)
    player.step(1)
    assert player.index == 8
    player.step(10)
    assert player.index == 9
    player.step(-20)
    assert player.index == 0


def test_a_growing_film_is_waited_for(player, clock):
    player.growing = True
    player.play()
    seen = watch(player, clock, seconds=1)
    assert seen == list(range(10))
    assert player.waiting
    assert player.playing
    player.set_length(14)
    assert not player.waiting
    clock.now += 1 / 60
    assert player.tick(), "at once, for it is overdue"
    assert player.index == 10
    assert watch(player, clock, seconds=1) == [10, 11, 12, 13]
    player.growing = False
    assert watch(player, clock, seconds=0.02)[1:] == [0]


def test_frames_that_come_in_between_do_not_hold_up_the_clock(clock):
    player = Player(fps=25, clock=clock)
    player.growing = True
    player.set_length(1)
    player.play()
    for length in range(2, 202):
        clock.now += 0.01
        player.set_length(length)
        player.tick()
    assert 48 <= player.index <= 50


def test_a_growing_film_played_backward_loops_over_what_is_there(player, clock):
    player.growing = True
    player.backward()
    assert watch(player, clock, seconds=0.13) == [0, 9, 8, 7]


def test_a_range_within_a_growing_film_is_looped(player, clock):
    player.growing = True
    player.seek(2)
    player.mark_end()
    player.home()
    player.play()
    assert watch(player, clock, seconds=0.17) == [0, 1, 2, 0, 1]


def test_a_frame_past_the_end_is_a_wish_that_is_held(player):
    player.growing = True
    assert player.seek(14)
    assert player.index == 9
    assert player.beyond() == 5
    assert player.set_length(12)
    assert (player.index, player.beyond()) == (11, 3)
    assert player.set_length(20)
    assert (player.index, player.beyond()) == (14, 0)
    assert not player.set_length(30)


def test_a_step_past_the_end_of_a_growing_film_is_a_wish(player):
    player.growing = True
    player.seek(9)
    player.step(1)
    assert (player.index, player.beyond()) == (9, 1)


@pytest.mark.parametrize("end", ["sought", "stepped", "over"])
def test_a_wish_is_dropped_by_another_one_or_when_nothing_more_comes(player, end):
    player.growing = True
    player.seek(14)
    if end == "sought":
        player.seek(3)
    elif end == "stepped":
        player.step(-1)
    else:
        player.growing = False
    at = player.index
    assert player.beyond() == 0
    player.set_length(40)
    assert player.index == at


def test_a_wish_is_dropped_when_the_film_is_played_on(player, clock):
    player.seek(14)
    player.play()
    watch(player, clock, seconds=0.13)
    assert (player.index, player.beyond()) == (2, 0)
    assert not player.set_length(40)


def test_a_new_rollout_keeps_the_frame_if_it_can(player):
    player.seek(6)
    assert not player.set_length(8)
    player.growing = True
    player.set_length(0)
    assert (player.index, player.beyond()) == (0, 7)
    for length in range(1, 9):
        player.set_length(length)
    assert (player.index, player.beyond()) == (6, 0)


def test_a_new_rollout_is_played_from_its_beginning_when_playing(player, clock):
    player.growing = True
    player.play()
    watch(player, clock, seconds=0.3)
    player.set_length(0)
    player.set_length(3)
    assert watch(player, clock, seconds=0.09) == [0, 1, 2]


def test_an_empty_film_does_nothing(clock):
    player = Player(clock=clock)
    player.play()
    assert watch(player, clock, seconds=1) == [0]
    for move in (lambda: player.step(1), lambda: player.seek(0), player.home, player.end):
        assert not move()
        assert (player.index, player.beyond(), player.range) == (0, 0, (0, 0))


def test_achieved_frames_a_second_are_those_that_were_painted(player, clock):
    assert player.achieved_fps == 0
    player.play()
    start = clock.now
    for tick in range(1, 121):
        clock.now = start + tick / 60
        if player.tick():
            player.shown()
        player.shown()
    assert player.achieved_fps == pytest.approx(25, rel=0.05)
    player.pause()
    assert player.achieved_fps == 0


def test_achieved_frames_a_second_fall_with_slow_painting(player, clock):
    player.play()
    for _ in range(40):
        clock.now += 0.1
        player.tick()
        player.shown()
    assert player.achieved_fps == pytest.approx(10)
    clock.now += 2
    assert player.achieved_fps == 0


def test_a_pause_does_not_count_as_slowness(player, clock):
    for pause in (0.4, 0):
        player.play()
        for _ in range(20):
            clock.now += 0.02
            player.tick()
            player.shown()
        assert player.achieved_fps == pytest.approx(25, rel=0.1)
        player.pause()
        clock.now += pause
