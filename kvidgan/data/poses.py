"""Poses: points of bodies, faces and hands as OpenPose writes them, drawn as label maps."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kvidgan.errors import UserError

CLASSES = (
    "background", "torso", "head", "right upper arm", "right forearm", "left upper arm",
    "left forearm", "right thigh", "right shin", "left thigh", "left shin", "right foot",
    "left foot", "face", "right hand", "left hand",
)  # fmt: skip
CONFIDENT = 0.1  # points of less confidence are left out
_SLENDER = 30.0  # a limb's width is this part of the figure's height
_FINE = 120.0  # lines of face and fingers likewise
_WIDEST, _FARTHEST = 255, 16000  # pixels

# Pairs of points by the part that they are of; the 18 points of COCO, and what BODY_25 has besides.
_ARMS_AND_HEAD = {
    "head": ((0, 1), (0, 14), (0, 15), (14, 16), (15, 17)),
    "right upper arm": ((2, 3),),
    "right forearm": ((3, 4),),
    "left upper arm": ((5, 6),),
    "left forearm": ((6, 7),),
}
_COCO = _ARMS_AND_HEAD | {
    "torso": ((1, 2), (1, 5), (1, 8), (1, 11), (8, 11)),
    "right thigh": ((8, 9),),
    "right shin": ((9, 10),),
    "left thigh": ((11, 12),),
    "left shin": ((12, 13),),
}
_BODY_25 = _ARMS_AND_HEAD | {
    "head": ((0, 1), (0, 15), (0, 16), (15, 17), (16, 18)),
    "torso": ((1, 2), (1, 5), (1, 8), (8, 9), (8, 12)),
    "right thigh": ((9, 10),),
    "right shin": ((10, 11),),
    "left thigh": ((12, 13),),
    "left shin": ((13, 14),),
    "right foot": ((11, 22), (22, 23), (11, 24)),
    "left foot": ((14, 19), (19, 20), (14, 21)),
}
_BODIES = {18: _COCO, 25: _BODY_25}
_TORSOS = {18: (2, 5, 11, 8), 25: (2, 5, 12, 9)}  # shoulders and hips, around


def _chain(*points: int) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise(points))


_FACE = (
    *_chain(*range(17)),  # jaw
    *_chain(*range(17, 22)), *_chain(*range(22, 27)),  # brows
    *_chain(*range(27, 31)), *_chain(*range(31, 36)),  # nose
    *_chain(*range(36, 42), 36), *_chain(*range(42, 48), 42),  # eyes
    *_chain(*range(48, 60), 48), *_chain(*range(60, 68), 60),  # lips
)  # fmt: skip
_HAND = tuple(pair for tip in range(4, 21, 4) for pair in _chain(0, *range(tip - 3, tip + 1)))
_FINE_PARTS = {
    "face": ("face_keypoints", 70, _FACE),
    "left hand": ("hand_left_keypoints", 21, _HAND),
    "right hand": ("hand_right_keypoints", 21, _HAND),
}


class Person(NamedTuple):
    """Person: points of one figure, float (points, 3) each: x and y in pixels, and confidence.

    Attributes:
        body: 25 points of BODY_25, or 18 of COCO.
        parts: Points of "face", "left hand" and "right hand", where there are such.
    """

    body: np.ndarray
    parts: dict[str, np.ndarray]

    @property
    def height(self) -> float:
        """Longer side of the box around the points of the body, pixels."""
        seen = self.body[self.body[:, 2] >= CONFIDENT]
        return float(np.ptp(seen[:, :2], axis=0).max()) if len(seen) else 0.0


def read_people(path: Path) -> list[Person]:
    """Read the people of one frame from OpenPose's JSON.

    Raises:
        UserError: If the file is damaged, or holds other points.
    """
    try:
        people = json.loads(path.read_text("utf-8"))["people"]
        return [_person(path, one) for one in people]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged or not of OpenPose: expected JSON with people and their"
            " pose_keypoints_2d; write it again."
        ) from error


def _person(path: Path, one: dict[str, Any]) -> Person:
    body = _points(one, "pose_keypoints")
    if len(body) not in _BODIES:
        raise UserError(
            f"{path}: expected 25 points (BODY_25) or 18 (COCO) a person, found {len(body)}; write"
            " it with one of these models."
        )
    seen = body[body[:, 2] >= CONFIDENT, :2]
    if len(seen) > 1 and np.abs(seen).max() <= 1.0:
        raise UserError(
            f"{path} has points from 0 to 1: expected pixels; write it with --keypoint_scale 0."
        )
    parts = {}
    for name, (key, count, _) in _FINE_PARTS.items():
        points = _points(one, key)
        if len(points) == count:
            parts[name] = points
    return Person(body, parts)


def _points(one: dict[str, Any], key: str) -> np.ndarray:
    """Return points, which newer versions name with an ending."""
    values = np.asarray(one.get(f"{key}_2d", one.get(key, [])), np.float64).reshape(-1, 3)
    if not np.isfinite(values).all():
        raise ValueError("expected numbers")
    return values


def draw_people(people: Iterable[Person], size: tuple[int, int]) -> np.ndarray:
    """Draw people as a label map, smaller figures behind larger ones.

    Limbs are lines, and between shoulders and hips the torso is filled.

    Args:
        people: Points of each.
        size: Height and width of the map, pixels.

    Returns:
        Places in `CLASSES`, uint8 (height, width).
    """
    labels = np.zeros(size, np.uint8)
    for person in sorted(people, key=lambda one: one.height):
        _fill_torso(labels, person.body)
        for name, pairs in _BODIES[len(person.body)].items():
            _draw(labels, person.body, pairs, CLASSES.index(name), person.height / _SLENDER)
        for name, points in person.parts.items():
            value = CLASSES.index(name)
            _draw(labels, points, _FINE_PARTS[name][2], value, person.height / _FINE)
    return labels


def _fill_torso(labels: np.ndarray, body: np.ndarray) -> None:
    import cv2

    corners = body[list(_TORSOS[len(body)])]
    if (corners[:, 2] >= CONFIDENT).all():
        cv2.fillConvexPoly(labels, _pixels(corners), CLASSES.index("torso"))


def _draw(
    labels: np.ndarray,
    points: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    value: int,
    width: float,
) -> None:
    """Draw lines between the points that are certain."""
    import cv2

    places = _pixels(points).tolist()
    for start, end in pairs:
        if min(points[start, 2], points[end, 2]) >= CONFIDENT:
            thickness = min(max(1, round(width)), _WIDEST)
            cv2.line(labels, places[start], places[end], value, thickness)


def _pixels(points: np.ndarray) -> np.ndarray:
    """Round to pixels, and bring near what is far outside: OpenCV draws no farther."""
    rounded: np.ndarray = np.rint(np.clip(points[:, :2], -_FARTHEST, _FARTHEST))
    return rounded.astype(np.int32)
