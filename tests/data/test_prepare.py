import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from kvidgan.data import prepare as module
from kvidgan.data.prepare import open_data, prepare, prepare_path
from kvidgan.data.schema import DataConfig
from kvidgan.data.sources import open_source
from kvidgan.data.store import ClipStore
from kvidgan.errors import UserError

from .conftest import save_frames, save_strip, source_of, video


def damage(path):
    path.write_bytes(path.read_bytes()[:-30])


def test_a_source_becomes_a_store(strips, tmp_path):
    seen = []
    report = prepare(open_source(strips), tmp_path / "s.h5", progress=lambda *a: seen.append(a))
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


def test_mixed_sizes_in_a_frame_folder_are_skipped(tmp_path):
    for name in ("good", "mixed"):
        save_frames(tmp_path / "src" / name, video(0, 3))
    Image.new("RGB", (9, 8)).save(tmp_path / "src" / "mixed" / "frame4.png")
    report = prepare(open_source(tmp_path / "src"), tmp_path / "s.h5")
    assert report.written == 1
    assert report.skipped[0].reason.startswith("mixed/frame4.png is 9x8, the frames before")


def test_nothing_left(strips, tmp_path):
    for path in strips.rglob("*.png"):
        damage(path)
    with pytest.raises(UserError, match=r"no usable video: all 4 are damaged, such as 0/0\.png"):
        prepare(open_source(strips), tmp_path / "s.h5")
    assert not (tmp_path / "s.h5").exists()


def test_parts_join_to_the_same_store(tmp_path, monkeypatch):
    videos = [video(n, 3 + n, side=8 if n % 3 else 4, channels=1 + n % 2 * 2) for n in range(9)]
    whole = prepare(source_of(videos, classes="ab"), tmp_path / "whole.h5")
    monkeypatch.setattr(module, "PART_VIDEOS", 2)
    parts = prepare(source_of(videos, classes="ab"), tmp_path / "parts.h5")
    with ClipStore.open(whole.path) as one, ClipStore.open(parts.path) as other:
        assert one.checksum == other.checksum
        np.testing.assert_array_equal(one.index, other.index)
        other.verify()


def test_part_size_is_bounded_by_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_BYTES", 3 * video(0, 4).nbytes)
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
    from kvidgan.data import prepare
    from kvidgan.data.sources import open_source
    prepare.PART_VIDEOS = 2

    def progress(done, total, name):
        if done == 5:
            print("half way", flush=True)
            time.sleep(60)

    prepare.prepare(open_source(sys.argv[1]), Path(sys.argv[2]), progress=progress)
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

    monkeypatch.setattr(module, "PART_VIDEOS", 2)
    converted = []
    source = open_source(tmp_path / "src")
    report = prepare(source, destination, progress=lambda done, *_: converted.append(done))
    assert converted == [5, 6, 7, 8], (
        "the first two parts of two videos each are kept, all damaged or not"
    )
    straight = prepare(source, tmp_path / "straight.h5")
    assert report == module.PrepareReport(destination, 6, straight.skipped, cached=False)
    with ClipStore.open(destination) as resumed, ClipStore.open(straight.path) as other:
        assert resumed.checksum == other.checksum
        np.testing.assert_array_equal(resumed.index, other.index)
    assert not (tmp_path / "s.h5.part").exists()


def test_parts_of_other_data_are_not_used(strips, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_VIDEOS", 1)

    def interrupt(done, total, name):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(open_source(strips), tmp_path / "s.h5", progress=interrupt)
    assert len(list((tmp_path / "s.h5.part").iterdir())) == 2
    save_strip(strips / "0" / "0.png", video(77, 10))
    prepare(open_source(strips), tmp_path / "s.h5")
    with ClipStore.open(tmp_path / "s.h5") as store:
        assert store.read(0, 0, 1)[0, 0, 0, 0] == 77


def test_open_data_converts_once(strips, tmp_path):
    config = DataConfig(path=str(strips), cache=str(tmp_path / "cache"))
    seen = []
    with open_data(config, progress=lambda *a: seen.append(a)) as store:
        assert len(store) == len(seen) == 4
    with open_data(config, progress=lambda *a: seen.append(a)) as again:
        assert (len(seen), again.path) == (4, store.path)
    with open_data(DataConfig(path=str(store.path), cache=str(tmp_path / "none"))) as direct:
        assert direct.checksum == store.checksum
    assert not (tmp_path / "none").exists()
    assert store.path.name.startswith("strips-")


def test_open_data_warns_of_damage(strips, tmp_path, caplog):
    damage(strips / "0" / "2.png")
    open_data(DataConfig(path=str(strips), cache=str(tmp_path / "cache"))).close()
    assert "skipped 0/2.png" in caplog.text
    said = []
    config = DataConfig(path=str(strips), cache=str(tmp_path / "cache"))
    open_data(config, say=said.append).close()
    assert len(said) == 1, "also when the store is there already"
    assert "skipped 0/2.png" in said[0]


SAME = ".h5: 2 videos stand in both train and test, such as Train/a and Test/c: scores on test"


def test_videos_that_stand_in_two_splits(tmp_path, caplog):
    for split, names in (("Train", "abx"), ("Test", "cd")):
        for place, name in enumerate(names):
            save_frames(tmp_path / "src" / split / name, video(place, 3))
    config = DataConfig(path=str(tmp_path / "src"), cache=str(tmp_path / "cache"))
    store = tmp_path / "s.h5"
    for open_it in (
        lambda: open_data(config),  # converts
        lambda: open_data(config),  # finds it there
        lambda: prepare_path(config.path, store),
        lambda: open_data(DataConfig(path=str(store))),
    ):
        caplog.clear()
        open_it()
        assert caplog.text.count("flatter") == caplog.text.count(SAME) == 1


def test_equal_videos_that_flatter_nobody(tmp_path, caplog):
    videos = [video(number, 3) for number in (0, 0, 1, 2)]
    for splits in (["train", "train", "val", "test"], None):
        path = tmp_path / f"{bool(splits)}.h5"
        prepare(source_of(videos, splits), path)
        open_data(DataConfig(path=str(path)))
    assert not caplog.records


def test_equal_videos_in_three_splits(tmp_path, caplog):
    prepare(source_of([video(0, 3)] * 3, ["test", "val", "train"]), tmp_path / "s.h5")
    open_data(DataConfig(path=str(tmp_path / "s.h5")))
    said = "1 video stands in more than one split, such as video2 and video1 and video0: scores"
    assert said in caplog.text


def test_prepare_path_says_what_was_found(strips, tmp_path, monkeypatch):
    said = []
    report = prepare_path(str(strips), tmp_path / "s.h5", say=said.append)
    assert (report.written, said) == (4, [open_source(strips).describe()])
    small = module.builtin.SETS["moving_shapes"]._replace(clips=2)
    monkeypatch.setitem(module.builtin.SETS, "moving_shapes", small)
    assert prepare_path("moving_shapes", tmp_path / "m.h5").written == 2


def test_open_data_draws_built_in_sets(tmp_path, monkeypatch):
    small = module.builtin.SETS["moving_shapes"]._replace(clips=20)
    monkeypatch.setitem(module.builtin.SETS, "moving_shapes", small)
    names = set()
    for seed in (0, 1):
        config = DataConfig(path="moving_shapes", cache=str(tmp_path), seed=seed)
        with open_data(config) as store:
            assert ("classes", "horizontal (10), vertical (10)") in store.describe()
            names.add(store.path.name)
    other = small._replace(draw=lambda seed, index: 255 - small.draw(seed, index))
    monkeypatch.setitem(module.builtin.SETS, "moving_shapes", other)
    with open_data(DataConfig(path="moving_shapes", cache=str(tmp_path))) as store:
        names.add(store.path.name)
    assert len(names) == 3, "another seed or another drawing is another store"


def test_unknown_data_names_the_nearest_built_in():
    with pytest.raises(UserError, match=r"^moving_shape does not exist.* such as moving_shapes\."):
        open_data(DataConfig(path="moving_shape"))
