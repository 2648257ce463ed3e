import h5py
import numpy as np
import pytest

from kvidgan.data.builtin import registry as builtin
from kvidgan.data.convert import prepare
from kvidgan.data.open import find_source, open_data, prepare_path
from kvidgan.data.reading import Reading
from kvidgan.data.schema import DataConfig
from kvidgan.errors import UserError
from tests.data.conftest import damage, save_frames, save_labelled, source_of, video
from tests.data.layouts.trees import save_text, save_video
from tests.textures import moving_square


def test_open_data_converts_once(strips, tmp_path):
    config = DataConfig(path=str(strips), cache=str(tmp_path / "cache"))
    seen = []
    with open_data(config, on_progress=lambda *a: seen.append(a)) as store:
        assert len(store) == len(seen) == 4
    with open_data(config, on_progress=lambda *a: seen.append(a)) as again:
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
    assert report.written == 4
    assert said == [
        "layout     film strips",
        "videos     4",
        "classes    0 (2), 1 (2)",
        "frames     10 to 13, median 11.5 in a video",
        "sizes      8x8 (4)",
    ]
    small = builtin.SETS["moving_shapes"]._replace(clips=2)
    monkeypatch.setitem(builtin.SETS, "moving_shapes", small)
    assert prepare_path("moving_shapes", tmp_path / "m.h5").written == 2


def test_open_data_draws_built_in_sets(tmp_path, monkeypatch):
    small = builtin.SETS["moving_shapes"]._replace(clips=20)
    monkeypatch.setitem(builtin.SETS, "moving_shapes", small)
    names = set()
    for seed in (0, 1):
        config = DataConfig(path="moving_shapes", cache=str(tmp_path), seed=seed)
        with open_data(config) as store:
            assert ("classes", "horizontal (10), vertical (10)") in store.describe()
            names.add(store.path.name)
    other = small._replace(draw=lambda seed, index: 255 - small.draw(seed, index))
    monkeypatch.setitem(builtin.SETS, "moving_shapes", other)
    with open_data(DataConfig(path="moving_shapes", cache=str(tmp_path))) as store:
        names.add(store.path.name)
    assert len(names) == 3, "another seed or another drawing is another store"


def test_unknown_data_names_the_nearest_built_in():
    with pytest.raises(UserError, match=r"^moving_shape does not exist.* such as moving_shapes\."):
        open_data(DataConfig(path="moving_shape"))


# --- labels


def test_labels_of_the_config_do_not_mix_in_the_cache(tmp_path):
    save_frames(tmp_path / "src" / "a", video(5, 4, side=20))
    about = {"path": str(tmp_path / "src"), "cache": str(tmp_path / "cache")}
    paths = set()
    for labels in (None, "edges", "foreground", "edges"):
        with open_data(DataConfig(labels=labels, **about), say=lambda text: None) as store:
            assert (store.labels and store.labels.kind) == labels
            paths.add(store.path)
    assert len(paths) == 3


def test_data_with_labels_of_its_own(tmp_path):
    save_labelled(tmp_path / "src", "s", 0, 4)
    about = {"path": str(tmp_path / "src"), "cache": str(tmp_path / "cache")}
    with open_data(DataConfig(classes=30, **about), say=lambda text: None) as store:
        assert len(store.labels) == 30
    with open_data(DataConfig(**about), say=lambda text: None) as store:
        assert len(store.labels) == 24
    with pytest.raises(
        UserError, match=r"src brings label maps of its own, ids of 24 .*--labels e"
    ):
        open_data(DataConfig(labels="edges", **about), say=lambda text: None)
    with pytest.raises(UserError, match=r"0\.png: expected class ids from 0 to 4, found 23"):
        open_data(DataConfig(classes=5, **about), say=lambda text: None)


def test_a_store_with_other_labels_than_asked_for(tmp_path):
    frames = source_of([video(5, 4, side=20)])
    plain = prepare(frames, tmp_path / "plain.h5").path
    edges = prepare(frames, tmp_path / "edges.h5", labels="edges").path
    open_data(DataConfig(path=str(edges), labels="edges", classes=2)).close()
    for path, asked, sentence in (
        (
            plain,
            {"labels": "edges"},
            r"data\.labels: expected edges, found no labels in .*plain\.h5",
        ),
        (
            edges,
            {"labels": "foreground"},
            "expected foreground, found edges of 2 classes .*prepare",
        ),
        (plain, {"classes": 2}, r"data\.classes: expected 2, found no labels in"),
        (edges, {"palette": "p.txt"}, r"data\.palette: expected none for the clip store"),
        (edges, {"classes": 3}, r"data\.classes: expected 3, found edges of 2 classes"),
    ):
        with pytest.raises(UserError, match=sentence):
            open_data(DataConfig(path=str(path), **asked))


def test_classes_of_built_in_sets():
    with pytest.raises(
        UserError, match="streets is a built-in set: expected no --classes, found 3"
    ):
        open_data(DataConfig(path="streets", classes=3))


def test_a_list_makes_a_store_of_its_own(tmp_path):
    for number in range(3):
        save_video(tmp_path / "set" / f"{number}.avi", 50 * number, 2)
    found = []
    for rows in (("0.avi,train", "1.avi,test"), ("0.avi,test", "2.avi,train"), None):
        options = {"path": str(tmp_path / "set"), "cache": str(tmp_path / "cache")}
        if rows:
            save_text(tmp_path / "list.csv", "path,split", *rows)
            options["file_list"] = str(tmp_path / "list.csv")
        store = open_data(DataConfig(**options))
        found.append([(str(row["name"]), str(row["split"])) for row in store.index])
    assert found == [
        [("0.avi", "train"), ("1.avi", "test")],
        [("0.avi", "test"), ("2.avi", "train")],
        [("0.avi", ""), ("1.avi", ""), ("2.avi", "")],
    ]


@pytest.mark.parametrize("option", ["official_split", "file_list", "select"])
def test_options_of_files_for_what_is_drawn(option):
    value = 2 if option == "official_split" else "x"
    with pytest.raises(UserError, match=r"built-in set: expected no --(split|list|select), fo"):
        find_source("moving_shapes", Reading(**{option: value}))


def test_options_of_reading_for_a_store(tmp_path):
    path = prepare(source_of([video(5, 4)]), tmp_path / "s.h5").path
    for option, value in (("axes", "NTHWC"), ("fps", 5), ("bit_depth", 10)):
        with pytest.raises(UserError, match=rf"data\.{option}: expected none for the clip store"):
            open_data(DataConfig(path=str(path), **{option: value}))


def test_an_hdf5_file_of_arrays_is_converted(tmp_path):
    clips = np.stack([moving_square(6)[0], 255 - moving_square(6)[0]])
    with h5py.File(tmp_path / "clips.h5", "w") as file:
        file["frames"] = clips
    said = []
    config = DataConfig(path=str(tmp_path / "clips.h5"), cache=str(tmp_path / "cache"))
    with open_data(config, say=said.append) as store:
        np.testing.assert_array_equal([store.read(n, 0, 6) for n in range(2)], clips)
    assert "arrays: 2 videos" in said[0]
