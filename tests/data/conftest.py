"""Small sources, as files, that every test of this folder may ask for."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kvidgan.contract import ClipSpec
from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Source, Video


def video(number, length, side=8, channels=3):
    """Frames that tell which video (first row) and which frame (second row) they are."""
    frames = np.zeros((length, side, side, channels), np.uint8)
    frames[:, 0] = number
    frames[:, 1] = np.arange(length)[:, None, None]
    return frames


def frames_of(one):
    """Read a whole video: uint8 (time, height, width, channels)."""
    return np.stack(list(one.read()))


def save_strip(path, frames, axis=1, form="png"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(frames, axis=axis)).save(path, form)


def save_frames(folder, frames):
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"frame{number}.png")


def damage(path):
    """Cut off the end of a file."""
    path.write_bytes(path.read_bytes()[:-30])


def save_labelled(root, name, number, length, split="train", form="png", instances=False):
    """Write a sequence of `placed` in the layout labelled_frames."""
    frames, maps = placed(number, length)
    rooms = {"A": maps["labels"], "B": frames, "inst": maps["instances"]}
    for room in rooms if instances else "AB":
        folder = root / f"{split}_{room}" / name
        folder.mkdir(parents=True)
        for time, values in enumerate(rooms[room]):
            suffix = form if room == "B" else "png"
            Image.fromarray(values).save(folder / f"{time}.{suffix}")


class Memory:
    """A source's videos, held in memory; picklable as they must be."""

    def __init__(self, frames):
        self.frames = frames

    def __call__(self):
        return iter(self.frames)


def source_of(videos, splits=None, classes=(), name="memory", maps=None, labels=None):
    """A source of arrays (time, height, width, channels), and of {map: array} for each."""
    made = [
        Video(
            f"video{number}",
            Memory(frames),
            class_index=number % len(classes) if classes else -1,
            split=splits[number] if splits else "",
            length=len(frames),
            read_maps=Memory(by_frame(maps[number])) if maps else None,
        )
        for number, frames in enumerate(videos)
    ]
    return Source("arrays", Path(name), made, classes=list(classes), labels=labels)


def by_frame(maps):
    """Turn {map: array} into one {map: array} a frame."""
    return [dict(zip(maps, values, strict=True)) for values in zip(*maps.values(), strict=True)]


def frame_records(frames, maps=None):
    """What a store's writer takes."""
    rest = by_frame(maps) if maps else [{}] * len(frames)
    return [{"frames": frame, **more} for frame, more in zip(frames, rest, strict=True)]


PLACES = np.indices((24, 32), dtype=np.uint8).transpose(1, 2, 0)  # (y, x) of each pixel


def placed(number, length):
    """A video of 24x32 whose pixels, labels and instances all tell their place and time.

    Red and the label are the row, green and the instance's last digits the column, blue and the
    instance's first digits the time.
    """
    frames = np.zeros((length, 24, 32, 3), np.uint8)
    frames[..., :2] = PLACES
    frames[..., 2] = 100 * number + np.arange(length)[:, None, None]
    labels = np.repeat(PLACES[None, ..., 0], length, axis=0)
    instances = 100 * frames[..., 2].astype(np.uint16) + frames[..., 1]
    return frames, {"labels": labels, "instances": instances}


ROWS = LabelSet("ids", tuple(map(str, range(24))))


def placed_source(*lengths, **about):
    """A source of such videos."""
    videos = [placed(number, length) for number, length in enumerate(lengths)]
    frames, maps = zip(*videos, strict=True)
    return source_of(frames, maps=maps, labels=ROWS, **about)


@pytest.fixture
def strips(tmp_path):
    """Four film strips in two classes, 8x8, with 10 to 13 frames."""
    root = tmp_path / "strips"
    for number in range(4):
        save_strip(root / f"{number % 2}" / f"{number}.png", video(number, 10 + number))
    return root


def save_idx(path, images, magic=2051):
    """Write images, uint8 (images, height, width), as MNIST's files have them."""
    sizes = b"".join(int(size).to_bytes(4, "big") for size in (magic, *images.shape))
    content = sizes + images.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def save_mnist(folder, ending="-idx3-ubyte.gz", side=28):
    """Write 90 training images and 10 test images, each full of its own grey: 100 to 199."""
    greys = np.arange(100, 200, dtype=np.uint8)[:, None, None]
    images = np.broadcast_to(greys, (100, side, side))
    save_idx(folder / f"train-images{ending}", images[:90])
    save_idx(folder / f"t10k-images{ending}", images[90:])


def clip_spec(num_frames, height, width, channels, **options):
    """An entry of a batch, in one line."""
    return ClipSpec(num_frames=num_frames, height=height, width=width, channels=channels, **options)
