"""Which images of a folder follow each other."""

from pathlib import PurePosixPath

import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.layouts.sequences import sequences
from tests.data.conftest import save_frames, video


def told(*names):
    found = sequences([PurePosixPath("f") / name for name in names])
    named = {key: [image.name for image in part] for key, part in found.named.items()}
    return named, [i.name for i in found.doubled], [i.name for i in found.others]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # one sequence
        (["frame10.png", "frame2.png"], {"": ["frame2.png", "frame10.png"]}),
        (["b.png", "a.png", "c.png"], {"": ["a.png", "b.png", "c.png"]}),
        (["Frame1.png", "frame2.png"], {"": ["Frame1.png", "frame2.png"]}),
        (["1.5.png", "1.25.png", "10.1.png"], {"": ["1.25.png", "1.5.png", "10.1.png"]}),
        (["a1_640x480.png", "a2_640x480.png"], {"": ["a1_640x480.png", "a2_640x480.png"]}),
        (
            ["t_101_77.png", "t_102_3.png", "t_103_90.png"],
            {"": ["t_101_77.png", "t_102_3.png", "t_103_90.png"]},
        ),
        (["one.png"], {"": ["one.png"]}),
        # several
        (
            ["clipA_000.png", "clipA_001.png", "clipB_000.png", "clipB_001.png"],
            {
                "clipA": ["clipA_000.png", "clipA_001.png"],
                "clipB": ["clipB_000.png", "clipB_001.png"],
            },
        ),
        (
            ["cam0_1.png", "cam0_2.png", "cam0_10.png", "cam1_1.png", "cam1_2.png", "cam1_10.png"],
            {
                "cam0": ["cam0_1.png", "cam0_2.png", "cam0_10.png"],
                "cam1": ["cam1_1.png", "cam1_2.png", "cam1_10.png"],
            },
        ),
        (
            ["000_left.png", "001_left.png", "000_right.png", "001_right.png"],
            {
                "left": ["000_left.png", "001_left.png"],
                "right": ["000_right.png", "001_right.png"],
            },
        ),
    ],
)
def test_names_tell_sequences_apart(names, expected):
    assert told(*names) == (expected, [], [])
    assert told(*reversed(names)) == (expected, [], [])


def test_the_same_frame_twice_is_one_and_a_cover_is_none():
    names = ["1.jpg", "1.png", "2.jpg", "2.png", "3.jpg", "cover.jpg"]
    assert told(*names) == ({"": ["1.png", "2.png", "3.jpg"]}, ["1.jpg", "2.jpg"], ["cover.jpg"])


def test_a_folder_of_two_sequences_is_two_videos(tmp_path):
    first, second = video(1, 4), video(2, 3)
    save_frames(tmp_path / "walk", first)
    for path in (tmp_path / "walk").iterdir():
        path.rename(path.with_name(f"a_{path.name}"))
    save_frames(tmp_path / "other", second)
    for path in (tmp_path / "other").iterdir():
        path.rename(tmp_path / "walk" / f"b_{path.name}")
    source = open_source(tmp_path)
    assert [(v.name, v.length) for v in source.videos] == [("walk/a_frame", 4), ("walk/b_frame", 3)]
    assert source.classes == ["walk"]
