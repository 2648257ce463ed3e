"""The real worker process, on toy models. Each takes seconds to start: one serves most tests."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import islice

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from kvidgan.errors import UserError
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout import Rollout, export_step
from kvidgan_viewer.worker.client import WorkerClient
from kvidgan_viewer.worker.film import Film
from kvidgan_viewer.worker.messages import (
    Compiling,
    Failed,
    Open,
    Opened,
    Play,
    Ready,
    Started,
    Waiting,
)
from kvidgan_viewer.worker.state import WorkerState
from tests.conftest import ROOT
from tests.rollout import steps

LONG = 120_000  # ms


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Paths of exported toys by name, and of a clip."""
    folder = tmp_path_factory.mktemp("models")
    toys = {"noise": steps.counting(), "clip": steps.predicting()}
    paths = {name: str(export_step(*toy, folder / f"{name}.keras")) for name, toy in toys.items()}
    frames = np.random.default_rng(0).integers(0, 256, (1, 9, 16, 20, 3), dtype=np.uint8)
    np.save(folder / "frames.npy", frames)
    return paths | {"frames": str(folder / "frames.npy"), "folder": str(folder)}


@pytest.fixture(scope="module")
def shared(qapp):
    worker = WorkerClient("tensorflow")
    yield worker
    worker.close()


@pytest.fixture
def worker(shared, qtbot, models):
    """The shared worker, idle, with the model that begins from noise."""
    with qtbot.waitSignal(shared.opened, timeout=LONG):
        shared.open(models["noise"])
    return shared


@contextmanager
def recorded(*signals):
    """Collect what signals carry, in order."""
    carried = []
    for one in signals:
        one.connect(lambda *values: carried.append(values[0] if values else None))
    yield carried
    for one in signals:
        one.disconnect()


def direct(path, count, **start):
    return [step.frames for step in islice(Rollout.open(path).start(**start), count)]


def gone(pid, seconds=20):
    """Wait until there is no such process."""
    for _ in range(seconds * 20):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True  # not ours to wait for
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_frames_arrive_as_rollout_makes_them_and_no_further_than_wanted(worker, qtbot, models):
    with (
        recorded(worker.started) as started,
        qtbot.waitSignal(worker.waiting, timeout=LONG) as waiting,
    ):
        film = worker.play(NoisePlan(1, 3, 8), num_frames=5)
    assert waiting.args == [5]
    assert [one.panes for one in started] == [("generated",)]
    with qtbot.waitSignal(worker.waiting, timeout=LONG, check_params_cb=lambda n: n == 12):
        worker.extend(12)
    assert len(film) == 12
    assert worker.status == "idle"
    for index, frames in enumerate(
        direct(models["noise"], 12, content_seeds=[3], motion_seeds=[8])
    ):
        np.testing.assert_array_equal(film[index].panes["generated"], frames[0])
    worker.extend(12)
    assert worker.status == "idle"


def test_a_clip_arrives_with_its_scores(worker, qtbot, models):
    with qtbot.waitSignal(worker.opened, timeout=LONG) as opened:
        worker.open(models["clip"])
    assert opened.args[0].description == steps.predicting()[1]
    with qtbot.waitSignals([worker.compiling, worker.waiting], timeout=LONG):
        film = worker.play(ClipPlan(models["frames"]), num_frames=7)
    frames = np.load(models["frames"])[0]
    predicted = direct(models["clip"], 5, context=frames[:2])
    assert (len(film), film.num_context) == (7, 2)
    for index in range(7):
        shown = frames[index] if index < 2 else predicted[index - 2][0]
        np.testing.assert_array_equal(film[index].panes["prediction"], shown)
        np.testing.assert_array_equal(film[index].panes["truth"], frames[index])
    psnr, copied = film.scores("psnr")
    error = np.mean((frames[5].astype(float) - frames[1]) ** 2)
    assert copied[5] == pytest.approx(10 * np.log10(255**2 / error))
    assert np.isnan(psnr[:2]).all()
    assert np.isfinite(psnr[2:]).all()


def test_videos_are_listed(worker, qtbot, models):
    with qtbot.waitSignal(worker.videos_listed, timeout=LONG) as listed:
        worker.list_videos(models["frames"])
    assert [entry.num_frames for entry in listed.args[0].videos] == [9]


def test_a_file_that_is_none_is_told_and_the_model_stays(worker, qtbot, models):
    with qtbot.waitSignal(worker.failed, timeout=LONG) as failed:
        worker.open(models["frames"])
    assert "is not a complete .keras file" in failed.args[0].sentence
    with qtbot.waitSignal(worker.waiting, timeout=LONG):
        film = worker.play(NoisePlan(1), num_frames=2)
    assert len(film) == 2


def test_one_signal_tells_of_all_frames_that_came_meanwhile(worker, qtbot):
    with (
        recorded(worker.started, worker.frames_added) as emitted,
        qtbot.waitSignal(worker.waiting, timeout=LONG, check_params_cb=lambda n: n == 400),
    ):
        film = worker.play(NoisePlan(1), num_frames=200)
        while len(film) < 200:  # the window stands still
            time.sleep(0.01)
        with qtbot.waitSignal(worker.frames_added, timeout=LONG):
            pass
        worker.extend(400)
        while len(film) < 400:
            time.sleep(0.01)
    assert isinstance(emitted[0], Started)  # before any frame, though all came meanwhile
    assert emitted[1:] == [200, 400]


def test_a_new_rollout_ends_the_one_before(worker, qtbot):
    first = worker.play(NoisePlan(1, 1), num_frames=10**6)
    qtbot.waitUntil(lambda: len(first) > 3, timeout=LONG)
    with (
        recorded(worker.frames_added) as counts,
        qtbot.waitSignal(worker.waiting, timeout=LONG) as waiting,
    ):
        second = worker.play(NoisePlan(1, 2), num_frames=5)
        length = len(first)
    assert waiting.args == [5]
    assert (len(second), counts[-1]) == (5, 5)
    assert len(first) <= length + 1  # one could be on its way into it


def test_cancelling_keeps_what_was_made_and_the_process(worker, qtbot):
    pid = worker.pid
    film = worker.play(NoisePlan(1), num_frames=10**6)
    qtbot.waitUntil(lambda: len(film) > 3 and worker.status == "rolling", timeout=LONG)
    worker.cancel()
    assert worker.status == "cancelling"
    qtbot.waitUntil(lambda: worker.status == "idle", timeout=LONG)
    length = len(film)
    with qtbot.waitSignal(worker.waiting, timeout=LONG):
        worker.play(NoisePlan(1), num_frames=3)
    assert (len(film), worker.pid) == (length, pid)
    film[length - 1]
    worker.cancel()
    worker.extend(50)  # nothing goes on after a cancel
    assert worker.status == "idle"


def test_a_full_disk_ends_the_rollout(worker, qtbot, monkeypatch):
    def full(film, *_):
        raise UserError("the disk is full")

    monkeypatch.setattr(Film, "append", full)
    with qtbot.waitSignal(worker.failed, timeout=LONG) as failed:
        film = worker.play(NoisePlan(1), num_frames=10**6)
    assert failed.args[0].sentence == "the disk is full"
    monkeypatch.undo()
    qtbot.waitUntil(lambda: worker.status == "idle", timeout=LONG)
    with qtbot.waitSignal(worker.waiting, timeout=LONG):
        worker.play(NoisePlan(1), num_frames=3)
    assert len(film) == 0


def test_a_process_that_does_not_answer_is_replaced(worker, qtbot, models):
    film = worker.play(NoisePlan(1), num_frames=10**6)
    qtbot.waitUntil(lambda: len(film) > 3 and worker.status == "rolling", timeout=LONG)
    pid = worker.pid
    os.kill(pid, signal.SIGSTOP)
    with (
        recorded(worker.died) as died,
        qtbot.waitSignal(worker.opened, timeout=LONG) as opened,
    ):
        worker.cancel()
    assert (opened.args[0].path, died) == (models["noise"], [])
    assert worker.pid != pid
    assert gone(pid)
    film[len(film) - 1]
    with qtbot.waitSignal(worker.waiting, timeout=LONG):
        worker.play(NoisePlan(1), num_frames=2)


def test_a_killed_process_is_told_and_can_be_started_again(worker, qtbot, models):
    film = worker.play(NoisePlan(1, 5, 5), num_frames=10**6)
    qtbot.waitUntil(lambda: len(film) > 3, timeout=LONG)
    with qtbot.waitSignal(worker.died, timeout=LONG) as died:
        os.kill(worker.pid, signal.SIGKILL)
    assert "was ended by SIGKILL, as when memory runs out: open the model" in died.args[0]
    assert (worker.status, worker.pid) == ("died", None)
    (first,) = direct(models["noise"], 1, content_seeds=[5], motion_seeds=[5])
    np.testing.assert_array_equal(film[0].panes["generated"], first[0])
    worker.cancel()
    worker.extend(10**7)
    assert worker.status == "died"
    with qtbot.waitSignal(
        worker.waiting, timeout=LONG
    ):  # a request starts it, the model comes along
        film = worker.play(NoisePlan(1, 5, 5), num_frames=1)
    np.testing.assert_array_equal(film[0].panes["generated"], first[0])


def test_a_backend_that_is_not_there_is_told_once(qtbot):
    worker = WorkerClient("theano")
    with recorded(worker.failed, worker.died) as emitted:
        qtbot.waitUntil(lambda: worker.status == "died", timeout=LONG)
        qtbot.wait(200)
    assert ["'theano'" in failed.sentence for failed in emitted] == [True]
    worker.close()
    assert worker.status == "closed"
    worker.open("anything")  # nobody is there to do it
    assert worker.status == "closed"


def test_closing_at_once_leaves_no_process(qapp):
    worker = WorkerClient("tensorflow")
    while (pid := worker.pid) is None:
        time.sleep(0.001)
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_hears_nothing_is_closed_too(qapp):
    worker = WorkerClient("tensorflow")
    while (pid := worker.pid) is None:
        time.sleep(0.001)
    os.kill(pid, signal.SIGSTOP)
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# --- the state, without a process


@pytest.fixture
def state():
    """A process that has opened a model."""
    state = WorkerState()
    state.open("a.keras")
    assert state.begin() == [Open("a.keras")]
    assert state.status == "starting"
    state.receive(Ready("tensorflow", {}))
    assert state.status == "opening"
    state.receive(Opened("a.keras", steps.counting()[1]))
    assert state.status == "idle"
    return state


def test_a_reply_that_a_new_request_has_overtaken_changes_nothing(state):
    state.play(Film(), NoisePlan(), 5)
    assert state.extend(9)
    assert not state.receive(Waiting(1, 5))
    assert state.status == "rolling"
    assert state.receive(Waiting(1, 9))
    assert state.status == "idle"
    assert not state.extend(9)
    state.play(Film(), NoisePlan(), 5)
    assert not state.receive(Waiting(1, 9))
    assert state.status == "rolling"


def test_a_step_compiles_until_its_first_frame(state):
    film = Film()
    state.play(film, NoisePlan(), 5)
    film.append({}, is_context=True)
    state.receive(Compiling(1, 1))
    assert state.status == "compiling"
    film.append({})
    state.receive(Compiling(1, 1))  # it came late: the frame is there already
    assert state.status == "rolling"


def test_a_new_process_opens_what_was_open_and_plays_what_is_wanted(state):
    state.open("none.keras")
    state.receive(Failed(None, "none", request=Open("none.keras")))
    assert state.begin() == [Open("a.keras")]
    state.play(Film(), NoisePlan(3), 5)
    assert state.begin() == [Open("a.keras"), Play(1, NoisePlan(3), 5)]
    state.job.end()
    assert state.begin() == [Open("a.keras")]


# --- a window of its own

WINDOW = """
import sys
from PySide6.QtCore import QCoreApplication
from kvidgan.playback import NoisePlan
from kvidgan_viewer.worker.client import WorkerClient

def main():
    app = QCoreApplication([])
    worker = WorkerClient("tensorflow")
    worker.opened.connect(lambda _: worker.play(NoisePlan(1), num_frames=int(sys.argv[2])))
    worker.frames_added.connect(lambda _: print(worker.pid, flush=True))
    worker.waiting.connect(app.quit)
    worker.open(sys.argv[1])
    app.exec()
    print({"keras", "tensorflow", "cv2"} & set(sys.modules))
    worker.close()

if __name__ == "__main__":
    main()
"""


@contextmanager
def window(models, tmp_path, num_frames):
    """A small window in a process of its own."""
    script = tmp_path / "window.py"
    script.write_text(WINDOW)
    with subprocess.Popen(
        [sys.executable, str(script), models["noise"], str(num_frames)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'viewer'}",
            "PYTHONWARNINGS": "always",
        },
    ) as process:
        yield process, int(process.stdout.readline())
        process.kill()


def test_a_window_that_closes_leaves_nothing_and_says_nothing(models, tmp_path):
    before = set(os.listdir("/dev/shm"))
    with window(models, tmp_path, num_frames=30) as (process, pid):
        out, err = process.communicate(timeout=LONG / 1000)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "set()"
    assert gone(pid)
    assert set(os.listdir("/dev/shm")) <= before


def test_a_killed_window_leaves_no_process_and_no_memory(models, tmp_path):
    before = set(os.listdir("/dev/shm"))
    with window(models, tmp_path, num_frames=10**7) as (process, pid):
        process.kill()
        _, err = process.communicate(timeout=LONG / 1000)
    assert gone(pid)
    assert err == ""
    assert set(os.listdir("/dev/shm")) <= before


def test_thousands_of_signals_can_be_emitted(qapp):
    class Speaker(QObject):
        said = Signal(int)
        shown = Signal(bool)

    speaker, heard = Speaker(), []
    speaker.said.connect(heard.append)
    for number in range(5000):
        speaker.said.emit(number)
        speaker.shown.emit(True)
    assert heard == list(range(5000))
