"""Registry of layouts: how videos lie in folders and files, recognised and read.

A layout is one line in `LAYOUTS`: a function that recognises it in a listing and a function that
turns the listing into videos.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from kvidgan.data.layouts.annotations import without_annotations
from kvidgan.data.layouts.arrays import arrays, is_arrays
from kvidgan.data.layouts.cityscapes import cityscapes, is_cityscapes
from kvidgan.data.layouts.davis import davis, is_davis
from kvidgan.data.layouts.files import Tree, list_files
from kvidgan.data.layouts.hmdb51 import hmdb51, is_hmdb51
from kvidgan.data.layouts.kth import is_kth, kth
from kvidgan.data.layouts.labelled_folders import is_labelled_folders, labelled_folders
from kvidgan.data.layouts.labelled_frames import is_labelled_frames, labelled_frames
from kvidgan.data.layouts.listed import labelled_by, restricted
from kvidgan.data.layouts.lists import read_list
from kvidgan.data.layouts.media_files import (
    film_strips,
    frame_folders,
    is_film_strips,
    is_frame_folders,
    is_videos,
    videos,
)
from kvidgan.data.layouts.moving_mnist import is_moving_mnist, moving_mnist
from kvidgan.data.layouts.poses import is_poses, poses
from kvidgan.data.layouts.tfrecords import is_tfrecords, tfrecords
from kvidgan.data.layouts.ucf101 import is_ucf101, ucf101
from kvidgan.data.reading import Reading, option_name
from kvidgan.data.source import Skipped, Source
from kvidgan.errors import UserError

EXPECTED = (
    "film strips, frame folders, video files, label maps in train_A beside frames in train_B,"
    " arrays of NumPy, MATLAB or HDF5, TFRecords, the images of MNIST, or a data set such as UCF101"
    " or DAVIS as unpacked"
)


class Layout(NamedTuple):
    """Layout: one way in which videos lie in folders and files.

    Attributes:
        recognise: Function that returns whether a listing has this layout.
        read: Function that returns the videos of a listing as a source.
        options: Names of the options that `read` takes by keyword.
        whole: Whether a video needs more than its own file or folder, such as label maps in
            another one.
    """

    recognise: Callable[[Tree], bool]
    read: Callable[..., Source]
    options: tuple[str, ...] = ()
    whole: bool = False


# In the order in which they are tried: data sets by their own trees first, then what any folder may
# be; a folder of film strips is a folder of images, too.
LAYOUTS = {
    "labelled_frames": Layout(
        is_labelled_frames, labelled_frames, ("classes", "palette", "bit_depth"), whole=True
    ),
    "poses": Layout(is_poses, poses, whole=True),
    "cityscapes": Layout(is_cityscapes, cityscapes, ("classes", "select"), whole=True),
    "davis": Layout(is_davis, davis, ("classes", "select", "palette"), whole=True),
    "ucf101": Layout(is_ucf101, ucf101, ("official_split", "fps")),
    "hmdb51": Layout(is_hmdb51, hmdb51, ("official_split", "fps")),
    "kth": Layout(is_kth, kth, ("fps",), whole=True),
    "labelled_folders": Layout(
        is_labelled_folders,
        labelled_folders,
        ("classes", "select", "palette", "bit_depth"),
        whole=True,
    ),
    "film_strips": Layout(is_film_strips, film_strips, ("bit_depth",)),
    "videos": Layout(is_videos, videos, ("fps", "bit_depth")),
    "frame_folders": Layout(is_frame_folders, frame_folders, ("bit_depth",)),
    "tfrecords": Layout(is_tfrecords, tfrecords, ("select",)),
    "arrays": Layout(is_arrays, arrays, ("axes", "select", "bit_depth")),
    "moving_mnist": Layout(is_moving_mnist, moving_mnist, ("clips",)),
}
# Layouts of any folder: what looks like annotations of pictures beside it is no video there.
PLAIN = ("film_strips", "videos", "frame_folders", "arrays")


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
    if reading.file_list is None:
        return _opened(tree, reading)
    if not tree.path.is_dir():
        raise UserError(
            f"{path} is one file: expected a folder with --list, which names its files."
        )
    files = read_list(reading.file_list, tree.root)
    named = [entry.path for entry in files.entries]
    rest = reading.model_copy(update={"file_list": None})
    if not LAYOUTS[_layout(tree, rest)].whole:
        tree, left_out = restricted(tree, files.entries)
    else:
        left_out = []
    source = labelled_by(_opened(tree, rest, named), files)
    return replace(source, skipped=source.skipped + left_out)


def _opened(tree: Tree, reading: Reading, kept: Sequence[PurePosixPath] = ()) -> Source:
    """Open a listing; what annotates pictures beside it is left out but for files to be kept."""
    layout = _layout(tree, reading)
    annotations: list[Skipped] = []
    if layout in PLAIN:
        tree, annotations = without_annotations(tree, kept)
        layout = _layout(tree, reading) if annotations else layout
    source = _read(tree, layout, reading.options())
    guesses = [f"{one.name} {one.reason}: --list reads what it names" for one in annotations[:1]]
    source = replace(source, skipped=source.skipped + annotations, guesses=source.guesses + guesses)
    if not source.videos:
        damaged = [skipped for skipped in source.skipped if skipped.damaged]
        why = f"{damaged[0].name}: {damaged[0].reason}" if damaged else f"found {tree.found()}"
        raise UserError(f"{tree.path} holds no usable {layout.replace('_', ' ')}: {why}.")
    return source


def _layout(tree: Tree, reading: Reading) -> str:
    """Return the name of the layout that is asked for, or recognised."""
    if reading.layout != "auto":
        return reading.layout
    name = next((name for name, one in LAYOUTS.items() if one.recognise(tree)), None)
    if name is None:
        foreign = tree.foreign()
        if foreign:
            raise UserError(f"{tree.path} holds no videos that are read: {foreign}.")
        raise UserError(f"{tree.path} holds no videos: expected {EXPECTED}, found {tree.found()}.")
    return name


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
    if not names:
        return "folders of videos"
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"the layout{'s' * (len(names) > 1)} {listed}"
