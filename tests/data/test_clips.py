from itertools import islice

import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.data.builtin import registry as builtin
from kvidgan.data.clips import open_clip, open_labels, take
from kvidgan.data.convert import prepare
from kvidgan.data.labels import find_labels, found_label_set
from kvidgan.data.layouts import media_files
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import (
    ROWS,
    placed,
    placed_source,
    save_frames,
    save_labelled,
    save_strip,
    source_of,
    video,
)
from tests.textures import moving_square


def frames_of(clip):
    return np.stack(list(clip.frames))


@pytest.fixture
def folders(tmp_path):
    """Frame folders Train/episode_1 to _3 and Test/episode_4 to _11, of as many frames."""
    for number in (1, 2, 3, 4, 11):
        split = "Train" if number < 4 else "Test"
        save_frames(tmp_path / "set" / split / f"episode_{number}", video(number, number))
    return tmp_path / "set"


@pytest.fixture
def store(folders, tmp_path):
    return prepare(open_source(folders), tmp_path / "set.h5").path


def test_one_frame_folder(folders):
    clip = open_clip(folders / "Train" / "episode_3")
    assert (clip.name, clip.fps, clip.length) == ("episode_3", None, 3)
    assert clip.note == "episode_3, 3 frames of 8x8"
    np.testing.assert_array_equal(frames_of(clip), video(3, 3))


def test_one_gif_and_one_mp4(tmp_path):
    shown = video(40, 4, side=16)
    for name, fps in (("a.gif", 12.5), ("a.mp4", 24.0)):
        media.write_frames(tmp_path / name, shown, fps)
        clip = open_clip(tmp_path / name)
        assert (clip.name, clip.fps, clip.length) == (name, fps, None)
        assert clip.note == f"{name}, 16x16"
        found = frames_of(clip)
        assert (found.dtype, found.shape) == (np.uint8, shown.shape)


def test_a_video_file_without_a_rate(tmp_path, monkeypatch):
    media.write_frames(tmp_path / "a.gif", video(4, 3), 10)
    monkeypatch.setattr(media_files, "probe_video", lambda *_: media.VideoFacts(None, 3, 8, 8))
    assert open_clip(tmp_path / "a.gif").fps is None


def test_one_strip_and_one_array(tmp_path):
    save_strip(tmp_path / "walk.png", video(5, 6))
    np.save(tmp_path / "x.npy", video(6, 5, channels=1))
    for name, shown in (("walk.png", video(5, 6)), ("x.npy", video(6, 5, channels=1))):
        clip = open_clip(tmp_path / name)
        assert (clip.name, clip.length) == (name, len(shown))
        np.testing.assert_array_equal(frames_of(clip), shown)


def test_many_videos_of_an_array(tmp_path):
    np.save(tmp_path / "x.npy", np.stack([video(n, 4) for n in range(3)]))
    clip = open_clip(tmp_path / "x.npy", 2, Reading(axes="NTHWC"))
    assert clip.note == "x.npy/000002, 4 frames of 8x8, one of 3 videos"
    np.testing.assert_array_equal(frames_of(clip), video(2, 4))


def test_a_built_in_set(monkeypatch):
    small = builtin.SETS["maze"]._replace(clips=5, test=2)
    monkeypatch.setitem(builtin.SETS, "maze", small)
    clip = open_clip("maze")
    choice = "the first of 2 test videos of 5"
    assert clip.note == f"000003, 40 frames of 160x210, {choice}"
    np.testing.assert_array_equal(take(clip, 7, 2)[0], builtin.SETS["maze"].draw(0, 3)[7:9])


@pytest.mark.parametrize("kind", ["folders", "store"])
def test_the_default_is_the_first_of_test(kind, request):
    clip = open_clip(request.getfixturevalue(kind))
    assert (clip.name, clip.length) == ("Test/episode_4", 4)
    assert clip.note == ("Test/episode_4, 4 frames of 8x8, the first of 2 test videos of 5")
    np.testing.assert_array_equal(frames_of(clip), video(4, 4))


def test_the_default_without_test(tmp_path):
    videos = [video(n, 3) for n in range(3)]
    for splits, number, said in (
        (["train", "val", "val"], 1, "the first of 2 val videos of 3"),
        (None, 0, "the first of 3 videos"),
    ):
        path = prepare(source_of(videos, splits), tmp_path / f"{number}.h5").path
        clip = open_clip(path)
        assert said in clip.note
        np.testing.assert_array_equal(frames_of(clip), video(number, 3))


@pytest.mark.parametrize("kind", ["folders", "store"])
@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("Train/episode_2", 2),
        ("episode_11", 11),
        ("_3", 3),
        ("11", 11),  # no such number, but an ending
        ("1", 11),  # the second video
        (0, 4),
        ("04", None),
        ("episode_1", 1),  # not the ending of episode_11, either
    ],
)
def test_choosing_a_video(kind, wanted, number, request):
    path = request.getfixturevalue(kind)
    if number is None:
        with pytest.raises(UserError, match="has no video"):
            open_clip(path, wanted)
        return
    clip = open_clip(path, wanted)
    assert clip.name.endswith(f"/episode_{number}")
    assert clip.note.endswith("one of 5 videos")
    np.testing.assert_array_equal(frames_of(clip), video(number, number))


def test_an_exact_name_goes_before_a_number(tmp_path):
    for name in ("2", "3", "4"):
        save_frames(tmp_path / name, video(int(name), 3))
    assert open_clip(tmp_path, "2").name == "2"
    assert open_clip(tmp_path, 1).name == "3"


def test_an_ending_at_a_folder_goes_before_any(tmp_path):
    for name in ("x/a", "x/ba", "x/c"):
        save_frames(tmp_path / name, video(1, 3))
    assert open_clip(tmp_path, "a").name == "x/a"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("episode_5", r"set has no video 'episode_5': expected the name of one of its 5 videos,"),
        ("Train/episode_30", "such as Train/episode_3, or a number from 0 to 4"),
        ("5", r"has no video '5': expected .*, or a number from 0 to 4"),
        ("-1", "has no video '-1'"),
        ("", "5 videos of .* end in '', such as .*: give more of the name"),
        ("/episode", "has no video '/episode'"),
    ],
)
def test_unknown_videos(folders, wanted, message):
    with pytest.raises(UserError, match=message):
        open_clip(folders, wanted)


def test_endings_of_several_videos(tmp_path):
    for name in ("run_a", "walk_a", "b"):
        save_frames(tmp_path / name, video(1, 3))
    message = "2 videos of .* end in '_a', such as run_a and walk_a: give more of the name"
    with pytest.raises(UserError, match=message):
        open_clip(tmp_path, "_a")


def test_unknown_video_of_a_single_one(tmp_path):
    save_strip(tmp_path / "walk.png", video(5, 6))
    with pytest.raises(UserError, match=r"no video 'run': it has one only, walk\.png\."):
        open_clip(tmp_path / "walk.png", "run")


def test_what_is_no_clip(tmp_path, store):
    with pytest.raises(UserError, match="nowhere does not exist and is no built-in data set"):
        open_clip(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no videos"):
        open_clip(tmp_path / "empty")
    with pytest.raises(UserError, match=r"set\.h5 is a clip store and has no layout: leave out 'v"):
        open_clip(store, reading=Reading(layout="videos"))
    with pytest.raises(UserError, match="maze is drawn and has no layout"):
        open_clip("maze", reading=Reading(layout="videos"))
    (tmp_path / "bad.h5").write_text("no")
    with pytest.raises(UserError, match=r"bad\.h5 is not an HDF5 file"):
        open_clip(tmp_path / "bad.h5")


def test_a_forced_layout(strips):
    save_strip(strips / "0" / "2.png", video(2, 10))
    assert open_clip(strips, "0").length == 10
    assert open_clip(strips, "0", Reading(layout="frame_folders")).length == 2


def test_damage_at_the_beginning_and_on_the_way(folders):
    bad = folders / "Test" / "episode_4" / "frame3.png"
    bad.write_bytes(bad.read_bytes()[:-30])
    clip = open_clip(folders)
    assert len(list(islice(clip.frames, 2))) == 2
    with pytest.raises(UserError, match=r"frame3\.png is a damaged image"):
        next(clip.frames)
    with pytest.raises(UserError, match=r"frame3\.png is a damaged image"):
        take(open_clip(folders), 0, 4)
    first = bad.with_name("frame1.png")
    first.write_bytes(first.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"frame1\.png is a damaged image"):
        open_clip(folders)


def test_asking_for_a_video_that_was_skipped(folders, tmp_path):
    for frame in (folders / "Test" / "episode_4").iterdir():
        frame.write_bytes(b"no")
    message = r"Test/episode_4 in .* cannot be used: .*frame1\.png is not a readable image"
    for path in (folders, prepare(open_source(folders), tmp_path / "s.h5").path):
        assert open_clip(path).name == "Test/episode_11"
        with pytest.raises(UserError, match=message):
            open_clip(path, "episode_4")


def test_videos_without_frames(tmp_path, monkeypatch):
    media.write_frames(tmp_path / "a.gif", video(4, 3), 10)
    monkeypatch.setattr(media_files, "read_video", lambda *_: (iter(()), 10.0))
    with pytest.raises(UserError, match=r"a\.gif in .* holds no frame: choose another"):
        open_clip(tmp_path / "a.gif")


def test_stores_are_read_in_blocks_as_asked_for(tmp_path, monkeypatch):
    path = prepare(source_of([video(0, 40)]), tmp_path / "s.h5").path
    read, seen = ClipStore.read, []

    def watched(self, video, start, stop, step=1):
        seen.append((start, stop))
        return read(self, video, start, stop, step)

    monkeypatch.setattr(ClipStore, "read", watched)
    clip = open_clip(path)
    assert seen == [(0, 8)]
    np.testing.assert_array_equal(take(clip, 5, 12)[0], video(0, 40)[5:17])
    assert seen[-1] == (16, 24)
    np.testing.assert_array_equal(frames_of(clip), video(0, 40)[17:])


def test_take_leaves_the_truth_that_follows(folders):
    clip = open_clip(folders, "episode_11")
    taken, following = take(clip, 2, 4)
    np.testing.assert_array_equal(taken, video(11, 11)[2:6])
    np.testing.assert_array_equal(list(following), video(11, 11)[6:])


def test_take_with_a_stride(folders):
    taken, following = take(open_clip(folders, "episode_11"), 1, 3, stride=2)
    np.testing.assert_array_equal(taken, video(11, 11)[[1, 3, 5]])
    np.testing.assert_array_equal(list(following), video(11, 11)[[7, 9]])
    message = "has 11 frames: expected at least 12, 3 of history from frame 3 on, 4 apart;"
    with pytest.raises(UserError, match=message):
        take(open_clip(folders, "episode_11"), 3, 3, stride=4)


@pytest.mark.parametrize(
    ("start", "count", "found", "message"),
    [
        (
            2,
            4,
            3,
            "has 3 frames: expected at least 6, 4 of history from frame 2 on; choose a longer",
        ),
        (9, 1, 3, "has 3 frames: expected at least 10, 1 of history from frame 9 on; choose a "),
        (
            0,
            4,
            1,
            "has 1 frame: expected at least 4, 4 of history from frame 0 on; choose a longer",
        ),
    ],
)
def test_clips_that_are_too_short(folders, start, count, found, message):
    with pytest.raises(UserError, match=f"^Train/episode_{found} {message}") as caught:
        take(open_clip(folders, f"episode_{found}"), start, count)
    assert str(caught.value).endswith(" or a smaller --start." if start else "a longer clip.")


def test_real_clips(real_data):
    paths = sorted((real_data / "clips").iterdir())
    for path in paths:
        clip = open_clip(path)
        assert 5 <= clip.fps <= 60
        first, following = take(clip, 3, 2)
        assert f"{first.shape[2]}x{first.shape[1]}" in clip.note
        assert next(following).shape == first.shape[1:]
    assert f"the first of {len(paths)} videos" in open_clip(real_data / "clips").note


def test_real_frame_folders(real_data):
    clip = open_clip(real_data / "mspacman")
    assert clip.name.startswith("Test/")
    assert clip.note.endswith("150 frames of 160x210, the first of 6 test videos of 20")
    assert take(clip, 0, 4)[0].shape == (4, 210, 160, 3)
    assert open_clip(real_data / "mspacman", "055").name == "Test/episode_055"


# --- labels


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_labels_come_with_a_clip(tmp_path, kind):
    save_labelled(tmp_path / "set", "s2", 0, 20)
    save_labelled(tmp_path / "set", "s1", 1, 3)
    path = tmp_path / "set"
    if kind == "store":
        path = prepare(open_source(path), tmp_path / "s.h5").path
    clip = open_clip(path, "s2")
    assert clip.label_set == ROWS
    taken, _ = take(clip, 4, 2)
    np.testing.assert_array_equal(taken, placed(0, 20)[0][4:6])
    labels = np.stack(list(clip.labels))
    np.testing.assert_array_equal(labels, placed(0, 20)[1]["labels"], "all, whatever was taken")
    small = open_clip(path, "s2", size=(12, 12))
    assert next(small.frames).shape == (12, 12, 3)
    np.testing.assert_array_equal(
        list(small.labels), media.fit_maps(placed(0, 20)[1]["labels"], 12, 12)
    )


def test_labels_of_a_built_in_set():
    clip = open_clip("streets", 3)
    assert clip.label_set.names == builtin.streets.CLASSES
    labels = list(islice(clip.labels, 5))
    np.testing.assert_array_equal(labels, builtin.streets.maps(0, 3)["labels"][:5])


def test_clips_without_labels(folders, store):
    for path in (folders, store, "maze"):
        clip = open_clip(path)
        assert (clip.labels, clip.label_set) == (None, None)


@pytest.mark.parametrize("size", [None, (20, 30)])
def test_labels_are_found_in_a_clip(tmp_path, size):
    media.write_frames(tmp_path / "a.mp4", moving_square(12)[0], 25)
    clip = open_clip(tmp_path / "a.mp4", labels="edges", size=size)
    assert (clip.label_set, clip.fps) == (found_label_set("edges"), 25)
    frames = frames_of(clip)
    assert frames.shape[1:3] == (size or (64, 64))
    np.testing.assert_array_equal(list(clip.labels), list(find_labels("edges", frames)))


def test_found_labels_may_replace_those_that_come_with_a_clip(tmp_path):
    save_labelled(tmp_path, "s", 0, 3)
    assert open_clip(tmp_path, labels="foreground").label_set == found_label_set("foreground")


def test_label_maps_alone(tmp_path):
    save_labelled(tmp_path, "s2", 0, 11)
    save_labelled(tmp_path, "s10", 1, 3)
    _, maps = placed(0, 11)
    choice = "the first of 2 videos"
    for path, name, note in (
        (tmp_path / "train_A" / "s2", "s2", "s2, 11 frames of 32x24"),
        (tmp_path / "train_A", "s2", f"s2, 11 frames of 32x24, {choice}"),
        (tmp_path, "s2", f"s2, 11 frames of 32x24, {choice}"),
    ):
        clip = open_labels(path)
        assert (clip.name, clip.label_set, clip.length, clip.note) == (name, ROWS, 11, note)
        np.testing.assert_array_equal(list(clip.labels), maps["labels"])
    assert len(list(open_labels(tmp_path / "train_A", "s10").labels)) == 3
    (small, *_) = open_labels(tmp_path, size=(12, 16)).labels
    np.testing.assert_array_equal(small, media.fit_maps(maps["labels"][:1], 12, 16)[0])


def test_masks_alone(tmp_path):
    for number in range(3):
        mask = Image.new("L", (20, 10), 255 * (number % 2))
        mask.save(tmp_path / f"{number}.png")
    clip = open_labels(tmp_path)
    assert clip.label_set.names == ("background", "foreground")
    assert [int(labels[0, 0]) for labels in clip.labels] == [0, 1, 0]


def test_what_are_no_label_maps(tmp_path, strips):
    noise = tmp_path / "noise"
    noise.mkdir()
    colours = np.random.default_rng(0).integers(0, 256, (2, 20, 25, 3), np.uint8)
    for number, frame in enumerate(colours):
        Image.fromarray(frame).save(noise / f"{number}.png")
    with pytest.raises(UserError, match=r"have 1000 colours, .*/noise/1\.png"):
        open_labels(noise)
    with pytest.raises(UserError, match="holds film strips without label maps: expected a folder"):
        open_labels(strips)


def test_labels_are_read_as_asked_for(tmp_path, monkeypatch):
    """However long the clip: the maps of a store in blocks, those of files one by one."""
    path = prepare(placed_source(40), tmp_path / "s.h5").path
    read, seen = ClipStore.read_map, []

    def watched(self, name, video, start, stop, step=1):
        seen.append((start, stop))
        return read(self, name, video, start, stop, step)

    monkeypatch.setattr(ClipStore, "read_map", watched)
    clip = open_clip(path)
    assert seen == []
    assert len(list(islice(clip.labels, 9))) == 9
    assert list(dict.fromkeys(seen)) == [(0, 8), (8, 16)]
