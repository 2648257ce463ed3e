import pickle
from dataclasses import replace

import numpy as np
import pytest

from kvidgan.data.convert import prepare
from kvidgan.data.labels import find_labels, found_label_set
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.transforms import held_out, resized, with_labels
from kvidgan.errors import UserError
from kvidgan.media import fit_frames, fit_maps
from tests.data.conftest import damage, placed, placed_source, save_frames, source_of, video


def read(one):
    maps = list(one.read_maps()) if one.read_maps else []
    return np.stack(list(one.read())), maps


def test_resized_videos():
    whole = placed_source(3).videos[0]
    small = resized(whole, (12, 12))
    frames, maps = read(pickle.loads(pickle.dumps(small)))
    expected, values = placed(0, 3)
    assert (small.height, small.width, small.length) == (12, 12, 3)
    np.testing.assert_array_equal(frames, fit_frames(expected, 12, 12, 3))
    for name in values:
        np.testing.assert_array_equal(
            [one[name] for one in maps], fit_maps(values[name], 12, 12), err_msg=name
        )
    assert resized(whole, None) is whole


def test_labels_found_in_the_frames():
    source = source_of([video(3, 5, side=20)])
    seen = with_labels(source, "edges")
    assert seen.labels == found_label_set("edges")
    frames, maps = read(pickle.loads(pickle.dumps(seen.videos[0])))
    np.testing.assert_array_equal([m["labels"] for m in maps], list(find_labels("edges", frames)))
    with pytest.raises(UserError, match=r"memory brings label maps of its own, ids of 24 classes:"):
        with_labels(placed_source(3), "edges")


def test_the_last_frames_of_every_video_are_held_out():
    source = held_out(placed_source(7, 5), 2)
    frames, maps = placed(0, 7)
    assert [(v.name, v.split, v.length) for v in source.videos] == [
        ("video0 (frames 0 to 4)", "train", 5),
        ("video0 (frames 5 to 6)", "test", 2),
        ("video1 (frames 0 to 2)", "train", 3),
        ("video1 (frames 3 to 4)", "test", 2),
    ]
    for one, part in zip(source.videos, (slice(0, 5), slice(5, 7)), strict=False):
        found, found_maps = read(pickle.loads(pickle.dumps(one)))
        np.testing.assert_array_equal(found, frames[part])
        np.testing.assert_array_equal([m["labels"] for m in found_maps], maps["labels"][part])


def test_frames_of_a_video_of_unknown_length_are_counted():
    source = source_of([video(0, 9)])
    source = replace(source, videos=[replace(source.videos[0], length=None)])
    assert [v.length for v in held_out(source, 4).videos] == [5, 4]


def test_data_that_nothing_can_be_held_out_of():
    with pytest.raises(UserError, match="memory has splits, test and train: expected data without"):
        held_out(source_of([video(0, 5)] * 2, splits=["train", "test"]), 2)
    for length, said in ((1, "1 frame:"), (5, "5 frames:")):
        with pytest.raises(
            UserError, match=f"video0 has {said} expected more than the 5 of --test"
        ):
            held_out(source_of([video(0, length)]), 5)


def test_a_video_that_breaks_off_is_skipped(tmp_path):
    for name in ("a", "b"):
        save_frames(tmp_path / "src" / name, video(0, 4))
    source = open_source(tmp_path / "src")
    damage(tmp_path / "src" / "b" / "frame2.png")
    unknown = [replace(one, length=None) for one in source.videos]
    found = held_out(replace(source, videos=unknown), 1)
    assert [v.name for v in found.videos] == ["a (frames 0 to 2)", "a (frames 3 to 3)"]
    assert found.skipped[0].reason.startswith("b/frame2.png is a damaged image")
    with pytest.raises(UserError, match=r"holds no usable video: .* such as b: b/frame2\.png is a"):
        held_out(replace(source, videos=unknown[1:]), 1)


def test_flow_begins_anew_in_the_held_out_part(tmp_path):
    report = prepare(placed_source(9), tmp_path / "s.h5", test_frames=4)
    with ClipStore.open(report.path) as store:
        assert store.splits == ["test", "train"]
        for number in (0, 1):
            trusted = store.read_map("confidence", number, 0, 4).all((1, 2))
            assert trusted.tolist() == [False, True, True, True]
        np.testing.assert_array_equal(store.read(1, 0, 4), placed(0, 9)[0][5:])
