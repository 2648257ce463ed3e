"""Models that follow label maps, scored."""

import json

import numpy as np
import pytest

from kvidgan.data.flow import dis_flow, flow_confidence
from kvidgan.errors import UserError
from kvidgan.evaluation.evaluate import evaluate
from kvidgan.evaluation.metrics import psnr, warping_error
from kvidgan.evaluation.protocol import REGIONS, Kvidgan
from kvidgan.evaluation.report import write_report
from kvidgan.evaluation.tables import summary, tables
from kvidgan.media import fit_flow, fit_frames, fit_maps
from kvidgan.rollout import export_step
from tests.evaluation.conftest import copying, labelled_videos, rollout
from tests.rollout import steps
from tests.rollout.steps import following

PSNR, WARPING = (list(Kvidgan.metrics).index(name) for name in ("psnr", "warping"))


@pytest.fixture
def store(stored):
    """Five videos with three classes, two of them to test on."""
    videos, maps = labelled_videos(5)
    return stored(videos, splits=["train", "test", "train", "test", "train"], maps=maps)


def painted(labels, last=None):
    """Return what the toy models make of label maps: see `following`."""
    made = []
    for one in labels:
        raw = np.repeat(one[..., None] * 127.5, 3, axis=-1)
        last = raw if last is None else (raw + last) / 2
        made.append(np.rint(last).astype(np.uint8))
    return made


def test_models_with_and_without_a_past_play_the_same_clips(store):
    models = {"flow": rollout(following()), "single": rollout(following(past=0))}
    scores = evaluate(models, store, num_frames=3, clips=1)
    assert scores.clips.num_context == 2
    assert list(scores.values) == [*models, "mean image", "class colours", "copy last"]
    for place, clip in enumerate(scores.clips.starts):
        truth = store.read(clip.video, 0, 5)
        labels = store.read_map("labels", clip.video, 2, 5)
        made = {
            "flow": painted(labels, truth[1].astype(float)),
            "single": [painted([one])[0] for one in labels],
            "copy last": [truth[1]] * 3,
        }
        for row, frames in made.items():
            for k in range(3):
                found = scores.values[row][0, PSNR, place, k]
                assert found == pytest.approx(psnr(truth[2 + k], frames[k]), abs=0.1), (row, k)


def test_baselines_are_averages_of_the_training_frames(store):
    scores = evaluate({"single": rollout(following(past=0))}, store, num_frames=2, clips=1)
    assert scores.clips.num_context == 1, "what moves is told by the frame before"
    (image,), colours = scores.averages.images.values(), scores.averages.colours
    clip = scores.clips.starts[0]
    truth, labels = store.read(clip.video, 1, 3), store.read_map("labels", clip.video, 1, 3)
    for row, frames in (("mean image", [image] * 2), ("class colours", colours[labels])):
        for k in range(2):
            assert scores.values[row][0, PSNR, 0, k] == psnr(truth[k], frames[k])
    assert np.isnan(scores.values["mean image"][:, WARPING, :, 0]).all()


@pytest.mark.parametrize("size", [None, (24, 32)])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_warping_error_is_along_the_true_flow(store, size, stride):
    model = rollout(following(past=0, **({"trained": size} if size else {})))
    scores = evaluate({"single": model}, store, num_frames=2, clips=1, stride=stride)
    assert scores.clips.stored_flow == (stride == 1)
    clip, size = scores.clips.starts[0], size or (48, 48)
    place = (clip.video, 0, 2 * stride + 1, stride)
    truth = fit_frames(store.read(*place), *size, 3)
    made = [painted([one])[0] for one in fit_maps(store.read_map("labels", *place), *size)]
    if stride == 1:
        flow = fit_flow(store.read_map("flow", *place).astype("float32"), *size)[2]
        confidence = fit_maps(store.read_map("confidence", *place), *size)[2]
    else:
        flow = dis_flow(truth[2], truth[1])
        confidence = flow_confidence(truth[2], truth[1], flow)
    for found, (before, after) in (
        (scores.values["single"][0, WARPING, 0, 1], made[1:]),
        (scores.true_warping[0, 0, 1], truth[1:]),
    ):
        one = warping_error(before[None], after[None], flow[None], confidence[None])[0]
        assert found == pytest.approx(one)
        assert found > 0
    assert np.isnan(scores.true_warping[:, :, 0]).all()


def test_models_that_may_begin_by_themselves_do(store):
    models = {"begins": rollout(following(empty=True)), "flow": rollout(following())}
    scores = evaluate(models, store, num_frames=1, clips=1)
    clip = scores.clips.starts[0]
    (made,) = painted(store.read_map("labels", clip.video, 2, 3), np.full((48, 48, 3), 127.5))
    found = scores.values["begins"][0, PSNR, 0, 0]
    assert found == pytest.approx(psnr(store.read(clip.video, 2, 3)[0], made), abs=0.1)


def test_predictors_may_stand_beside_them(store):
    models = {"copying": rollout(copying()), "flow": rollout(following())}
    scores = evaluate(models, store, num_frames=2, clips=1)
    np.testing.assert_array_equal(scores.values["copying"], scores.values["copy last"])


def test_instances_are_followed(stored):
    videos, maps = labelled_videos(2)
    with pytest.raises(UserError, match="has no instance maps, which toy follows: expected data"):
        evaluate({"toy": rollout(following(edges=True))}, stored(videos, maps=maps))
    store = stored(videos, maps=maps, instances=maps, name="more")
    seen = rollout(following(edges=True))
    with_, without = (
        evaluate({"toy": toy}, store, num_frames=2, clips=1).values["toy"]
        for toy in (seen, rollout(following()))
    )
    np.testing.assert_array_equal(with_, without)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (following(classes=2), "at most the 2 classes that this toy model was trained on"),
        (following(classes=2, found="edges"), "this toy model follows edges found in frames"),
    ],
)
def test_label_maps_that_do_not_fit(store, model, sentence):
    with pytest.raises(UserError, match=sentence):
        evaluate({"toy": rollout(model)}, store)


def test_what_is_left_out_is_said(stored, caplog, tmp_path):
    videos, maps = labelled_videos(2)
    store = stored(videos, maps=maps)
    scores = evaluate({"toy": rollout(following())}, store, num_frames=2, clips=1)
    assert list(scores.values) == ["toy", "copy last"]
    said = "no video is left to average frames of: mean image and class colours are left out"
    assert said in caplog.text
    path = export_step(*following(), tmp_path / "toy.keras")
    json_path, *_ = write_report(scores, {"toy": path}, tmp_path)
    protocol = json.loads(json_path.read_text())["protocol"]
    assert "no video was left to average" in protocol["training_frames"]


def test_reports_tell_what_was_followed(store, tmp_path):
    path = export_step(*following(), tmp_path / "toy.keras")
    scores = evaluate({"toy": rollout(following())}, store, num_frames=3, clips=1)
    json_path, text_path, _ = write_report(scores, {"toy": path}, tmp_path)
    report, text = json.loads(json_path.read_text()), text_path.read_text()
    assert "3 frames made of label maps after 2 given" in summary(scores)
    protocol = report["protocol"]
    assert protocol["labels"] == "ids of 3 classes"
    assert protocol["training_frames"] == "30 frames of 3 videos: split train"
    assert "that stored with the data" in protocol["warping"]
    assert set(report["baselines"]) == {"mean image", "class colours", "copy last"}
    own = report["true_video"]["all"]["warping"]
    assert [point["mean"] is None for point in own] == [True, False, False]
    expected = np.mean([scores.true_warping[REGIONS.index("all"), clip, 1] for clip in range(2)])
    assert own[1]["mean"] == pytest.approx(expected)
    last = [line for line in tables(scores).splitlines() if "true video" in line]
    assert len(last) == 2
    assert f"{own[1]['mean']:.5f}" in last[0]
    assert "training frames: 30 frames" in text


def test_predictors_reports_say_nothing_of_labels(stored, tmp_path):
    videos, _ = labelled_videos(2)
    path = export_step(*steps.predicting(), tmp_path / "mean.keras")
    scores = evaluate({"mean": rollout(steps.predicting())}, stored(videos), num_frames=1)
    json_path, *_ = write_report(scores, {"mean": path}, tmp_path)
    assert not {"labels", "training_frames"} & set(json.loads(json_path.read_text())["protocol"])
