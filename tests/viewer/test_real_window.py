"""The viewer as a user meets it: a real window, a real worker, keys and screenshots, under Xvfb."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import ImageGrab

from kvidgan.media import read_video, write_frames
from kvidgan.rollout import export_step
from tests.conftest import ROOT
from tests.rollout.steps import predicting

SIDE, LENGTH, SIZE = 48, 10, (1280, 720)
pytestmark = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")),
    reason="there is no Xvfb or no xdotool: no real window to try",
)


@contextmanager
def screen():
    """A screen that nobody sees: its name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            yield f":{int(server.stdout.readline())}"
        finally:
            server.terminate()


class Viewer:
    """The process, its window, and what a user does."""

    def __init__(self, display, folder, *paths):
        self.display, self.folder = display, folder
        self.environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "XDG_CONFIG_HOME": str(folder),
            "HOME": str(folder),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'viewer'}",
        }
        self.log = (folder / "kvidgan_viewer.log").open("w+")
        command = [sys.executable, "-m", "kvidgan_viewer", *map(str, paths)]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=self.log, stderr=self.log, cwd=folder
        )

    def tool(self, *arguments):
        found = subprocess.run(
            ["xdotool", *map(str, arguments)], env=self.environment, capture_output=True, text=True
        )
        return found.stdout.split()

    def until(self, does, what, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := does():
                return found
            assert self.process.poll() is None, self.said()
            time.sleep(0.2)
        self.look().save(self.folder / "failed.png")
        raise AssertionError(f"no {what} within {seconds} s; {self.said()}")

    def focus(self, title):
        window = self.until(
            lambda: self.tool("search", "--onlyvisible", "--name", title), f"window {title}"
        )[-1]
        self.tool("windowfocus", "--sync", window)
        time.sleep(0.3)

    def press(self, *keys):
        for key in keys:
            self.tool("key", key)
            time.sleep(0.2)

    def look(self):
        return ImageGrab.grab(xdisplay=self.display)

    def colours(self):
        """How many pixels of the screen have each colour."""
        counted = self.look().convert("RGB").getcolors(maxcolors=2**24)
        return {colour: count for count, colour in counted}

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def children(self):
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True
        )
        return [int(pid) for pid in found.stdout.split()]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.log.close()


@pytest.fixture
def viewer(tmp_path):
    """The viewer on a predictor whose frames are those of the clip, each of another red."""
    export_step(*predicting(), tmp_path / "mean.keras")
    reds = [np.full((SIDE, SIDE, 3), (20 * n, 0, 0), np.uint8) for n in range(LENGTH)]
    write_frames(tmp_path / "clip.mp4", reds, 10)
    with screen() as display:
        started = Viewer(display, tmp_path, "mean.keras", "clip.mp4")
        try:
            yield started
        finally:
            started.close()


def red(viewer):
    """The most frequent reds on the screen."""
    found = {c: n for c, n in viewer.colours().items() if c[0] > 12 and c[1] < 12 and c[2] < 12}
    return sorted(found, key=lambda colour: (found[colour], colour))[-3:]


@pytest.mark.slow
def test_open_play_step_scrub_export(viewer, tmp_path):
    viewer.focus("mean")
    viewer.until(lambda: len(red(viewer)) >= 2, "frames of the clip on the screen")
    viewer.tool("mousemove", 440, 200, "click", 1)  # the canvas
    viewer.press("k", "Home")
    time.sleep(1)
    first = red(viewer)
    viewer.press("Right", "Right", "Right")
    viewer.until(lambda: red(viewer) != first, "other frame after stepping", 15)
    viewer.press("Home")
    viewer.until(lambda: red(viewer) == first, "first frame after Home", 15)
    viewer.press("space")
    seen = set()
    viewer.until(lambda: seen.add(tuple(red(viewer))) or len(seen) > 2, "film that plays", 15)
    viewer.press("space")
    viewer.look().save(tmp_path / "playing.png")
    viewer.press("ctrl+e")
    viewer.focus("Export")
    viewer.press("Return")
    written = viewer.until(lambda: sorted(tmp_path.glob("mean*.gif")), "exported file")
    frames, _ = read_video(written[0])
    assert len(list(frames)) == 66, "two given, 64 made"
    viewer.focus("mean")
    viewer.press("ctrl+q")
    assert viewer.process.wait(15) == 0, viewer.said()
    assert "Could not load the Qt platform plugin" not in viewer.said()
    assert "resource_tracker" not in viewer.said()


@pytest.mark.slow
def test_a_killed_worker_leaves_the_window_and_no_orphan_stays(viewer):
    viewer.focus("mean")
    viewer.until(lambda: len(red(viewer)) >= 2, "frames of the clip on the screen")
    before = viewer.children()
    workers = [pid for pid in before if b"spawn_main" in cmdline(pid)]
    assert len(workers) == 1
    os.kill(workers[0], signal.SIGKILL)
    viewer.focus("kvidgan")  # the dialog that tells it
    viewer.press("Escape")
    assert viewer.process.poll() is None
    viewer.process.kill()  # now the window itself
    viewer.process.wait(10)
    end = time.monotonic() + 20
    while any(alive(pid) for pid in before) and time.monotonic() < end:
        time.sleep(0.2)
    assert not [pid for pid in before if alive(pid)]


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def alive(pid):
    return bool(cmdline(pid))
