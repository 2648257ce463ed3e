"""TFRecord files as TensorFlow writes them, read through a clip store."""

import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.clips import open_clip
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from tests.data.conftest import frames_of

tf = pytest.importorskip("tensorflow")
RNG = np.random.default_rng(0)


def feature(value):
    """A feature of bytes, of whole numbers or of fractions."""
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def example(features):
    made = {name: feature(value) for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def save(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record if isinstance(record, bytes) else example(record))
    return path


def clips(number, length=12, side=16, channels=3):
    return RNG.integers(0, 256, (number, length, side, side, channels), np.uint8)


def bair(main, aux):
    """The features of a record of BAIR robot pushing."""
    features = {}
    for time, (one, other) in enumerate(zip(main, aux, strict=True)):
        features[f"{time}/image_main/encoded"] = one.tobytes()
        features[f"{time}/image_aux1/encoded"] = other.tobytes()
        features[f"{time}/endeffector_pos"] = [0.1, 0.2, 0.3]
        features[f"{time}/action"] = [0.1, 0.2, 0.3, 0.4]
    return features


def encoded(frame, form):
    file = BytesIO()
    Image.fromarray(frame).save(file, form)
    return file.getvalue()


def stored(path, reading=Reading()):
    source = open_source(path, reading)
    report = prepare(source, path.with_name("stored.h5"), overwrite=True)
    with ClipStore.open(report.path) as store:
        videos = [store.read(n, 0, int(row["length"])) for n, row in enumerate(store.index)]
        return source, videos, store.index, report.skipped


@pytest.fixture
def pushing(tmp_path):
    """BAIR's tree, with 3 videos to train and 2 to test; what is in it by camera."""
    main, aux = clips(5, 30, 64), clips(5, 30, 64)
    records = [bair(*pair) for pair in zip(main, aux, strict=True)]
    root = tmp_path / "data" / "softmotion30_44k"
    save(root / "train" / "traj_0_to_1.tfrecords", records[:2])
    save(root / "train" / "traj_10_to_10.tfrecords", records[2:3])
    save(root / "test" / "traj_0_to_255.tfrecords", records[3:])
    return root, main, aux


@pytest.mark.parametrize("above", [False, True])
def test_bair_robot_pushing(pushing, above):
    root, main, aux = pushing
    source, videos, index, _ = stored(root.parent if above else root)
    order = [3, 4, 0, 1, 2]
    np.testing.assert_array_equal(videos, aux[order])
    assert index["split"].tolist() == ["test", "test", "train", "train", "train"]
    assert source.videos[0].name == "test/traj_0_to_255.tfrecords/000000"
    assert source.describe() == ("tfrecords: 5 videos, 2 to test, 3 to train, frames of image_aux1")
    assert source.guesses == [
        "frames of image_aux1 are a guess: --select image_main says otherwise"
    ]
    assert source.videos[0].probe()[:4] == (None, 30, 64, 64)
    other, videos, _, _ = stored(root, Reading(select="image_main"))
    assert (other.guesses, other.note) == ([], "frames of image_main")
    np.testing.assert_array_equal(videos, main[order])
    with pytest.raises(UserError, match="no frames 'top': choose others with --select, of image_a"):
        open_source(root, Reading(select="top"))


def test_a_clip_of_the_middle(pushing):
    root, _, aux = pushing
    clip = open_clip(root / "train", 1)
    assert clip.note == "traj_0_to_1.tfrecords/000001, 64x64, one of 3 videos"
    np.testing.assert_array_equal(list(clip.frames), aux[1])


def named(frames, key):
    return {key.format(time): frame.tobytes() for time, frame in enumerate(frames)}


@pytest.mark.parametrize(
    "make",
    [
        lambda v: named(v, "frame_{:04d}"),
        lambda v: named(v, "video/{}/raw"),
        lambda v: named(v, "images/encoded/{}") | {"id": b"abc", "7/x": b"1", "label": 3},
        lambda v: {"frames": [frame.tobytes() for frame in v], "label": [1, 2]},
        lambda v: {"frames": [encoded(frame, "PNG") for frame in v]},
        lambda v: {f"{t}/rgb": encoded(frame, "PNG") for t, frame in enumerate(v)},
        lambda v: named(v, "{}/rgb") | {"height": 16, "width": 16},
    ],
)
def test_general_records(tmp_path, make):
    written = clips(3)
    path = save(tmp_path / "x.tfrecord", [make(one) for one in written])
    source, videos, _, _ = stored(path)
    assert source.guesses == []
    np.testing.assert_array_equal(videos, written)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("key", ["height", "cam/height", "cam/0/image/height"])
def test_raw_frames_of_a_stated_size(tmp_path, channels, key):
    written = RNG.integers(0, 256, (2, 5, 12, 27, channels), np.uint8)
    sizes = {key: 12, key.replace("height", "width"): 27}
    records = [named(one, "cam/{}/image/encoded") | sizes for one in written]
    _, videos, _, _ = stored(save(tmp_path / "x.tfrecords", records))
    np.testing.assert_array_equal(videos, written)


def test_sequence_examples_and_jpeg(tmp_path):
    written = clips(2)
    records = []
    for one in written:
        parts = [feature(encoded(frame, "JPEG")) for frame in one]
        lists = {"image": tf.train.FeatureList(feature=parts)}
        both = {"label": feature(3)}
        record = tf.train.SequenceExample(
            context=tf.train.Features(feature=both),
            feature_lists=tf.train.FeatureLists(feature_list=lists),
        )
        records.append(record.SerializeToString())
    _, videos, _, _ = stored(save(tmp_path / "a.tfrecord-00000-of-00001", records))
    for video, frames in zip(videos, written, strict=True):
        expected = [Image.open(BytesIO(encoded(frame, "JPEG"))) for frame in frames]
        np.testing.assert_array_equal(video, np.stack([np.asarray(one) for one in expected]))


def test_lengths_differ_and_fps_is_stated(tmp_path):
    written = [clips(1, length)[0] for length in (4, 11)]
    records = [named(one, "{}/x") for one in written]
    path = save(tmp_path / "x.tfrecords", records)
    _, videos, index, _ = stored(path, Reading(fps=5))
    assert [len(one) for one in videos] == [4, 11]
    assert index["fps"].tolist() == [5, 5]


def test_several_cameras_need_a_choice(tmp_path):
    left, right = clips(2), clips(2)
    records = [
        named(a, "left/{}/encoded") | named(b, "right/{}/encoded")
        for a, b in zip(left, right, strict=True)
    ]
    path = save(tmp_path / "x.tfrecord", records)
    with pytest.raises(UserError, match=r"several kinds \(left, right\): choose one with --select"):
        open_source(path)
    _, videos, _, _ = stored(path, Reading(select="right"))
    np.testing.assert_array_equal(videos, right)


# --- damage


def test_records_that_are_no_videos(tmp_path):
    for record in ({"label": 3}, {"image": clips(1)[0][0].tobytes()}, {"a": [b"cat", b"dog"]}):
        path = save(tmp_path / "x.tfrecord", [record])
        with pytest.raises(UserError, match="expected records with the frames of a video"):
            open_source(path)


def test_a_missing_frame_and_a_frame_of_another_size(tmp_path):
    written = clips(3)
    records = [named(one, "{}/x") for one in written]
    del records[1]["5/x"]
    records[2]["5/x"] = bytes(99)
    path = save(tmp_path / "x.tfrecord", records)
    _, videos, _, skipped = stored(path)
    assert [len(one) for one in videos] == [12, 11]
    assert "record 1 is damaged (5/x is missing)" in skipped[0].reason
    said = "record 2, frame 5 of x is damaged (expected square pixels of 1 or 3 bytes, found 99"
    assert said in skipped[1].reason


def test_a_file_that_is_cut_off(tmp_path):
    written = clips(3)
    path = save(tmp_path / "x.tfrecord", [named(one, "{}/x") for one in written])
    path.write_bytes(path.read_bytes()[:-50])
    source, videos, _, skipped = stored(path)
    np.testing.assert_array_equal(videos, written[:2])
    assert source.skipped[0].reason == "is cut off or damaged behind record 2"
    assert skipped[0].damaged


def test_a_wrong_byte_is_told(tmp_path):
    written = clips(3)
    path = save(tmp_path / "x.tfrecord", [named(one, "{}/x") for one in written])
    content = bytearray(path.read_bytes())
    content[content.index(written[1][3].tobytes()) + 7] ^= 1
    path.write_bytes(content)
    _, videos, _, skipped = stored(path)
    np.testing.assert_array_equal(videos, written[[0, 2]])
    assert "record 1 is damaged (corrupted record" in skipped[0].reason


def test_files_that_are_none(tmp_path):
    path = tmp_path / "x.tfrecord"
    for content, sentence in (
        (b"", "is no TFRecord file, or damaged"),
        (b"hello, world. " * 9, "is no TFRecord file, or damaged"),
        (b"\x1f\x8b" + bytes(99), "is compressed: expected a plain TFRecord file; gunzip it"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=sentence):
            open_source(path)


def test_without_tensorflow(tmp_path, monkeypatch):
    path = save(tmp_path / "x.tfrecord", [named(clips(1)[0], "{}/x")])
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UserError, match="which TensorFlow reads: pip install tensorflow, or"):
        open_source(path)


def test_videos_pickle_and_no_file_is_held(tmp_path):
    import pickle

    path = save(tmp_path / "x.tfrecord", [named(one, "{}/x") for one in clips(2)])
    videos = open_source(path).videos
    first = frames_of(videos[1])
    np.testing.assert_array_equal(frames_of(pickle.loads(pickle.dumps(videos[1]))), first)
    assert len(pickle.dumps(videos)) < 2000
