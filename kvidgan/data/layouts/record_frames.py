"""Frames of a record: which of its features are the frames of a video, and their pixels."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

_NUMBER = re.compile(r"\d+")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_SIDE = 8  # the least of a raw frame: shorter values are names and numbers
_CHANNELS = (1, 3)


class Frames(NamedTuple):
    """Frames: the frames of one camera in one record.

    Attributes:
        contents: Content of each frame: a PNG, a JPEG or raw values, in their order.
        size: Height and width in pixels of raw frames; None for square ones.
    """

    contents: Sequence[bytes]
    size: tuple[int, int] | None


def find_frames(example: Any) -> dict[str, Frames]:
    """Return the videos of a record by name.

    Args:
        example: A `tf.train.SequenceExample`, as which an `Example` is read, too.
    """
    features = dict(example.context.feature)
    lists = {name: list(f.bytes_list.value) for name, f in features.items()}
    found = {name: values for name, values in lists.items() if len(values) > 1}
    for name, one in example.feature_lists.feature_list.items():
        values = [value for feature in one.feature for value in feature.bytes_list.value]
        found |= {name: values} if len(values) > 1 else {}
    found |= _numbered({name: values[0] for name, values in lists.items() if len(values) == 1})
    videos = {}
    for name, contents in found.items():
        size = _stated_size(features, name)
        if all(_is_frame(content, size) for content in contents[:1]):
            videos[_plain(name)] = Frames(contents, size)
    return videos


def _numbered(values: Mapping[str, bytes]) -> dict[str, list[bytes]]:
    """Return values whose names differ in one number, in its order, by the name without it."""
    groups: dict[str, dict[int, str]] = defaultdict(dict)
    for name in values:
        for match in _NUMBER.finditer(name):
            groups[f"{name[: match.start()]}#{name[match.end() :]}"][int(match[0])] = name
    best: dict[str, str] = {}  # of the groups that a name is in, the largest
    for key in sorted(groups, key=lambda key: len(groups[key])):
        best |= dict.fromkeys(groups[key].values(), key)
    found = {}
    for key in set(best.values()):
        members = groups[key]
        if len(members) > 1 and all(best[name] == key for name in members.values()):
            numbers = sorted(members)
            _check_complete(key, numbers)
            found[key] = [values[members[number]] for number in numbers]
    return found


def _check_complete(key: str, numbers: list[int]) -> None:
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if missing:
        raise ValueError(f"{key.replace('#', str(missing[0]))} is missing")


def _plain(name: str) -> str:
    """Return what names a camera: `image_main` of `#/image_main/encoded`."""
    parts = [part for part in re.split(r"[/#]", name) if part.strip("_-. ")]
    parts = parts[:-1] if len(parts) > 1 and parts[-1] in ("encoded", "raw") else parts
    return "/".join(part.strip("_-. ") for part in parts) or name


def _stated_size(features: Mapping[str, Any], name: str) -> tuple[int, int] | None:
    """Return the (height, width) that a record states, next to the frames or anywhere."""
    sides = []
    for what in ("height", "width"):
        stated = {
            key: int(feature.int64_list.value[0])
            for key, feature in features.items()
            if re.split(r"[/_.]", key.lower())[-1] == what and feature.int64_list.value
        }
        camera = _plain(name)
        near = {value for key, value in stated.items() if camera in key} or set(stated.values())
        sides.append(near.pop() if len(near) == 1 else None)
    height, width = sides
    return None if height is None or width is None else (height, width)


# --- pixels


def decode_frame(content: bytes, size: tuple[int, int] | None) -> np.ndarray:
    """Return a frame, uint8 (height, width, 1 or 3).

    Args:
        content: A PNG, a JPEG, or raw values.
        size: Height and width of raw values; None if they are square.

    Raises:
        ValueError: If raw values are not of the size; OSError if a picture is damaged.
    """
    if content.startswith(_PICTURES):
        with Image.open(BytesIO(content)) as image:
            if ";16" in str(image.tile[0].args if image.tile else ""):
                raise ValueError("expected 8 bit, found 16")
            return np.array(image.convert("RGB"))
    shape = _raw_shape(content, size)
    if shape is None:
        expected = f"{size[1]}x{size[0]}" if size else "square"
        raise ValueError(f"expected {expected} pixels of 1 or 3 bytes, found {len(content)} bytes")
    return np.frombuffer(content, np.uint8).reshape(shape).copy()


def frame_size(content: bytes, size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the (height, width) of a frame."""
    height, width, _ = decode_frame(content, size).shape
    return height, width


def _is_frame(content: bytes, size: tuple[int, int] | None) -> bool:
    return content.startswith(_PICTURES) or _raw_shape(content, size) is not None


def _raw_shape(content: bytes, size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    for channels in _CHANNELS:
        side = math.isqrt(len(content) // channels)
        height, width = size or (side, side)
        if min(height, width) >= _SIDE and height * width * channels == len(content):
            return height, width, channels
    return None
