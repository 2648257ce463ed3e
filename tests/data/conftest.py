"""Small sources, as files, that every test of this folder may ask for."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.listing import Source, Video


def video(number, length, side=8, channels=3):
    """Frames that tell which video (first row) and which frame (second row) they are."""
    frames = np.zeros((length, side, side, channels), np.uint8)
    frames[:, 0] = number
    frames[:, 1] = np.arange(length)[:, None, None]
    return frames


def save_strip(path, frames, axis=1, form="png"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(frames, axis=axis)).save(path, form)


def save_frames(folder, frames):
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"frame{number}.png")


class Memory:
    """A source's videos, held in memory; picklable as they must be."""

    def __init__(self, frames):
        self.frames = frames

    def __call__(self):
        return iter(self.frames)


def source_of(videos, splits=None, classes=(), name="memory"):
    """A source of arrays (time, height, width, channels)."""
    made = [
        Video(
            f"video{number}",
            Memory(frames),
            class_index=number % len(classes) if classes else -1,
            split=splits[number] if splits else "",
            length=len(frames),
        )
        for number, frames in enumerate(videos)
    ]
    return Source("arrays", Path(name), made, classes=list(classes))


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
