from itertools import pairwise

import numpy as np
import pytest

from kvidgan.contract import ClipSpec
from kvidgan.data.batches import ClipBatches
from kvidgan.data.convert import prepare
from kvidgan.data.labels import LabelSet
from kvidgan.data.source import Video
from kvidgan.data.store.reader import ClipStore
from kvidgan.data.store.writer import StoreWriter
from kvidgan.errors import UserError
from tests.data.conftest import clip_spec, frame_records, placed, placed_source, source_of, video

MAPS = ("labels", "instances", "flow", "confidence")
WHOLE = clip_spec(3, 24, 32, 3, maps=MAPS)


@pytest.fixture
def store(tmp_path):
    """Two videos whose pixels, labels and instances tell their place and time."""
    with ClipStore.open(prepare(placed_source(6, 9), tmp_path / "s.h5").path) as opened:
        yield opened


def batches(store, spec, **options):
    return ClipBatches(store, {"clip": spec}, **({"batch": 6, "steps": 12} | options))


def changed(spec, **options):
    return ClipSpec(**spec.model_dump() | options)


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


# --- maps


def test_maps_come_along(store):
    batch = batches(store, WHOLE)[0]
    shapes = {name: (array.shape, array.dtype.name) for name, array in batch.items()}
    assert shapes == {
        "clip": ((6, 3, 24, 32, 3), "uint8"),
        "clip_labels": ((6, 3, 24, 32), "uint8"),
        "clip_instances": ((6, 3, 24, 32), "int32"),
        "clip_flow": ((6, 3, 24, 32, 2), "float32"),
        "clip_confidence": ((6, 3, 24, 32), "uint8"),
        "clip_class": ((6,), "int32"),
    }
    times = batch["clip"][..., 2]
    np.testing.assert_array_equal(batch["clip_labels"], batch["clip"][..., 0])
    np.testing.assert_array_equal(batch["clip_instances"] % 100, batch["clip"][..., 1])
    np.testing.assert_array_equal(batch["clip_instances"] // 100, times)
    first = times[:, :, 0, 0] % 100 == 0
    assert first.any()
    assert not batch["clip_confidence"][first].any(), "of a video's first frame"
    assert batch["clip_confidence"][~first].all(), "nothing moves"
    same(batches(store, changed(WHOLE, maps=()))[0], {k: batch[k] for k in ("clip", "clip_class")})


@pytest.mark.parametrize("size", [(12, 16), (12, 12), (6, 16), (24, 24), (9, 9)])
def test_maps_are_cut_exactly_as_frames(store, size):
    batch = batches(
        store,
        clip_spec(2, *size, 3, maps=("labels", "instances")),
    )[0]
    frames = batch["clip"].astype(int)
    assert batch["clip_labels"].shape == (6, 2, *size)
    assert abs(batch["clip_labels"] - frames[..., 0]).max() <= 1, "a mean and its middle"
    assert abs(batch["clip_instances"] % 100 - frames[..., 1]).max() <= 1
    np.testing.assert_array_equal(batch["clip_instances"] // 100, frames[..., 2])


def test_maps_are_cropped_exactly_as_frames(store):
    spec = clip_spec(
        2,
        8,
        8,
        3,
        crop=True,
        motion=0.001,
        maps=("labels", "instances"),
    )
    batch = batches(store, spec, batch=60)[0]
    np.testing.assert_array_equal(batch["clip_labels"], batch["clip"][..., 0])
    np.testing.assert_array_equal(batch["clip_instances"] % 100, batch["clip"][..., 1])
    assert len(np.unique(batch["clip_labels"][:, 0, 0, 0])) > 5


@pytest.fixture
def drifting(tmp_path):
    """A store whose flow is (6, -3) pixels everywhere, trusted in the left half."""
    frames, maps = placed(0, 6)
    flow = np.broadcast_to(np.array([6, -3], np.float16), (6, 24, 32, 2))
    confidence = np.zeros((6, 24, 32), bool)
    confidence[..., :16] = True
    maps = {**maps, "flow": flow, "confidence": confidence}
    with StoreWriter(tmp_path / "d.h5", name="d", labels=LabelSet("ids", ("a",))) as writer:
        writer.add(Video("v", iter), frame_records(frames, maps))
    with ClipStore.open(tmp_path / "d.h5") as opened:
        yield opened


@pytest.mark.parametrize(
    ("size", "flow"), [((24, 32), (6, -3)), ((12, 16), (3, -1.5)), ((48, 32), (12, -6))]
)
def test_flow_scales_with_its_frames(drifting, size, flow):
    batch = batches(
        drifting,
        clip_spec(2, *size, 3, maps=("flow", "confidence")),
    )[0]
    expected = np.broadcast_to(flow, (6, 2, *size, 2))
    np.testing.assert_allclose(batch["clip_flow"], expected, rtol=1e-6)
    if size == (12, 16):
        np.testing.assert_array_equal(batch["clip_confidence"][0, 0, 3], [1] * 8 + [0] * 8)


def test_half_of_the_clips_are_mirrored(drifting):
    spec = clip_spec(2, 24, 32, 3, maps=MAPS)
    plain, flipped = (batches(drifting, changed(spec, flip=f), batch=200)[0] for f in (False, True))
    turned = (flipped["clip_flow"][..., 0] < 0).all((1, 2, 3))
    assert 0.4 < turned.mean() < 0.6
    assert abs(flipped["clip_flow"][..., 0]).min() == 6
    np.testing.assert_array_equal(flipped["clip_flow"][..., 1], -3)
    for name in ("clip", "clip_labels", "clip_instances", "clip_confidence"):
        np.testing.assert_array_equal(flipped[name][~turned], plain[name][~turned])
        np.testing.assert_array_equal(flipped[name][turned], plain[name][turned][:, :, :, ::-1])
    assert not np.array_equal(flipped["clip"], plain["clip"])


def test_shards_and_threads_agree_on_maps(store):
    spec = changed(WHOLE, flip=True, sequence=4)
    whole = batches(store, spec)[5]
    shards = [batches(store, spec, shard=(n, 3), workers=n)[5] for n in range(3)]
    same(whole, {name: np.concatenate([s[name] for s in shards]) for name in whole})


def test_a_store_without_what_is_asked_for(tmp_path, store):
    plain = ClipStore.open(prepare(source_of([video(0, 9)]), tmp_path / "plain.h5").path)
    for name, sentence in (
        (
            "labels",
            r"plain\.h5 has no labels: clip needs a label map for every frame; prepare the videos"
            r" with --labels edges or --labels foreground, or choose data that come with label",
        ),
        ("instances", r"has no instances: clip needs an instance map for every frame; choose data"),
        (
            "flow",
            r"has no flow: clip needs optical flow for every frame; choose data with label maps",
        ),
        ("confidence", r"has no confidence: clip needs the flow's confidence for every frame"),
    ):
        with pytest.raises(UserError, match=sentence):
            batches(plain, clip_spec(2, 8, 8, 3, maps=(name,)))


def test_flow_is_between_neighbours(store):
    sentence = r"^data\.stride: expected 1, found 2: clip needs optical flow, .* leave the"
    for name in ("flow", "confidence"):
        with pytest.raises(UserError, match=sentence):
            batches(
                store,
                clip_spec(2, 24, 32, 3, maps=(name,)),
                stride=2,
            )
    strided = batches(
        store,
        clip_spec(2, 24, 32, 3, maps=("instances",)),
        stride=2,
    )[0]
    np.testing.assert_array_equal(strided["clip_instances"] // 100, strided["clip"][..., 2])


# --- what is drawn


@pytest.mark.parametrize(
    ("num_frames", "starts"), [(1, (6, 9)), (3, (4, 7))], ids=["single frames", "clips"]
)
def test_uniform_over_frames_or_over_videos(store, num_frames, starts):
    """Of videos of 6 and 9 frames: each place as often as any other, or each video."""
    spec, count = clip_spec(num_frames, 24, 32, 3), 1500
    over = {
        kind: batches(store, changed(spec, uniform_over=kind), batch=count)
        for kind in ("videos", "frames")
    }
    for kind, expected in (("videos", 1 / 2), ("frames", starts[0] / sum(starts))):
        numbers, frames = times(over[kind][0])
        assert (numbers[:, 0] == 0).mean() == pytest.approx(expected, abs=0.05), kind
        if kind == "frames":
            places = np.unique(numbers[:, 0] * 100 + frames[:, 0], return_counts=True)[1]
            assert len(places) == sum(starts)
            sigma = np.sqrt(count / sum(starts))
            assert np.abs(places - count / sum(starts)).max() < 4 * sigma
    same(batches(store, spec, batch=count)[0], over["videos"][0])  # by default


def test_uniform_over_frames_is_a_pure_function_too(store):
    spec = changed(WHOLE, uniform_over="frames", sequence=4)
    whole = batches(store, spec)
    shards = [batches(store, spec, shard=(n, 3), workers=n)[5] for n in range(3)]
    same(whole[5], {name: np.concatenate([s[name] for s in shards]) for name in whole[5]})
    same(batches(store, spec, epoch=1, first=6)[0], whole.batch_at(1, 6))


# --- runs

RUNS = clip_spec(3, 24, 32, 3, maps=("instances",), sequence=4)


def times(batch):
    """Which video, and which of its frames: (batch, time) each."""
    return batch["clip"][..., 0, 0, 2] // 100, batch["clip"][..., 0, 0, 2].astype(int) % 100


@pytest.mark.parametrize(("advance", "stride"), [(1, 1), (2, 1), (1, 2)])
def test_windows_of_a_run_follow_each_other(tmp_path, advance, stride):
    store = ClipStore.open(prepare(placed_source(14, 19), tmp_path / "s.h5").path)
    spec = changed(RUNS, advance=advance, flip=True)
    runs = batches(store, spec, stride=stride)
    begun = set()
    for run in range(3):
        windows = [runs.batch_at(0, 4 * run + position) for position in range(4)]
        for position, window in enumerate(windows):
            assert window["clip_position"].tolist() == [position] * 6
            assert window["clip_position"].dtype == np.int32
            numbers, frames = times(window)
            np.testing.assert_array_equal(numbers, times(windows[0])[0])
            moved = position * advance * stride
            np.testing.assert_array_equal(frames, times(windows[0])[1] + moved)
        if advance == 1:
            for one, other in pairwise(windows):
                for name in ("clip", "clip_instances"):
                    np.testing.assert_array_equal(one[name][:, 1:], other[name][:, :-1])
        begun.add(tuple(times(windows[0])[1][:, 0]))
    assert len(begun) == 3, "every run draws its own clips"


def test_a_run_is_a_pure_function_of_seed_epoch_and_its_number(store):
    one, other = batches(store, RUNS), batches(store, RUNS, workers=2)
    wanted = [(0, 6), (2, 1), (0, 5), (0, 6)]
    for epoch, index in wanted:
        same(one.batch_at(epoch, index), other.batch_at(epoch, index))
    later = batches(store, RUNS, epoch=1, first=6)
    same(later[0], one.batch_at(1, 6))
    assert later[0]["clip_position"].tolist() == [2] * 6, "a resume inside a run goes on with it"
    assert not np.array_equal(one.batch_at(0, 4)["clip"], one.batch_at(1, 4)["clip"])
    changed = batches(store, RUNS, seed=1).batch_at(0, 4)
    assert not np.array_equal(one.batch_at(0, 4)["clip"], changed["clip"])


def test_runs_grow_epoch_by_epoch(store):
    grown = batches(store, changed(RUNS, first_sequence=1, grow_every=2))
    positions = [
        [int(grown.batch_at(epoch, index)["clip_position"][0]) for index in range(8)]
        for epoch in range(6)
    ]
    assert positions[0] == positions[1] == [0] * 8
    assert positions[2] == positions[3] == [0, 1] * 4
    assert positions[4] == positions[5] == [0, 1, 2, 3] * 2
    plain = batches(store, changed(RUNS, sequence=1))
    for name in ("clip", "clip_instances", "clip_class"):
        np.testing.assert_array_equal(
            grown.batch_at(1, 3)[name], plain.batch_at(1, 3)[name], "runs of one are no runs"
        )
    assert "clip_position" not in plain.batch_at(0, 0)
    asked = batches(store, changed(RUNS, sequence=1, position=True))
    assert asked.batch_at(0, 5)["clip_position"].tolist() == [0] * 6


def test_runs_that_no_video_is_long_enough_for(store, caplog):
    batch = batches(store, changed(RUNS, sequence=30))
    assert caplog.messages == [
        "s.h5: the longest video has 9 frames: clip comes in runs of 7 windows, not of 30.",
        "s.h5: 1 of 2 videos have fewer than 9 frames and are not used for runs of 7 windows of"
        " clip.",
    ]
    assert [int(batch.batch_at(0, i)["clip_position"][0]) for i in range(9)] == [
        *range(7),
        *range(2),
    ]
    numbers, frames = times(batch.batch_at(0, 6))
    assert set(numbers.ravel()) == {1}
    assert frames.max() == 8


def test_short_videos_are_used_while_runs_are_short(store):
    grown = batches(store, changed(RUNS, sequence=7, first_sequence=1, grow_every=1), batch=60)
    seen = [set(times(grown.batch_at(epoch, 0))[0].ravel()) for epoch in range(4)]
    assert seen == [{0, 1}, {0, 1}, {0, 1}, {1}]


def test_runs_have_no_random_crops():
    with pytest.raises(ValueError, match="expected crop or sequence"):
        clip_spec(2, 8, 8, 3, crop=True, sequence=2)
