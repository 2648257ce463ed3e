"""Objects of the streets, standing, driving and walking: pictures that are laid over each other.

Lengths are pixels of the finished frame; all is drawn `FINE` times as large and averaged in the
end, which makes edges smooth and motion finer than a pixel.
"""

from collections.abc import Sequence

import numpy as np

FINE = 4
CLASSES = ("sky", "building", "tree", "road", "marking", "sidewalk", "car", "person")
SKY, BUILDING, TREE, ROAD, MARKING, SIDEWALK, CAR, PERSON = range(len(CLASSES))
CLEAR = 255  # the class where a picture shows what lies behind it

FACADES = ((176, 88, 66), (202, 168, 118), (120, 132, 150), (170, 120, 128), (214, 202, 180))
ROOFS = ((92, 58, 52), (80, 84, 96))
PAINTS = (
    (206, 40, 38),
    (38, 86, 190),
    (236, 190, 40),
    (236, 236, 232),
    (40, 140, 84),
    (60, 62, 70),
)
SHIRTS = ((220, 60, 70), (60, 110, 200), (240, 200, 70), (250, 250, 250), (110, 70, 160))
TROUSERS = ((40, 46, 80), (70, 60, 54), (30, 30, 34), (110, 112, 118))
SKINS = ((242, 206, 176), (198, 142, 104), (122, 80, 56))
CLOTHES = (SHIRTS, TROUSERS, SKINS)
GLASS, LIT, RUBBER, WOOD = (92, 120, 150), (255, 222, 130), (26, 26, 30), (96, 68, 48)

Colour = tuple[int, ...] | np.ndarray


class Picture:
    """Picture: colours with a class for each pixel, `CLEAR` where nothing is drawn.

    Attributes:
        pixels: Red, green, blue and class of the fine pixels, uint8 (height, width, 4).
        y: Rows of the fine pixels' centres, in pixels of the frame, (height, 1).
        x: Columns of the fine pixels' centres, in pixels of the frame, (1, width).
    """

    def __init__(self, height: float, width: float):
        high, wide = round(height * FINE), round(width * FINE)
        self.pixels = np.zeros((high, wide, 4), np.uint8)
        self.classes[...] = CLEAR
        self.y = (np.arange(high)[:, None] + 0.5) / FINE
        self.x = (np.arange(wide)[None] + 0.5) / FINE

    @property
    def colours(self) -> np.ndarray:
        """View of the pixels' colours, uint8 (height, width, 3)."""
        return self.pixels[..., :3]

    @property
    def classes(self) -> np.ndarray:
        """View of the pixels' classes, uint8 (height, width)."""
        return self.pixels[..., 3]

    def paint(self, where: np.ndarray, colour: Colour, kind: int) -> None:
        """Draw one colour, or one for each pixel, (height, width, 3), where a mask is true."""
        shades = np.broadcast_to(np.asarray(colour), self.colours.shape)
        self.colours[where] = np.clip(shades[where], 0, 255).astype(np.uint8)
        self.classes[where] = kind

    def box(self, top: float, bottom: float, left: float, right: float) -> np.ndarray:
        """Return the mask of a rectangle."""
        return (self.y >= top) & (self.y < bottom) & (self.x >= left) & (self.x < right)

    def disc(self, y: float, x: float, radius: float, flat: float = 1.0) -> np.ndarray:
        """Return the mask of a disc, `flat` times as high as it is wide."""
        return np.hypot((self.y - y) / flat, self.x - x) < radius

    def line(
        self, start: tuple[float, float], end: tuple[float, float], width: float
    ) -> np.ndarray:
        """Return the mask of a thick line between two points (y, x), with round ends."""
        (ay, ax), dy, dx = start, end[0] - start[0], end[1] - start[1]
        along = ((self.y - ay) * dy + (self.x - ax) * dx) / (dy**2 + dx**2)
        along = np.clip(along, 0, 1)
        mask: np.ndarray = np.hypot(self.y - ay - along * dy, self.x - ax - along * dx) < width / 2
        return mask

    def mirrored(self) -> "Picture":
        """Return the picture as seen in a mirror."""
        other = Picture(0, 0)
        other.pixels = self.pixels[:, ::-1]
        return other

    def put(
        self, other: "Picture", top: float, left: float
    ) -> tuple[tuple[slice, slice], np.ndarray]:
        """Lay another picture over this one; what sticks out is cut off.

        Args:
            other: Picture to lay over this one.
            top: Row of its upper edge, in pixels of the frame.
            left: Column of its left edge, in pixels of the frame.

        Returns:
            Slices of the fine pixels that it covers, and the mask of those where it is not clear.
        """
        here, there = _overlap(self.classes.shape, other.classes.shape, top, left)
        visible = other.classes[there] != CLEAR
        # A pixel as one number: a masked copy of three channels takes forty times longer.
        ours, theirs = (p.view(np.uint32)[..., 0] for p in (self.pixels[here], other.pixels[there]))
        np.copyto(ours, theirs, where=visible)
        return here, visible


def _overlap(
    whole: tuple[int, ...], part: tuple[int, ...], top: float, left: float
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the slices of a whole that a part covers, and those of the part inside it."""
    here, there = [], []
    for size, own, start in zip(whole, part, (round(top * FINE), round(left * FINE)), strict=True):
        first, last = max(0, start), max(0, min(size, start + own))
        here.append(slice(first, max(first, last)))
        there.append(slice(first - start, max(first, last) - start))
    return (here[0], here[1]), (there[0], there[1])


def speckle(picture: Picture, rng: np.random.Generator, size: float, depth: float) -> np.ndarray:
    """Return grains of light and dark, (height, width, 1), of a size in pixels."""
    high, wide = picture.classes.shape
    grain = max(1, round(size * FINE))
    coarse = rng.normal(0.0, depth, (high // grain + 1, wide // grain + 1))
    return coarse.repeat(grain, 0).repeat(grain, 1)[:high, :wide, None]


# --- things


def building(height: float, width: float, dusk: float, rng: np.random.Generator) -> Picture:
    """Draw a house front: bricks, a roof's edge, windows on a grid, a door."""
    picture = Picture(height, width)
    facade = np.array(FACADES[rng.integers(len(FACADES))]) + rng.normal(0, 8, 3)
    joints = (picture.y % 2 < 0.5) | ((picture.x + (picture.y // 2 % 2) * 1.5) % 3 < 0.4)
    picture.paint(picture.box(0, height, 0, width), facade - 14 * joints[..., None], BUILDING)
    picture.paint(picture.box(0, 2, 0, width), ROOFS[rng.integers(len(ROOFS))], BUILDING)
    columns = max(1, int((width - 2) // 6))
    gap = (width - 4 * columns) / (columns + 1)
    for top in np.arange(4.0, height - 9, 7):
        for column in range(columns):
            _window(picture, top, gap + column * (4 + gap), rng.random() < dusk)
    door = gap + rng.integers(columns) * (4 + gap)
    picture.paint(picture.box(height - 6.5, height, door, door + 4), WOOD, BUILDING)
    picture.paint(picture.box(0, height, width - 0.75, width), facade - 40, BUILDING)
    return picture


def _window(picture: Picture, top: float, left: float, lit: bool) -> None:
    picture.paint(picture.box(top, top + 4.5, left, left + 4), (236, 232, 222), BUILDING)
    glass = LIT if lit else GLASS
    picture.paint(picture.box(top + 0.75, top + 3.75, left + 0.75, left + 3.25), glass, BUILDING)


def tree(rng: np.random.Generator) -> Picture:
    """Draw a tree, 24 pixels high and 16 wide: a trunk and a crown of leaves."""
    picture = Picture(24, 16)
    picture.paint(picture.box(12, 24, 7, 9), WOOD, TREE)
    green = np.array((66, 128, 58)) + rng.normal(0, 10, 3)
    leaves = green + speckle(picture, rng, 0.75, 16)
    crown = picture.disc(7.5, 8, 6.5)
    for _ in range(5):
        crown |= picture.disc(rng.uniform(5, 12), rng.uniform(4.5, 11.5), rng.uniform(3, 4.2))
    picture.paint(crown, leaves + 4 * (8 - picture.y[..., None]), TREE)
    return picture


def car(length: float, rng: np.random.Generator) -> Picture:
    """Draw a car that heads right, 0.42 times as high as it is long."""
    high = 0.42 * length
    picture = Picture(high, length)
    paint = np.array(PAINTS[rng.integers(len(PAINTS))], float)
    y, x = picture.y / high, picture.x / length  # parts of the whole
    roof = 0.3 + 0.12 * rng.random()  # where it begins, from behind
    cabin = (y < 0.5) & (x > roof - 0.3 * y - 0.06) & (x < 0.68 + 0.32 * y)
    body = (y >= 0.4) & (y < 0.84) & (x > 0.02) & (x < 0.985 - 0.25 * (0.84 - y) ** 2)
    picture.paint(cabin | body, paint - 46 * (y > 0.68)[..., None] + 18 * (y < 0.1)[..., None], CAR)
    panes = (y > 0.11) & (y < 0.42) & (x > roof - 0.22 * y + 0.02) & (x < 0.64 + 0.28 * y)
    picture.paint(panes & (abs(x - 0.54) > 0.025), (150, 190, 214), CAR)
    picture.paint((y > 0.5) & (y < 0.62) & (x > 0.92) & body, (255, 244, 190), CAR)
    picture.paint((y > 0.5) & (y < 0.62) & (x < 0.06) & body, (150, 20, 24), CAR)
    for axle in (0.22, 0.78):
        for radius, colour in ((0.105, RUBBER), (0.05, (170, 172, 178))):
            wheel = picture.disc(high - 0.105 * length, axle * length, radius * length)
            picture.paint(wheel, colour, CAR)
    return picture


def person(height: float, stride: float, colours: Sequence[Colour]) -> Picture:
    """Draw a person who heads right, 0.55 times as wide as high.

    Args:
        height: Height of the person, pixels.
        stride: Phase of the legs in a double step; whole numbers are alike.
        colours: Colours of shirt, trousers and skin: one of each of `CLOTHES`.
    """
    picture = Picture(height, 0.55 * height)
    middle, (shirt, trousers, skin) = 0.275 * height, colours
    swing = 0.16 * height * np.sin(2 * np.pi * stride)
    hip, shoulder = (0.56 * height, middle), (0.26 * height, middle)
    for side in (-1, 1):
        foot = (0.95 * height, middle + side * swing)
        leg = picture.line(hip, foot, 0.13 * height)
        picture.paint(leg, np.array(trousers) - 12 * side, PERSON)
    picture.paint(picture.line(shoulder, hip, 0.26 * height), shirt, PERSON)
    hand = (0.52 * height, middle - 0.8 * swing)
    picture.paint(picture.line(shoulder, hand, 0.09 * height), np.array(shirt) * 0.75, PERSON)
    picture.paint(picture.disc(0.11 * height, middle, 0.1 * height), skin, PERSON)
    hair = picture.disc(0.08 * height, middle, 0.1 * height) & (picture.y < 0.08 * height)
    picture.paint(hair, WOOD, PERSON)
    return picture
