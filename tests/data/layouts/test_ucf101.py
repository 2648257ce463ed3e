import shutil

import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.layouts.trees import prepared, save_image, save_text, save_video, skipped

GROUPS = {"g01": "test", "g08": "train", "g09": "train"}
CLASSES = ("Archery", "ApplyEyeMakeup", "HandstandPushups")  # as numbered below, not by name
LISTS = "ucfTrainTestlist"


def file_name(label, group):
    return f"v_{label.replace('stand', 'Stand')}_{group}_c01"


def save_lists(folder):
    """Split 1 tests group 01, split 2 tests group 08."""
    save_text(folder / "classInd.txt", *(f"{n} {one}" for n, one in enumerate(CLASSES, start=1)))
    for number, tested in (("01", "g01"), ("02", "g08")):
        rows = {"train": [], "test": []}
        for place, label in enumerate(CLASSES, start=1):
            for group in GROUPS:
                line = f"{label}/{file_name(label, group)}.avi"
                split = "test" if group == tested else "train"
                rows[split].append(line if split == "test" else f"{line} {place}")
        for split, lines in rows.items():
            save_text(folder / f"{split}list{number}.txt", *lines)


def grey(label, group):
    return 60 * CLASSES.index(label) + 10 * list(GROUPS).index(group) + 5


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    for label in CLASSES:
        for group in GROUPS:
            save_video(
                folder / "UCF-101" / label / f"{file_name(label, group)}.avi", grey(label, group), 3
            )
    save_lists(folder / LISTS)
    return folder


def expected(folder, tested="g01", suffix=".avi"):
    return {
        f"{folder}{label}/{file_name(label, group)}{suffix}": (
            label,
            "test" if group == tested else "train",
            [grey(label, group) + time for time in range(3)],
        )
        for label in CLASSES
        for group in GROUPS
    }


def test_classes_and_splits_by_the_lists(root, tmp_path):
    assert prepared(root, tmp_path / "a.h5") == expected("UCF-101/")
    source = open_source(root)
    assert (source.layout, source.classes) == ("ucf101", list(CLASSES))
    assert source.guesses == ["split 1 of 2 is taken: --split says otherwise"]
    assert [v.name for v in source.videos] == sorted(expected("UCF-101/"), key=str.lower)


def test_another_official_split(root, tmp_path):
    found = prepared(root, tmp_path / "a.h5", official_split=2)
    assert found == expected("UCF-101/", tested="g08")
    assert open_source(root, Reading(official_split=2)).guesses == []
    with pytest.raises(UserError, match=r"lists of the splits 1, 2: expected one .* found 3\.$"):
        open_source(root, Reading(official_split=3))


@pytest.mark.parametrize("place", ["inside", "beside", "side by side"])
def test_lists_elsewhere(root, tmp_path, place):
    videos = root / "UCF-101"
    if place == "inside":
        shutil.move(root / LISTS, videos / LISTS)
    elif place == "side by side":
        for folder in videos.iterdir():
            shutil.move(folder, root / folder.name)
        videos.rmdir()
        videos = root
    assert prepared(videos, tmp_path / "a.h5") == expected("")


def test_frames_of_the_videos(tmp_path):
    root = tmp_path / "data"
    for label in CLASSES:
        for group in GROUPS:
            for time in range(3):
                name = f"{file_name(label, group)}/frame{time + 1:06d}.png"
                save_image(root / "jpegs_256" / name, grey(label, group) + time)
    save_lists(root / LISTS)
    found = prepared(root, tmp_path / "a.h5")
    assert found == {
        f"jpegs_256/{name.split('/')[1]}": one for name, one in expected("", suffix="").items()
    }


def test_windows_line_ends_and_a_byte_order_mark(root, tmp_path):
    for path in (root / LISTS).iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert prepared(root, tmp_path / "a.h5") == expected("UCF-101/")


def test_missing_and_unlisted_videos(root):
    folder = root / "UCF-101"
    (folder / "Archery" / f"{file_name('Archery', 'g08')}.avi").unlink()
    shutil.rmtree(folder / "HandstandPushups")
    save_video(folder / "Archery" / "v_Archery_g77_c01.avi", 9)
    said = skipped(root)
    assert said["UCF-101/Archery/v_Archery_g77_c01.avi"] == "in no list of the split"
    assert said["Archery/v_Archery_g08_c01"] == "listed but missing"
    assert said["HandstandPushups/v_HandStandPushups_g08_c01"] == (
        "listed but missing, with all of its class, as are 2 more"
    )
    source = open_source(root)
    assert source.classes == ["Archery", "ApplyEyeMakeup"]
    damaged = [one.name for one in source.skipped if one.damaged]
    assert damaged == ["Archery/v_Archery_g08_c01"], "a class that is not there is no damage"


def test_fps_reaches_the_videos(root):
    (video, *_) = open_source(root, Reading(fps=50)).videos
    assert (video.probe().fps, len(list(video.read()))) == (50, 6)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("trainlist01.txt", "v_Archery_g08_c01.avi 1", r"expected lines such as CLASS/VIDEO\.avi"),
        ("classInd.txt", "Archery 1", r"expected lines of a number and a class"),
        ("testlist01.txt", b"\xff\xfe\x00", r"cannot be read as text"),
    ],
)
def test_lists_that_are_broken(root, file, text, said):
    path = root / LISTS / file
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=said):
        open_source(root)


def test_a_video_in_both_lists(root):
    path = root / LISTS / "testlist01.txt"
    path.write_text(path.read_text() + "Archery/v_Archery_g08_c01.avi\n")
    with pytest.raises(UserError, match=r"v_Archery_g08_c01 is listed for train and for test"):
        open_source(root)


def test_one_file_is_read_as_it_is(root):
    path = root / "UCF-101" / "Archery" / "v_Archery_g77_c01.avi"
    save_video(path, 9)
    assert open_source(path).layout == "videos"


def test_without_lists_it_is_a_folder_of_videos(root):
    shutil.rmtree(root / LISTS)
    source = open_source(root)
    assert (source.layout, source.classes) == ("videos", sorted(CLASSES))
    with pytest.raises(UserError, match=r"expected trainlist01\.txt and testlist01\.txt in it"):
        open_source(root, Reading(layout="ucf101"))
    with pytest.raises(UserError, match=r"no --split, found 2; leave it out, it is for"):
        open_source(root, Reading(official_split=2))
