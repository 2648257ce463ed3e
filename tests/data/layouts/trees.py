"""Trees of data sets, written with Pillow and PyAV, that tests of several layouts ask for."""

import av
import numpy as np
from PIL import Image

from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore

SIDE = 16


def save_video(path, grey, length=4, fps=25):
    """Write a video without loss whose frame number t is of one grey, `grey` + t."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=fps)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "bgr0"
        for time in range(length):
            image = np.full((SIDE, SIDE, 3), grey + time, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())


def save_image(path, values, palette=None):
    """Write an image: a number, for a picture of one grey, or an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(values, int):
        values = np.full((SIDE, SIDE, 3), values, np.uint8)
    image = Image.fromarray(values)
    if palette is not None:
        image = Image.fromarray(values, "P") if image.mode != "P" else image
        image.putpalette(palette)
    image.save(path)


def save_text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def prepared(root, destination, **options):
    """Read a tree into a store, as the command does; return {name: (class, split, greys)}.

    Greys are those of the first pixel of each frame.
    """
    source = open_source(root, Reading(**options))
    report = prepare(source, destination, overwrite=True)
    with ClipStore.open(report.path) as store:
        found = {}
        for number, row in enumerate(store.index):
            frames = store.read(number, 0, int(row["length"]))
            label = store.classes[row["class"]] if row["class"] >= 0 else None
            found[str(row["name"])] = (label, str(row["split"]), frames[:, 0, 0, 0].tolist())
        store.verify()
    return found


def skipped(root, **options):
    """What is skipped of a tree: {name: reason}."""
    return {s.name: s.reason for s in open_source(root, Reading(**options)).skipped}
