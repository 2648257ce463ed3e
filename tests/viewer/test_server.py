"""The worker's loop on toy models, in a thread here: what it sends is what `Rollout` makes."""

import os
import queue
import threading
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.preview import preview
from kvidgan.data.reading import Reading
from kvidgan.media import colour_labels, grid, write_frames
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout import Rollout, export_step
from kvidgan.rollout.interpolation import interpolated_latents
from kvidgan_viewer.worker import rollouts as rollouts
from kvidgan_viewer.worker.messages import (
    Cancel,
    Cancelled,
    Compiling,
    Damage,
    DataDescription,
    DescribeData,
    Ended,
    Extend,
    Failed,
    FrameReady,
    ListVideos,
    Open,
    Opened,
    Play,
    Quit,
    Ready,
    ReleaseSlot,
    Started,
    VideoList,
    Waiting,
)
from kvidgan_viewer.worker.server import Server
from kvidgan_viewer.worker.shared_memory import SLOTS, Reader, SharedMemory
from tests.conftest import run
from tests.data.conftest import save_strip, video
from tests.rollout import steps
from tests.textures import moving_square

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")


class Served:
    """A worker's loop in a thread, and the window's end of it."""

    def __init__(self, backend=BACKEND):
        self.memory = SharedMemory()
        self.reader = Reader(self.memory)
        self.inbox, self.outbox = queue.SimpleQueue(), queue.SimpleQueue()
        server = Server(self.outbox.put, self.memory, backend)
        self.damage = []
        self.thread = threading.Thread(target=server.run, args=(self.inbox,))
        self.thread.start()

    def ask(self, *requests):
        for request in requests:
            self.inbox.put(request)

    def reply(self, kind):
        reply = self.outbox.get(timeout=60)
        assert isinstance(reply, kind), reply
        return reply

    def film(self, last=Waiting):
        """Return (panes, is_context, scores) of the frames, and the reply after that."""
        film = []
        while not isinstance(reply := self.outbox.get(timeout=60), last):
            if isinstance(reply, Damage):
                self.damage.append(reply.sentence)
            elif not isinstance(reply, Compiling):
                assert isinstance(reply, FrameReady), reply
                assert reply.index == len(film)
                film.append((self.reader.read(reply.location), reply.is_context, reply.scores))
                self.ask(ReleaseSlot(reply.location.slot))
        return film, reply

    def close(self):
        self.ask(Quit())
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.memory.close()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Put back what a worker sets for its process."""
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setenv("KERAS_BACKEND", BACKEND)


@pytest.fixture
def served(tmp_path):
    """Return a call that opens a toy model in a worker's loop."""
    loops = []

    def start(step):
        loop = Served()
        loops.append(loop)
        path = str(export_step(*step, tmp_path / "toy.keras"))
        loop.ask(Open(path))
        ready, opened = loop.reply(Ready), loop.reply(Opened)
        assert ready.backend == BACKEND
        assert all(type(version) is str for version in ready.versions.values())
        assert (opened.path, opened.description) == (path, step[1])
        loop.path = path
        return loop

    yield start
    for loop in loops:
        loop.close()


def clip(tmp_path, frames):
    path = tmp_path / "clip.npy"
    np.save(path, frames[None])
    return str(path)


# --- from noise


def test_videos_from_noise_are_those_of_their_seeds(served):
    loop = served(steps.counting())
    loop.ask(Play(1, NoisePlan(2, 3, 7, {"category": "b"}), num_frames=4))
    started = loop.reply(Started)
    assert (started.job, started.num_context, started.total) == (1, 0, None)
    assert started.panes == ("generated",)
    loop.reply(Compiling)
    film, waiting = loop.film()
    assert waiting == Waiting(1, 4)
    direct = Rollout.open(loop.path).start(
        videos=2, content_seeds=[3, 4], motion_seeds=[7, 8], choices={"category": "b"}
    )
    for (panes, is_context, scores), step in zip(film, direct, strict=False):
        picture = panes["generated"]
        assert picture.shape == (2, 6, 1)  # two of 2x2, a gap of 2 between
        np.testing.assert_array_equal(picture[:, :2], step.frames[0])
        np.testing.assert_array_equal(picture[:, 4:], step.frames[1])
        assert not is_context
        assert scores == {}


def test_contents_on_the_way_between_two(served):
    loop = served(steps.walking())
    loop.ask(Play(1, NoisePlan(3, 4, 4, arrangement="interpolate"), num_frames=3))
    loop.reply(Started)
    latents = interpolated_latents(Rollout.open(loop.path), 3, 4)
    wanted = Rollout.open(loop.path).start(videos=3, latents=latents)
    for (panes, _, _), step in zip(loop.film()[0], wanted, strict=False):
        np.testing.assert_array_equal(panes["generated"], grid(step.frames[:, None], 3)[0])


def test_the_step_is_compiled_once_for_a_number_of_videos(served):
    loop = served(steps.counting())
    for job, (videos, compiles) in enumerate([(2, True), (2, False), (3, True)], 1):
        loop.ask(Play(job, NoisePlan(videos), num_frames=1))
        loop.reply(Started)
        if compiles:
            assert loop.reply(Compiling) == Compiling(job, 0)
        loop.ask(ReleaseSlot(loop.reply(FrameReady).location.slot))
        assert loop.reply(Waiting) == Waiting(job, 1)


# --- on a clip


def test_a_clip_is_gone_on_with_beside_its_truth(served, tmp_path):
    frames = np.stack([np.full((13, 14, 3), value, np.uint8) for value in (10, 40, 80, 120, 160)])
    frames += np.random.default_rng(0).integers(0, 9, frames.shape, dtype=np.uint8)
    loop = served(steps.predicting())
    loop.ask(Play(5, ClipPlan(clip(tmp_path, frames), start=1), num_frames=6))
    started = loop.reply(Started)
    assert "frames 1 to 2 given" in started.note
    assert (started.num_context, started.total, started.fps) == (2, None, 12.5)
    assert started.panes == ("truth", "prediction", "twice")
    film, _ = loop.film()
    assert [is_context for _, is_context, _ in film] == [True, True, False, False, False, False]
    for (panes, _, scores), frame in zip(film, frames[1:3], strict=False):
        np.testing.assert_array_equal(panes["truth"], frame)
        np.testing.assert_array_equal(panes["prediction"], frame)
        assert panes["twice"] is None
        assert scores == {}
    last = [frames[1].astype(float), frames[2].astype(float)]
    for panes, _, scores in film[2:]:
        last.append((last[-1] + last[-2]) / 2)
        assert np.abs(panes["prediction"] - last[-1]).max() < 0.51
        twice = np.clip(127.5 + 2 * (last[-1] - 127.5), 0, 255)
        assert np.abs(panes["twice"] - twice).max() < 0.51
        assert bool(scores) == (panes["truth"] is not None)
    assert [panes["truth"] is None for panes, _, _ in film[2:]] == [False, False, True, True]
    panes, _, scores = film[3]
    assert list(scores) == ["psnr", "ssim", "sharpness"]
    for shown, score in zip((panes["prediction"], frames[2]), scores["psnr"], strict=True):
        error = np.mean((frames[4].astype(float) - shown) ** 2)
        assert score == pytest.approx(10 * np.log10(255**2 / error))


def test_frames_under_eleven_pixels_have_no_ssim(served, tmp_path):
    loop = served(steps.predicting())
    frames = np.zeros((3, 10, 12, 3), np.uint8)
    loop.ask(Play(1, ClipPlan(clip(tmp_path, frames)), num_frames=3))
    loop.reply(Started)
    _, _, scores = loop.film()[0][2]
    assert scores == {"psnr": (60.0, 60.0), "sharpness": (60.0, 60.0)}


def test_frames_are_brought_to_another_size(served, tmp_path):
    loop = served(steps.predicting())
    frames = np.zeros((3, 20, 24, 3), np.uint8)
    loop.ask(Play(1, ClipPlan(clip(tmp_path, frames), size=(8, 12)), num_frames=3))
    loop.reply(Started)
    shapes = {panes["prediction"].shape for panes, _, _ in loop.film()[0]}
    assert shapes == {(8, 12, 3)}


def test_label_maps_are_painted_and_end_the_rollout(served, tmp_path):
    frames = moving_square(6)[0]
    loop = served(steps.following(classes=2, found="edges"))
    loop.ask(Play(1, ClipPlan(clip(tmp_path, frames)), num_frames=100))
    started = loop.reply(Started)
    assert started.panes == ("labels", "truth", "prediction", "mask", "flow", "raw")
    assert (started.num_context, started.total) == (2, 6)
    film, ended = loop.film(Ended)
    assert ended == Ended(1, 6)
    for number, (panes, is_context, scores) in enumerate(film):
        np.testing.assert_array_equal(panes["truth"], frames[number])
        white = (panes["labels"] == colour_labels(np.array(1))).all(-1)
        assert white.any()
        assert not white.all()
        assert is_context == (number < 2)
        if not is_context:
            assert np.isfinite(scores["psnr"]).all()
            np.testing.assert_array_equal(panes["mask"][..., 0], white * 255)
            np.testing.assert_array_equal(panes["raw"][..., 2], white * 255)


def test_frames_that_another_model_draws_count_as_made(served, tmp_path):
    single = steps.following(past=0, classes=2, found="edges")
    first = str(export_step(*single, tmp_path / "single.keras"))
    loop = served(steps.following(classes=2, found="edges"))
    plan = ClipPlan(clip(tmp_path, moving_square(6)[0]), first=first)
    loop.ask(Play(1, plan, num_frames=100))
    started = loop.reply(Started)
    assert (started.num_context, started.total) == (0, 6)
    film, _ = loop.film(Ended)
    assert not any(is_context for _, is_context, _ in film)
    assert [panes["mask"] is None for panes, _, _ in film] == [True, True, *[False] * 4]
    assert all(np.isfinite(scores["psnr"][0]) for _, _, scores in film)
    assert all(np.isnan(scores["psnr"][1]) for _, _, scores in film)


# --- the flow


def test_no_more_is_made_than_wanted(served):
    loop = served(steps.counting())
    loop.ask(Play(1, NoisePlan(1), num_frames=3))
    loop.reply(Started)
    first, waiting = loop.film()
    assert (len(first), waiting) == (3, Waiting(1, 3))
    assert loop.outbox.empty()
    loop.ask(Extend(1, 2), Extend(9, 50), Extend(1, 5))  # no further, another job's, two further
    for index in (3, 4):
        reply = loop.reply(FrameReady)
        first.append((loop.reader.read(reply.location), False, {}))
        assert reply.index == index
    assert loop.reply(Waiting) == Waiting(1, 5)
    direct = islice(Rollout.open(loop.path).start(content_seeds=[0], motion_seeds=[0]), 5)
    for (panes, _, _), step in zip(first, direct, strict=True):
        np.testing.assert_array_equal(panes["generated"], step.frames[0])


def test_a_slow_window_slows_the_worker_and_loses_nothing(served):
    loop = served(steps.counting())
    loop.ask(Play(1, NoisePlan(1), num_frames=20))
    loop.reply(Started), loop.reply(Compiling)
    held = [loop.reply(FrameReady) for _ in range(SLOTS)]
    with pytest.raises(queue.Empty):
        loop.outbox.get(timeout=0.2)
    pictures = []
    while len(pictures) < 20:
        reply_ = held.pop(0)
        pictures.append(loop.reader.read(reply_.location)["generated"])
        loop.ask(ReleaseSlot(reply_.location.slot))
        if reply_.index + SLOTS < 20:
            held.append(loop.reply(FrameReady))
    assert loop.reply(Waiting) == Waiting(1, 20)
    direct = islice(Rollout.open(loop.path).start(content_seeds=[0], motion_seeds=[0]), 20)
    for picture, step in zip(pictures, direct, strict=True):
        np.testing.assert_array_equal(picture, step.frames[0])


def test_a_cancelled_job_makes_nothing_more(served):
    loop = served(steps.counting())
    loop.ask(Play(1, NoisePlan(1), num_frames=1000))
    loop.reply(Started), loop.reply(Compiling)
    held = [loop.reply(FrameReady) for _ in range(SLOTS)]
    loop.ask(Cancel(1))  # while it waits for a slot
    assert loop.reply(Cancelled) == Cancelled(1)
    loop.ask(*(ReleaseSlot(reply_.location.slot) for reply_ in held), Extend(1, 2000), Cancel(1))
    assert loop.reply(Cancelled) == Cancelled(1)
    assert loop.outbox.empty()


def test_a_new_job_ends_the_one_before(served):
    loop = served(steps.counting())
    loop.ask(Play(1, NoisePlan(1), num_frames=1000))
    loop.reply(Started), loop.reply(Compiling)
    held = [loop.reply(FrameReady) for _ in range(SLOTS)]
    loop.ask(
        Play(2, NoisePlan(1, 1), num_frames=2),
        *(ReleaseSlot(reply_.location.slot) for reply_ in held),
    )
    assert loop.reply(Started).job == 2
    film, waiting = loop.film()
    assert (len(film), waiting) == (2, Waiting(2, 2))


# --- what goes wrong


def test_mistakes_are_told_and_the_model_stays(served, tmp_path):
    loop = served(steps.predicting())
    foreign = tmp_path / "foreign.keras"
    foreign.write_bytes(b"something else")
    for request, sentence in (
        (Open(str(tmp_path / "none.keras")), "found nothing at"),
        (Open(str(foreign)), "is not a complete .keras file"),
        (Open(str(tmp_path)), "found no config.yaml"),
        (ListVideos(str(tmp_path / "none")), "does not exist and is no built-in data set"),
        (Play(3, ClipPlan(str(tmp_path / "none")), 4), "does not exist"),
        (Play(4, NoisePlan(), 4), "goes on with a clip instead of beginning from noise"),
    ):
        loop.ask(request)
        failed = loop.reply(Failed)
        assert sentence in failed.sentence
        assert (failed.request, failed.details) == (request, "")
        assert failed.job == getattr(request, "job", None)
    loop.ask(Play(5, ClipPlan(clip(tmp_path, np.zeros((3, 12, 12, 3), np.uint8))), num_frames=3))
    assert loop.reply(Started).job == 5
    assert len(loop.film()[0]) == 3


def test_a_damaged_frame_is_told_and_left_out(served, tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(np.full((12, 12, 3), 10 * number, np.uint8)).save(folder / f"{number}.png")
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:50])
    loop = served(steps.predicting())
    loop.ask(Play(1, ClipPlan(str(folder)), num_frames=9))
    loop.reply(Started)
    film, _ = loop.film()
    assert len(film) == 9
    assert [panes["truth"][0, 0, 0] for panes, *_ in film[:4]] == [0, 10, 20, 40]
    (sentence,) = loop.damage
    assert "3.png" in sentence


def test_damage_of_what_a_model_is_fed_ends_the_job(served, tmp_path):
    (tmp_path / "clip").mkdir()
    for number in range(3):
        (tmp_path / "clip" / f"{number}.png").write_bytes(b"no")
    loop = served(steps.predicting())
    loop.ask(Play(1, ClipPlan(str(tmp_path / "clip")), num_frames=9))
    failed = loop.reply(Failed)
    assert failed.job == 1
    assert "0.png" in failed.sentence


def test_what_nobody_foresaw_comes_with_its_traceback(served, monkeypatch):
    loop = served(steps.counting())
    monkeypatch.setattr(rollouts, "begin", lambda *_: 1 // 0)
    loop.ask(Play(1, NoisePlan(1), num_frames=2))
    failed = loop.reply(Failed)
    assert "The rollout failed unexpectedly (ZeroDivisionError:" in failed.sentence
    assert "Traceback" in failed.details


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [("theano", "found 'theano'"), ("jax", "jax is not installed: choose another")],
)
def test_a_backend_that_is_not_there_ends_the_worker(backend, sentence, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    loop = Served(backend)
    assert sentence in loop.reply(Failed).sentence
    loop.close()


def test_playing_before_opening_is_refused():
    loop = Served()
    loop.reply(Ready)
    loop.ask(Play(1, NoisePlan(), 4))
    assert "There is no model to play" in loop.reply(Failed).sentence
    loop.close()


# --- sources of clips


def test_videos_are_listed(served, tmp_path, kvidgan):
    loop = served(steps.predicting())
    np.save(tmp_path / "clips.npy", np.stack([moving_square(5)[0], 255 - moving_square(5)[0]]))
    store = tmp_path / "clips.h5"
    assert kvidgan("prepare", tmp_path / "clips.npy", store)[0] == 0
    for path in (tmp_path / "clips.npy", store):
        loop.ask(ListVideos(str(path)))
        listed = loop.reply(VideoList)
        assert listed.path == str(path)
        assert [entry.num_frames for entry in listed.videos] == [5, 5]
        assert "2 videos" in listed.note
        for entry in listed.videos:  # they can be asked for by that name
            loop.ask(Play(1, ClipPlan(str(path), entry.name), num_frames=1))
            assert entry.name in loop.reply(Started).note
            loop.film()


def test_data_are_described(served, tmp_path):
    strips = tmp_path / "strips"
    for number in range(4):
        save_strip(strips / f"{number}.png", video(number, 10))
    loop = served(steps.predicting())
    loop.ask(DescribeData(str(strips), Reading(fps=5)))
    found = loop.reply(DataDescription)
    assert found.lines[0] == ("layout", "film strips")
    assert ("fps", "5 (4)") in found.lines
    np.testing.assert_array_equal(found.sheet, preview(open_source(strips, Reading(fps=5))))
    loop.ask(DescribeData(str(strips / "none")))
    assert "does not exist" in loop.reply(Failed).sentence


# --- what is loaded


def loaded(module):
    names = {"keras", "cv2", "tensorflow", "PySide6"}
    code = f"import sys, {module}; print({names} & {{*sys.modules}})"
    return run("-c", code).strip()


def test_the_windows_process_loads_no_backend():
    assert loaded("kvidgan_viewer.worker.client") == "{'PySide6'}"


def test_the_worker_loads_no_qt_and_no_backend_before_its_time():
    assert loaded("kvidgan_viewer.worker.server") == "set()"


def test_damage_is_told_and_the_rest_is_played(served, tmp_path):
    loop = served(steps.predicting())
    pixels = np.random.default_rng(1).integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    write_frames(tmp_path / "clip.mp4", pixels, 20)
    data = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(data[: len(data) // 2])
    loop.ask(Play(1, ClipPlan(str(tmp_path / "clip.mp4")), num_frames=64))
    loop.reply(Started)
    film, _ = loop.film()
    assert len(film) == 64
    assert film[-1][0]["truth"] is None
    (sentence,) = loop.damage
    assert "is a damaged video: it ends after" in sentence
