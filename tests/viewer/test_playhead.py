from collections import Counter

import numpy as np
import pytest

from kvidgan_viewer.playback.loop import Loop
from kvidgan_viewer.playback.playhead import Playhead
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
def playhead(clock):
    playhead = Playhead(fps=25, clock=clock)
    playhead.set_num_frames(10)
    return playhead


def watch(playhead, clock, seconds, rate=60.0, jitter=0.0, seed=0):
    """Tick as a screen does; return the indices in the order in which they were shown."""
    rng = np.random.default_rng(seed)
    seen, start = [playhead.index], clock.now
    for tick in range(1, round(seconds * rate) + 1):
        clock.now = start + tick / rate + jitter / rate * rng.uniform(-1, 1)
        before = playhead.index
        assert playhead.tick() == (playhead.index != before)
        if playhead.index != before:
            seen.append(playhead.index)
    clock.now = start + seconds
    return seen


def test_every_frame_is_shown_once_a_loop(playhead, clock):
    playhead.play()
    seen = watch(playhead, clock, seconds=4)
    assert seen == [index % 10 for index in range(101)]


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("direction", [1, -1])
def test_all_ways_of_looping_in_both_directions(playhead, clock, loop, direction):
    playhead.loop, playhead.direction = loop, direction
    playhead.seek(4)
    playhead.play()
    seen = watch(playhead, clock, seconds=1.21)
    expected = [4]
    for steps in range(1, 31):
        index = one_by_one(4, steps, direction, 0, 9, loop)
        if index != expected[-1]:
            expected.append(index)
    assert seen == expected
    assert playhead.playing == (loop is not Loop.ONCE)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_index_follows_the_clock_at_every_speed(clock, speed):
    playhead = Playhead(fps=25, clock=clock)
    playhead.set_num_frames(10_000)
    playhead.speed = speed
    playhead.play()
    seen = watch(playhead, clock, seconds=16)
    assert abs(playhead.index - 16 * 25 * speed) <= 1.5
    if 25 * speed <= 60:
        assert set(np.diff(seen)) == {1}


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 59.94, 60])
@pytest.mark.parametrize("seed", range(3))
def test_a_trembling_screen_skips_and_repeats_no_frame(clock, fps, seed):
    playhead = Playhead(fps=fps, clock=clock)
    playhead.set_num_frames(1000)
    playhead.play()
    held, start, rng = Counter(), clock.now, np.random.default_rng(seed)
    for tick in range(1, 600):
        clock.now = start + (tick + 0.15 * rng.uniform(-1, 1)) / 60
        playhead.tick()
        held[playhead.index] += 1
    shown = sorted(held)[1:-1]
    assert shown == list(range(shown[0], shown[-1] + 1)), "none was skipped"
    longest = int(np.ceil(60 / fps)) if fps != 59.94 else 2
    assert max(held[index] for index in shown) <= longest, "none stayed a tick too long"


def test_slow_drawing_drops_frames_and_keeps_the_pace(clock):
    playhead = Playhead(fps=25, clock=clock)
    playhead.set_num_frames(1000)
    playhead.play()
    seen = watch(playhead, clock, seconds=8, rate=7)
    assert abs(playhead.index - 200) <= 1.5
    assert set(np.diff(seen)) <= {2, 3, 4, 5}


def test_a_moment_of_slowness_drops_nothing(clock):
    playhead = Playhead(fps=25, clock=clock)
    playhead.set_num_frames(1000)
    playhead.play()
    seen = watch(playhead, clock, seconds=1)
    clock.now += 0.05
    seen += watch(playhead, clock, seconds=1)[1:]
    assert set(np.diff(seen)) == {1}


def test_a_paused_playhead_stays(playhead, clock):
    assert watch(playhead, clock, seconds=1) == [0]
    playhead.play()
    watch(playhead, clock, seconds=0.2)
    playhead.pause()
    at = playhead.index
    assert watch(playhead, clock, seconds=1) == [at]
    playhead.toggle()
    clock.now += 0.02
    assert not playhead.tick(), "the pause is not made up for"
    clock.now += 0.02
    assert playhead.tick()
    assert playhead.index == at + 1


def test_play_again_begins_again_after_a_film_that_is_played_once(playhead, clock):
    playhead.loop = Loop.ONCE
    playhead.play()
    assert watch(playhead, clock, seconds=1) == list(range(10))
    assert not playhead.playing
    playhead.play()
    assert playhead.index == 0
    assert watch(playhead, clock, seconds=1) == list(range(10))


def test_speeds_go_up_and_down_and_back(playhead):
    playhead.slower()
    playhead.slower()
    assert playhead.speed == 0.25
    playhead.faster()
    assert playhead.speed == 0.5
    assert playhead.wanted_fps == 12.5
    playhead.normal_speed()
    for _ in range(50):
        playhead.faster()
    assert playhead.speed == SPEEDS[-1]
    for _ in range(50):
        playhead.slower()
    assert playhead.speed == SPEEDS[0]


def test_the_same_direction_again_is_faster_and_the_other_one_turns_around(playhead):
    playhead.forward()
    assert (playhead.playing, playhead.direction, playhead.speed) == (True, 1, 1)
    playhead.forward()
    playhead.forward()
    assert playhead.speed == 4
    playhead.backward()
    assert (playhead.playing, playhead.direction, playhead.speed) == (True, -1, 1)
    playhead.backward()
    assert playhead.speed == 2
    playhead.pause()
    playhead.backward()
    assert (playhead.playing, playhead.direction, playhead.speed) == (True, -1, 2)


def test_frames_a_second_of_the_film_are_above_zero(playhead):
    with pytest.raises(ValueError, match="above 0, received 0"):
        playhead.fps = 0


def test_next_loop_goes_round(playhead):
    seen = [playhead.loop]
    for _ in range(3):
        playhead.next_loop()
        seen.append(playhead.loop)
    assert seen == ["loop", "ping-pong", "once", "loop"]


def test_a_range_is_played_and_cleared(playhead, clock):
    playhead.seek(3)
    playhead.mark_start()
    playhead.seek(5)
    playhead.mark_end()
    assert playhead.marks == (3, 5)
    assert playhead.range == (3, 5)
    playhead.home()
    playhead.play()
    assert watch(playhead, clock, seconds=0.29) == [3, 4, 5, 3, 4, 5, 3, 4]
    playhead.seek(8)
    assert watch(playhead, clock, seconds=0.09) == [8, 3, 4], "from outside into the range"
    playhead.clear_range()
    assert playhead.range == (0, 9)


def test_a_mark_on_the_wrong_side_clears_the_other_one(playhead):
    playhead.seek(3)
    playhead.mark_end()
    playhead.seek(5)
    playhead.mark_start()
    assert playhead.marks == (5, None)
    playhead.seek(2)
    playhead.mark_end()
    assert playhead.marks == (None, 2)


def test_home_and_end_are_those_of_the_range(playhead):
    assert playhead.end()
    assert playhead.index == 9
    assert playhead.home()
    assert playhead.index == 0
    assert not playhead.home()
    playhead.seek(2)
    playhead.mark_start()
    playhead.seek(6)
    playhead.mark_end()
    playhead.home()
    assert playhead.index == 2
    playhead.end()
    assert playhead.index == 6


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
def test_steps_wrap_or_stop_and_pause(playhead, loop, start, count, end):
    playhead.loop = loop
    playhead.play()
    playhead.seek(start)
    assert playhead.step(count) == (start != end)
    assert playhead.index == end
    assert not playhead.playing


def test_steps_stay_in_the_range_that_they_are_in(playhead):
    playhead.seek(3)
    playhead.mark_start()
    playhead.seek(5)
    playhead.mark_end()
    playhead.step(1)
    assert playhead.index == 3
    playhead.seek(7)
    playhead.step(1)
    assert playhead.index == 8
    playhead.step(10)
    assert playhead.index == 9
    playhead.step(-20)
    assert playhead.index == 0


def test_a_growing_film_is_waited_for(playhead, clock):
    playhead.growing = True
    playhead.play()
    seen = watch(playhead, clock, seconds=1)
    assert seen == list(range(10))
    assert playhead.waiting
    assert playhead.playing
    playhead.set_num_frames(14)
    assert not playhead.waiting
    clock.now += 1 / 60
    assert playhead.tick(), "at once, for it is overdue"
    assert playhead.index == 10
    assert watch(playhead, clock, seconds=1) == [10, 11, 12, 13]
    playhead.growing = False
    assert watch(playhead, clock, seconds=0.02)[1:] == [0]


def test_frames_that_come_in_between_do_not_hold_up_the_clock(clock):
    playhead = Playhead(fps=25, clock=clock)
    playhead.growing = True
    playhead.set_num_frames(1)
    playhead.play()
    for num_frames in range(2, 202):
        clock.now += 0.01
        playhead.set_num_frames(num_frames)
        playhead.tick()
    assert 48 <= playhead.index <= 50


def test_a_growing_film_played_backward_loops_over_what_is_there(playhead, clock):
    playhead.growing = True
    playhead.backward()
    assert watch(playhead, clock, seconds=0.13) == [0, 9, 8, 7]


def test_a_range_within_a_growing_film_is_looped(playhead, clock):
    playhead.growing = True
    playhead.seek(2)
    playhead.mark_end()
    playhead.home()
    playhead.play()
    assert watch(playhead, clock, seconds=0.17) == [0, 1, 2, 0, 1]


def test_a_frame_past_the_end_is_a_wish_that_is_held(playhead):
    playhead.growing = True
    assert playhead.seek(14)
    assert playhead.index == 9
    assert playhead.num_missing() == 5
    assert playhead.set_num_frames(12)
    assert (playhead.index, playhead.num_missing()) == (11, 3)
    assert playhead.set_num_frames(20)
    assert (playhead.index, playhead.num_missing()) == (14, 0)
    assert not playhead.set_num_frames(30)


def test_a_step_past_the_end_of_a_growing_film_is_a_wish(playhead):
    playhead.growing = True
    playhead.seek(9)
    playhead.step(1)
    assert (playhead.index, playhead.num_missing()) == (9, 1)


@pytest.mark.parametrize("end", ["sought", "stepped", "over"])
def test_a_wish_is_dropped_by_another_one_or_when_nothing_more_comes(playhead, end):
    playhead.growing = True
    playhead.seek(14)
    if end == "sought":
        playhead.seek(3)
    elif end == "stepped":
        playhead.step(-1)
    else:
        playhead.growing = False
    at = playhead.index
    assert playhead.num_missing() == 0
    playhead.set_num_frames(40)
    assert playhead.index == at


def test_a_wish_is_dropped_when_the_film_is_played_on(playhead, clock):
    playhead.seek(14)
    playhead.play()
    watch(playhead, clock, seconds=0.13)
    assert (playhead.index, playhead.num_missing()) == (2, 0)
    assert not playhead.set_num_frames(40)


def test_a_new_rollout_keeps_the_frame_if_it_can(playhead):
    playhead.seek(6)
    assert not playhead.set_num_frames(8)
    playhead.growing = True
    playhead.set_num_frames(0)
    assert (playhead.index, playhead.num_missing()) == (0, 7)
    for num_frames in range(1, 9):
        playhead.set_num_frames(num_frames)
    assert (playhead.index, playhead.num_missing()) == (6, 0)


def test_a_new_rollout_is_played_from_its_beginning_when_playing(playhead, clock):
    playhead.growing = True
    playhead.play()
    watch(playhead, clock, seconds=0.3)
    playhead.set_num_frames(0)
    playhead.set_num_frames(3)
    assert watch(playhead, clock, seconds=0.09) == [0, 1, 2]


def test_an_empty_film_does_nothing(clock):
    playhead = Playhead(clock=clock)
    playhead.play()
    assert watch(playhead, clock, seconds=1) == [0]
    for move in (lambda: playhead.step(1), lambda: playhead.seek(0), playhead.home, playhead.end):
        assert not move()
        assert (playhead.index, playhead.num_missing(), playhead.range) == (0, 0, (0, 0))


def test_achieved_frames_a_second_are_those_that_were_painted(playhead, clock):
    assert playhead.achieved_fps == 0
    playhead.play()
    start = clock.now
    for tick in range(1, 121):
        clock.now = start + tick / 60
        if playhead.tick():
            playhead.count_painted()
        playhead.count_painted()
    assert playhead.achieved_fps == pytest.approx(25, rel=0.05)
    playhead.pause()
    assert playhead.achieved_fps == 0


def test_achieved_frames_a_second_fall_with_slow_painting(playhead, clock):
    playhead.play()
    for _ in range(40):
        clock.now += 0.1
        playhead.tick()
        playhead.count_painted()
    assert playhead.achieved_fps == pytest.approx(10)
    clock.now += 2
    assert playhead.achieved_fps == 0


def test_a_pause_does_not_count_as_slowness(playhead, clock):
    for pause in (0.4, 0):
        playhead.play()
        for _ in range(20):
            clock.now += 0.02
            playhead.tick()
            playhead.count_painted()
        assert playhead.achieved_fps == pytest.approx(25, rel=0.1)
        playhead.pause()
        clock.now += pause
