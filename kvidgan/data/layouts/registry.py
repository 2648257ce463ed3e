"""Registry of layouts: how videos lie in folders and files, recognised and read.

A layout is one line in `LAYOUTS`: a function that recognises it in a listing and a function that
turns the listing into videos.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kvidgan.data.layouts.arrays import arrays, is_arrays
from kvidgan.data.layouts.files import Tree, list_files
from kvidgan.data.layouts.labelled_frames import is_labelled_frames, labelled_frames
from kvidgan.data.layouts.media_files import (
    film_strips,
    frame_folders,
    is_film_strips,
    is_frame_folders,
    is_videos,
    videos,
)
from kvidgan.data.layouts.moving_mnist import is_moving_mnist, moving_mnist
from kvidgan.data.layouts.tfrecords import is_tfrecords, tfrecords
from kvidgan.data.reading import Reading, option_name
from kvidgan.data.source import Source
from kvidgan.errors import UserError

EXPECTED = (
    "film strips, frame folders, video files, label maps in train_A beside frames in train_B,"
    " arrays of NumPy, MATLAB or HDF5, TFRecords or the images of MNIST"
)


class Layout(NamedTuple):
    """Layout: one way in which videos lie in folders and files.

    Attributes:
        recognise: Function that returns whether a listing has this layout.
        read: Function that returns the videos of a listing as a source.
        options: Names of the options that `read` takes by keyword.
    """

    recognise: Callable[[Tree], bool]
    read: Callable[..., Source]
    options: tuple[str, ...] = ()


# In the order in which they are tried: a folder of film strips is a folder of images, too.
LAYOUTS = {
    "labelled_frames": Layout(is_labelled_frames, labelled_frames, ("classes", "bit_depth")),
    "film_strips": Layout(is_film_strips, film_strips, ("bit_depth",)),
    "videos": Layout(is_videos, videos, ("fps", "bit_depth")),
    "frame_folders": Layout(is_frame_folders, frame_folders, ("bit_depth",)),
    "tfrecords": Layout(is_tfrecords, tfrecords, ("select",)),
    "arrays": Layout(is_arrays, arrays, ("axes", "select", "bit_depth")),
    "moving_mnist": Layout(is_moving_mnist, moving_mnist, ("clips",)),
}


def open_source(path: str | Path, reading: Reading = Reading()) -> Source:
    """Recognise the layout of a folder or file and list its videos.

    Args:
        path: Folder, video, image strip or array file.
        reading: How the files are to be read.

    Raises:
        UserError: If the path does not exist, holds no videos, or does not fit the forced layout,
            or if an option is set that the layout does not take.

    Example:
        source = open_source("my_videos")
        print(source.describe())  # videos: 2 videos
        first = next(source.videos[0].read())  # uint8 (height, width, 3)
    """
    tree = list_files(Path(path))
    asked = reading.layout
    fitting = [n for n, one in LAYOUTS.items() if asked in (n, "auto") and one.recognise(tree)]
    if not fitting and asked == "auto":
        foreign = tree.foreign()
        if foreign:
            raise UserError(f"{path} holds no videos that are read: {foreign}.")
        raise UserError(f"{path} holds no videos: expected {EXPECTED}, found {tree.found()}.")
    source = _read(tree, fitting[0] if asked == "auto" else asked, reading.options())
    if not source.videos:
        damaged = [skipped for skipped in source.skipped if skipped.damaged]
        why = f"{damaged[0].name}: {damaged[0].reason}" if damaged else f"found {tree.found()}"
        raise UserError(f"{path} holds no usable {source.layout.replace('_', ' ')}: {why}.")
    return source


def _read(tree: Tree, layout: str, options: dict[str, Any]) -> Source:
    takes_fps = "fps" in LAYOUTS[layout].options
    fps = options.get("fps") if takes_fps else options.pop("fps", None)
    for name, value in options.items():
        if name not in LAYOUTS[layout].options:
            raise UserError(
                f"{tree.path} holds {layout.replace('_', ' ')}, which are read as they are:"
                f" expected no {option_name(name)}, found {value}; leave it out, it is for"
                f" {layouts_with_option(name)}."
            )
    source = LAYOUTS[layout].read(tree, **options)
    if fps is None or takes_fps:
        return source
    return replace(source, videos=[replace(one, fps=fps, probe=None) for one in source.videos])


def layouts_with_option(option: str) -> str:
    """Return in words which layouts take an option."""
    names = [name for name, one in LAYOUTS.items() if option in one.options]
    return f"the layout{'s' * (len(names) > 1)} {' and '.join(names)}"
