"""maze: a small arcade maze; a disc eats its way through it, ghosts roam.

Cells are squares of `CELL` pixels with walls on the lines between them. Ways are numbered up,
right, down, left, so that `way + 2` turns round and `-way` is seen in a mirror, modulo 4.
"""

import colorsys
from typing import NamedTuple

import numpy as np

TIME, HEIGHT, WIDTH = 40, 210, 160
ROWS, COLUMNS, CELL = 12, 9, 16
TOP, LEFT = 3, 8  # pixels above and left of the outer wall's centre line
SPEED = 2  # pixels a frame
REACH = 5  # pixels from a sprite's centre to its edge
MAX_EARLIER = 300  # frames, at most, that the disc has walked before the clip begins

PELLET = (255, 222, 173)
DISC = (255, 235, 30)
GHOSTS = ((255, 50, 50), (255, 150, 215), (70, 225, 255), (255, 165, 50))
SCORE = (235, 235, 235)

_MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # (rows, columns) of each way
_MOUTH = (0.0, 0.3, 0.6, 1.0, 1.0, 0.6, 0.3, 0.0)  # tangent of half its angle, frame by frame
_GHOST = """
    ....###....
    ..#######..
    .#########.
    .#ooo#ooo#.
    ##ooo#ooo##
    ##ooo#ooo##
    ###########
    ###########
    ###########
    ###########
"""
_HEMS = ("##.##.##.##", "#.###.###.#")
_EYES = ((4, 3), (4, 7))  # (row, column) of their centres

Cell = tuple[int, int]


class Walk(NamedTuple):
    """Walk: the places of a sprite, frame by frame.

    Attributes:
        centres: Centre of the sprite, (time, 2) of (y, x) pixels.
        ways: Way that the sprite heads, (time,).
    """

    centres: np.ndarray
    ways: np.ndarray


def maze_clip(seed: int, index: int) -> np.ndarray:
    """Draw one clip: its own maze and colours, one disc, three or four ghosts.

    All walk 2 pixels a frame along the middle of the corridors, turn at random where corridors
    meet, and turn round in dead ends only.

    Args:
        seed: Seed of the data set.
        index: Number of the clip.

    Returns:
        Frames, uint8 (40, 210, 160, 3). Ghosts cover the disc, later ghosts earlier ones, and all
        cover pellets; below the maze are lives and a bar that grows with every pellet eaten.
    """
    rng = np.random.default_rng((seed, index))
    doors = _doors(rng)
    background = _background(doors, rng)
    earlier = int(rng.integers(MAX_EARLIER))
    disc = _walk(doors, earlier + TIME, rng)
    ghosts = [_walk(doors, TIME, rng) for _ in range(rng.integers(3, 5))]
    pellets = _pellets(doors)
    eaten = _eaten(pellets, disc.centres) - earlier  # frame of this clip, negative before it
    frames = np.repeat(background[None], TIME, axis=0)
    for time, frame in enumerate(frames):
        gone = eaten <= time
        _draw_pellets(frame, pellets[~gone], int(gone.sum()))
        tick = earlier + time
        mouth = _MOUTH[tick % len(_MOUTH)]
        _around(frame, disc.centres[tick])[_disc(disc.ways[tick], mouth)] = DISC
        for colour, ghost in zip(GHOSTS, ghosts, strict=False):
            _draw_ghost(_around(frame, ghost.centres[time]), colour, ghost.ways[time], tick)
    return frames


# --- the maze


def _doors(rng: np.random.Generator) -> np.ndarray:
    """Return which ways are open, bool (rows, columns, 4): mirrored, every cell reachable."""
    doors = np.zeros((ROWS, COLUMNS, 4), bool)
    # A tree over the left half and the middle column, which is where its mirror image joins it.
    path = [(int(rng.integers(ROWS)), COLUMNS // 2)]
    visited = set(path)
    while path:
        ways = [w for w in range(4) if _in_half(to := _next(path[-1], w)) and to not in visited]
        if not ways:
            path.pop()
            continue
        way = int(rng.choice(ways))
        _open(doors, path[-1], way)
        path.append(_next(path[-1], way))
        visited.add(path[-1])
    _add_loops(doors, rng)
    return doors


def _add_loops(doors: np.ndarray, rng: np.random.Generator) -> None:
    """Open most dead ends, and a few walls anywhere."""
    for cell in np.ndindex(ROWS, COLUMNS // 2 + 1):
        closed = [w for w in range(4) if not doors[cell][w] and _in_half(_next(cell, w))]
        chance = 0.85 if doors[cell].sum() == 1 else 0.1
        if closed and rng.random() < chance:
            _open(doors, cell, int(rng.choice(closed)))


def _next(cell: Cell, way: int) -> Cell:
    return cell[0] + int(_MOVES[way, 0]), cell[1] + int(_MOVES[way, 1])


def _in_half(cell: Cell) -> bool:
    return 0 <= cell[0] < ROWS and 0 <= cell[1] <= COLUMNS // 2


def _open(doors: np.ndarray, cell: Cell, way: int) -> None:
    """Open a way, from both sides, and its mirror image."""
    row, column = cell
    for here, there in (((row, column), way), ((row, COLUMNS - 1 - column), -way % 4)):
        doors[here][there] = doors[_next(here, there)][(there + 2) % 4] = True


def _walk(doors: np.ndarray, steps: int, rng: np.random.Generator) -> Walk:
    """Walk at random from a random place on."""
    cell = (int(rng.integers(ROWS)), int(rng.integers(COLUMNS)))
    way = int(rng.choice(np.flatnonzero(doors[cell])))
    gone = SPEED * int(rng.integers(CELL // SPEED))  # pixels from the cell's centre
    centres, ways = [], []
    for _ in range(steps):
        centres.append(_middle(cell) + gone * _MOVES[way])
        ways.append(way)
        gone += SPEED
        if gone == CELL:
            cell, gone = _next(cell, way), 0
            way = _turn(doors[cell], way, rng)
    return Walk(np.array(centres), np.array(ways))


def _middle(cell: Cell) -> np.ndarray:
    return np.array([TOP + CELL // 2 + CELL * cell[0], LEFT + CELL // 2 + CELL * cell[1]])


def _turn(ways: np.ndarray, way: int, rng: np.random.Generator) -> int:
    """Choose the way to leave a cell, given which are open and the way it was entered."""
    back = (way + 2) % 4
    choices = [int(w) for w in np.flatnonzero(ways) if w != back]
    if way in choices and rng.random() < 0.6:
        return way
    return int(rng.choice(choices)) if choices else back


def _pellets(doors: np.ndarray) -> np.ndarray:
    """Return the pellets' places, (pellets, 2) of (y, x): in cells and half way between two."""
    places = []
    for cell in np.ndindex(ROWS, COLUMNS):
        places.append(_middle(cell))
        places += [_middle(cell) + CELL // 2 * _MOVES[way] for way in (1, 2) if doors[cell][way]]
    return np.array(places)


def _eaten(pellets: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the first time that the disc is at each pellet; len(centres) for never."""
    near = abs(pellets[:, None] - centres).max(-1) <= REACH - 1  # (pellets, time)
    return np.where(near.any(1), near.argmax(1), len(centres))


# --- drawing


def _background(doors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the floor, the walls and the lives, which never change."""
    hue = rng.random()
    picture = np.full((HEIGHT, WIDTH, 3), _colour(hue, 0.9, 0.16), np.uint8)
    picture[TOP + CELL * ROWS + 2 :] = 0
    lines = _wall_lines(doors)
    thick = lines.copy()
    for axis in (0, 1):
        thick |= np.roll(lines, 1, axis) | np.roll(lines, -1, axis)
    picture[thick] = _colour(hue, 0.85, 0.65)
    picture[lines] = _colour(hue, 0.45, 1.0)
    for life in range(rng.integers(1, 4)):
        place = np.array([HEIGHT - 2 - REACH, LEFT + REACH + 14 * life])
        _around(picture, place)[_disc(3, 0.6)] = DISC
    return picture


def _wall_lines(doors: np.ndarray) -> np.ndarray:
    """Return the centre lines of the walls, one pixel thin: bool (height, width)."""
    lines = np.zeros((HEIGHT, WIDTH), bool)
    for row, column, way in np.argwhere(~doors):
        top, left = TOP + CELL * (row + (way == 2)), LEFT + CELL * (column + (way == 1))
        if way in (0, 2):
            lines[top, left : left + CELL + 1] = True
        else:
            lines[top : top + CELL + 1, left] = True
    return lines


def _colour(hue: float, saturation: float, value: float) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def _around(frame: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the view of a frame that a sprite with this centre fills: (11, 11, 3)."""
    y, x = centre
    return frame[y - REACH : y + REACH + 1, x - REACH : x + REACH + 1]


def _draw_pellets(frame: np.ndarray, left: np.ndarray, score: int) -> None:
    """Draw the pellets that are left, 2 by 2 pixels, and the bar of those eaten."""
    for y in (0, 1):
        for x in (0, 1):
            frame[left[:, 0] + y, left[:, 1] + x] = PELLET
    frame[-9:-4, WIDTH - LEFT - score : WIDTH - LEFT] = SCORE


def _disc(way: int, mouth: float) -> np.ndarray:
    """Return the disc's pixels, bool (11, 11), with the mouth open towards where it heads."""
    y, x = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]
    along = y * _MOVES[way, 0] + x * _MOVES[way, 1]
    across = abs(y * _MOVES[way, 1] + x * _MOVES[way, 0])
    mask: np.ndarray = (np.hypot(y, x) < REACH + 0.5) & ~((along > 0) & (across < mouth * along))
    return mask


def _draw_ghost(view: np.ndarray, colour: tuple[int, ...], way: int, tick: int) -> None:
    """Draw a ghost that looks where it heads and waves its hem."""
    rows = [*_GHOST.split(), _HEMS[tick // 4 % 2]]
    picture = np.array([list(row) for row in rows])
    view[picture == "#"] = colour
    view[picture == "o"] = (255, 255, 255)
    for eye in _EYES:
        for place in (eye, _next(eye, way)):
            view[place] = (30, 30, 160)
