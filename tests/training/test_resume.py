"""A run that was killed, or stopped by Ctrl-C, ends as if it had never been."""

import json
import signal
import time

import numpy as np
import pytest

from kvidgan.runs import Run
from tests.conftest import BACKENDS, process, run

pytestmark = pytest.mark.slow


def wait_for_step(started, history, step):
    while started.poll() is None:
        if history.is_file() and history.read_text().count("\n") >= step:
            return
        time.sleep(0.005)
    raise AssertionError(f"ended before step {step}: {started.communicate()}")


def final_state(run):
    with np.load(run.checkpoint_paths()[-1]) as archive:
        return dict(archive)


def assert_same_state(a, b):
    first, second = final_state(a), final_state(b)
    assert first.keys() == second.keys()
    assert len(first) > 50
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def losses(run):
    points = [json.loads(line) for line in run.history_path.read_text().splitlines()]
    return [
        {k: v for k, v in p.items() if k not in ("wall_time", "steps_per_second")} for p in points
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_in_the_third_epoch_and_resumed_is_bit_for_bit_the_same(tiny, backend):
    fit = ["-m", "kvidgan", "fit", tiny]
    run(*fit, "run.name=whole", backend=backend)
    whole, killed = (Run(tiny.parent / "runs" / name) for name in ("whole", "killed"))

    started = process(*fit, "run.name=killed", backend=backend)
    wait_for_step(started, killed.history_path, 23)
    started.kill()
    started.communicate()
    assert started.returncode == -signal.SIGKILL
    assert not killed.model_path.exists()
    out = run("-m", "kvidgan", "fit", "--resume", killed.folder, backend=backend)
    assert "Going on from step 20 of 40" in out

    assert_same_state(whole, killed)
    assert losses(whole) == losses(killed)
    assert [point["step"] for point in losses(whole)] == list(range(1, 41))
    assert killed.model_path.exists()


def test_ctrl_c_saves_says_how_to_resume_and_loses_nothing(tiny):
    fit = ["-m", "kvidgan", "fit", tiny]
    run(*fit, "run.name=whole")
    whole, stopped = (Run(tiny.parent / "runs" / name) for name in ("whole", "stopped"))

    started = process(*fit, "run.name=stopped")
    wait_for_step(started, stopped.history_path, 13)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=100)
    assert started.returncode == 130, err
    assert f"Go on with: kvidgan fit --resume {stopped.folder}" in err
    assert "Stopping after this step" in out
    step = losses(stopped)[-1]["step"]
    assert stopped.checkpoint_paths()[-1].stem == f"step-{step:08d}"
    assert 13 <= step < 40
    assert step % 10, "stopped inside an epoch; else try again"

    run("-m", "kvidgan", "fit", "--resume", stopped.folder)
    assert_same_state(whole, stopped)
    assert losses(whole) == losses(stopped)
