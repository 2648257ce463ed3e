import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.conftest import save_labelled
from tests.data.layouts.trees import prepared, save_image, save_text, save_video, skipped

A, B, C = ("train", [10, 11]), ("test", [50, 51]), ("val", [90, 91])


@pytest.fixture
def root(tmp_path):
    """Three videos, one with a space, a comma and quotes in its name, and a fourth."""
    for number, name in enumerate(('a b, "c".avi', "x/two.avi", "three.avi", "four.avi")):
        save_video(tmp_path / "d" / name, 40 * number + 10, 2)
    return tmp_path / "d"


FIRST = '"a b, ""c"".avi"'  # the first name, as CSV quotes it
CSV = {
    "a header": f"path,label,split\n{FIRST},run,train\nx/two.avi,walk,test\nthree.avi,run,val",
    "another order": f"split,extra,path,class\ntrain,1,{FIRST},run\ntest,,x/two.avi,walk\n"
    "validation,,three.avi,run",
    "no header": f"{FIRST},run,train\nx/two.avi,walk,test\nthree.avi,run,val",
    "spaces": f" {FIRST} , run , Training\n\nx/two.avi , walk, TEST\nthree.avi ,run,val\n\n",
    "semicolons": f"path;label;split\n{FIRST};run;train\nx/two.avi;walk;test\nthree.avi;run;val",
    "tabs": f"{FIRST}\trun\ttrain\nx/two.avi\twalk\ttest\nthree.avi\trun\tval",
    "Windows": f"path,label,split\r\n{FIRST},run,train\r\nx\\two.avi,walk,test\r\n"
    "three.avi,run,val\r\n",
    "slashes": 'path,label,split\n"/a b, ""c"".avi",run,train\n./x/two.avi,walk,test\n'
    "/three.avi,run,val",
}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", CSV)
def test_csv(root, tmp_path, name, mark):
    path = tmp_path / "list.csv"
    path.write_text(mark + CSV[name], encoding="utf-8", newline="")
    assert prepared(root, tmp_path / "s.h5", file_list=str(path)) == {
        'a b, "c".avi': ("run", *A),
        "x/two.avi": ("walk", *B),
        "three.avi": ("run", *C),
    }
    assert skipped(root, file_list=str(path)) == {"four.avi": "not in the list"}


TEXT = {
    "paths": ('a b, "c".avi\nx/two.avi\n', (None, "x")),  # by its folder
    "labels": ('a b, "c".avi 2\nx/two.avi 10\n', ("2", "10")),
    "quotes": ('\'a b, "c".avi\' wide\n"x/two.avi" low\n', ("wide", "low")),
}


@pytest.mark.parametrize("name", TEXT)
def test_text(root, tmp_path, name):
    text, labels = TEXT[name]
    (root / "mine.txt").write_text(text)  # found inside of the folder, too
    found = prepared(root, tmp_path / "s.h5", file_list="mine.txt")
    assert found == {
        'a b, "c".avi': (labels[0], "", A[1]),
        "x/two.avi": (labels[1], "", B[1]),
    }
    if name == "labels":
        assert open_source(root, Reading(file_list="mine.txt")).classes == ["2", "10"]


def test_paths_relative_to_the_list(root, tmp_path):
    save_text(root / "lists" / "one.txt", "../x/two.avi", "../four.avi")
    found = prepared(root, tmp_path / "s.h5", file_list=str(root / "lists" / "one.txt"))
    assert list(found) == ["four.avi", "x/two.avi"]


def test_two_columns_of_splits_are_a_guess(root, tmp_path):
    save_text(tmp_path / "l.csv", "x/two.avi,train", "three.avi,test")
    source = open_source(root, Reading(file_list=str(tmp_path / "l.csv")))
    assert [v.split for v in source.videos] == ["test", "train"]
    assert source.guesses == [
        "the second column of l.csv is taken for splits: a header of path,label says otherwise"
    ]
    save_text(tmp_path / "l.csv", "path,label", "x/two.avi,train", "three.avi,test")
    assert open_source(root, Reading(file_list=str(tmp_path / "l.csv"))).classes == [
        "test",
        "train",
    ]


def test_frame_folders_and_film_strips(tmp_path):
    root = tmp_path / "d"
    for folder, grey in (("run/a", 10), ("run/b", 50), ("junk/c", 90)):
        for time in range(2):
            save_image(root / folder / f"{time}.png", grey + time)
    save_video(root / "other.avi", 5)
    save_text(tmp_path / "l.csv", "path,label,split", "run/a/,left,train", "run/b,right,test")
    found = prepared(root, tmp_path / "s.h5", file_list=str(tmp_path / "l.csv"))
    assert found == {"run/a": ("left", *A), "run/b": ("right", *B)}


def test_a_folder_stands_for_all_in_it(root, tmp_path):
    save_text(tmp_path / "l.csv", "path,label,split", "x,walk,test", "three.avi,run,train")
    save_video(root / "x" / "deep" / "five.avi", 200, 1)
    found = prepared(root, tmp_path / "s.h5", file_list=str(tmp_path / "l.csv"))
    assert found["x/deep/five.avi"] == ("walk", "test", [200])
    assert found["x/two.avi"] == ("walk", *B)


def test_the_list_wins_over_folders(tmp_path):
    root = tmp_path / "d"
    for name in ("train/run/a.avi", "train/run/b.avi", "test/walk/c.avi"):
        save_video(root / name, 9, 2)
    save_text(tmp_path / "l.csv", "path,split", "train/run/a.avi,test", "test/walk/c.avi,train")
    found = prepared(root, tmp_path / "s.h5", file_list=str(tmp_path / "l.csv"))
    assert {name: one[:2] for name, one in found.items()} == {
        "train/run/a.avi": ("run", "test"),
        "test/walk/c.avi": ("walk", "train"),
    }


def test_labelled_videos_keep_their_maps(tmp_path):
    root = tmp_path / "d"
    for number, name in enumerate(("s1", "s2", "s3")):
        save_labelled(root, name, number, 2)
    save_text(tmp_path / "l.csv", "train_B/s3,test", "train_B/s1,train")
    source = open_source(root, Reading(file_list=str(tmp_path / "l.csv")))
    assert [(v.name, v.split) for v in source.videos] == [("s1", "train"), ("s3", "test")]
    assert len(list(source.videos[1].read_maps())) == 2
    assert "s2" in {one.name for one in source.skipped}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"is an empty list"),
        ("path,label\n", r"is an empty list"),
        (
            "gone.avi\nthree.avi\nlost.avi",
            r"names 2 files of 3 that are missing, such as gone",
        ),
        ("path,split\nthree.avi,train\nthree.avi,test", r"two splits, train in line 2 and test in"),
        (
            "path,label\nthree.avi,a\nthree.avi,b",
            r"three\.avi has two labels, a in line 2 and b",
        ),
        ("path,split\nthree.avi,foo", r"line 2: expected a split such as .*, found 'foo'"),
        ("name2,label\nthree.avi,a", r"expected a column called path, found name2, label"),
        ("three.avi,a,train,9", r"expected path, label and split, found 4 columns"),
        ("three.avi,a\nfour.avi", r"line 2: expected 2 columns as in other lines, found 1"),
        ("path,label\nthree.avi,a\nfour.avi,", r"line 3: four\.avi has no label"),
        ('path,label\n"three.avi,a', r"line 2: a quote is not closed"),
        ("path,split\nx,train\nx/two.avi,test", r"x/two\.avi has two splits, test in line 3 and"),
        ("../other.avi", r"line 1: \.\./other\.avi lies outside of"),
        ("notes.txt\nthree.avi", r"line 1: notes\.txt is no video or folder of frames"),
    ],
)
def test_lists_that_are_wrong(root, tmp_path, text, said):
    save_video(tmp_path / "other.avi", 7)
    save_text(root / "notes.txt", "about")
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        open_source(root, Reading(file_list=str(tmp_path / "l.csv")))


def test_a_single_frame_stands_for_no_video(tmp_path):
    for time in range(3):
        save_image(tmp_path / "d" / "a" / f"{time}.png", time)
    save_text(tmp_path / "l.txt", "a/0.png", "a/1.png")
    with pytest.raises(UserError, match=r"a/0\.png is no video or folder of frames"):
        open_source(tmp_path / "d", Reading(file_list=str(tmp_path / "l.txt")))


def test_no_list_and_no_text(root, tmp_path):
    save_text(tmp_path / "one.txt", "three.avi")
    with pytest.raises(UserError, match=r"three\.avi is one file: expected a folder with --list"):
        open_source(root / "three.avi", Reading(file_list=str(tmp_path / "one.txt")))
    with pytest.raises(UserError, match=r"--list: expected a file, found nothing at gone\.csv"):
        open_source(root, Reading(file_list="gone.csv"))
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match=r"cannot be read as text: save the list as UTF-8"):
        open_source(root, Reading(file_list=str(tmp_path / "l.txt")))
