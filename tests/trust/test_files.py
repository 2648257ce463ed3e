"""Nobody's data is lost: outputs never take the place of inputs, or of what is not ours."""

import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from kvidgan import files
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.errors import UserError
from kvidgan.media import read_video, write_frames
from kvidgan.rollout import export_step
from kvidgan.runs import Run
from tests.data.conftest import save_strip, video
from tests.rollout.steps import counting, predicting

FRAMES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a predictor, a generator, a clip and frames of the user."""
    monkeypatch.chdir(tmp_path)
    export_step(*predicting(), tmp_path / "mean.keras")
    write_frames(tmp_path / "clip.mp4", FRAMES, 10)
    (tmp_path / "mine").mkdir()
    for number, frame in enumerate(FRAMES, start=1):
        Image.fromarray(frame).save(tmp_path / "mine" / f"frame{number:04d}.png")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "config.yaml").write_text("years: of work")
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    return tmp_path


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


REFUSED = [
    (["predict", "mean.keras", "clip.mp4", "-o", "clip.mp4"], "is, or holds, what is read"),
    (["predict", "mean.keras", "clip.mp4", "-o", "link.mp4"], "is, or holds, what is read"),
    (["predict", "mean.keras", "link.mp4", "-o", "clip.mp4"], "is, or holds, what is read"),
    (["predict", "mean.keras", "mine", "-o", "mine"], "is, or holds, what is read"),
    (["predict", "mean.keras", "mine/frame0001.png", "-o", "mine"], "is, or holds, what is read"),
    (["predict", "mean.keras", "clip.mp4", "-o", "."], "is, or holds, what is read"),
    (["predict", "mean.keras", "clip.mp4", "-o", "mine"], "holds what kvidgan did not write"),
    (["predict", "mean.keras", "clip.mp4", "-o", "thesis"], "holds what kvidgan did not write"),
    (["predict", "mean.keras", "mine", "-o", "clip.mp4"], "clip.mp4 exists: choose another name"),
    (["info", "mine", "--preview", "mine/frame0001.png"], "exists: choose another name"),
    (["prepare", "mine", "clip.mp4", "--overwrite"], "is no clip store, so it is not replaced"),
    (["prepare", "mine", "clip.mp4"], "exists and was made from other data"),
]


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
@pytest.mark.parametrize(("command", "sentence"), REFUSED)
def test_what_is_read_or_not_ours_is_never_replaced(place, kvidgan, command, sentence, more):
    if more and (
        "exists: choose" in sentence or "--overwrite" in command or "other data" in sentence
    ):
        pytest.skip("may be replaced if asked for")
    before = content(place)
    status, _, err = kvidgan(*command, *more)
    assert (status, err.count("\n")) == (1, 1)
    assert sentence in err
    assert content(place) == before


def test_what_kvidgan_wrote_is_replaced_if_asked_for(place, kvidgan):
    for output in ("out.gif", "out"):
        command = ["predict", "mean.keras", "clip.mp4", "-n", 3, "-o", output]
        assert kvidgan(*command)[0] == 0
        before = content(place)
        status, _, err = kvidgan(*command, "--start", 1)
        assert (status, err) == (
            1,
            f"error: {output} exists: choose another name, or replace it by --overwrite.\n",
        )
        assert content(place) == before
        assert kvidgan(*command, "--start", 1, "--overwrite")[0] == 0
        assert content(place) != before
    assert len(list((place / "out").iterdir())) == 3
    (place / "out" / "notes.txt").write_text("mine")
    assert "such as notes.txt" in kvidgan(*command, "--overwrite")[2]


def test_generate_and_export_ask_before_they_replace(place, kvidgan):
    export_step(*counting(), place / "noise.keras")
    (place / "a.gif").write_bytes(b"my film")
    status, _, err = kvidgan("generate", "noise.keras", "-n", 2, "--frames", 3, "-o", "a.gif")
    assert (status, (place / "a.gif").read_bytes()) == (1, b"my film")
    assert "a.gif exists" in err
    assert kvidgan("generate", "noise.keras", "-n", 2, "-o", "a.gif", "--overwrite")[0] == 0
    assert len(list(read_video(place / "a.gif")[0])) == 32


def test_a_folder_of_parts_that_is_not_ours_is_kept(place):
    save_strip(place / "set" / "a.png", video(0, 9))
    (place / "s.h5.part").mkdir()
    (place / "s.h5.part" / "chapter.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"s\.h5\.part is needed for parts of the clip store"):
        prepare(open_source(place / "set"), place / "s.h5")
    assert (place / "s.h5.part" / "chapter.txt").read_text() == "years of work"


# --- runs


def run_with(folder, checkpoint=True):
    run = Run.create(folder)
    run.config_path.write_text("family: {}")
    run.history_path.write_text("")
    if checkpoint:
        run.checkpoint_path(7).write_bytes(b"weights")
    return run


def test_a_folder_with_a_config_is_no_run(place):
    before = content(place)
    for overwrite in (False, True):
        with pytest.raises(UserError, match="thesis exists and is not a run; choose another"):
            Run.create(place / "thesis", overwrite)
    assert content(place) == before


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../x", "/tmp/x", "~/x", "a\\b", "a:b"])
def test_names_of_runs_that_lead_elsewhere(kvidgan, tmp_path, name):
    status, _, err = kvidgan("fit", "mocogan", f"run.name={name}", f"run.folder={tmp_path}")
    assert status == 1
    assert "run.name" in err
    assert "expected a plain name" in err
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_run_stays_until_the_new_one_has_a_checkpoint(tmp_path):
    old = run_with(tmp_path / "run")
    (old.folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(old.folder)
    new = Run.create(old.folder, overwrite=True)
    assert (new.aside / "checkpoints" / "step-00000007.npz").read_bytes() == b"weights"
    assert (new.folder / "notes.txt").read_text() == "mine", "nobody's but the user's"
    assert new.checkpoint_paths() == []
    new.config_path.write_text("family: {}")
    again = Run.create(old.folder, overwrite=True)  # the new one came to nothing
    assert (again.aside / "checkpoints" / "step-00000007.npz").is_file()
    again.forget_replaced()
    assert not again.aside.exists()
    assert (new.folder / "notes.txt").read_text() == "mine"


def test_a_run_that_was_killed_before_its_config_can_be_started_again(tmp_path):
    run = Run.create(tmp_path / "run")
    assert not run.config_path.exists()
    assert Run.create(tmp_path / "run").folder == run.folder


def test_a_log_loses_its_bad_lines_alone(tmp_path):
    run = run_with(tmp_path / "run")
    good = '{"step": 1, "epoch": 0, "wall_time": 2.5}\n'
    bad = [
        '{"step": 2, "ep',
        "\0\0\0",
        '{"step": "x", "epoch": 0, "wall_time": 1}',
        "[1]",
        "[" * 9999,
    ]
    run.history_path.write_text(good + "\n".join(bad) + "\n" + good.replace("1", "3", 1))
    assert [point["step"] for point in run.history()] == [1, 3]
    assert run.bad_history_lines() == 5
    run.rewind_history(1)
    assert run.history_path.read_text() == good


def test_a_renamed_run_finds_its_model(tmp_path):
    run = run_with(tmp_path / "run")
    run.model_path.write_bytes(b"model")
    assert run.model_path.name == "run.keras"
    moved = Run(run.folder.rename(tmp_path / "better"))
    assert moved.model_path == tmp_path / "better" / "run.keras"


# --- written whole or not at all


def test_what_killed_processes_left_behind_goes(tmp_path):
    old, new = tmp_path / ".a.txt.00000000.tmp", tmp_path / ".a.txt.11111111.tmp"
    other = tmp_path / ".b.txt.00000000.tmp"
    for path in (old, new, other):
        path.write_text("half")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    files.write_text(tmp_path / "a.txt", "whole")
    assert not old.exists()
    assert new.exists(), "somebody may still write it"
    assert other.exists()
    assert (tmp_path / "a.txt").read_text() == "whole"


# --- locks


def test_one_at_a_time(tmp_path):
    lock = tmp_path / "x.lock"
    with files.locked(lock):
        who = f"process {os.getpid()} on this machine"
        with pytest.raises(files.Busy, match=who), files.locked(lock):
            pass
        told, entered = [], []

        def wait():
            with files.locked(lock, told.append):
                entered.append(time.monotonic())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.3)
        assert not entered
    waiting.join(10)
    assert len(entered) == 1
    assert len(told) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{gone} {host} 5", "{own} {host} 1", "", "what", "0 0 0 0"])
def test_stale_locks_are_taken_over(tmp_path, text):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lock = tmp_path / "x.lock"
    lock.write_text(text.format(gone=dead.pid, own=os.getpid(), host=socket.gethostname()))
    os.utime(lock, (1, 1))
    with files.locked(lock):
        pass
    assert not lock.exists()


def test_a_lock_of_another_machine_is_respected(tmp_path):
    (tmp_path / "x.lock").write_text("12 elsewhere 99")
    with (
        pytest.raises(files.Busy, match="process 12 on elsewhere"),
        files.locked(tmp_path / "x.lock"),
    ):
        pass


def test_a_run_is_trained_once_at_a_time(tmp_path):
    run = run_with(tmp_path / "run")
    who = r"run is being trained by process \d+ on this machine"
    with run.held(), pytest.raises(UserError, match=who), run.held():
        pass


def test_conversions_of_the_same_data_wait_for_each_other(strips, tmp_path):
    code = (
        "import sys; from pathlib import Path; from kvidgan.data.convert import prepare;"
        "from kvidgan.data.layouts.registry import open_source;"
        "print(prepare(open_source(sys.argv[1]), Path(sys.argv[2])).cached)"
    )
    command = [sys.executable, "-c", code, str(strips), str(tmp_path / "s.h5")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = sorted(one.communicate(timeout=120)[0].strip() for one in both)
    assert answers == ["False", "True", "True"]
    assert sorted(path.name for path in tmp_path.iterdir() if "s.h5" in path.name) == ["s.h5"]


@pytest.fixture
def strips(tmp_path):
    for number in range(4):
        save_strip(tmp_path / "strips" / f"{number}.png", video(number, 10))
    return tmp_path / "strips"
