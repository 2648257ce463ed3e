import gc
import tracemalloc
from itertools import islice

import keras
import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.media import to_float, to_uint8
from kvidgan.rollout import Rollout, export_step
from tests.rollout import steps

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def rollout():
    keras.utils.set_random_seed(0)
    return Rollout(*steps.counting())


def play(rollout, frames, **options):
    return np.stack([s.frames for s in islice(rollout.start(**options), frames)], axis=1)


def test_states_go_on_and_latents_hold(rollout):
    latents = {"content": np.zeros((1, 2)), "count": np.full((1, 1), 2.0)}
    fed = []
    predict = rollout.model.predict_on_batch
    rollout.model.predict_on_batch = lambda feed: fed.append(dict(feed)) or predict(feed)
    play(rollout, 3, latents=latents, choices={"category": "b"})
    rollout.model.predict_on_batch = predict
    assert [float(feed["count"][0, 0]) for feed in fed] == [2.0, 2.25, 2.5]
    assert all((feed["content"] == 0).all() for feed in fed)
    assert all(feed["category"].tolist() == [[0, 1, 0]] for feed in fed)
    assert len({feed["noise"].tobytes() for feed in fed}) == 3
    assert max(np.abs(feed["noise"]).max() for feed in fed) <= 1


def test_a_seed_gives_the_same_frames_twice_and_alone_or_among_others(rollout):
    once, again = play(rollout, 4, videos=3, seed=5), play(rollout, 4, videos=3, seed=5)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(play(rollout, 4, videos=1, seed=6)[0], once[1])
    np.testing.assert_array_equal(play(rollout, 9, videos=3, seed=5)[:, :4], once)
    assert (play(rollout, 4, videos=3, seed=50) != once).any()


def test_content_and_motion_are_drawn_apart(rollout):
    grid = play(rollout, 3, videos=4, content_seeds=[1, 1, 2, 2], motion_seeds=[1, 2, 1, 2])
    direct = play(rollout, 3, content_seeds=[2], motion_seeds=[1])
    np.testing.assert_array_equal(grid[2], direct[0])
    assert len({video.tobytes() for video in grid}) == 4


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"choices": {"category": "z"}}, "expected one of a, b, c, found 'z'"),
        ({"choices": {"category": 3}}, "expected one of a, b, c, found 3"),
        ({"choices": {"category": ["a"]}, "videos": 2}, "expected 2 choices, found 1"),
        ({"choices": {"colour": "red"}}, "choices: expected category for this toy model"),
        ({"latents": {"content": np.zeros(2)}}, r"expected values of shape \(1, 2\)"),
        ({"latents": {"category": np.zeros(3)}}, "latents: expected content or count for"),
        ({"latents": {"noise": np.zeros((1, 2))}}, "latents: expected content or count for"),
        ({"conditions": {"labels": []}}, "conditions: expected none"),
        ({"content_seeds": [1, 2]}, "Expected 1 content and motion seeds"),
    ],
)
def test_what_does_not_fit_is_refused(rollout, options, sentence):
    with pytest.raises(UserError, match=sentence):
        rollout.start(**options)


def test_history_is_padded_fed_back_and_cropped():
    rollout = Rollout(*steps.predicting())
    clip = np.random.default_rng(0).integers(0, 256, (5, 7, 6, 3), dtype=np.uint8)
    played = list(islice(rollout.start(context=clip), 3))
    first = (to_float(clip[3]) + to_float(clip[4])) / 2
    second = (to_float(clip[4]) + first) / 2
    third = (first + second) / 2
    for step, expected in zip(played, [first, second, third], strict=True):
        assert step.frames.shape == (1, 7, 6, 3)
        assert np.abs(step.frames[0].astype(int) - to_uint8(expected)).max() <= 1
        np.testing.assert_allclose(step.extras["twice"][0], 2 * expected, atol=1e-5)


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        (None, "expected 2 real frames to begin with, found none"),
        (np.zeros((1, 4, 4, 3), "uint8"), "expected at least 2 frames, found 1"),
        (np.zeros((2, 4, 4, 1), "uint8"), "expected 1 videos of"),
    ],
)
def test_a_history_that_does_not_fit_is_refused(history, sentence):
    with pytest.raises(UserError, match=sentence):
        Rollout(*steps.predicting()).start(context=history)


def test_conditions_are_windowed_encoded_and_end_the_rollout():
    rollout = Rollout(*steps.labelled())
    maps = [np.full((3, 5), value) for value in (0, 1, 1, 1)]
    played = [step.frames for step in rollout.start(conditions={"labels": iter(maps)})]
    assert [frames.shape for frames in played] == [(1, 3, 5, 1)] * 4
    assert [int(frames[0, 0, 0, 0]) for frames in played] == [0, 85, 170, 255]
    with pytest.raises(UserError, match="class numbers 0 to 1"):
        next(rollout.start(conditions={"labels": [np.full((3, 5), 2)]}))
    with pytest.raises(UserError, match="labels: expected a sequence of frames"):
        rollout.start()


def test_memory_does_not_grow_with_length():
    rollout = Rollout(*steps.predicting())
    playing = rollout.start(context=np.zeros((2, 32, 32, 3), np.uint8))
    for _ in range(50):
        next(playing)
    tracemalloc.start()
    sizes = []
    for _ in range(2):
        for _ in range(100):
            step = next(playing)
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] - sizes[0] < 20 * step.frames.nbytes, "a hundred frames are not kept"


def test_export_and_open_plays_the_same(rollout, tmp_path):
    path = export_step(rollout.model, rollout.description, tmp_path / "toy.keras")
    opened = Rollout.open(path)
    assert opened.description == rollout.description
    np.testing.assert_array_equal(play(opened, 5, videos=2), play(rollout, 5, videos=2))
    assert [p.name for p in tmp_path.iterdir()] == ["toy.keras"]


def test_a_state_that_begins_as_another():
    rollout = Rollout(*steps.walking())
    played, z = rollout.start(seed=5), rollout.draw("first", 5)
    for share in (1, 0.5, 0.25):
        expected = np.rint((z * share + 1) * 127.5)
        np.testing.assert_array_equal(next(played).frames[0, 0, :, 0], expected)
    given = rollout.start(latents={"first": np.full((1, 3), 0.5, "float32")})
    assert (next(given).frames == 191).all()


def test_several_frames_a_step_come_one_by_one():
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    rollout = Rollout(*steps.several())
    played = list(zip(range(5), rollout.start(context=frames), strict=False))
    # A step makes the last frame and its negative; the history is then these two.
    last = frames[1]
    for (number, step), expected in zip(
        played, [last, 255 - last, 255 - last, last, last], strict=True
    ):
        assert np.abs(step.frames[0].astype(int) - expected).max() <= 1, number
        assert step.extras["half"].shape == (1, 5, 7, 3)


def test_a_clip_goes_on():
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    played = islice(Rollout(*steps.predicting()).continue_from(frames), 3)
    first = frames[1:3].astype(float).mean(axis=0)
    second = (frames[2] + first) / 2
    for step, expected in zip(played, [first, second, (first + second) / 2], strict=True):
        assert step.frames.shape == (1, 5, 7, 3)
        assert np.abs(step.frames[0] - expected).max() <= 0.6
