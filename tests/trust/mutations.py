"""Mutated files of every kind, read as the commands do; run as a program in a process of its own.

    python -m tests.trust.mutations FIRST COUNT FOLDER

It writes a JSON object for each kind: how often the file was read, refused in a sentence ("told"),
or neither.
"""

import faulthandler
import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from kvidgan import config as configs
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.media import tolerated, write_frames
from kvidgan.rollout import export_step
from kvidgan.rollout.description import read_description
from kvidgan.runs import Run
from tests.data.conftest import placed_source, save_idx
from tests.rollout.steps import predicting

PATIENCE = 20  # seconds that one file may take
FRAMES = np.random.default_rng(0).integers(0, 256, (5, 24, 32, 3), dtype=np.uint8)

Write = Callable[[Path], Path]  # writes a good file into a folder and returns its path
Read = Callable[[Path], object]  # reads it


def convert(path: Path, **reading: str) -> None:
    """Read a source as `prepare` does."""
    store = path.with_name("store.h5")
    prepare(open_source(path, Reading(**reading)), store, overwrite=True)
    store.unlink()


def animation(suffix: str, folder: Path) -> Path:
    """Write five pictures into one file."""
    first, *rest = (Image.fromarray(frame) for frame in FRAMES)
    path = folder / f"clip.{suffix}"
    first.save(path, save_all=True, append_images=rest)
    return path


def image(suffix: str, folder: Path) -> Path:
    """Write a film strip."""
    path = folder / f"strip.{suffix}"
    Image.fromarray(np.concatenate(FRAMES[:, :, :24], axis=1)).save(path)
    return path


def movie(suffix: str, folder: Path) -> Path:
    """Write five frames as a video, by way of .mp4."""
    from tests.media.test_video import ffmpeg

    write_frames(folder / "first.mp4", FRAMES, 10)
    path = folder / f"clip.{suffix}"
    ffmpeg("-i", folder / "first.mp4", path)
    return path


def array(folder: Path) -> Path:
    """Write an array."""
    np.save(folder / "clip.npy", FRAMES)
    return folder / "clip.npy"


def arrays(folder: Path) -> Path:
    """Write two arrays into one file."""
    np.savez_compressed(folder / "clip.npz", video=FRAMES, other=np.zeros(3))
    return folder / "clip.npz"


def hdf5(folder: Path) -> Path:
    """Write an array into an HDF5 file."""
    with h5py.File(folder / "clip.h5", "w") as file:
        file["video"] = FRAMES
    return folder / "clip.h5"


def matlab(folder: Path) -> Path:
    """Write an array as MATLAB does."""
    from scipy.io import savemat

    savemat(folder / "clip.mat", {"video": FRAMES})
    return folder / "clip.mat"


def digits(folder: Path) -> Path:
    """Write image files as MNIST's."""
    images = np.zeros((20, 28, 28), np.uint8)
    save_idx(folder / "t10k-images-idx3-ubyte", images)
    save_idx(folder / "train-images-idx3-ubyte.gz", images)
    return folder / "train-images-idx3-ubyte.gz"


def store(folder: Path) -> Path:
    """Write a clip store."""
    return prepare(placed_source(3, 4), folder / "clips.h5").path


def read_store(path: Path) -> None:
    """Verify a clip store."""
    with ClipStore.open(path) as opened:
        opened.verify()


def model(folder: Path) -> Path:
    """Write an exported file."""
    return export_step(*predicting(), folder / "mean.keras")


def run(folder: Path) -> Path:
    """Write the log of a run."""
    made = Run.create(folder / "run")
    points = [{"step": n, "epoch": 0, "wall_time": 1.5, "loss": 0.1} for n in range(9)]
    made.history_path.write_text("".join(json.dumps(point) + "\n" for point in points))
    return made.history_path


def config(folder: Path) -> Path:
    """Write a configuration."""
    text = "family: {name: mocogan, size: 32}\ndata: {path: moving_shapes}\ntrain: {epochs: 2}\n"
    (folder / "mine.yaml").write_text(text)
    return folder / "mine.yaml"


def listed(folder: Path) -> Path:
    """Write a list of videos, with one that is there."""
    write_frames(folder / "set" / "a.gif", FRAMES, 10)
    (folder / "list.csv").write_text("path,label,split\na.gif,walk,train\n")
    return folder / "list.csv"


def read_list(path: Path) -> None:
    """Read the videos that a list names."""
    open_source(path.parent / "set", Reading(file_list=str(path)))


def points(folder: Path) -> Path:
    """Write frames with a person's points."""
    for room in ("train_img", "train_openpose"):
        (folder / room / "s").mkdir(parents=True)
    Image.fromarray(FRAMES[0]).save(folder / "train_img" / "s" / "1.png")
    person = {"pose_keypoints_2d": [float(n) for n in range(75)]}
    path = folder / "train_openpose" / "s" / "1_keypoints.json"
    path.write_text(json.dumps({"people": [person]}))
    return path


def label_map(folder: Path) -> Path:
    """Write a frame with a label map."""
    for room, values in (("train_A", FRAMES[0, ..., 0] // 64), ("train_B", FRAMES[0])):
        (folder / room / "s").mkdir(parents=True)
        Image.fromarray(values).save(folder / room / "s" / "1.png")
    return folder / "train_A" / "s" / "1.png"


def palette(folder: Path) -> Path:
    """Write a file of colours."""
    path = label_map(folder)
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    Image.fromarray(colours[FRAMES[0, ..., 0] // 86]).save(path)
    (folder / "palette.txt").write_text("0 0 0 ground\n255 0 0 car\n#00ff00 tree\n")
    return folder / "palette.txt"


KINDS: dict[str, tuple[Write, Read]] = {
    **{suffix: (partial(animation, suffix), convert) for suffix in ("gif", "webp", "png", "tiff")},
    **{suffix: (partial(image, suffix), convert) for suffix in ("jpg", "bmp", "ppm", "jp2")},
    **{suffix: (partial(movie, suffix), convert) for suffix in ("mp4", "mkv", "avi", "webm")},
    "npy": (array, partial(convert, axes="THWC")),
    "npz": (arrays, partial(convert, axes="THWC")),
    "hdf5": (hdf5, partial(convert, axes="THWC")),
    "mat": (matlab, partial(convert, axes="THWC")),
    "idx": (digits, lambda path: convert(path.parent, layout="moving_mnist", clips=4)),
    "store": (store, read_store),
    "keras": (model, read_description),
    "history": (run, lambda path: Run(path.parent).history()),
    "yaml": (config, configs.load),
    "list": (listed, read_list),
    "keypoints": (points, lambda path: convert(path.parents[2])),
    "label map": (label_map, lambda path: convert(path.parents[2])),
    "palette": (palette, lambda path: convert(path.parent, palette=str(path))),
}


def mutated(data: bytes, seed: int) -> bytes:
    """Change bits, cut, blank, repeat or take out a part of a file."""
    rng, found = np.random.default_rng(seed), bytearray(data)
    size = len(found)
    place, length = int(rng.integers(size)), int(rng.integers(1, max(2, size // 8)))
    match seed % 6:
        case 0:
            for one in rng.integers(size, size=int(rng.integers(1, 9))):
                found[one] ^= 1 << int(rng.integers(8))
        case 1:
            del found[place:]
        case 2:
            found[place : place + length] = bytes(length)
        case 3:
            found[place:place] = found[place : place + length]
        case 4:
            del found[place : place + length]
        case _:
            found[place : place + length] = rng.bytes(length)
    return bytes(found)


def attempt(read: Read, path: Path) -> str:
    """Read a file; return what came of it."""
    try:
        with tolerated(lambda error: None):
            read(path)
    except UserError as error:
        text = str(error)
        return "told" if text.count("\n") == 0 and len(text) < 1000 else f"long: {text[:200]}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return "read"


def main(first: int, count: int, folder: Path) -> None:
    """Mutate each kind of file by so many seeds, and read what comes of it."""
    for kind, (write, read) in KINDS.items():
        place = folder / kind
        place.mkdir()
        path = write(place)
        good, outcomes = path.read_bytes(), Counter[str]()
        assert attempt(read, path) == "read", f"{kind}: {attempt(read, path)}"
        for seed in range(first, first + count):
            path.write_bytes(mutated(good, seed))
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            outcome = attempt(read, path)
            outcomes[outcome if outcome in ("read", "told") else f"{seed}: {outcome}"] += 1
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps({"kind": kind, **outcomes}), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
