import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.layouts.trees import prepared, save_image, save_text, save_video, skipped

PERSONS = {11: "train", 18: "train", 19: "val", 1: "val", 22: "test", 10: "test"}


@pytest.fixture
def root(tmp_path):
    for number, person in enumerate(PERSONS):
        for action in ("walking", "boxing"):
            name = f"{action}/person{person:02d}_{action}_d1_uncomp.avi"
            save_video(tmp_path / "kth" / name, 20 * number + 100 * (action == "walking"), 12)
    return tmp_path / "kth"


def test_classes_and_splits_by_person(root, tmp_path):
    found = prepared(root, tmp_path / "a.h5")
    assert found == {
        f"{action}/person{person:02d}_{action}_d1_uncomp.avi": (
            action,
            split,
            [20 * number + 100 * (action == "walking") + time for time in range(12)],
        )
        for action in ("boxing", "walking")
        for number, (person, split) in enumerate(PERSONS.items())
    }
    assert "whole files, since there is no 00sequences.txt" in open_source(root).note


def test_ranges_of_frames(root, tmp_path):
    save_text(
        root / "00sequences.txt",
        "Every sequence is in a file of its own.",
        "",
        "person11_boxing_d1\t\tframes\t1-4, 5-12",
        "person22_walking_d1\tframes 3-5, 7-7",
        "person13_handclapping_d3\t*missing*",
    )
    found = prepared(root, tmp_path / "a.h5")
    assert found == {
        "boxing/person11_boxing_d1_uncomp.avi (frames 1 to 4)": ("boxing", "train", [0, 1, 2, 3]),
        "boxing/person11_boxing_d1_uncomp.avi (frames 5 to 12)": (
            "boxing",
            "train",
            list(range(4, 12)),
        ),
        "walking/person22_walking_d1_uncomp.avi (frames 3 to 5)": (
            "walking",
            "test",
            [182, 183, 184],
        ),
        "walking/person22_walking_d1_uncomp.avi (frames 7 to 7)": ("walking", "test", [186]),
    }
    assert skipped(root)["boxing/person18_boxing_d1_uncomp.avi"] == "not in 00sequences.txt"


def test_ranges_at_another_rate(root):
    save_text(root / "00sequences.txt", "person11_boxing_d1 frames 1-4, 5-12")
    first, second = open_source(root, Reading(fps=50)).videos
    assert [int(frame[0, 0, 0]) for frame in first.read()] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (first.probe().length, second.probe().length) == (8, 16)


def test_a_range_behind_the_end(root, tmp_path):
    save_text(root / "00sequences.txt", "person11_boxing_d1 frames 9-14")
    (video,) = open_source(root).videos
    sentence = r"uncomp\.avi has no 14 frames: 4 of the 6 that 00sequences\.txt names from 9 on are"
    with pytest.raises(UserError, match=sentence):
        list(video.read())
    (kept,) = prepared(root, tmp_path / "a.h5").values()
    assert kept == ("boxing", "train", [8, 9, 10, 11])


def test_flat_and_as_frames(tmp_path):
    flat, frames = tmp_path / "flat", tmp_path / "frames"
    for person in (11, 22):
        name = f"person{person}_jogging_d2_uncomp"
        save_video(flat / f"{name}.avi", person, 3)
        for time in range(3):
            save_image(frames / "jogging" / name / f"image_{time:03d}.png", person + time)
    expected = {
        11: ("jogging", "train", [11, 12, 13]),
        22: ("jogging", "test", [22, 23, 24]),
    }
    name = "person{}_jogging_d2_uncomp"
    assert prepared(flat, tmp_path / "a.h5") == {
        f"{name.format(person)}.avi": one for person, one in expected.items()
    }
    assert prepared(frames, tmp_path / "b.h5") == {
        f"jogging/{name.format(person)}": one for person, one in expected.items()
    }


def test_a_person_too_many(root):
    save_video(root / "boxing" / "person26_boxing_d1_uncomp.avi", 5)
    assert skipped(root) == {"boxing/person26_boxing_d1_uncomp.avi": "not of the set's 25 persons"}


@pytest.mark.parametrize("text", ["person11_boxing_d1 frames 1-4, 9-5", "nothing"])
def test_a_text_that_is_broken(root, text):
    save_text(root / "00sequences.txt", text)
    with pytest.raises(UserError, match=r"00sequences\.txt: expected .* copy it again"):
        open_source(root)


def test_weizmann_is_a_folder_of_videos(tmp_path):
    for person in ("daria", "eli"):
        save_video(tmp_path / "d" / "walk" / f"{person}_walk.avi", 9, 2)
        save_video(tmp_path / "d" / "run" / f"{person}_run1.avi", 50, 2)
    found = prepared(tmp_path / "d", tmp_path / "a.h5")
    assert found["walk/eli_walk.avi"] == ("walk", "", [9, 10])
    assert found["run/daria_run1.avi"] == ("run", "", [50, 51])
