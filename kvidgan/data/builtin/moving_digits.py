"""moving_digits: digits as if written by hand, which bounce about a black square.

A digit is drawn by a pen of constant thickness. Lengths are in parts of the frame's side, so that
a larger frame shows the same digits, larger.
"""

from typing import NamedTuple

import numpy as np

from kvidgan.data.schema import DigitsConfig

# The least and the greatest of what is drawn at random for each digit.
SPEED = (1.5 / 32, 3 / 32)  # speed of a digit per frame
HEIGHT = (0.51, 0.6)  # height of a digit, pen included
THICKNESS = (0.05, 0.09)  # thickness of the pen
WIDENING = (0.85, 1.2)  # factor on a digit's width
SLANT = (-0.1, 0.4)  # slant to the right, in parts of the height
TURN = (-0.1, 0.1)  # turn in radians
WOBBLE = 2.5  # standard deviation of a point, percent of the height
PIECES = 6  # straight pieces between two points

# The ways to write each digit: points "x,y" that the pen passes, in percent of the height, y
# downwards. A stroke is smooth; where one ends and the next begins ("|") may be a corner.
_WAYS = (
    (  # 0
        "34,0 12,14 2,48 10,84 30,100 50,84 58,48 48,12 28,2",
        "30,3 10,20 4,56 16,94 38,98 54,70 54,28 38,2 22,6",
    ),
    (  # 1
        "30,0 30,34 30,67 30,100",
        "12,24 24,14 34,0 | 34,0 33,50 32,100",
        "12,22 24,13 34,0 | 34,0 33,50 32,100 | 10,100 32,100 54,98",
    ),
    (  # 2
        "6,22 16,5 34,0 52,14 48,40 26,72 4,98 | 4,98 30,96 60,100",
        "6,20 18,3 40,2 52,20 42,50 20,86 6,96 2,86 14,80 36,92 62,94",
    ),
    (  # 3
        "6,10 28,0 50,14 44,36 22,47 | 22,47 48,54 58,76 38,99 16,98 2,86",
        "6,4 28,3 54,2 | 54,2 40,22 26,40 | 26,40 50,48 58,72 40,98 16,98 0,88",
    ),
    (  # 4
        "16,2 10,30 4,56 | 4,56 30,57 60,54 | 46,6 44,50 40,100",
        "42,0 22,30 2,66 | 2,66 30,67 60,65 | 42,0 41,50 39,100",
    ),
    (  # 5
        "54,2 32,1 12,4 | 12,4 10,24 8,44 | 8,44 30,36 52,48 56,74 38,98 14,99 0,88",
        "14,4 10,24 8,44 | 8,44 30,36 52,48 56,74 38,98 14,99 0,88 | 14,4 36,5 60,0",
    ),
    (  # 6
        "44,0 22,18 6,50 4,78 20,99 44,96 56,74 44,54 22,56 6,74",
        "30,0 14,24 4,54 6,82 24,99 46,94 54,76 40,60 20,64 8,80",
    ),
    (  # 7
        "2,6 30,5 58,3 | 58,3 44,34 32,66 24,100",
        "2,6 30,5 58,3 | 58,3 44,34 32,66 24,100 | 18,52 36,50 54,47",
    ),
    (  # 8
        "52,14 32,0 10,10 12,32 32,48 54,68 52,92 28,100 6,90 8,68 32,48 50,30 52,14",
        "54,8 30,0 12,14 20,36 44,56 54,80 34,100 10,92 8,70 30,50 48,30 54,8",
    ),
    (  # 9
        "54,22 38,2 14,6 4,28 16,48 38,44 54,22 | 54,22 52,60 44,100",
        "54,22 38,2 14,6 4,28 16,48 38,44 54,22 | 54,22 56,60 42,94 18,98",
    ),
)


class Digit(NamedTuple):
    """Digit: the way of a pen about the middle of its digit, in pixels, y downwards.

    Attributes:
        starts: Starts of the way's straight pieces, (pieces, 2) of (y, x).
        ends: Ends of the straight pieces, (pieces, 2) of (y, x).
        radius: Radius of the pen.
    """

    starts: np.ndarray
    ends: np.ndarray
    radius: float

    @property
    def reach(self) -> np.ndarray:
        """Distance that the drawn digit extends from its middle, (2,) of (y, x)."""
        farthest: np.ndarray = np.maximum(abs(self.starts), abs(self.ends)).max(0)
        return farthest + self.radius + 0.5  # half a pixel of anti-aliasing


def moving_digits(seed: int, index: int, options: DigitsConfig) -> np.ndarray:
    """Draw one clip: digits, each with a hand, a direction and a speed of its own.

    A digit keeps its shape and its speed, and bounces where it touches the frame's edge. A longer
    clip begins with the shorter one of the same seed and index.

    Args:
        seed: Seed of the data set.
        index: Number of the clip.
        options: Numbers of digits and frames, and the frame's size.

    Returns:
        Frames, uint8 (time, size, size, 1), white on black, anti-aliased; where digits overlap they
        add up to at most 255.
    """
    rng = np.random.default_rng((seed, index))
    light = np.zeros((options.frames, options.size, options.size))
    for _ in range(options.number):
        digit = _written(int(rng.integers(10)), options.size, rng)
        for frame, centre in zip(light, _centres(digit, *light.shape[:2], rng), strict=True):
            _draw(frame, digit, centre)
    return np.rint(np.minimum(light, 1.0) * 255.0).astype(np.uint8)[..., None]


# --- writing


def _written(number: int, size: int, rng: np.random.Generator) -> Digit:
    """Write a digit by a random hand, for a frame of this side."""
    ways = _WAYS[number]
    strokes = _wobbling(_strokes(ways[rng.integers(len(ways))]), rng)
    lines = [_smooth(stroke) for stroke in strokes]
    pieces = [np.stack([line[:-1], line[1:]]) for line in lines]  # (2, pieces, 2), from and to
    way = np.concatenate(pieces, axis=1) @ _hand(rng)
    radius = size * rng.uniform(*THICKNESS) / 2
    low, high = way.min((0, 1)), way.max((0, 1))
    scale = (size * rng.uniform(*HEIGHT) - 2 * radius) / (high - low)[0]
    starts, ends = (way - (low + high) / 2) * scale
    return Digit(starts, ends, radius)


def _strokes(way: str) -> list[np.ndarray]:
    """Return the points of each stroke, (points, 2) of (y, x)."""
    strokes = [[point.split(",") for point in stroke.split()] for stroke in way.split("|")]
    return [np.array(stroke, float)[:, ::-1] for stroke in strokes]


def _wobbling(strokes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Move every point a little; those at one place, such as corners, stay together."""
    places, which = np.unique(np.concatenate(strokes), axis=0, return_inverse=True)
    moved = (places + rng.normal(0.0, WOBBLE, places.shape))[which.ravel()]
    return np.split(moved, np.cumsum([len(stroke) for stroke in strokes])[:-1])


def _smooth(points: np.ndarray) -> np.ndarray:
    """Return a finer line through points: a Catmull-Rom spline, straight on at its ends."""
    first, last = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    a, b, c, d = (np.stack([first, *points, last])[k : k + len(points) - 1] for k in range(4))
    t = np.arange(PIECES)[:, None, None] / PIECES  # (pieces, 1, 1)
    line = b + (c - a) / 2 * t + (a - 2.5 * b + 2 * c - d / 2) * t**2
    line += (1.5 * (b - c) + (d - a) / 2) * t**3  # (pieces, spans, 2)
    return np.concatenate([line.swapaxes(0, 1).reshape(-1, 2), points[-1:]])


def _hand(rng: np.random.Generator) -> np.ndarray:
    """Return the matrix, (2, 2), by which a hand widens, slants and turns (y, x)."""
    widening, slant, turn = (rng.uniform(*bounds) for bounds in (WIDENING, SLANT, TURN))
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array([[cos, -sin], [sin, cos]])
    hand: np.ndarray = np.array([[1.0, -slant], [0.0, widening]]) @ turned
    return hand


# --- moving


def _centres(digit: Digit, time: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """Return the middles of a digit that bounces, (time, 2) of (y, x) pixels."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    velocity = side * rng.uniform(*SPEED) * np.array([np.sin(angle), np.cos(angle)])
    space = side - 1.0 - 2.0 * digit.reach  # pixels' centres are at 0 to side - 1
    straight = rng.uniform(0.0, space) + velocity * np.arange(time)[:, None]
    # Behind an edge lies the mirror image of the space: there and back is a period.
    bounced: np.ndarray = digit.reach + space - abs(straight % (2.0 * space) - space)
    return bounced


def _draw(frame: np.ndarray, digit: Digit, centre: np.ndarray) -> None:
    """Add a digit to a frame, (height, width) from 0 to 1."""
    top, left = np.ceil(centre - digit.reach).astype(int)
    bottom, right = np.floor(centre + digit.reach).astype(int) + 1
    y = np.arange(top, bottom)[:, None, None] - centre[0]
    x = np.arange(left, right)[None, :, None] - centre[1]
    away = _distance(y, x, digit)
    frame[top:bottom, left:right] += np.clip(digit.radius + 0.5 - away, 0.0, 1.0)


def _distance(y: np.ndarray, x: np.ndarray, digit: Digit) -> np.ndarray:
    """Return the distance of pixels to the pen's way, (height, width)."""
    (ay, ax), (by, bx) = digit.starts.T, (digit.ends - digit.starts).T
    along = ((y - ay) * by + (x - ax) * bx) / (by**2 + bx**2)
    along = np.clip(along, 0.0, 1.0)
    squares = (y - ay - along * by) ** 2 + (x - ax - along * bx) ** 2
    distance: np.ndarray = np.sqrt(squares.min(-1))
    return distance
