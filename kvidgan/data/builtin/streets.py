"""streets: a street seen from its side, out of a car that drives slowly or stands.

Layers pass at speeds that go with their distance; cars drive both ways, people walk. Every pixel
has a class, and every car and person an id.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kvidgan.data.builtin import street_objects as things
from kvidgan.data.builtin.street_objects import CLASSES, FINE, MARKING, ROAD, SIDEWALK, SKY, Picture

__all__ = ["CLASSES", "HEIGHT", "TIME", "WIDTH", "frames", "maps"]

TIME, HEIGHT, WIDTH = 40, 64, 96
BASE, KERB, VERGE = 37, 42, 58  # rows where the houses, the far and the near sidewalk begin or end
# How far each depth moves on the screen while the camera moves one pixel.
HOUSES, FAR, MIDDLE, NEAR = 0.5, 0.65, 0.8, 1.0
STEPS = 12  # pictures of a walk


class Layer(NamedTuple):
    """Layer: a picture that moves with the camera only.

    Attributes:
        picture: Picture to draw.
        top: Row of its upper edge.
        depth: Distance that it moves on the screen while the camera moves one pixel.
    """

    picture: Picture
    top: float
    depth: float


class Mover(NamedTuple):
    """Mover: a car or a person, which moves by itself.

    Attributes:
        pictures: Picture to draw in each frame.
        tops: Row of its upper edge in each frame, (time,).
        lefts: Column of its left edge in each frame, (time,).
    """

    pictures: list[Picture]
    tops: np.ndarray
    lefts: np.ndarray


class Scene(NamedTuple):
    """Scene: the drawing of one clip, or of one frame without the axis of time.

    Attributes:
        frames: Frames in RGB, uint8 (time, height, width, 3).
        labels: Places in `CLASSES`, uint8 (time, height, width).
        instances: Numbers of cars and people, 0 elsewhere, uint16 (time, height, width).
    """

    frames: np.ndarray
    labels: np.ndarray
    instances: np.ndarray


def frames(seed: int, index: int) -> np.ndarray:
    """Draw the frames of one clip, uint8 (40, 64, 96, 3)."""
    return _scene(seed, index).frames


def maps(seed: int, index: int) -> dict[str, np.ndarray]:
    """Draw the maps of one clip.

    Returns:
        Maps by name: "labels", places in `CLASSES`, uint8 (40, 64, 96), and "instances", a number
        from 1 on for each car and person, 0 elsewhere, uint16 (40, 64, 96).
    """
    scene = _scene(seed, index)
    return {"labels": scene.labels, "instances": scene.instances}


@lru_cache(maxsize=1)  # frames and maps are asked for one after the other
def _scene(seed: int, index: int) -> Scene:
    rng = np.random.default_rng((seed, index))
    dusk = rng.uniform(0.0, 0.6)
    camera = _camera(rng)
    reach = WIDTH + camera[-1] + 2
    parts: list[Layer | Mover] = [
        Layer(_sky(dusk, rng), 0, 0),
        Layer(_houses(HOUSES * camera[-1] + WIDTH + 2, dusk, rng), 0, HOUSES),
        Layer(_far_side(reach, rng), 0, FAR),
        Layer(_road(reach, rng), KERB, MIDDLE),
        *_people(camera, FAR, 41, 11, rng),
        *_cars(camera, -1, 48, 20, rng),
        *_cars(camera, 1, 56.5, 25, rng),
        Layer(_near_side(reach, rng), VERGE, NEAR),
        *_people(camera, NEAR, 63, 17, rng),
    ]
    light = np.array([1.0, 0.94, 0.88]) ** dusk * (1.05 - 0.3 * dusk)
    stages = [_stage(parts, camera, time).finished(light) for time in range(TIME)]
    return Scene(*map(np.stack, zip(*stages, strict=True)))


# --- putting it together


class _Stage:
    """Stage: one frame in the making, with a class and an id for each of its fine pixels."""

    def __init__(self) -> None:
        self.picture = Picture(HEIGHT, WIDTH)
        self.instances = np.zeros(self.picture.classes.shape, np.uint16)

    def put(self, picture: Picture, top: float, left: float, instance: int = 0) -> None:
        here, visible = self.picture.put(picture, top, left)
        np.copyto(self.instances[here], np.uint16(instance), where=visible)

    def finished(self, light: np.ndarray) -> Scene:
        """Average the colours; a pixel's class and id are those at its middle."""
        rows = self.picture.colours.reshape(HEIGHT, FINE, -1).sum(1, dtype=np.uint16)
        colours = rows.reshape(HEIGHT, WIDTH, FINE, 3).sum(2, dtype=np.uint16) / FINE**2 * light
        middle = slice(FINE // 2, None, FINE)
        return Scene(
            np.rint(np.clip(colours, 0, 255)).astype(np.uint8),
            self.picture.classes[middle, middle],
            self.instances[middle, middle],
        )


def _stage(parts: list[Layer | Mover], camera: np.ndarray, time: int) -> _Stage:
    stage, instance = _Stage(), 0
    for one in parts:
        if isinstance(one, Layer):
            stage.put(one.picture, one.top, -one.depth * camera[time])
        else:
            instance += 1
            stage.put(one.pictures[time], one.tops[time], one.lefts[time], instance)
    return stage


# --- layers


def _sky(dusk: float, rng: np.random.Generator) -> Picture:
    picture = Picture(HEIGHT, WIDTH)
    high, low = np.array([(96, 160, 232), (206, 228, 244)]) * (1 - dusk)
    high, low = high + np.array((118, 120, 186)) * dusk, low + np.array((252, 206, 150)) * dusk
    share = np.clip(picture.y / BASE, 0, 1)[..., None]
    picture.paint(picture.box(0, HEIGHT, 0, WIDTH), high + (low - high) * share, SKY)
    for _ in range(rng.integers(0, 4)):
        y, x = rng.uniform(3, 16), rng.uniform(0, WIDTH)
        for _ in range(4):
            puff = picture.disc(
                y + rng.uniform(-1, 1), x + rng.uniform(-7, 7), rng.uniform(3, 6), 0.4
            )
            picture.paint(puff, picture.colours * 0.45 + np.array((255, 250, 244)) * 0.55, SKY)
    return picture


def _houses(width: float, dusk: float, rng: np.random.Generator) -> Picture:
    picture = Picture(BASE, width)
    left = -rng.uniform(0, 12)
    while left < width:
        wide, high = rng.uniform(13, 26), rng.uniform(18, 35)
        picture.put(things.building(high, wide, dusk, rng), BASE - high, left)
        left += wide + (rng.uniform(3, 9) if rng.random() < 0.35 else 0)
    return picture


def _far_side(width: float, rng: np.random.Generator) -> Picture:
    """Draw the sidewalk before the houses, and the trees on it."""
    picture = Picture(KERB, width)
    _pave(picture, BASE, KERB, 7, rng)
    left = rng.uniform(-8, 30)
    while left < width:
        picture.put(things.tree(rng), BASE + 1.5 - 24, left)
        left += rng.uniform(22, 60)
    return picture


def _near_side(width: float, rng: np.random.Generator) -> Picture:
    picture = Picture(HEIGHT - VERGE, width)
    _pave(picture, 0, HEIGHT - VERGE, 10, rng)
    return picture


def _pave(
    picture: Picture, top: float, bottom: float, slab: float, rng: np.random.Generator
) -> None:
    joints = (picture.x % slab < 0.6) | (abs(picture.y - (top + bottom) / 2) < 0.3)
    stone = np.array((178, 172, 162)) - 26 * joints[..., None] + things.speckle(picture, rng, 1, 5)
    picture.paint(picture.box(top, bottom, 0, 1e6), stone, SIDEWALK)
    for edge in (top, bottom - 1):
        picture.paint(picture.box(edge, edge + 1, 0, 1e6), (212, 208, 200), SIDEWALK)


def _road(width: float, rng: np.random.Generator) -> Picture:
    picture = Picture(VERGE - KERB, width)
    asphalt = np.array((92, 92, 98)) + things.speckle(picture, rng, 0.75, 6)
    picture.paint(picture.box(0, 1e6, 0, 1e6), asphalt, ROAD)
    paint = (238, 236, 226)
    dashes = (picture.y >= 7.25) & (picture.y < 8.75) & ((picture.x + rng.uniform(0, 14)) % 14 < 8)
    picture.paint(dashes, paint, MARKING)
    if rng.random() < 0.5:
        left = rng.uniform(10, width - 20)
        crossing = picture.box(1, VERGE - KERB - 1, left, left + 13)
        picture.paint(crossing, asphalt, ROAD)
        picture.paint(crossing & ((picture.y - 1) % 3.5 < 1.75), paint, MARKING)
    return picture


# --- cars and people


def _camera(rng: np.random.Generator) -> np.ndarray:
    """Return the distance that the camera has come, pixels (time,), from 0 on; a third stand."""
    if rng.random() < 1 / 3:
        return np.zeros(TIME)
    wave = np.sin(np.arange(TIME) * rng.uniform(0.05, 0.15) + rng.uniform(0, 6))
    speed = rng.uniform(0.8, 2.2) * (1 + 0.3 * wave)
    distance: np.ndarray = np.cumsum(speed) - speed[0]
    return distance


def _lefts(camera: np.ndarray, depth: float, speed: float, rng: np.random.Generator) -> np.ndarray:
    """Return columns, (time,), that pass a random place of the screen at a random time."""
    when, where = rng.integers(TIME), rng.uniform(0, WIDTH)
    moved = speed * np.arange(TIME) - depth * camera
    lefts: np.ndarray = where + moved - moved[when]
    return lefts


def _cars(
    camera: np.ndarray, way: int, bottom: float, length: float, rng: np.random.Generator
) -> list[Mover]:
    """Let cars drive on one lane, all at the same speed."""
    lefts = _lefts(camera, MIDDLE, way * rng.uniform(1.0, 2.6), rng)
    movers = []
    for _ in range(rng.choice(4, p=(0.1, 0.4, 0.35, 0.15))):
        picture = things.car(length * rng.uniform(0.92, 1.08), rng)
        picture = picture if way > 0 else picture.mirrored()
        tops = np.full(TIME, bottom - picture.classes.shape[0] / FINE)
        movers.append(Mover([picture] * TIME, tops, lefts))
        lefts = lefts - way * (length + rng.uniform(6, 34))
    return movers


def _people(
    camera: np.ndarray, depth: float, bottom: float, height: float, rng: np.random.Generator
) -> list[Mover]:
    return [_walker(camera, depth, bottom, height, rng) for _ in range(rng.integers(1, 4))]


def _walker(
    camera: np.ndarray, depth: float, bottom: float, height: float, rng: np.random.Generator
) -> Mover:
    height = height * rng.uniform(0.85, 1.05)
    way, speed = rng.choice((-1, 1)), height * rng.uniform(0.03, 0.06)
    wear = [kinds[rng.integers(len(kinds))] for kinds in things.CLOTHES]
    walk = [things.person(height, step / STEPS, wear) for step in range(STEPS)]
    walk = walk if way > 0 else [picture.mirrored() for picture in walk]
    lefts = _lefts(camera, depth, way * speed, rng)
    strides = np.arange(TIME) * speed / (0.7 * height) + rng.random()
    pictures = [walk[int(stride * STEPS) % STEPS] for stride in strides]
    bob = abs(np.sin(2 * np.pi * strides)) * 0.02 * height
    return Mover(pictures, bottom - height + bob, lefts)
