"""Films are written aside, and read back here."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QMessageBox, QWidget

from kvidgan.media import natural_key, read_image, read_video
from kvidgan_viewer.export import ExportDialog, ExportJob
from kvidgan_viewer.export.composition import Exportable, ExportSettings, compose, pictures
from kvidgan_viewer.export.files import estimated_bytes, num_bytes, size_text, with_suffix, write

SOURCE = Exportable(
    {"truth": (16, 20), "prediction": (16, 20)},
    num_frames=10,
    num_context=4,
    fps=10.0,
    name="my clip.v2",
)


def read(index):
    """A bright square that moves over a ramp."""
    ramp = np.linspace(0, 120, 20).astype(np.uint8)[None, :, None]
    frame = np.broadcast_to(ramp, (16, 20, 3)).copy()
    frame[4:10, index : index + 6] = (250, 200, 40)
    return {"truth": frame, "prediction": None if index == 9 else frame[::-1]}


def cycled(index):
    return read(index % 10)


def noisy(index):
    noise = np.random.default_rng(index).integers(0, 30, (16, 20, 3), dtype=np.uint8)
    return {name: frame + noise for name, frame in cycled(index).items() if frame is not None}


@pytest.fixture
def settings(tmp_path):
    return ExportSettings(
        tmp_path / "out.gif", "gif", ("truth", "prediction"), range(10), 10.0, scale=2
    )


def expected(settings):
    return list(pictures(SOURCE, settings, read))


def done(qtbot, job):
    """Run a job to its end; return what it said, by signal."""
    emitted = []
    job.finished.connect(lambda path, text: emitted.append(("finished", path, text)))
    job.failed.connect(lambda sentence: emitted.append(("failed", sentence)))
    job.cancelled.connect(lambda: emitted.append(("cancelled",)))
    job.start()
    qtbot.waitUntil(lambda: bool(emitted), timeout=20_000)
    qtbot.waitUntil(lambda: not job.running)
    assert len(emitted) == 1
    return emitted[0]


# ---- Files --------------------------------------------------------------------------------------


def test_a_gif_holds_every_frame_for_its_time(qtbot, settings):
    fps30 = replace(settings, fps=30.0)
    what, path, text = done(qtbot, ExportJob(SOURCE, fps30, read))
    assert (what, path) == ("finished", str(settings.path))
    assert text.startswith("out.gif: 10 frames at 33.33 fps, ")
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (10, (2 * 44 + 2, 36))
        durations = []
        for index, picture in enumerate(expected(settings)):
            image.seek(index)
            durations.append(image.info["duration"])
            shown = np.asarray(image.convert("RGB")).astype(int)
            assert abs(shown - picture).max() < 16  # 256 colours
        assert durations == [30] * 10
        assert image.info["loop"] == 0


def test_a_gif_may_play_once(tmp_path, settings):
    once = replace(settings, path=tmp_path / "once.gif", repeat=False)
    fps = [write(one, expected(one)) for one in (settings, once)]
    assert fps == [10.0, 10.0]
    with Image.open(settings.path) as looping, Image.open(once.path) as image:
        assert "loop" in looping.info
        assert "loop" not in image.info
        assert image.n_frames == 10
        for index in range(10):
            looping.seek(index)
            image.seek(index)
            assert looping.convert("RGB").tobytes() == image.convert("RGB").tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["once.gif", "out.gif"]


def test_an_mp4_holds_every_frame_at_an_even_size(qtbot, settings):
    odd = replace(
        settings,
        path=settings.path.with_suffix(".mp4"),
        format="mp4",
        panes=("truth",),
        scale=3,
        fps=24.0,
    )
    odd = replace(odd, borders=False, frame_range=range(2, 9))
    source = replace(SOURCE, panes={"truth": (15, 19)})
    cut = lambda index: {"truth": read(index)["truth"][:15, :19]}  # noqa: E731
    what, path, _ = done(qtbot, ExportJob(source, odd, cut))
    assert what == "finished"
    frames, fps = read_video(Path(path))
    found = np.stack(list(frames))
    assert found.shape == (7, 46, 58, 3)
    assert fps == 24
    wanted = np.stack(list(pictures(source, odd, cut)))
    assert abs(found[:, :45, :57].astype(int) - wanted).mean() < 4


def test_pngs_are_exact(qtbot, settings):
    folder = replace(settings, path=settings.path.with_name("frames"), format="png")
    what, path, text = done(qtbot, ExportJob(SOURCE, folder, read))
    assert what == "finished"
    assert text.startswith("frames: 10 frames, ")
    files = sorted(Path(path).iterdir(), key=natural_key)
    np.testing.assert_array_equal([read_image(one) for one in files], expected(settings))


def test_names_get_the_ending_of_their_format():
    names = [with_suffix(Path("a/b.GIF"), format).as_posix() for format in ("gif", "mp4", "png")]
    assert names == ["a/b.gif", "a/b.mp4", "a/b"]
    assert with_suffix(Path("v1.2"), "mp4") == Path("v1.2.mp4")
    assert with_suffix(Path(""), "gif") == Path("")


@pytest.mark.parametrize(("format", "share"), [("gif", 0.1), ("mp4", 0.3), ("png", 0.1)])
def test_the_estimate_is_about_what_is_written(tmp_path, settings, format, share):
    source = replace(SOURCE, num_frames=60)
    long = replace(
        settings, path=with_suffix(tmp_path / "x", format), format=format, frame_range=range(60)
    )
    write(long, pictures(source, long, noisy))
    assert estimated_bytes(source, long, noisy) == pytest.approx(num_bytes(long.path), rel=share)


def test_sizes_in_words():
    assert [size_text(n) for n in (7, 1234, 2.5e7, 3e9)] == ["7 bytes", "1.23 kB", "25 MB", "3 GB"]


# ---- The job ------------------------------------------------------------------------------------


def test_a_job_tells_how_far_it_is_in_the_windows_own_thread(qtbot, settings):
    job, reported, threads = ExportJob(SOURCE, settings, read), [], set()
    job.progress.connect(lambda *numbers: reported.append(numbers))
    job.progress.connect(lambda *_: threads.add(threading.current_thread()))
    job.finished.connect(lambda *_: threads.add(threading.current_thread()))
    done(qtbot, job)
    assert reported[-1] == (10, 10)
    assert [done for done, _ in reported] == sorted({done for done, _ in reported})
    assert threads == {threading.main_thread()}


@pytest.mark.parametrize("format", ["gif", "mp4", "png"])
def test_a_cancelled_job_leaves_nothing_behind(qtbot, tmp_path, settings, format):
    reached, go_on = threading.Event(), threading.Event()

    def slow(index):
        if index == 3:
            reached.set()
            assert go_on.wait(10)
        return read(index)

    cut = replace(settings, path=with_suffix(settings.path, format), format=format, repeat=False)
    job, emitted = ExportJob(SOURCE, cut, slow), []
    for signal in (job.finished, job.failed):
        signal.connect(lambda *text: emitted.append(text))
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        job.start()
        assert reached.wait(10)
        job.cancel()
        go_on.set()
    assert emitted == []
    assert list(tmp_path.iterdir()) == []


def test_closing_waits_for_the_end(tmp_path, settings):
    job = ExportJob(
        replace(SOURCE, num_frames=10**6), replace(settings, frame_range=range(10**6)), cycled
    )
    job.start()
    assert job.running
    job.close()
    assert not job.running
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told_in_a_sentence(qtbot, tmp_path, settings):
    (tmp_path / "file").write_text("in the way")
    blocked = replace(settings, path=tmp_path / "file" / "out.gif")
    what, sentence = done(qtbot, ExportJob(SOURCE, blocked, read))
    assert what == "failed"
    assert "Cannot write" in sentence
    assert "choose another" in sentence


def test_an_error_while_reading_is_told_and_leaves_nothing(qtbot, tmp_path, settings):
    def broken(index):
        if index == 5:
            raise RuntimeError("the film is gone")
        return read(index)

    what, sentence = done(qtbot, ExportJob(SOURCE, settings, broken))
    assert what == "failed"
    assert "the film is gone" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_was_there_stays_if_the_new_one_fails(qtbot, tmp_path, settings):
    settings.path.write_bytes(b"the old one")
    done(qtbot, ExportJob(SOURCE, settings, lambda index: 1 / 0))
    assert settings.path.read_bytes() == b"the old one"


def test_neither_keras_nor_opencv_is_loaded(tmp_path):
    code = f"""
import sys
from pathlib import Path
import numpy as np
import kvidgan_viewer.export, kvidgan_viewer.panel.panel, kvidgan_viewer.plots
from kvidgan_viewer.export.composition import Exportable, ExportSettings, pictures
from kvidgan_viewer.export.files import estimated_bytes, write
source = Exportable({{"a": (8, 8)}}, 3)
read = lambda index: {{"a": np.zeros((8, 8, 3), np.uint8)}}
for format, name in (("gif", "x.gif"), ("mp4", "x.mp4"), ("png", "x")):
    settings = ExportSettings(Path({str(tmp_path)!r}) / name, format, ("a",), range(3), 10.0)
    estimated_bytes(source, settings, read)
    write(settings, pictures(source, settings, read))
print(sorted({{"keras", "tensorflow", "jax", "torch", "cv2"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout.strip(), found.returncode) == ("[]", 0), found.stderr


# ---- The dialog ---------------------------------------------------------------------------------


@pytest.fixture
def dialog(qtbot, tmp_path):
    def build(source=SOURCE, **remembered):
        shown = ExportDialog(source, read, {"folder": str(tmp_path), **remembered})
        qtbot.addWidget(shown)
        return shown

    return build


def save(dialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Save)


def test_the_dialog_begins_with_what_fits_the_film(dialog, tmp_path):
    settings = dialog().settings()
    assert settings == ExportSettings(
        path=tmp_path / "my-clip-v2.gif",
        format="gif",
        panes=("truth", "prediction"),
        frame_range=range(10),
        fps=10.0,
        scale=25,
    )


def test_the_outcome_is_what_will_be_written(dialog, qtbot):
    shown = dialog()
    shown.form.scale.setValue(2)
    shown.form.fps.setValue(30)
    assert "33.33" in shown.form.rate.text()
    picture = compose(read(0), ["truth", "prediction"], 2, "context")
    assert shown.outcome.text().startswith(
        f"{picture.shape[1]}x{picture.shape[0]} pixels, 10 frames"
    )
    assert ", 0.3 s, about …" in shown.outcome.text()
    shown.show()
    qtbot.waitUntil(lambda: "kB" in shown.outcome.text(), timeout=10_000)


def test_the_format_changes_the_ending_and_what_can_be_chosen(dialog):
    shown = dialog()
    found = {}
    for format in ("mp4", "png", "gif"):
        shown.form.format.setCurrentIndex(shown.form.format.findData(format))
        enabled = (shown.form.repeat.isEnabled(), shown.form.fps.isEnabled())
        found[format] = (shown.settings().path.name, *enabled)
    assert found == {
        "mp4": ("my-clip-v2.mp4", False, True),
        "png": ("my-clip-v2", False, False),
        "gif": ("my-clip-v2.gif", True, True),
    }


def test_ranges(dialog):
    shown = dialog(replace(SOURCE, loop=(2, 5)))
    found = {}
    for place in range(shown.form.range.count()):
        shown.form.range.setCurrentIndex(place)
        found[shown.form.range.itemData(place)] = shown.settings().frame_range
    assert found == {"All": range(10), "Loop range": range(2, 6), "Made only": range(4, 10)}


def test_a_film_without_context_frames_or_loop_has_one_range(dialog):
    assert dialog(replace(SOURCE, num_context=0)).form.range.count() == 1


def test_what_is_missing_is_told(dialog):
    shown = dialog()
    for box in shown.form.panes.values():
        box.setChecked(False)
    assert "pane" in shown.outcome.text()
    assert not save(shown).isEnabled()
    shown.form.panes["truth"].setChecked(True)
    assert shown.settings().panes == ("truth",)
    assert save(shown).isEnabled()
    shown.form.path.setText("  ")
    assert "name" in shown.outcome.text()
    assert not save(shown).isEnabled()
    assert "play first" in dialog(replace(SOURCE, num_frames=0, num_context=0)).outcome.text()


def test_choices_are_remembered(dialog, tmp_path):
    first = dialog(replace(SOURCE, loop=(1, 2)))
    first.form.format.setCurrentIndex(1)
    first.form.scale.setValue(3)
    first.form.panes["truth"].setChecked(False)
    first.form.range.setCurrentIndex(1)
    first.form.borders.setChecked(False)
    first.form.repeat.setChecked(False)
    remembered = json.loads(json.dumps(first.remembered()))
    second = dialog(replace(SOURCE, loop=(1, 2)), **remembered)
    assert second.settings() == first.settings()
    assert second.settings().panes == ("prediction",)
    assert second.settings().scale == 3


def test_what_does_not_fit_another_film_is_not_taken_over(dialog, tmp_path):
    large = Exportable({"prediction": (720, 1280)}, num_frames=3)
    settings = dialog(
        large, scale=25, hidden=["prediction"], range="Loop range", folder="/no/such/folder"
    ).settings()
    assert (settings.scale, settings.panes, settings.frame_range) == (1, ("prediction",), range(3))
    assert settings.path.parent == Path.home()


def test_a_name_alone_stays_in_the_folder(dialog, tmp_path):
    shown = dialog()
    shown.form.path.setText("other")
    assert shown.settings().path == tmp_path / "other.gif"
    shown.form.path.setText("~/other.gif")
    assert shown.settings().path == Path.home() / "other.gif"


def test_browsing_takes_the_name(dialog, monkeypatch, tmp_path):
    shown = dialog()
    name = str(tmp_path / "chosen")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (name, ""))
    shown.form.browse_button.click()
    assert shown.settings().path == tmp_path / "chosen.gif"


@pytest.mark.parametrize("agreed", [False, True])
@pytest.mark.parametrize("format", ["gif", "png"])
def test_what_exists_is_replaced_only_if_the_user_agrees(dialog, monkeypatch, format, agreed):
    shown, asked = dialog(format=format), []
    path = shown.settings().path
    if format == "png":
        path.mkdir()
        path /= "frame0001.png"
    path.write_bytes(b"old")
    answer = QMessageBox.StandardButton.Yes if agreed else QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()) or answer)
    shown.accept()
    assert asked == [f"{shown.settings().path} exists already. Do you want to replace it?"]
    assert shown.result() == agreed


def test_nobody_is_asked_about_a_new_name(dialog, monkeypatch):
    shown = dialog()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: pytest.fail("asked"))
    shown.accept()
    assert shown.result() == 1


def test_every_field_has_a_name_and_is_reached_by_tab_in_its_order(dialog, qtbot):
    shown = dialog()
    fields = [
        widget
        for widget in shown.form.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.parent() is shown.form
    ]
    assert len(fields) == 10
    assert all(field.accessibleName() for field in fields)
    shown.show()
    places = [field.mapTo(shown, field.rect().topLeft()) for field in fields]
    chain, at = [], shown.form.format
    while len(chain) < len(fields):
        if at in fields:
            chain.append(places[fields.index(at)])
        at = at.nextInFocusChain()
    assert [(p.y() // 8, p.x()) for p in chain] == sorted((p.y() // 8, p.x()) for p in chain)
