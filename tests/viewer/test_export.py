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
from kvidgan_viewer.export.composition import Exportable, Plan, compose, pictures
from kvidgan_viewer.export.files import estimate, in_words, named_so, size_of, write

SOURCE = Exportable(
    {"truth": (16, 20), "prediction": (16, 20)}, frames=10, given=4, fps=10.0, name="my clip.v2"
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
def plan(tmp_path):
    return Plan(tmp_path / "out.gif", "gif", ("truth", "prediction"), range(10), 10.0, scale=2)


def expected(plan):
    return list(pictures(SOURCE, plan, read))


def done(qtbot, job):
    """Run a job to its end; return what it said, by signal."""
    said = []
    job.finished.connect(lambda path, text: said.append(("finished", path, text)))
    job.failed.connect(lambda sentence: said.append(("failed", sentence)))
    job.cancelled.connect(lambda: said.append(("cancelled",)))
    job.start()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    qtbot.waitUntil(lambda: not job.running)
    assert len(said) == 1
    return said[0]


# ---- Files --------------------------------------------------------------------------------------


def test_a_gif_holds_every_frame_for_its_time(qtbot, plan):
    fps30 = replace(plan, fps=30.0)
    what, path, text = done(qtbot, ExportJob(SOURCE, fps30, read))
    assert (what, path) == ("finished", str(plan.path))
    assert text.startswith("out.gif: 10 frames at 33.33 fps, ")
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (10, (2 * 44 + 2, 36))
        durations = []
        for index, picture in enumerate(expected(plan)):
            image.seek(index)
            durations.append(image.info["duration"])
            shown = np.asarray(image.convert("RGB")).astype(int)
            assert abs(shown - picture).max() < 16  # 256 colours
        assert durations == [30] * 10
        assert image.info["loop"] == 0


def test_a_gif_may_play_once(tmp_path, plan):
    once = replace(plan, path=tmp_path / "once.gif", repeat=False)
    fps = [write(one, expected(one)) for one in (plan, once)]
    assert fps == [10.0, 10.0]
    with Image.open(plan.path) as looping, Image.open(once.path) as image:
        assert "loop" in looping.info
        assert "loop" not in image.info
        assert image.n_frames == 10
        for index in range(10):
            looping.seek(index)
            image.seek(index)
            assert looping.convert("RGB").tobytes() == image.convert("RGB").tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["once.gif", "out.gif"]


def test_an_mp4_holds_every_frame_at_an_even_size(qtbot, plan):
    odd = replace(
        plan, path=plan.path.with_suffix(".mp4"), form="mp4", panes=("truth",), scale=3, fps=24.0
    )
    odd = replace(odd, borders=False, frames=range(2, 9))
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


def test_pngs_are_exact(qtbot, plan):
    folder = replace(plan, path=plan.path.with_name("frames"), form="png")
    what, path, text = done(qtbot, ExportJob(SOURCE, folder, read))
    assert what == "finished"
    assert text.startswith("frames: 10 frames, ")
    files = sorted(Path(path).iterdir(), key=natural_key)
    np.testing.assert_array_equal([read_image(one) for one in files], expected(plan))


def test_names_get_the_ending_of_their_format():
    names = [named_so(Path("a/b.GIF"), form).as_posix() for form in ("gif", "mp4", "png")]
    assert names == ["a/b.gif", "a/b.mp4", "a/b"]
    assert named_so(Path("v1.2"), "mp4") == Path("v1.2.mp4")
    assert named_so(Path(""), "gif") == Path("")


@pytest.mark.parametrize(("form", "share"), [("gif", 0.1), ("mp4", 0.3), ("png", 0.1)])
def test_the_estimate_is_about_what_is_written(tmp_path, plan, form, share):
    source = replace(SOURCE, frames=60)
    long = replace(plan, path=named_so(tmp_path / "x", form), form=form, frames=range(60))
    write(long, pictures(source, long, noisy))
    assert estimate(source, long, noisy) == pytest.approx(size_of(long.path), rel=share)


def test_sizes_in_words():
    assert [in_words(n) for n in (7, 1234, 2.5e7, 3e9)] == ["7 bytes", "1.23 kB", "25 MB", "3 GB"]


# ---- The job ------------------------------------------------------------------------------------


def test_a_job_tells_how_far_it_is_in_the_windows_own_thread(qtbot, plan):
    job, told, threads = ExportJob(SOURCE, plan, read), [], set()
    job.progress.connect(lambda *numbers: told.append(numbers))
    job.progress.connect(lambda *_: threads.add(threading.current_thread()))
    job.finished.connect(lambda *_: threads.add(threading.current_thread()))
    done(qtbot, job)
    assert told[-1] == (10, 10)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert threads == {threading.main_thread()}


@pytest.mark.parametrize("form", ["gif", "mp4", "png"])
def test_a_cancelled_job_leaves_nothing_behind(qtbot, tmp_path, plan, form):
    reached, go_on = threading.Event(), threading.Event()

    def slow(index):
        if index == 3:
            reached.set()
            assert go_on.wait(10)
        return read(index)

    cut = replace(plan, path=named_so(plan.path, form), form=form, repeat=False)
    job, said = ExportJob(SOURCE, cut, slow), []
    for signal in (job.finished, job.failed):
        signal.connect(lambda *text: said.append(text))
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        job.start()
        assert reached.wait(10)
        job.cancel()
        go_on.set()
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_closing_waits_for_the_end(tmp_path, plan):
    job = ExportJob(replace(SOURCE, frames=10**6), replace(plan, frames=range(10**6)), cycled)
    job.start()
    assert job.running
    job.close()
    assert not job.running
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told_in_a_sentence(qtbot, tmp_path, plan):
    (tmp_path / "file").write_text("in the way")
    blocked = replace(plan, path=tmp_path / "file" / "out.gif")
    what, sentence = done(qtbot, ExportJob(SOURCE, blocked, read))
    assert what == "failed"
    assert "Cannot write" in sentence
    assert "choose another" in sentence


def test_an_error_while_reading_is_told_and_leaves_nothing(qtbot, tmp_path, plan):
    def broken(index):
        if index == 5:
            raise RuntimeError("the film is gone")
        return read(index)

    what, sentence = done(qtbot, ExportJob(SOURCE, plan, broken))
    assert what == "failed"
    assert "the film is gone" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_was_there_stays_if_the_new_one_fails(qtbot, tmp_path, plan):
    plan.path.write_bytes(b"the old one")
    done(qtbot, ExportJob(SOURCE, plan, lambda index: 1 / 0))
    assert plan.path.read_bytes() == b"the old one"


def test_neither_keras_nor_opencv_is_loaded(tmp_path):
    code = f"""
import sys
from pathlib import Path
import numpy as np
import kvidgan_viewer.export, kvidgan_viewer.panel.panel, viewer.plots
from kvidgan_viewer.export.composition import Exportable, Plan, pictures
from kvidgan_viewer.export.files import estimate, write
source = Exportable({{"a": (8, 8)}}, 3)
read = lambda index: {{"a": np.zeros((8, 8, 3), np.uint8)}}
for form, name in (("gif", "x.gif"), ("mp4", "x.mp4"), ("png", "x")):
    plan = Plan(Path({str(tmp_path)!r}) / name, form, ("a",), range(3), 10.0)
    estimate(source, plan, read)
    write(plan, pictures(source, plan, read))
print(sorted({{"keras", "tensorflow", "jax", "torch", "cv2"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout.strip(), found.returncode) == ("[]", 0), found.stderr


# ---- The dialog ---------------------------------------------------------------------------------


@pytest.fixture
def dialog(qtbot, tmp_path):
    def build(source=SOURCE, **remembered):
        made = ExportDialog(source, read, {"folder": str(tmp_path), **remembered})
        qtbot.addWidget(made)
        return made

    return build


def save(dialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Save)


def test_the_dialog_begins_with_what_fits_the_film(dialog, tmp_path):
    plan = dialog().plan()
    assert plan == Plan(
        path=tmp_path / "my-clip-v2.gif",
        form="gif",
        panes=("truth", "prediction"),
        frames=range(10),
        fps=10.0,
        scale=25,
    )


def test_the_outcome_is_what_will_be_written(dialog, qtbot):
    made = dialog()
    made.choices.scale.setValue(2)
    made.choices.fps.setValue(30)
    assert "33.33" in made.choices.rate.text()
    picture = compose(read(0), ["truth", "prediction"], 2, "given")
    assert made.outcome.text().startswith(
        f"{picture.shape[1]}x{picture.shape[0]} pixels, 10 frames"
    )
    assert ", 0.3 s, about …" in made.outcome.text()
    made.show()
    qtbot.waitUntil(lambda: "kB" in made.outcome.text(), timeout=10_000)


def test_the_format_changes_the_ending_and_what_can_be_chosen(dialog):
    made = dialog()
    found = {}
    for form in ("mp4", "png", "gif"):
        made.choices.form.setCurrentIndex(made.choices.form.findData(form))
        enabled = (made.choices.repeat.isEnabled(), made.choices.fps.isEnabled())
        found[form] = (made.plan().path.name, *enabled)
    assert found == {
        "mp4": ("my-clip-v2.mp4", False, True),
        "png": ("my-clip-v2", False, False),
        "gif": ("my-clip-v2.gif", True, True),
    }


def test_ranges(dialog):
    made = dialog(replace(SOURCE, loop=(2, 5)))
    found = {}
    for place in range(made.choices.range.count()):
        made.choices.range.setCurrentIndex(place)
        found[made.choices.range.itemData(place)] = made.plan().frames
    assert found == {"All": range(10), "Loop range": range(2, 6), "Made only": range(4, 10)}


def test_a_film_without_given_frames_or_loop_has_one_range(dialog):
    assert dialog(replace(SOURCE, given=0)).choices.range.count() == 1


def test_what_is_missing_is_told(dialog):
    made = dialog()
    for box in made.choices.panes.values():
        box.setChecked(False)
    assert "pane" in made.outcome.text()
    assert not save(made).isEnabled()
    made.choices.panes["truth"].setChecked(True)
    assert made.plan().panes == ("truth",)
    assert save(made).isEnabled()
    made.choices.path.setText("  ")
    assert "name" in made.outcome.text()
    assert not save(made).isEnabled()
    assert "play first" in dialog(replace(SOURCE, frames=0, given=0)).outcome.text()


def test_choices_are_remembered(dialog, tmp_path):
    first = dialog(replace(SOURCE, loop=(1, 2)))
    first.choices.form.setCurrentIndex(1)
    first.choices.scale.setValue(3)
    first.choices.panes["truth"].setChecked(False)
    first.choices.range.setCurrentIndex(1)
    first.choices.borders.setChecked(False)
    first.choices.repeat.setChecked(False)
    remembered = json.loads(json.dumps(first.remembered()))
    second = dialog(replace(SOURCE, loop=(1, 2)), **remembered)
    assert second.plan() == first.plan()
    assert second.plan().panes == ("prediction",)
    assert second.plan().scale == 3


def test_what_does_not_fit_another_film_is_not_taken_over(dialog, tmp_path):
    large = Exportable({"prediction": (720, 1280)}, frames=3)
    plan = dialog(
        large, scale=25, hidden=["prediction"], range="Loop range", folder="/no/such/folder"
    ).plan()
    assert (plan.scale, plan.panes, plan.frames) == (1, ("prediction",), range(3))
    assert plan.path.parent == Path.home()


def test_a_name_alone_stays_in_the_folder(dialog, tmp_path):
    made = dialog()
    made.choices.path.setText("other")
    assert made.plan().path == tmp_path / "other.gif"
    made.choices.path.setText("~/other.gif")
    assert made.plan().path == Path.home() / "other.gif"


def test_browsing_takes_the_name(dialog, monkeypatch, tmp_path):
    made = dialog()
    name = str(tmp_path / "chosen")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (name, ""))
    made.choices.browse.click()
    assert made.plan().path == tmp_path / "chosen.gif"


@pytest.mark.parametrize("agreed", [False, True])
@pytest.mark.parametrize("form", ["gif", "png"])
def test_what_exists_is_replaced_only_if_the_user_agrees(dialog, monkeypatch, form, agreed):
    made, asked = dialog(form=form), []
    path = made.plan().path
    if form == "png":
        path.mkdir()
        path /= "frame0001.png"
    path.write_bytes(b"old")
    answer = QMessageBox.StandardButton.Yes if agreed else QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.text()) or answer)
    made.accept()
    assert asked == [f"{made.plan().path} exists already. Do you want to replace it?"]
    assert made.result() == agreed


def test_nobody_is_asked_about_a_new_name(dialog, monkeypatch):
    made = dialog()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: pytest.fail("asked"))
    made.accept()
    assert made.result() == 1


def test_every_field_has_a_name_and_is_reached_by_tab_in_its_order(dialog, qtbot):
    made = dialog()
    fields = [
        widget
        for widget in made.choices.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.parent() is made.choices
    ]
    assert len(fields) == 10
    assert all(field.accessibleName() for field in fields)
    made.show()
    places = [field.mapTo(made, field.rect().topLeft()) for field in fields]
    chain, at = [], made.choices.form
    while len(chain) < len(fields):
        if at in fields:
            chain.append(places[fields.index(at)])
        at = at.nextInFocusChain()
    assert [(p.y() // 8, p.x()) for p in chain] == sorted((p.y() // 8, p.x()) for p in chain)
