import keras
import numpy as np
import pytest

from kvidgan.data.batches import ClipBatches
from kvidgan.data.convert import prepare
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.conftest import BACKENDS, ROOT, run
from tests.data.conftest import clip_spec, source_of, video

SPECS = {
    "clip": clip_spec(4, 8, 8, 3),
    "image": clip_spec(1, 4, 6, 1),
}
LENGTHS = (6, 9, 14, 3)


@pytest.fixture
def store(tmp_path):
    source = source_of([video(n, length) for n, length in enumerate(LENGTHS)], classes="abc")
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as opened:
        yield opened


def batches(store, specs=SPECS, **options):
    return ClipBatches(store, specs, **({"batch": 6, "steps": 5} | options))


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_shapes_and_types(store):
    batch = batches(store)[0]
    shapes = {name: (array.shape, array.dtype.name) for name, array in batch.items()}
    assert shapes == {
        "clip": ((6, 4, 8, 8, 3), "uint8"),
        "clip_class": ((6,), "int32"),
        "image": ((6, 1, 4, 6, 1), "uint8"),
        "image_class": ((6,), "int32"),
    }


def test_clips_are_consecutive_frames_of_one_video(store):
    batch = batches(store, stride=2, batch=300)[0]
    numbers, frames = batch["clip"][:, :, 0, 0, 0], batch["clip"][:, :, 1, 0, 0]
    assert (numbers == numbers[:, :1]).all()
    np.testing.assert_array_equal(np.diff(frames.astype(int)), 2)
    np.testing.assert_array_equal(batch["clip_class"], numbers[:, 0] % 3)
    assert set(numbers[:, 0]) == {1, 2}, "seven frames fit into the second and third video only"
    for number in (1, 2):
        starts = frames[numbers[:, 0] == number, 0]
        assert set(starts) == set(range(LENGTHS[number] - 6)), "every start is drawn"
    share = (numbers[:, 0] == 1).mean()
    assert 0.4 < share < 0.6, "videos are drawn uniformly, however long"


def test_entries_draw_independently(store):
    specs = {
        "a": clip_spec(1, 8, 8, 3),
        "b": clip_spec(1, 8, 8, 3),
    }
    batch = batches(store, specs, batch=200)[0]
    a, b = (batch[name][:, 0, :2, 0, 0] for name in specs)
    assert 0.1 < (a[:, 0] == b[:, 0]).mean() < 0.5


def test_a_batch_depends_on_seed_epoch_and_index_only(store):
    one, other = batches(store), batches(store, workers=2)
    wanted = [(0, 0), (3, 1), (0, 4), (3, 1)]
    for epoch, index in wanted:
        same(one.batch_at(epoch, index), other.batch_at(epoch, index))
    same(one[4], other[4])
    same(one[0], other[0])
    first = one.batch_at(0, 0)["clip"]
    for changed in (one.batch_at(0, 1), one.batch_at(1, 0), batches(store, seed=1)[0]):
        assert not np.array_equal(changed["clip"], first)


def test_epoch_and_first(store):
    later = batches(store, epoch=2, first=3)
    assert len(later) == 2
    same(later[1], batches(store).batch_at(2, 4))
    same(later[2], batches(store).batch_at(3, 0))


def test_shards_concatenate_to_the_whole(store):
    whole = batches(store)[2]
    shards = [batches(store, shard=(n, 3))[2] for n in range(3)]
    same(whole, {name: np.concatenate([s[name] for s in shards]) for name in whole})
    with pytest.raises(UserError, match=r"data\.batch=6 cannot be shared evenly by 4 processes"):
        batches(store, shard=(0, 4))


def test_short_videos(store, caplog):
    assert batches(store).too_short == {"clip": 1, "image": 0}
    assert "1 of 4 videos have fewer than 4 frames" in caplog.text
    with pytest.raises(UserError, match=r"clip needs videos of 16 frames, the longest has 14"):
        batches(store, stride=5)
    assert batches(store, {"clip": clip_spec(14, 8, 8, 3)})[0]["clip"][:, -1, 1, 0, 0].min() == 13


CROP = {"crop": clip_spec(3, 4, 4, 3, crop=True, motion=0.05)}


def moving(number):
    """A dot that jumps, in frames whose red channel tells the row, green the column."""
    frames = np.zeros((5, 20, 30, 3), np.uint8)
    frames[..., 0] = np.arange(20)[:, None]
    frames[..., 1] = np.arange(30)
    frames[::2, 10 + number, 20, 2] = 255
    return frames


def test_crops_keep_their_scale_and_show_motion(tmp_path):
    source = source_of([moving(0), moving(5)])
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as store:
        one, other = batches(store, CROP, batch=200), batches(store, CROP, workers=2, batch=200)
        crops = one[3]["crop"]
        assert crops.shape == (200, 3, 4, 4, 3)
        assert (np.diff(crops[..., 0].astype(int), axis=2) == 1).all(), "rows, not resized"
        assert (np.diff(crops[..., 1].astype(int), axis=3) == 1).all()
        assert len(np.unique(crops[:, 0, 0, 0, :2], axis=0)) > 20
        assert (crops[..., 2].max(axis=(1, 2, 3)) == 255).mean() > 0.85
        same(one.batch_at(1, 3), other.batch_at(1, 3))
        shards = [batches(store, CROP, shard=(n, 2), batch=8)[2] for n in range(2)]
        whole = batches(store, CROP, batch=8)[2]
        same(whole, {name: np.concatenate([s[name] for s in shards]) for name in whole})


def test_frames_smaller_than_the_crop(tmp_path, caplog):
    source = source_of([video(0, 5, side=8), video(1, 5, side=6)])
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as store:
        spec = {"crop": clip_spec(3, 8, 8, 3, crop=True)}
        assert set(batches(store, spec)[0]["crop"][:, 0, 0, 0, 0]) == {0}
        assert "1 of 2 videos have frames under 8x8 pixels and are not used" in caplog.text
        with pytest.raises(UserError, match=r"crop needs frames of at least 9x7.*largest are 8x8"):
            batches(store, {"crop": clip_spec(3, 7, 9, 3, crop=True)})


def test_splits(tmp_path):
    videos = [video(n, 5) for n in range(4)]
    source = source_of(videos, splits=["train", "test", "train", "test"])
    with ClipStore.open(prepare(source, tmp_path / "s.h5").path) as store:
        for split, numbers in [("train", {0, 2}), ("test", {1, 3}), (None, {0, 1, 2, 3})]:
            batch = batches(store, split=split, batch=60)[0]
            assert set(batch["clip"][:, 0, 0, 0, 0]) == numbers
        with pytest.raises(UserError, match="no split 'val': expected one of test, train"):
            batches(store, split="val")


def test_an_error_in_a_reading_thread_arrives(store, monkeypatch):
    def broken(*arguments):
        raise UserError("the file is gone")

    monkeypatch.setattr(store, "read", broken)
    with pytest.raises(UserError, match="the file is gone"):
        batches(store, workers=2)[0]


def test_threads_read_ahead(store, monkeypatch):
    ahead = batches(store, workers=1)
    ahead[0]
    wanted = ahead.batch_at(0, 1)
    ahead._read_ahead._pool.shutdown(wait=True)  # lets what is begun end, and refuses more
    monkeypatch.setattr(store, "read", None)
    same(ahead._read_ahead._pending[1].result(), wanted)


class Recorder(keras.Model):
    """Records in a variable which batches fit trained on; looks at the data first if unbuilt."""

    def __init__(self, steps):
        super().__init__()
        self.seen = self.add_weight(shape=(steps,), initializer="zeros", trainable=False)
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")
        self.dense = keras.layers.Dense(1)

    def call(self, data):
        pixels = keras.ops.cast(data["clip"], "float32")
        weights = keras.ops.arange(1, pixels.shape[1] * 64 * 3 + 1, dtype="float32")
        flat = keras.ops.reshape(pixels, (-1, pixels.shape[1] * 64 * 3))
        return self.dense(keras.ops.mean(flat * weights, axis=-1, keepdims=True) * 1e-3)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        pixels = keras.ops.cast(x["clip"], "float32")
        clips = keras.ops.arange(1, 7, dtype="float32")
        mark = keras.ops.sum(keras.ops.mean(pixels, (1, 2, 3, 4)) * clips)
        here = keras.ops.cast(keras.ops.arange(self.seen.shape[0]) == self.step, "float32")
        self.seen.assign_add(here * mark)
        self.step.assign_add(1)
        return keras.ops.mean(y_pred**2)


def mark_of(batch):
    return (batch["clip"].mean((1, 2, 3, 4)) * np.arange(1, 7)).sum()


def trained_on(store, built, **options):
    """Return the marks of the batches that two epochs of `fit` trained on, in order."""
    data = batches(store, {"clip": SPECS["clip"]}, steps=2, **options)
    model = Recorder(2 * len(data))
    if built:
        model(data.batch_at(0, 0))
    model.compile(optimizer="sgd", run_eagerly=keras.backend.backend() == "torch")
    model.fit(data, steps_per_epoch=len(data), shuffle=False, epochs=2, verbose=0)
    return keras.ops.convert_to_numpy(model.seen).tolist()


def check_fit(path):
    """Compare fit's batches with those that must come, built or not, with or without threads."""
    with ClipStore.open(path) as store:
        plain = batches(store, {"clip": SPECS["clip"]}, steps=2)
        wanted = [mark_of(plain.batch_at(epoch, index)) for epoch in (4, 5) for index in (0, 1)]
        for built in (True, False):
            for workers in (0, 2):
                found = trained_on(store, built, workers=workers, epoch=4)
                np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_fit_sees_exactly_these_batches(store):
    check_fit(store.path)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != keras.backend.backend()])
@pytest.mark.slow
def test_fit_on_other_backends(store, backend):
    code = f"from tests.data.test_batches import check_fit; check_fit({str(store.path)!r})"
    run("-c", code, backend=backend, cwd=ROOT)
