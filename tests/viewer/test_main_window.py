"""The window, with a worker that answers at once and without a process."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QObject, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QDialog

from kvidgan.data.reading import reading_text
from kvidgan.playback import ClipPlan, NoisePlan
from kvidgan.rollout.description import Description
from kvidgan_viewer import session
from kvidgan_viewer.data_dialog import DataDialog
from kvidgan_viewer.dialogs import ErrorDialog, KeysDialog
from kvidgan_viewer.main_window import MainWindow
from kvidgan_viewer.worker import messages
from kvidgan_viewer.worker.film import Film

SIDE, NUM_CONTEXT, NUM_TRUE = 8, 2, 6
FRAME = {"height": None, "width": None, "channels": 3}
NOISE = {"content": {"role": "latent", "shape": [2], "draw": "normal", "per": "video"}}
HISTORY = {"history": {"role": "history", "frames": NUM_CONTEXT}}


def description(inputs):
    return Description.model_validate(
        {"family": "fifth", "kvidgan_version": "0", "frame": FRAME, "inputs": inputs}
    )


def frame(value):
    return np.full((SIDE, SIDE, 3), value, np.uint8)


class FakeWorkerClient(QObject):
    """A worker client without a process: frame i has the value 10 i, or 10 i + 100 of noise."""

    ready, opened, videos_listed, data_described, started = (Signal(object) for _ in range(5))
    compiling = Signal()
    frames_added, waiting, ended = (Signal(int) for _ in range(3))
    failed, died, status_changed = Signal(object), Signal(str), Signal(str)
    damaged = Signal(str)
    plays: ClassVar[list] = []

    def __init__(self, backend="tensorflow", budget=0, parent=None):
        super().__init__(parent)
        self.backend, self.status, self.film, self.plan = backend, "opening", Film(), None
        self.path, self.restarts = None, 0

    def open(self, path):
        self.path = path

    def answer(self):
        """Do what the process would have done by now."""
        name = Path(self.path).stem
        if name == "late":  # no fault is found before the model itself is opened
            self.status = "idle"
            request = messages.Open(self.path)
            self.failed.emit(messages.Failed(None, "late.keras is broken.", "Trace", request))
            return
        self.status = "idle"
        inputs = NOISE if "noise" in name else HISTORY
        self.opened.emit(messages.Opened(self.path, description(inputs)))

    def play(self, plan, num_frames):
        FakeWorkerClient.plays.append((self.path, plan, num_frames))
        self.plan, self.film = plan, Film()
        noise = isinstance(plan, NoisePlan)
        panes = ("generated",) if noise else ("truth", "prediction", "mask")
        num_context = 0 if noise else NUM_CONTEXT
        self.started.emit(messages.Started(1, "a note", 12.5, num_context, None, panes))
        self.extend(num_frames)
        return self.film

    def extend(self, num_frames):
        for index in range(len(self.film), num_frames):
            if isinstance(self.plan, NoisePlan):
                self.film.append({"generated": frame(10 * index % 256)})
                continue
            is_context = index < NUM_CONTEXT
            panes = {
                "truth": frame(10 * index % 256) if index < NUM_TRUE else None,
                "prediction": frame((10 * index + 4 * (not is_context)) % 256),
                "mask": None if is_context else frame(255),
            }
            scored = {} if is_context or index >= NUM_TRUE else {"psnr": (30.0 + index, 20.0)}
            self.film.append(panes, is_context, scored)
        self.frames_added.emit(len(self.film))
        self.waiting.emit(len(self.film))

    def describe_data(self, path, reading):
        sheet = np.full((20, 30, 3), (200, 30, 10), np.uint8)
        lines = (("layout", "videos"), ("reading", reading_text(reading)))
        self.data_described.emit(messages.DataDescription(path, lines, sheet))

    def list_videos(self, path, reading):
        entries = tuple(messages.VideoEntry(name, "", 9) for name in ("a", "b", "c"))
        self.videos_listed.emit(messages.VideoList(path, entries, ""))

    def cancel(self):
        self.status = "idle"

    def restart(self, backend=None):
        self.restarts += 1
        self.backend = backend or self.backend

    def close(self):
        self.status = "closed"


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(session, "WorkerClient", FakeWorkerClient)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    FakeWorkerClient.plays = []
    from PySide6.QtCore import QSettings

    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))
    main_window = MainWindow()
    qtbot.addWidget(main_window)
    main_window.resize(1280, 720)
    main_window.show()
    return main_window


@pytest.fixture
def models(tmp_path):
    for name in ("noise", "predictor", "predictor2", "late"):
        described = description(NOISE if name == "noise" else HISTORY)
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "w") as archive:
            archive.writestr("kvidgan.json", described.model_dump_json())
    (tmp_path / "broken.keras").write_bytes(b"PK")
    np.save(tmp_path / "clip.npy", np.zeros((1, 9, SIDE, SIDE, 3), np.uint8))
    return tmp_path


def open_model(window, path):
    window.open(path)
    current = window.controller.sessions.current
    current.worker.answer()
    return current


def playing(window, models, name="predictor"):
    window.open(models / "clip.npy")
    current = open_model(window, models / f"{name}.keras")
    window.controller.panel.set_clip(str(models / "clip.npy"))
    window.controller.play(window.controller.panel.values())
    window.controller.player_view.playhead.pause()
    window.controller.player_view.toggle()
    window.controller.player_view.toggle()
    window.controller.player_view.seek(0)
    window.controller.player_view.canvas.setFocus()
    return current


def pixel(window, name):
    image = window.controller.player_view.canvas.pane_image(name)
    return None if image is None else image.pixelColor(2, 2).red()


def dialogs(window, kind):
    return [one for one in window.findChildren(kind) if one.isVisible()]


# ---- Opening


def test_the_first_page_offers_to_open(window, models):
    assert window.pages.currentWidget() is window.start_page
    assert not window.controller.generator_dock.isVisible()
    current = open_model(window, models / "noise.keras")
    assert window.pages.currentWidget() is window.controller.player_view
    assert window.windowTitle() == "noise - kvidgan"
    assert len(current.film) == 32, "it plays at once"
    assert [path.name for path in window.settings.recent()] == ["noise.keras"]


def test_the_window_is_painted_before_anything_is_loaded(qtbot, window, models):
    again = MainWindow()
    qtbot.addWidget(again)
    again.begin([models / "noise.keras"])
    assert "controller" not in vars(again)
    qtbot.waitUntil(lambda: again.windowTitle() == "noise - kvidgan", timeout=5000)


def test_what_does_not_open_is_told_in_one_sentence(window, models, qtbot):
    window.open(models / "nowhere.keras")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text().startswith("Expected a model, a run or a clip, found nothing at")
    dialog.close()
    window.open(models / "broken.keras")
    (dialog,) = dialogs(window, ErrorDialog)
    assert "is not a complete .keras file" in dialog.sentence.text()
    assert window.controller.sessions.all == [], "no process is started for it"
    dialog.close()
    window.open(models / "late.keras")
    window.controller.sessions.current.worker.answer()
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text() == "late.keras is broken."
    assert not dialog.details.isVisible()
    qtbot.mouseClick(dialog.details_button, Qt.MouseButton.LeftButton)
    assert dialog.details.isVisible()
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "late.keras is broken.\n\nTrace"


def test_dropped_files_are_opened(window, models):
    data = QMimeData()
    paths = [models / "noise.keras", models / "clip.npy"]
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), action, data, left, none))
    assert window.controller.sessions.current.name == "noise"
    assert window.controller.clip == models / "clip.npy"


def test_a_run_gives_its_curves_also_without_a_model(window, models, qtbot):
    run = models / "run"
    run.mkdir()
    (run / "config.yaml").write_text("family: {}\ndata: {}\ntrain: {}\n")
    points = [{"step": s, "epoch": 1, "wall_time": s, "generator": 1 / s} for s in (1, 2, 3)]
    (run / "history.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    window.open(run)
    assert window.controller.sessions.current is None
    assert [one.name for one in window.controller.sessions.runs] == ["run"]
    assert window.controller.plots_view.currentWidget() is window.controller.plots_view.history
    assert window.pages.currentWidget() is window.controller.player_view


# ---- Playing


def test_what_is_chosen_is_played(window, models):
    playing(window, models)
    path, plan, num_frames = FakeWorkerClient.plays[-1]
    assert path.endswith("predictor.keras")
    assert plan == ClipPlan(str(models / "clip.npy"), stride=1)
    assert num_frames == 64 + NUM_CONTEXT


def test_how_the_clip_is_understood(window, models, qtbot):
    playing(window, models)
    form = window.controller.panel.form
    form.options.setText("fps=5")
    form.options.editingFinished.emit()
    form.about.click()
    (dialog,) = dialogs(window, DataDialog)
    rows = [(what.text(), value.text()) for what, value in dialog.rows]
    assert rows == [("layout:", "videos"), ("reading:", "fps=5.0")]
    image = dialog.sheet.pixmap().toImage()
    assert (image.width(), image.height()) == (30, 20)
    assert image.pixelColor(29, 19).getRgb()[:3] == (200, 30, 10)
    form.options.setText("speed=5")
    assert window.controller.panel.values() is None
    assert "found 'speed'" in form.problem.text()
    dialog.reject()


def test_damage_stands_behind_the_note(window, models):
    current = playing(window, models)
    current.worker.damaged.emit("clip.mp4 is a damaged video: it ends after 3 of 9 frames.")
    assert "a note clip.mp4 is a damaged video" in window.controller.status_label.text()
    current.play(replace(current.values, start=3))
    assert "damaged" not in window.controller.status_label.text()


def test_panes_show_one_frame_of_the_film(window, models):
    playing(window, models)
    window.controller.player_view.seek(1)
    assert [pixel(window, name) for name in ("history", "truth", "prediction")] == [10, 10, 10]
    assert pixel(window, "difference") is None, "of a given frame there is none"
    window.controller.player_view.seek(4)
    assert [pixel(window, n) for n in ("history", "truth", "prediction")] == [10, 40, 44]
    assert pixel(window, "difference") == 4
    assert pixel(window, "mask") == 255
    window.controller.player_view.seek(NUM_TRUE)
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
        qtbot.keyClick(window.controller.player_view.canvas, key)
    assert window.controller.player_view.playhead.index == index


def test_more_keys(window, models, qtbot):
    playing(window, models)
    canvas, playhead, options = (
        window.controller.player_view.canvas,
        window.controller.player_view.playhead,
        window.controller.player_view.options,
    )
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(canvas, Qt.Key.Key_Right, shift)
    assert playhead.index == 10
    for key in "I":
        qtbot.keyClick(canvas, key)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, shift)
    qtbot.keyClick(canvas, "O")
    assert playhead.marks == (10, 20)
    qtbot.keyClick(canvas, "I", shift)
    assert playhead.marks == (None, None)
    qtbot.keyClick(canvas, "]")
    assert playhead.speed == 2.0
    qtbot.keyClick(canvas, Qt.Key.Key_Backspace)
    assert playhead.speed == 1.0
    qtbot.keyClick(canvas, "D")
    assert "difference" in options.hidden
    qtbot.keyClick(canvas, "D", shift)
    assert (options.difference_mode, "difference" in options.hidden) == ("signed", False)
    qtbot.keyClick(canvas, "2")
    assert canvas.visible_panes() == ("truth",)
    qtbot.keyClick(canvas, "0")
    assert len(canvas.visible_panes()) > 3
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert playhead.playing
    qtbot.keyClick(canvas, "K")
    assert not playhead.playing
    qtbot.keyClick(canvas, "T")
    assert canvas.smooth


def test_the_menus_choose_panes_and_recent_paths(window, models):
    playing(window, models)
    menus, options = window.controller.menus, window.controller.player_view.options
    names = [action.text() for action in menus.panes.actions()]
    assert names == ["History", "Truth", "Prediction", "Difference", "Mask"]
    menus.panes.actions()[4].trigger()
    assert "mask" in options.hidden
    menus.panes.actions()[4].trigger()
    assert "mask" not in options.hidden
    menus.recent.aboutToShow.emit()
    recent = {action.text(): action for action in menus.recent.actions()}
    assert set(recent) == {str(models / name) for name in ("clip.npy", "predictor.keras")}
    window.controller.clip = None
    recent[str(models / "clip.npy")].trigger()
    assert window.controller.clip == models / "clip.npy"
    menus.plots.setChecked(False)
    assert not window.controller.plots_dock.isVisible()


def test_letters_are_typed_where_the_canvas_has_no_focus(window, models, qtbot):
    playing(window, models)
    field = window.controller.panel.form.clip.line
    field.setFocus()
    field.clear()
    qtbot.keyClicks(field, "djk0")
    assert field.text() == "djk0"
    assert "difference" not in window.controller.player_view.options.hidden


def test_scrubbing_past_the_end_asks_for_more(window, models):
    current = playing(window, models)
    window.controller.player_view.seek(100)
    assert len(current.film) > 100
    assert window.controller.player_view.playhead.index == 100


def test_more_frames_go_on_with_the_same_rollout(window, models):
    from dataclasses import replace

    current = playing(window, models)
    plays, film = len(FakeWorkerClient.plays), current.film
    window.controller.play(replace(window.controller.panel.values(), num_frames=80))
    assert (len(FakeWorkerClient.plays), current.film) == (plays, film)
    assert len(film) >= 80 + NUM_CONTEXT
    window.controller.play(replace(window.controller.panel.values(), start=1))
    assert len(FakeWorkerClient.plays) == plays + 1
    assert current.film is not film


def test_who_has_paused_sees_the_same_frame_of_another_rollout(window, models):
    from dataclasses import replace

    current = open_model(window, models / "noise.keras")
    playhead = window.controller.player_view.playhead
    assert playhead.playing, "the first rollout plays by itself"
    playhead.pause()
    window.controller.player_view.seek(5)
    window.controller.play(replace(window.controller.panel.values(), content_seed=3))
    assert not playhead.playing
    assert (playhead.index, current.worker.plan.content_seed) == (5, 3)


def test_the_clips_of_a_source_are_offered_and_stepped_through(window, models, qtbot):
    playing(window, models)
    panel = window.controller.panel
    assert panel.form.video.count() == 1 + 3
    qtbot.keyClick(window.controller.player_view.canvas, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: FakeWorkerClient.plays[-1][1].video == "a", timeout=3000)
    open_model(window, models / "predictor2.keras")
    assert panel.form.video.count() == 1 + 3, "another form knows them too"


# ---- Comparing


def test_tab_plays_the_same_on_the_next_model(window, models, qtbot):
    playing(window, models)
    open_model(window, models / "predictor2.keras")
    assert window.controller.sessions.current.name == "predictor2"
    window.controller.player_view.seek(5)
    window.controller.player_view.canvas.setFocus()
    qtbot.keyClick(window.controller.player_view.canvas, Qt.Key.Key_Tab)
    assert window.controller.sessions.current.name == "predictor"
    assert window.controller.player_view.playhead.index == 5, "the same frame"
    plans = {path: plan for path, plan, _ in FakeWorkerClient.plays}
    one, other = plans.values()
    assert one == other


def test_side_by_side_shows_all_that_play_the_same(window, models):
    playing(window, models)
    open_model(window, models / "noise.keras")
    playing(window, models, "predictor2")
    window.controller.menus.side_by_side.setChecked(True)
    window.controller.player_view.seek(4)
    assert window.controller.player_view.canvas.visible_panes() == ("truth", "model 0", "model 1")
    assert [pixel(window, f"model {n}") for n in (0, 1)] == [44, 44]


def test_another_backend_restarts_the_worker(window, models):
    current = playing(window, models)
    window.controller.set_backend("jax")
    assert current.worker.backend == "jax"
    current.worker.answer()
    assert len(current.film) == 66
    assert window.controller.model_chooser.currentText() == "predictor (jax)"


def test_a_dead_worker_leaves_the_window_and_can_be_restarted(window, models, qtbot):
    current = playing(window, models)
    current.worker.status = "died"
    current.worker.died.emit("The process was killed.")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text() == "The process was killed."
    assert len(current.film) > 60
    assert "Restart" in window.controller.status_label.text()
    qtbot.mouseClick(dialog.restart_button, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()
    assert current.worker.restarts == 1
    window.controller.player_view.seek(7)
    assert pixel(window, "prediction") == 74


# ---- What leaves the window


def test_scores_are_drawn_and_lead_back(window, models, qtbot):
    playing(window, models)
    qtbot.waitUntil(
        lambda: window.controller.plots_view.scores.shown_metric == "psnr", timeout=3000
    )
    window.controller.plots_view.seek_requested.emit(5)
    assert window.controller.player_view.playhead.index == 5


def test_a_film_is_exported(window, models, qtbot):
    playing(window, models)
    window.controller.exporter.export()
    (dialog,) = dialogs(window, QDialog)
    path = models / "out.gif"
    dialog.form.path.setText(str(path))
    dialog.form.scale.setValue(2)
    with qtbot.waitSignal(window.controller.exporter.status_changed, timeout=20000):
        dialog.accept()
    qtbot.waitUntil(path.is_file, timeout=20000)
    with Image.open(path) as written:
        assert written.n_frames == 66
    qtbot.waitUntil(lambda: "66 frames" in window.controller.status_label.text(), timeout=3000)


def test_a_frame_is_written_and_copied(window, models, qtbot):
    playing(window, models)
    image = window.controller.player_view.canvas.grab_frame()
    window.controller.exporter.write_frame(image, models / "seen")
    with Image.open(models / "seen.png") as written:
        assert written.size == (image.width(), image.height())
    window.controller.exporter.write_frame(image, models / "no" / "folder.png")
    (dialog,) = dialogs(window, ErrorDialog)
    assert dialog.sentence.text().startswith("Cannot write")
    dialog.close()
    window.controller.player_view.canvas.setFocus()
    qtbot.keyClick(window.controller.player_view.canvas, "C", Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().image().size() == image.size()


def test_every_key_is_listed(window, qtbot):
    window.show_keys()
    (dialog,) = dialogs(window, KeysDialog)
    from PySide6.QtWidgets import QLabel

    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for words in ("play, pause", "next model", "export as GIF", "wheel", "1 … 9"):
        assert words in text


def test_the_window_remembers(window, models, qtbot):
    playing(window, models)
    window.theme.set_scheme("dark")
    window.controller.player_view.playhead.speed = 2.0
    window.close()
    assert all(one.worker.status == "closed" for one in window.controller.sessions.all)
    again = MainWindow()
    qtbot.addWidget(again)
    assert (again.theme.scheme, again.controller.player_view.playhead.speed) == ("dark", 2.0)
    assert {path.name for path in again.settings.recent()} == {"clip.npy", "predictor.keras"}
    again.theme.set_scheme("system")
