"""The window, with a worker that answers at once and without a process."""

import json
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QObject, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QDialog

from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout.description import Description
from kvidgan_viewer import session
from kvidgan_viewer.dialogs import ErrorDialog, KeysDialog
from kvidgan_viewer.main_window import Window
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import Film

SIDE, GIVEN, TRUE = 8, 2, 6
FRAME = {"height": None, "width": None, "channels": 3}
NOISE = {"content": {"role": "latent", "shape": [2], "draw": "normal", "per": "video"}}
HISTORY = {"history": {"role": "history", "frames": GIVEN}}


def description(inputs):
    return Description.model_validate(
        {"family": "fifth", "kvidgan_version": "0", "frame": FRAME, "inputs": inputs}
    )


def frame(value):
    return np.full((SIDE, SIDE, 3), value, np.uint8)


class Quick(QObject):
    """What a worker tells, without one: frame i has the value 10 i, or 10 i + 100 of noise."""

    ready, opened, listed, started = (Signal(object) for _ in range(4))
    compiling = Signal()
    made, waiting, ended = (Signal(int) for _ in range(3))
    failed, died, state_changed = Signal(object), Signal(str), Signal(str)
    asked: ClassVar[list] = []

    def __init__(self, backend="tensorflow", budget=0, parent=None):
        super().__init__(parent)
        self.backend, self.state, self.film, self.plan = backend, "opening", Film(), None
        self.path, self.restarts = None, 0

    def open(self, path):
        self.path = path

    def answer(self):
        """Do what the process would have done by now."""
        name = Path(self.path).stem
        if name == "late":  # no fault is found before the model itself is opened
            self.state = "idle"
            request = messages.Open(self.path)
            self.failed.emit(messages.Failed(None, "late.keras is broken.", "Trace", request))
            return
        self.state = "idle"
        inputs = NOISE if "noise" in name else HISTORY
        self.opened.emit(messages.Opened(self.path, description(inputs)))

    def play(self, plan, until):
        Quick.asked.append((self.path, plan, until))
        self.plan, self.film = plan, Film()
        noise = isinstance(plan, NoisePlan)
        panes = ("generated",) if noise else ("truth", "prediction", "mask")
        given = 0 if noise else GIVEN
        self.started.emit(messages.Started(1, "a note", 12.5, given, None, panes))
        self.more(until)
        return self.film

    def more(self, until):
        for index in range(len(self.film), until):
            if isinstance(self.plan, NoisePlan):
                self.film.append({"generated": frame(10 * index % 256)})
                continue
            given = index < GIVEN
            panes = {
                "truth": frame(10 * index % 256) if index < TRUE else None,
                "prediction": frame((10 * index + 4 * (not given)) % 256),
                "mask": None if given else frame(255),
            }
            scored = {} if given or index >= TRUE else {"psnr": (30.0 + index, 20.0)}
            self.film.append(panes, given, scored)
        self.made.emit(len(self.film))
        self.waiting.emit(len(self.film))

    def videos(self, path, layout="auto"):
        entries = tuple(messages.Entry(name, "", 9) for name in ("a", "b", "c"))
        self.listed.emit(messages.Listed(path, entries, ""))

    def cancel(self):
        self.state = "idle"

    def restart(self, backend=None):
        self.restarts += 1
        self.backend = backend or self.backend

    def close(self):
        self.state = "closed"


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(session, "Worker", Quick)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Quick.asked = []
    from PySide6.QtCore import QSettings

    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))
    made = Window()
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    return made


@pytest.fixture
def models(tmp_path):
    for name in ("noise", "predictor", "predictor2", "late"):
        described = description(NOISE if name == "noise" else HISTORY)
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "w") as archive:
            archive.writestr("kvidgan.json", described.model_dump_json())
    (tmp_path / "broken.keras").write_bytes(b"PK")
    np.save(tmp_path / "clip.npy", np.zeros((1, 9, SIDE, SIDE, 3), np.uint8))
    return tmp_path


def opened(window, path):
    window.open(path)
    current = window.desk.models.current
    current.worker.answer()
    return current


def playing(window, models, name="predictor"):
    window.open(models / "clip.npy")
    current = opened(window, models / f"{name}.keras")
    window.desk.panel.set_clip(str(models / "clip.npy"))
    window.desk.play(window.desk.panel.values())
    window.desk.theatre.player.pause()
    window.desk.theatre.toggle()
    window.desk.theatre.toggle()
    window.desk.theatre.seek(0)
    window.desk.theatre.canvas.setFocus()
    return current


def pixel(window, name):
    image = window.desk.theatre.canvas.pane_image(name)
    return None if image is None else image.pixelColor(2, 2).red()


def dialogs(window, kind):
    return [one for one in window.findChildren(kind) if one.isVisible()]


# ---- Opening


def test_the_first_page_offers_to_open(window, models):
    assert window.pages.currentWidget() is window.start
    assert not window.desk.right.isVisible()
    current = opened(window, models / "noise.keras")
    assert window.pages.currentWidget() is window.desk.theatre
    assert window.windowTitle() == "noise - kvidgan"
    assert len(current.film) == 32, "it plays at once"
    assert [path.name for path in window.settings.recent()] == ["noise.keras"]


def test_the_window_is_painted_before_anything_is_loaded(qtbot, window, models):
    again = Window()
    qtbot.addWidget(again)
    again.begin([models / "noise.keras"])
    assert "desk" not in vars(again)
    qtbot.waitUntil(lambda: again.windowTitle() == "noise - kvidgan", timeout=5000)


def test_what_does_not_open_is_told_in_one_sentence(window, models, qtbot):
    window.open(models / "nowhere.keras")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text().startswith("Expected a model, a run or a clip, found nothing at")
    dialog.close()
    window.open(models / "broken.keras")
    (dialog,) = dialogs(window, ErrorDialog)
    assert "is not a complete .keras file" in dialog.sentence.text()
    assert window.desk.models.sessions == [], "no process is started for it"
    dialog.close()
    window.open(models / "late.keras")
    window.desk.models.current.worker.answer()
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text() == "late.keras is broken."
    assert not dialog.details.isVisible()
    qtbot.mouseClick(dialog.unfold, Qt.MouseButton.LeftButton)
    assert dialog.details.isVisible()
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "late.keras is broken.\n\nTrace"


def test_dropped_files_are_opened(window, models):
    data = QMimeData()
    paths = [models / "noise.keras", models / "clip.npy"]
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), action, data, left, none))
    assert window.desk.models.current.name == "noise"
    assert window.desk.clip == models / "clip.npy"


def test_a_run_gives_its_curves_also_without_a_model(window, models, qtbot):
    run = models / "run"
    run.mkdir()
    (run / "config.yaml").write_text("family: {}\ndata: {}\ntrain: {}\n")
    points = [{"step": s, "epoch": 1, "wall_time": s, "generator": 1 / s} for s in (1, 2, 3)]
    (run / "history.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    window.open(run)
    assert window.desk.models.current is None
    assert [one.name for one in window.desk.models.runs] == ["run"]
    assert window.desk.plots.currentWidget() is window.desk.plots.history
    assert window.pages.currentWidget() is window.desk.theatre


# ---- Playing


def test_what_is_chosen_is_played(window, models):
    playing(window, models)
    path, plan, until = Quick.asked[-1]
    assert path.endswith("predictor.keras")
    assert plan == ClipPlan(str(models / "clip.npy"), stride=1)
    assert until == 64 + GIVEN


def test_panes_show_one_moment(window, models):
    playing(window, models)
    window.desk.theatre.seek(1)
    assert [pixel(window, name) for name in ("history", "truth", "prediction")] == [10, 10, 10]
    assert pixel(window, "difference") is None, "of a given frame there is none"
    window.desk.theatre.seek(4)
    assert [pixel(window, n) for n in ("history", "truth", "prediction")] == [10, 40, 44]
    assert pixel(window, "difference") == 4
    assert pixel(window, "mask") == 255
    window.desk.theatre.seek(TRUE)
    assert pixel(window, "truth") is None, "the clip ended"
    assert pixel(window, "prediction") == 64


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        ([Qt.Key.Key_Right] * 3, 3),
        ([Qt.Key.Key_Period, Qt.Key.Key_Period, Qt.Key.Key_Comma], 1),
        ([Qt.Key.Key_End], 65),
        ([Qt.Key.Key_End, Qt.Key.Key_Home], 0),
        ([Qt.Key.Key_Left], 65),
    ],
)
def test_keys_steer_while_the_canvas_has_the_focus(window, models, qtbot, keys, index):
    playing(window, models)
    for key in keys:
        qtbot.keyClick(window.desk.theatre.canvas, key)
    assert window.desk.theatre.player.index == index


def test_more_keys(window, models, qtbot):
    playing(window, models)
    canvas, player, look = (
        window.desk.theatre.canvas,
        window.desk.theatre.player,
        window.desk.theatre.look,
    )
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(canvas, Qt.Key.Key_Right, shift)
    assert player.index == 10
    for key in "I":
        qtbot.keyClick(canvas, key)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, shift)
    qtbot.keyClick(canvas, "O")
    assert player.marks == (10, 20)
    qtbot.keyClick(canvas, "I", shift)
    assert player.marks == (None, None)
    qtbot.keyClick(canvas, "]")
    assert player.speed == 2.0
    qtbot.keyClick(canvas, Qt.Key.Key_Backspace)
    assert player.speed == 1.0
    qtbot.keyClick(canvas, "D")
    assert "difference" in look.hidden
    qtbot.keyClick(canvas, "D", shift)
    assert (look.mode, "difference" in look.hidden) == ("signed", False)
    qtbot.keyClick(canvas, "2")
    assert canvas.visible_panes() == ("truth",)
    qtbot.keyClick(canvas, "0")
    assert len(canvas.visible_panes()) > 3
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert player.playing
    qtbot.keyClick(canvas, "K")
    assert not player.playing
    qtbot.keyClick(canvas, "T")
    assert canvas.smooth


def test_letters_are_typed_where_the_canvas_has_no_focus(window, models, qtbot):
    playing(window, models)
    field = window.desk.panel.form.clip.line
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, "djk0")
    assert field.text() == "djk0"
    assert "difference" not in window.desk.theatre.look.hidden


def test_scrubbing_past_the_end_asks_for_more(window, models):
    current = playing(window, models)
    window.desk.theatre.seek(100)
    assert len(current.film) > 100
    assert window.desk.theatre.player.index == 100


def test_more_frames_go_on_with_the_same_rollout(window, models):
    from dataclasses import replace

    current = playing(window, models)
    asked, film = len(Quick.asked), current.film
    window.desk.play(replace(window.desk.panel.values(), frames=80))
    assert (len(Quick.asked), current.film) == (asked, film)
    assert len(film) >= 80 + GIVEN
    window.desk.play(replace(window.desk.panel.values(), start=1))
    assert len(Quick.asked) == asked + 1
    assert current.film is not film


def test_who_has_paused_sees_the_same_moment_of_another_rollout(window, models):
    from dataclasses import replace

    current = opened(window, models / "noise.keras")
    player = window.desk.theatre.player
    assert player.playing, "the first rollout plays by itself"
    player.pause()
    window.desk.theatre.seek(5)
    window.desk.play(replace(window.desk.panel.values(), content_seed=3))
    assert not player.playing
    assert (player.index, current.worker.plan.content_seed) == (5, 3)


def test_the_clips_of_a_source_are_offered_and_stepped_through(window, models, qtbot):
    playing(window, models)
    panel = window.desk.panel
    assert panel.form.video.count() == 1 + 3
    qtbot.keyClick(window.desk.theatre.canvas, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: Quick.asked[-1][1].video == "a", timeout=3000)
    opened(window, models / "predictor2.keras")
    assert panel.form.video.count() == 1 + 3, "another form knows them too"


# ---- Comparing


def test_tab_plays_the_same_on_the_next_model(window, models, qtbot):
    playing(window, models)
    opened(window, models / "predictor2.keras")
    assert window.desk.models.current.name == "predictor2"
    window.desk.theatre.seek(5)
    window.desk.theatre.canvas.setFocus()
    qtbot.keyClick(window.desk.theatre.canvas, Qt.Key.Key_Tab)
    assert window.desk.models.current.name == "predictor"
    assert window.desk.theatre.player.index == 5, "the same moment"
    plans = {path: plan for path, plan, _ in Quick.asked}
    one, other = plans.values()
    assert one == other


def test_side_by_side_shows_all_that_play_the_same(window, models):
    playing(window, models)
    opened(window, models / "noise.keras")
    playing(window, models, "predictor2")
    window.desk.menus.together.setChecked(True)
    window.desk.theatre.seek(4)
    assert window.desk.theatre.canvas.visible_panes() == ("truth", "model 0", "model 1")
    assert [pixel(window, f"model {n}") for n in (0, 1)] == [44, 44]


def test_another_backend_restarts_the_worker(window, models):
    current = playing(window, models)
    window.desk.set_backend("jax")
    assert current.worker.backend == "jax"
    current.worker.answer()
    assert len(current.film) == 66
    assert window.desk.chooser.currentText() == "predictor (jax)"


def test_a_dead_worker_leaves_the_window_and_can_be_restarted(window, models, qtbot):
    current = playing(window, models)
    current.worker.state = "died"
    current.worker.died.emit("The process was killed.")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text() == "The process was killed."
    assert len(current.film) > 60
    assert "Restart" in window.desk.status.text()
    qtbot.mouseClick(dialog.restart, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()
    assert current.worker.restarts == 1
    window.desk.theatre.seek(7)
    assert pixel(window, "prediction") == 74


# ---- What leaves the window


def test_scores_are_drawn_and_lead_back(window, models, qtbot):
    playing(window, models)
    qtbot.waitUntil(lambda: window.desk.plots.scores.shown_metric == "psnr", timeout=3000)
    window.desk.plots.seek.emit(5)
    assert window.desk.theatre.player.index == 5


def test_a_film_is_exported(window, models, qtbot):
    playing(window, models)
    window.desk.saving.export()
    (dialog,) = dialogs(window, QDialog)
    path = models / "out.gif"
    dialog.choices.path.setText(str(path))
    dialog.choices.scale.setValue(2)
    with qtbot.waitSignal(window.desk.saving.told, timeout=20000):
        dialog.accept()
    qtbot.waitUntil(path.is_file, timeout=20000)
    with Image.open(path) as written:
        assert written.n_frames == 66
    qtbot.waitUntil(lambda: "66 frames" in window.desk.status.text(), timeout=3000)


def test_a_frame_is_written_and_copied(window, models, qtbot):
    playing(window, models)
    image = window.desk.theatre.canvas.grab_frame()
    window.desk.saving.write_frame(image, models / "seen")
    with Image.open(models / "seen.png") as written:
        assert written.size == (image.width(), image.height())
    window.desk.saving.write_frame(image, models / "no" / "folder.png")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text().startswith("Cannot write")
    dialog.close()
    window.desk.theatre.canvas.setFocus()
    qtbot.keyClick(window.desk.theatre.canvas, "C", Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().image().size() == image.size()


def test_every_key_is_listed(window, qtbot):
    window.show_keys()
    (dialog,) = dialogs(window, KeysDialog)
    from PySide6.QtWidgets import QLabel

    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for words in ("play, pause", "next model", "export as GIF", "wheel", "1 … 9"):
        assert words in said


def test_the_window_remembers(window, models, qtbot):
    playing(window, models)
    window.theme.choose("dark")
    window.desk.theatre.player.speed = 2.0
    window.close()
    assert all(one.worker.state == "closed" for one in window.desk.models.sessions)
    again = Window()
    qtbot.addWidget(again)
    assert (again.theme.choice, again.desk.theatre.player.speed) == ("dark", 2.0)
    assert {path.name for path in again.settings.recent()} == {"clip.npy", "predictor.keras"}
    again.theme.choose("system")
