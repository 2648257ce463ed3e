"""Whatever asks a run to end gets a checkpoint, a sentence and a status that says: go on later."""

import os
import signal
import subprocess
import sys

import pytest

from kvidgan.runs import Run
from tests.training.test_resume import process, wait_for_step

pytestmark = pytest.mark.slow

RESUME_ME = 75


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_of_batch_systems_and_closed_terminals(tiny, number):
    run = Run(tiny.parent / "runs" / "stopped")
    started = process("-m", "kvidgan", "fit", tiny, "run.name=stopped")
    wait_for_step(started, run.history_path, 13)
    started.send_signal(number)
    _, err = started.communicate(timeout=30)
    assert started.returncode == RESUME_ME, err
    assert f"Go on with: kvidgan fit --resume {run.folder}" in err
    step = run.history()[-1]["step"]
    assert run.checkpoint_paths()[-1].stem == f"step-{step:08d}"


def test_a_second_signal_stops_at_once(tiny):
    run = Run(tiny.parent / "runs" / "stopped")
    started = process("-m", "kvidgan", "fit", tiny, "run.name=stopped", "train.epochs=4000")
    wait_for_step(started, run.history_path, 13)
    os.kill(started.pid, signal.SIGSTOP)  # both come before the step is done
    started.send_signal(signal.SIGTERM)
    started.send_signal(signal.SIGHUP)
    os.kill(started.pid, signal.SIGCONT)
    _, err = started.communicate(timeout=30)
    assert started.returncode in (130, RESUME_ME), err
    assert "Traceback" not in err


def test_a_reader_that_goes_away(tiny):
    run = Run(tiny.parent / "runs" / "read")
    command = [sys.executable, "-m", "kvidgan", "fit", str(tiny), "run.name=read"]
    more = ["train.epochs=4000", "train.log_every=1"]
    started = subprocess.Popen(
        [*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_step(started, run.history_path, 5)
    started.stdout.close()
    started.stdout = None
    _, err = started.communicate(timeout=90)
    assert started.returncode == RESUME_ME, err
    assert "everything is saved" in err
    assert "Traceback" not in err
    assert run.checkpoint_paths()


def test_a_conversion_that_is_ended_goes_on(tmp_path):
    command = [sys.executable, "-m", "kvidgan", "prepare", "moving_digits", "s.h5"]
    started = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("s.h5.part/*.h5")):
        assert started.poll() is None
    started.terminate()
    _, err = started.communicate(timeout=30)
    assert (started.returncode, err) == (128 + signal.SIGTERM, "Stopped.\n")
    assert not list(tmp_path.glob(".*.lock"))
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
