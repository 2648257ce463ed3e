import gzip
import os
import pickle

import numpy as np
import pytest

from kvidgan.data.clips import open_clip
from kvidgan.data.convert import fingerprint_of, prepare
from kvidgan.data.layouts import moving_mnist as module
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.open import open_data
from kvidgan.data.reading import Reading
from kvidgan.data.schema import DataConfig
from kvidgan.errors import UserError
from tests.data.conftest import save_idx, save_mnist

TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"


@pytest.fixture
def mnist(tmp_path):
    save_mnist(tmp_path / "mnist")
    return tmp_path / "mnist"


def frames_of(video):
    return np.stack(list(video.read()))


def test_clips_of_both_files(mnist):
    source = open_source(mnist, Reading(clips=30))
    assert source.describe() == (
        "moving mnist: 30 videos, 27 to train, 3 to test, 64x64, 20 frames, 2 digits at 3.6 pixels"
        " a frame, of 90 images to train and 10 images to test"
    )
    assert [v.name for v in source.videos[26:28]] == ["train/000026", "test/000000"]
    shown = frames_of(source.videos[0])
    assert (shown.dtype, shown.shape) == (np.uint8, (20, 64, 64, 1))
    assert (
        open_source(mnist).describe().startswith("moving mnist: 10000 videos, 9000 to train, 1000")
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_of_a_split_are_of_its_file_only(mnist, split):
    greys = set()
    for video in open_source(mnist, Reading(clips=300)).videos:
        if video.split == split:
            greys |= set(np.unique(frames_of(video)[0])) - {0}
    if split == "train":
        assert greys <= set(range(100, 190))
        assert len(greys) > 80
    else:
        assert greys == set(range(190, 200))


def test_two_whole_images_the_brighter_above(mnist):
    overlaps = 0
    clips = [frames_of(video) for video in open_source(mnist, Reading(clips=40)).videos]
    two = [clip for clip in clips if len(np.unique(clip)) == 3]
    assert len(two) > 30, "few are of one image twice"
    for clip in two:
        for frame in clip:
            *fainter, brightest = np.unique(frame)[1:]
            y, x = np.nonzero(frame[..., 0] == brightest)
            assert (np.ptp(y), np.ptp(x)) == (27, 27)
            assert len(y) == 28 * 28
            assert len(fainter) <= 1, "the two are never added up"
            overlaps += not fainter or (frame == fainter[0]).sum() < 28 * 28
    assert overlaps > 100


def test_the_way_of_a_digit():
    turns, clear, starts = 0, 0, []
    for number in range(300):
        corners = module._corners(28, 28, np.random.default_rng(number))
        assert (corners >= 0).all()
        assert (corners <= 36).all()
        steps = np.diff(corners, axis=0)
        assert abs(steps).max() <= 4
        for start in range(14):  # of six steps, of which the first and last may be cut short
            six = steps[start : start + 6]
            if ((six >= 0).all(0) | (six <= 0).all(0)).all():
                far = np.hypot(*(corners[start + 5] - corners[start + 1]))
                assert far == pytest.approx(4 * 3.6, abs=1.5)
                clear += 1
        turns += (steps[1:] * steps[:-1] < 0).sum()
        starts.append(corners[0])
    assert min(turns, clear) > 300
    assert abs(np.mean(starts) - 17.5) < 1
    assert np.ptp(starts) >= 35


def test_a_clip_is_a_pure_function_of_its_split_and_number(mnist):
    few, many = (open_source(mnist, Reading(clips=clips)).videos for clips in (20, 200))
    np.testing.assert_array_equal(frames_of(few[3]), frames_of(many[3]))
    np.testing.assert_array_equal(frames_of(few[19]), frames_of(many[181]))
    assert (few[19].name, many[181].name) == ("test/000001", "test/000001")
    assert not np.array_equal(frames_of(few[3]), frames_of(few[4]))
    again = pickle.loads(pickle.dumps(few[3]))
    np.testing.assert_array_equal(frames_of(again), frames_of(few[3]))


@pytest.mark.parametrize(
    "ending", ["-idx3-ubyte", "-idx3-ubyte.gz", ".idx3-ubyte", ".idx3-ubyte.gz"]
)
def test_names_of_the_files(tmp_path, ending):
    save_mnist(tmp_path, ending)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"labels")
    source = open_source(tmp_path, Reading(clips=20))
    assert source.layout == "moving_mnist"
    assert source.videos[0].files == (tmp_path / f"train-images{ending}",)
    assert [(s.name, s.damaged) for s in source.skipped] == [("train-labels-idx1-ubyte", False)]


def test_other_clips_or_images_are_another_store(mnist, tmp_path):
    found = {
        fingerprint_of(open_source(mnist, Reading(clips=clips)), None) for clips in (20, 20, 30)
    }
    os.utime(mnist / f"{TRAIN}.gz", (1, 1))
    found.add(fingerprint_of(open_source(mnist, Reading(clips=20)), None))
    assert len(found) == 3
    report = prepare(open_source(mnist, Reading(clips=20)), tmp_path / "m.h5")
    with open_data(DataConfig(path=str(report.path))) as store:
        assert store.index["split"].tolist() == ["train"] * 18 + ["test"] * 2
        assert "2 digits" in store.settings["note"]


def test_a_replaced_file_is_read_again(mnist):
    before = frames_of(open_source(mnist, Reading(clips=20)).videos[0])
    save_idx(mnist / f"{TRAIN}.gz", np.full((5, 28, 28), 7, np.uint8))
    os.utime(mnist / f"{TRAIN}.gz", (1, 1))
    after = frames_of(open_source(mnist, Reading(clips=20)).videos[0])
    assert before.max() >= 100
    assert after.max() == 7


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p.unlink(), "found no t10k-images but 1 file such as train-images"),
        (lambda p: p.write_bytes(b"\0\0\10\3"), "expected a header of 16 bytes, found 4"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), "expected 7840 bytes of 10x28x28 pixels, f"),
        (lambda p: p.write_bytes(p.read_bytes() + b"12"), "10x28x28 pixels, found 7842; copy it"),
        (
            lambda p: save_idx(p, np.zeros(9, "u1"), 2049),
            "number 2051, found 2049; choose",
        ),
        (lambda p: save_idx(p, np.zeros((9, 9, 9), "u1"), 2049), "number 2051, found 2049; choose"),
        (lambda p: save_idx(p, np.zeros((2, 64, 9), "u1")), "of 64x64, found 2 of 9x64; choose"),
        (lambda p: save_idx(p, np.zeros((2, 9, 80), "u1")), "of 64x64, found 2 of 80x9; choose"),
        (lambda p: save_idx(p, np.zeros((0, 28, 28), "u1")), "found 0 of 28x28; choose MNIST's"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, spoil, said):
    save_mnist(tmp_path, "-idx3-ubyte")
    spoil(tmp_path / TEST)
    with pytest.raises(UserError) as caught:
        open_source(tmp_path)
    assert said in str(caught.value)
    assert "t10k-images" in str(caught.value)


@pytest.mark.parametrize("spoil", [lambda c: c[:-20], lambda c: b"no gzip", lambda c: b""])
def test_damaged_gzip(mnist, spoil):
    path = mnist / f"{TRAIN}.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz is (damaged|truncated)"):
        open_source(mnist)


def test_other_layouts(strips):
    with pytest.raises(UserError, match=r"strips holds film strips, .* expected no --clips, found"):
        open_source(strips, Reading(clips=5))
    message = r"expected a folder with train-images-idx3-ubyte .* found no train-images but 4 files"
    with pytest.raises(UserError, match=message):
        open_source(strips, Reading(layout="moving_mnist"))


def test_the_published_test_set_is_an_array(tmp_path):
    save_mnist(tmp_path / "mnist")
    clips = open_source(tmp_path / "mnist", Reading(clips=30)).videos
    array = np.stack([frames_of(clip)[..., 0] for clip in clips], axis=1)
    np.save(tmp_path / "mnist_test_seq.npy", array)
    source = open_source(tmp_path / "mnist_test_seq.npy")
    assert source.describe().startswith("arrays: 30 videos, 64x64, 20 frames, axes (T, N, H, W)")
    np.testing.assert_array_equal(frames_of(source.videos[7])[..., 0], array[:, 7])


def test_real_mnist(real_data):
    source = open_source(real_data / "mnist", Reading(clips=100))
    assert "of 60000 images to train and 10000 images to test" in source.describe()
    clip = open_clip(real_data / "mnist")
    assert clip.note.startswith("test/000000, 20 frames of 64x64, the first of 1000 test videos")
    first = frames_of(source.videos[0])
    content = gzip.decompress((real_data / "mnist" / f"{TRAIN}.gz").read_bytes())
    inks = np.frombuffer(content, np.uint8, offset=16).reshape(60000, -1).sum(1)
    most = max(int(frame.sum()) for frame in first)
    assert 2 * inks.min() <= most <= 2 * inks.max()
    assert 0.02 < np.mean([(frames_of(video) > 0).mean() for video in source.videos]) < 0.09
