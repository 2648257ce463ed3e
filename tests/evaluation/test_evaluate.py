import numpy as np
import pytest

from kvidgan.data.flow import dis_flow
from kvidgan.errors import UserError
from kvidgan.evaluation import chosen_clips as module
from kvidgan.evaluation.evaluate import evaluate
from kvidgan.evaluation.metrics import psnr, sharpness_difference, ssim
from kvidgan.evaluation.protocol import REGIONS, Kvidgan
from kvidgan.media import fit_frames
from tests.evaluation.conftest import copying, rollout, squares
from tests.rollout import steps
from tests.textures import texture


@pytest.fixture
def store(stored):
    """Four long videos, two of them larger, and one with six frames."""
    larger = squares(3, side=60)
    return stored([*squares(2), *larger[1:], squares(1, length=6)[0]])


@pytest.mark.parametrize("num_context", [1, 3])
def test_a_model_that_repeats_its_last_frame_scores_as_copy_last(store, monkeypatch, num_context):
    # Of five or six clips of a size: the last batch is filled.
    monkeypatch.setattr(module, "BATCH_CLIPS", 4)
    models = {"copying": rollout(copying(num_context))}
    scores = evaluate(models, store, num_frames=3, clips=2)
    assert any(len(numbers) < size for numbers, size in scores.clips.batches())
    np.testing.assert_array_equal(scores.values["copying"], scores.values["copy last"])
    warping = list(Kvidgan.metrics).index("warping")
    nothing = np.isnan(scores.values["copying"][0])
    assert nothing[warping, :, 0].all(), "before the first frame none was made"
    assert nothing.sum() == nothing[warping, :, 0].size


def test_so_does_one_that_makes_several_frames_at_once(store):
    scores = evaluate({"copying": rollout(copying(2, num_frames=4))}, store, num_frames=3, clips=1)
    np.testing.assert_array_equal(scores.values["copying"], scores.values["copy last"])


def test_scores_written_out(stored):
    store = stored([squares(3)[2]])
    scores = evaluate({"mean": rollout(steps.predicting())}, store, num_frames=2, clips=1)
    video = store.read(0, 0, 4).astype(float)
    first = (video[0] + video[1]) / 2
    made = [np.rint(first), np.rint((video[1] + first) / 2)]
    for k in range(2):
        truth, frame = video[2 + k].astype(np.uint8), made[k].astype(np.uint8)
        flow = dis_flow(truth, video[1 + k].astype(np.uint8))
        mask = np.hypot(*np.moveaxis(flow, -1, 0)) > 0.2
        assert scores.moving[0, k] == mask.mean() > 0
        for r, region in enumerate((None, mask)):
            for m, metric in enumerate((psnr, ssim, sharpness_difference)):
                found = scores.values["mean"][r, m, 0, k]
                assert found == pytest.approx(metric(truth, frame, region), rel=2e-3)


def test_each_model_gets_the_end_of_the_longest_history(store):
    models = {"one": rollout(copying(1)), "four": rollout(copying(4))}
    scores = evaluate(models, store, num_frames=2, clips=1)
    assert scores.clips.num_context == 4
    np.testing.assert_array_equal(scores.values["one"], scores.values["four"])


def test_frames_are_converted_to_what_the_models_need(stored):
    store = stored(squares(2, length=4, channels=1))
    colour = evaluate({"copying": rollout(copying())}, store, num_frames=2, clips=1)
    grey = evaluate({"copying": rollout(copying(channels=1))}, store, num_frames=2, clips=1)
    for row, values in grey.values.items():
        # Where flow is right is told by the sum over channels.
        np.testing.assert_allclose(colour.values[row][:, :3], values[:, :3], rtol=1e-6)
    models = {"fixed": rollout(copying(size=(32, 24))), "free": rollout(copying())}
    fixed = evaluate(models, store, num_frames=2, clips=1)
    assert fixed.clips.sizes == {(32, 24): 2}
    np.testing.assert_array_equal(fixed.values["fixed"], fixed.values["free"])
    truth = fit_frames(store.read(1, 0, 3), 32, 24, 3)
    assert fixed.values["fixed"][0, 0, 1, 0] == psnr(truth[2], truth[1])


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"noise": steps.counting()}, "noise: Expected a model that goes on with a clip or"),
        ({"a": steps.labelled()}, "clips.h5 has no label maps, which a follows: expected data"),
        (
            {"a": copying(), "b": copying(channels=1)},
            r"equal channels to compare, found 3 \(a\), 1 \(b\); evaluate them one by one",
        ),
        (
            {"a": copying(size=(32, 32)), "b": copying(), "c": copying(size=(32, 24))},
            r"equal frame sizes to compare, found 32x32 \(a\), 24x32 \(c\)",
        ),
    ],
)
def test_models_that_cannot_be_compared(store, models, sentence):
    with pytest.raises(UserError, match=sentence):
        evaluate({name: rollout(made) for name, made in models.items()}, store)


def test_still_videos_have_nothing_to_score_in_moving_pixels(stored):
    store = stored([np.repeat(texture(32, 32, seed=n)[None], 5, axis=0) for n in range(3)])
    scores = evaluate({"copying": rollout(copying())}, store, num_frames=2, clips=1)
    assert not scores.moving.any()
    for row in scores.values:
        for metric, best in zip(Kvidgan.metrics, (60, 1, 60, 0), strict=True):
            for one in scores.intervals[row, "all", metric][metric == "warping" :]:
                assert (one.mean, one.low, one.high, one.n) == (best, best, best, 3)
            for one in scores.intervals[row, "moving", metric]:
                assert (one.mean, one.low, one.high, one.n) == (None, None, None, 0)


def test_intervals_are_over_videos(store):
    scores = evaluate({"copying": rollout(copying())}, store, num_frames=2, clips=2)
    values = scores.values["flow extrapolation"][REGIONS.index("all"), 0, :, 1]
    found = scores.intervals["flow extrapolation", "all", "psnr"][1]
    by_video = [values[scores.clips.videos == video].mean() for video in range(5)]
    assert found.mean == pytest.approx(np.mean(by_video))
    assert (found.n, found.videos) == (10, 5)
    assert min(by_video) <= found.low < found.mean < found.high <= max(by_video)


def test_a_model_of_the_same_videos_is_warned_of(stored, caplog):
    store = stored(squares(2), splits=["train", "test"])

    def trained_on(split, trained, checksum=store.checksum):
        caplog.clear()
        about = {"trained_on": {"checksum": checksum}, "config": {"data": {"split": trained}}}
        scores = evaluate({"copying": rollout(copying(**about))}, store, split=split, num_frames=1)
        assert ("trained on the very videos" in caplog.text) == bool(scores.trained_on)
        return bool(scores.trained_on)

    assert trained_on("train", "train")
    assert trained_on("test", None)
    assert not trained_on("test", "train")
    assert not trained_on("train", "train", checksum="another")
    store = stored(squares(2), name="plain")
    assert trained_on(None, "train", store.checksum)


def test_clips_are_read_as_they_are_played(store, monkeypatch):
    read, lengths = store.read, []

    def recorded(video, start, stop, step=1):
        lengths.append(stop - start)
        return read(video, start, stop, step)

    monkeypatch.setattr(store, "read", recorded)
    done = []
    evaluate(
        {"copying": rollout(copying())},
        store,
        num_frames=4,
        clips=1,
        on_progress=lambda *told: done.append(told),
    )
    assert sorted(set(lengths)) == [1, 2]
    assert done[-1] == (20, 20, "frames")
    assert [first for first, *_ in done] == sorted({first for first, *_ in done})


def test_real_clips(real_data, tmp_path):
    from kvidgan.data.open import open_data
    from kvidgan.data.schema import DataConfig

    path = str(real_data / "mspacman" / "Test")
    store = open_data(DataConfig(path=path, cache=str(tmp_path)), say=lambda text: None)
    scores = evaluate({"mean": rollout(steps.predicting())}, store, num_frames=2, clips=1, every=3)
    assert scores.clips.sizes == {(210, 160): 2}
    assert 0 < scores.moving.mean() < 0.2
    first = {row: scores.intervals[row, "moving", "psnr"][0].mean for row in scores.values}
    assert all(5 < value < 40 for value in first.values()), first
