import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kvidgan.data import convert as module
from kvidgan.data import parts
from kvidgan.data.convert import fingerprint_of, prepare
from kvidgan.data.labels import LabelSet, find_labels, found_label_set
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import (
    ROWS,
    damage,
    placed_source,
    save_frames,
    save_labelled,
    save_strip,
    source_of,
    video,
)
from tests.textures import texture


def test_a_source_becomes_a_store(strips, tmp_path):
    seen = []
    report = prepare(open_source(strips), tmp_path / "s.h5", on_progress=lambda *a: seen.append(a))
    assert (report.written, report.skipped, report.cached) == (4, [], False)
    assert seen[-1] == (4, 4, "1/3.png")
    with ClipStore.open(report.path) as store:
        assert (store.name, store.source, store.classes) == ("strips", "strips", ["0", "1"])
        np.testing.assert_array_equal(store.read(3, 0, 13), video(3, 13))
        store.verify()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.h5", "strips"]


def test_a_second_time_does_nothing(strips, tmp_path):
    prepare(open_source(strips), tmp_path / "s.h5")
    before = (tmp_path / "s.h5").stat().st_mtime_ns
    assert prepare(open_source(strips), tmp_path / "s.h5").cached
    assert (tmp_path / "s.h5").stat().st_mtime_ns == before


def test_other_data_is_never_overwritten_unasked(strips, tmp_path):
    (tmp_path / "s.h5").write_text("my thesis")
    with pytest.raises(UserError, match=r"s\.h5 exists and was made from other data"):
        prepare(open_source(strips), tmp_path / "s.h5")
    assert (tmp_path / "s.h5").read_text() == "my thesis"
    with pytest.raises(UserError, match=r"s\.h5 is no clip store, so it is not replaced"):
        prepare(open_source(strips), tmp_path / "s.h5", overwrite=True)
    assert (tmp_path / "s.h5").read_text() == "my thesis"
    (tmp_path / "s.h5").unlink()
    prepare(open_source(strips), tmp_path / "s.h5", size=6)
    assert not prepare(open_source(strips), tmp_path / "s.h5", overwrite=True).cached
    with pytest.raises(UserError, match="other data or settings"):
        prepare(open_source(strips), tmp_path / "s.h5", size=4)
    os.utime(strips / "0" / "0.png", (1, 1))
    with pytest.raises(UserError, match="other data or settings"):
        prepare(open_source(strips), tmp_path / "s.h5")


@pytest.mark.parametrize(("size", "expected"), [(4, (4, 4)), ((6, 3), (6, 3))])
def test_size(strips, tmp_path, size, expected):
    report = prepare(open_source(strips), tmp_path / "s.h5", size=size)
    with ClipStore.open(report.path) as store:
        assert {(row["height"], row["width"]) for row in store.index} == {expected}


def test_a_damaged_file_among_good_ones(strips, tmp_path):
    damage(strips / "0" / "2.png")
    report = prepare(open_source(strips), tmp_path / "s.h5")
    assert report.written == 3
    assert [s.name for s in report.skipped] == ["0/2.png"]
    assert report.skipped[0].reason.startswith("0/2.png is a damaged image")
    with ClipStore.open(report.path) as store:
        assert store.index["name"].tolist() == ["0/0.png", "1/1.png", "1/3.png"]
        assert store.skipped == report.skipped
    for destination in ("s.h5", "t.h5"):
        with pytest.raises(UserError, match=r"0/2\.png"):
            prepare(open_source(strips), tmp_path / destination, strict=True)


def test_strict_minds_damage_not_readme_files(strips, tmp_path):
    (strips / "README.txt").write_text("about")
    assert prepare(open_source(strips), tmp_path / "s.h5", strict=True).written == 4
    Image.new("RGB", (61, 8)).save(strips / "1" / "bad.png")
    with pytest.raises(UserError, match=r"1/bad\.png: expected a strip"):
        prepare(open_source(strips), tmp_path / "t.h5", strict=True)


def test_a_damaged_frame_is_left_out_and_the_rest_is_kept(tmp_path):
    for name in ("a", "b", "c"):
        save_frames(tmp_path / "src" / name, video(0, 5))
    Image.new("RGB", (9, 8)).save(tmp_path / "src" / "b" / "frame2.png")
    damage(tmp_path / "src" / "b" / "frame4.png")
    report = prepare(open_source(tmp_path / "src"), tmp_path / "s.h5")
    assert report.written == 3
    assert [(one.name, one.rest_kept) for one in report.skipped] == [("b", True), ("b", True)]
    assert report.skipped[0].reason.startswith("b/frame2.png is 9x8, the other frames are 8x8")
    assert report.skipped[1].reason.startswith("b/frame4.png is a damaged image")
    with ClipStore.open(report.path) as store:
        assert store.index["length"].tolist() == [5, 3, 5]
        np.testing.assert_array_equal(store.read(1, 0, 3), video(0, 5)[[0, 2, 4]])
    with pytest.raises(UserError, match=r"b/frame2\.png is 9x8"):
        prepare(open_source(tmp_path / "src"), tmp_path / "t.h5", strict=True)
    (tmp_path / "src" / "b" / "frame2.png").unlink()
    with pytest.raises(UserError, match=r"b/frame4\.png is a damaged image"):
        prepare(open_source(tmp_path / "src"), tmp_path / "t.h5", strict=True)


def test_nothing_left(strips, tmp_path):
    for path in strips.rglob("*.png"):
        damage(path)
    with pytest.raises(UserError, match=r"no usable video: all 4 are damaged, such as 0/0\.png"):
        prepare(open_source(strips), tmp_path / "s.h5")
    assert not (tmp_path / "s.h5").exists()


def test_parts_join_to_the_same_store(tmp_path, monkeypatch):
    videos = [video(n, 3 + n, side=8 if n % 3 else 4, channels=1 + n % 2 * 2) for n in range(9)]
    whole = prepare(source_of(videos, classes="ab"), tmp_path / "whole.h5")
    monkeypatch.setattr(parts, "PART_VIDEOS", 2)
    joined = prepare(source_of(videos, classes="ab"), tmp_path / "parts.h5")
    with ClipStore.open(whole.path) as one, ClipStore.open(joined.path) as other:
        assert one.checksum == other.checksum
        np.testing.assert_array_equal(one.index, other.index)
        other.verify()


def test_part_size_is_bounded_by_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 3 * video(0, 4).nbytes)
    sizes = []
    append = module.StoreWriter.append
    monkeypatch.setattr(
        module.StoreWriter, "append", lambda *a: (sizes.append(len(a[1])), append(*a))
    )
    prepare(source_of([video(n, 4) for n in range(8)]), tmp_path / "s.h5")
    assert sizes == [3, 3, 2]


KILLED = """
    import sys, time
    from pathlib import Path
    from kvidgan.data import convert as prepare, parts
    from kvidgan.data.layouts.registry import open_source
    parts.PART_VIDEOS = 2

    def progress(done, total, name):
        if done == 5:
            print("half way", flush=True)
            time.sleep(60)

    prepare.prepare(open_source(sys.argv[1]), Path(sys.argv[2]), on_progress=progress)
"""


def test_killed_and_resumed(tmp_path, monkeypatch):
    for number in range(8):
        save_strip(tmp_path / "src" / f"{number}.png", video(number, 5))
    damage(tmp_path / "src" / "0.png")
    damage(tmp_path / "src" / "1.png")
    destination = tmp_path / "s.h5"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), tmp_path / "src", destination]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half way\n"
        process.send_signal(signal.SIGKILL)
    assert not destination.exists()
    assert len(list((tmp_path / "s.h5.part").glob("*.h5"))) == 2

    monkeypatch.setattr(parts, "PART_VIDEOS", 2)
    converted = []
    source = open_source(tmp_path / "src")
    report = prepare(source, destination, on_progress=lambda done, *_: converted.append(done))
    assert converted == [5, 6, 7, 8], (
        "the first two parts of two videos each are kept, all damaged or not"
    )
    straight = prepare(source, tmp_path / "straight.h5")
    assert report == module.PrepareReport(destination, 6, straight.skipped, cached=False)
    with ClipStore.open(destination) as resumed, ClipStore.open(straight.path) as other:
        assert resumed.checksum == other.checksum
        np.testing.assert_array_equal(resumed.index, other.index)
    assert not (tmp_path / "s.h5.part").exists()


@pytest.mark.parametrize("name", [".", "..", "there"])
def test_a_folder_is_no_place_for_a_store(strips, tmp_path, monkeypatch, name):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="is a folder: expected the name of a clip store to write"):
        prepare(open_source(strips), Path(name), overwrite=True)
    assert list((tmp_path / "there").iterdir()) == []


def test_parts_of_other_data_are_not_used(strips, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_VIDEOS", 1)

    def interrupt(done, total, name):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(open_source(strips), tmp_path / "s.h5", on_progress=interrupt)
    assert len(list((tmp_path / "s.h5.part").glob("*.h5"))) == 2
    save_strip(strips / "0" / "0.png", video(77, 10))
    prepare(open_source(strips), tmp_path / "s.h5")
    with ClipStore.open(tmp_path / "s.h5") as store:
        assert store.read(0, 0, 1)[0, 0, 0, 0] == 77


# --- maps


def test_label_maps_bring_flow_along(tmp_path):
    """A texture that moves 2 pixels right and 1 up a frame: backward flow is the other way."""
    whole = texture(80, 100)
    frames = np.stack([whole[8 + t : 56 + t, 20 - 2 * t : 84 - 2 * t] for t in range(4)])
    maps = {"labels": np.zeros(frames.shape[:3], np.uint8)}
    source = source_of([frames], maps=[maps], labels=ROWS)
    inner = (slice(1, None), slice(12, -12), slice(12, -12))
    for size, flow in (None, (-2, 1)), ((48, 64), (-2, 1)), ((24, 32), (-1, 0.5)):
        path = tmp_path / f"{size}.h5"
        with ClipStore.open(prepare(source, path, size=size).path) as store:
            found = store.read_map("flow", 0, 0, 4).astype(float)
            trusted = store.read_map("confidence", 0, 0, 4)
            assert store.maps == ("labels", "flow", "confidence")
        assert not found[0].any()
        assert not trusted[0].any()
        if size == (24, 32):
            inner = (slice(1, None), slice(8, -8), slice(8, -8))
        expected = np.broadcast_to(flow, found[inner].shape)
        np.testing.assert_allclose(found[inner], expected, atol=0.2)
        assert trusted[inner].mean() > 0.98


def test_sources_without_labels_have_no_maps(strips, tmp_path):
    with ClipStore.open(prepare(open_source(strips), tmp_path / "s.h5").path) as store:
        assert (store.maps, store.labels) == ((), None)


def test_labels_are_found_in_the_resized_frames(tmp_path):
    source = source_of([np.repeat(texture(64, 64)[None], 2, axis=0)])
    report = prepare(source, tmp_path / "s.h5", size=32, labels="edges")
    with ClipStore.open(report.path) as store:
        frames = store.read(0, 0, 2)
        found = store.read_map("labels", 0, 0, 2)
        assert store.labels == found_label_set("edges")
        assert dict(store.describe())["settings"] == "labels edges, layout arrays, size 32x32"
    np.testing.assert_array_equal(found, list(find_labels("edges", frames)))
    assert 0.02 < found.mean() < 0.3


def test_frames_too_small_for_flow(tmp_path):
    source = source_of([video(0, 3, side=12)])
    sentence = r"all 1 are damaged, such as video0: Optical flow needs frames of at least 16x16"
    with pytest.raises(UserError, match=sentence):
        prepare(source, tmp_path / "s.h5", labels="edges")
    with pytest.raises(UserError, match="^Optical flow needs frames of at least 16x16"):
        prepare(source, tmp_path / "t.h5", labels="edges", strict=True)


def test_settings_tell_stores_apart(tmp_path):
    plain = source_of([video(0, 9, side=16)])
    labelled, other = placed_source(3), placed_source(3)
    found = {
        fingerprint_of(plain, None),
        fingerprint_of(plain, None, labels="edges"),
        fingerprint_of(plain, None, labels="foreground"),
        fingerprint_of(plain, None, test_frames=2),
        fingerprint_of(plain, None, test_frames=3),
        fingerprint_of(labelled, None),
        fingerprint_of(replace(other, labels=LabelSet("ids", ("a", "b"))), None),
    }
    assert len(found) == 7
    drawn = placed_source(3)
    drawn.videos[0].read_maps.frames[1]["labels"][0, 0] += 1
    assert fingerprint_of(drawn, None) not in found, "what is drawn is looked at"
    prepare(plain, tmp_path / "s.h5", labels="edges")
    with pytest.raises(UserError, match="made from other data or settings"):
        prepare(plain, tmp_path / "s.h5")


def test_long_videos_keep_the_progress_alive(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PROGRESS_EVERY", 3)
    seen = []
    source = source_of([video(0, 7), video(1, 3)])
    prepare(source, tmp_path / "s.h5", on_progress=lambda *a: seen.append(a))
    assert seen == [
        (0, 2, "video0, frame 3"),
        (0, 2, "video0, frame 6"),
        (1, 2, "video0"),
        (1, 2, "video1, frame 3"),
        (2, 2, "video1"),
    ]


def test_killed_and_resumed_with_maps(tmp_path, monkeypatch):
    for number in range(5):
        save_labelled(tmp_path / "src", f"s{number}", number % 2, 4, instances=True)
    destination = tmp_path / "s.h5"
    script = textwrap.dedent(KILLED).replace("== 5", "== 3")
    command = [sys.executable, "-c", script, tmp_path / "src", destination]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half way\n"
        process.send_signal(signal.SIGKILL)
    assert len(list((tmp_path / "s.h5.part").glob("*.h5"))) == 1

    monkeypatch.setattr(parts, "PART_VIDEOS", 2)
    converted = []
    source = open_source(tmp_path / "src")
    prepare(source, destination, on_progress=lambda done, *_: converted.append(done))
    assert converted == [3, 4, 5]
    straight = prepare(source, tmp_path / "straight.h5")
    with ClipStore.open(destination) as resumed, ClipStore.open(straight.path) as other:
        assert resumed.checksum == other.checksum
        for name in resumed.maps:
            for number in range(5):
                np.testing.assert_array_equal(
                    resumed.read_map(name, number, 0, 4), other.read_map(name, number, 0, 4)
                )
        resumed.verify()


@pytest.mark.slow
def test_a_real_clip_with_edges(real_data, tmp_path):
    source = open_source(real_data / "clips" / "bgslibrary_video.avi")
    report = prepare(source, tmp_path / "s.h5", size=(48, 64), labels="edges", test_frames=10)
    with ClipStore.open(report.path) as store:
        assert store.index["length"][1] == 10
        assert 0.02 < store.read_map("labels", 1, 0, 10).mean() < 0.2
        assert store.read_map("confidence", 1, 1, 10).mean() > 0.9
