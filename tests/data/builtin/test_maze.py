from itertools import pairwise

import cv2
import numpy as np
import pytest

from kvidgan.data.builtin import maze


@pytest.fixture(scope="module")
def mazes():
    return [maze.maze_clip(1, index) for index in range(12)]


def walls(clip):
    """Where a clip shows the two colours of its outer wall: bool (time, height, width)."""
    line, edge = clip[0, maze.TOP, 80], clip[0, maze.TOP - 1, 80]
    return (clip == line).all(-1) | (clip == edge).all(-1)


def test_maze_walls_never_change_and_nothing_covers_them(mazes):
    for clip in mazes:
        shown = walls(clip)
        assert 0.1 < shown[0].mean() < 0.4
        assert (shown == shown[0]).all()
        assert (clip[:, shown[0]] == clip[0, shown[0]]).all()
        sprites = (clip != np.median(clip, axis=0)).any((0, -1))
        assert not (sprites & shown[0]).any()


def test_every_corridor_of_a_maze_hangs_together_and_has_a_mirror_image(mazes):
    for clip in mazes:
        shown = walls(clip)[0]
        inside = shown[maze.TOP : maze.TOP + maze.ROWS * maze.CELL + 1]
        inside = inside[:, maze.LEFT : maze.LEFT + maze.COLUMNS * maze.CELL + 1]
        count, _ = cv2.connectedComponents((~inside).astype(np.uint8), connectivity=4)
        assert count == 2, "the walls and one component besides"
        np.testing.assert_array_equal(inside, inside[:, ::-1])


def test_maze_sprites_walk_on_along_the_corridors(mazes):
    straight = []
    for clip in mazes:
        disc = (clip[:, :196] == maze.DISC).all(-1)
        seen = disc.sum((1, 2)) > 85  # not covered by a ghost, 97 pixels with the mouth shut
        corners = [np.argwhere(one)[:, ::-1].max(0) for one in disc[seen]]
        moves = np.diff(corners, axis=0)[np.diff(np.flatnonzero(seen)) == 1]
        assert abs(moves).sum(1).max() <= 4, "2 pixels, and what the mouth takes from the edge"
        ways = [tuple(np.sign(move)) for move in moves]
        straight += [one == other for one, other in pairwise(ways)]
        changed = (clip[1:] != clip[:-1]).any(-1).mean((1, 2))
        assert changed.min() > 0.004
        assert changed.max() < 0.02
    assert np.mean(straight) > 0.6


def test_maze_walks_turn_round_in_dead_ends_only():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        doors = maze._doors(rng)
        walk = maze._walk(doors, 400, rng)
        steps = np.diff(walk.centres, axis=0)
        assert (abs(steps).sum(1) == maze.SPEED).all()
        turned = np.flatnonzero((steps[1:] == -steps[:-1]).all(1)) + 1
        places = (walk.centres[turned] - (maze.TOP + 8, maze.LEFT + 8)) / maze.CELL
        assert (places == places.astype(int)).all()
        assert (doors[tuple(places.astype(int).T)].sum(-1) == 1).all()
        turns = (steps[1:] != steps[:-1]).any(1).sum()
        assert 5 < turns < 45, "of 50 cells"


def test_maze_pellets_only_vanish(mazes):
    eaten = []
    for clip in mazes:
        board = clip[:, :196]
        pellet = (board == maze.PELLET).all(-1)
        floor = (board == clip[0, 8, 0]).all(-1)
        gone = np.maximum.accumulate(floor, axis=0)
        assert not (gone & pellet).any()
        vanished = pellet[0] & floor[-1]
        score = (clip[:, 196:] == maze.SCORE).all(-1).sum((1, 2)) // 5
        assert (np.diff(score) >= 0).all()
        assert vanished.sum() // 4 <= score[-1] - score[0] + 1, "one may go in the first frame"
        eaten.append(vanished.sum() / 4)
    assert 2 < np.mean(eaten) < 12
