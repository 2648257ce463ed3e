"""The panel asks for what a description needs, whoever wrote it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget

from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from kvidgan.rollout.description import Description
from kvidgan_viewer.panel.fields import LAST_SEED
from kvidgan_viewer.panel.panel import NO_MODEL, Panel
from kvidgan_viewer.panel.values import ClipValues, Needs, NoiseValues, needs, parsed_size


def described(stride=None, frame=None, **inputs):
    size = {"height": None, "width": None} if frame is None else frame
    return Description.model_validate(
        {
            "family": "unheard-of",
            "kvidgan_version": "99",
            "frame": {"channels": 3, **size},
            "inputs": inputs,
            "config": {} if stride is None else {"data": {"stride": stride}},
        }
    )


FIXED = {"role": "latent", "shape": [4], "per": "video"}
MOVING = {"role": "latent", "shape": [2], "per": "frame"}
BEGUN = {"role": "state", "shape": [2], "draw": "normal", "next": "after"}
STILL = {"role": "state", "shape": [2], "draw": "zeros", "next": "after"}
CHOSEN = {"role": "choice", "shape": [3], "labels": ["bend", "jack", "wave"]}
HISTORY = {"role": "history", "frames": 4}
LABELS = {"role": "condition", "frames": 3, "encoding": {"one_hot": 5}}

NOISE = described(content=FIXED, mood=CHOSEN, noise=MOVING, state=BEGUN)
CLIP = described(stride=3, past=HISTORY)
MAPS = described(stride=2, maps=LABELS, past=HISTORY)
FRAMES = Reading(layout="frame_folders")


@pytest.fixture
def panel(qtbot):
    shown = Panel()
    qtbot.addWidget(shown)
    shown.resize(280, 500)
    shown.show()
    return shown


@pytest.fixture
def emitted(panel):
    found = []
    panel.changed.connect(found.append)
    return found


def settle(qtbot):
    """Wait longer than the panel does."""
    qtbot.wait(250)


# ---- Needs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "content", "motion", "can_interpolate"),
    [
        ({"a": FIXED}, True, False, True),
        ({"a": MOVING}, False, True, False),
        ({"a": BEGUN}, False, True, True),
        ({"a": STILL}, False, False, False),
        ({"a": BEGUN, "b": BEGUN | {"same_as": "a"}}, False, True, True),
        ({"a": CHOSEN}, True, False, False),
        ({"a": CHOSEN, "b": STILL, "c": MOVING}, True, True, False),
        ({"a": FIXED, "b": BEGUN}, True, True, True),
    ],
)
def test_what_begins_from_noise_draws_content_motion_or_both(
    inputs, content, motion, can_interpolate
):
    found = needs(described(**inputs))
    assert found.kind == "noise"
    assert (found.content, found.motion, found.can_interpolate) == (
        content,
        motion,
        can_interpolate,
    )


def test_what_goes_on_or_follows_needs_a_clip():
    own = {"height": 64, "width": 96}
    assert needs(described(past=HISTORY)) == Needs("clip", takes_size=True)
    assert needs(described(frame=own, past=HISTORY)) == Needs("clip", size=(64, 96))
    trained = {"height": None, "width": None, "trained": [8, 16]}
    assert needs(described(frame=trained, maps=LABELS)) == Needs(
        "labels", takes_size=True, size=(8, 16)
    )
    assert needs(MAPS).takes_first


def test_sizes_are_read_as_width_and_height():
    assert parsed_size("512x256") == (256, 512)
    assert parsed_size(" 8X6 ") == (6, 8)
    assert parsed_size("") is None
    for text in ("512", "x", "0x4", "-1x4", "axb"):
        with pytest.raises(UserError, match="Expected WIDTHxHEIGHT"):
            parsed_size(text)


# ---- Noise --------------------------------------------------------------------------------------


def test_values_of_a_model_that_begins_from_noise(panel):
    panel.set_description(NOISE)
    form = panel.form
    assert panel.values() == NoiseValues()
    form.videos.setValue(3)
    form.num_frames.setValue(50)
    form.content.set_seed(7)
    form.motion.set_seed(9)
    form.choices["mood"].setCurrentText("jack")
    form.interpolation.setChecked(True)
    assert panel.values() == NoiseValues(3, 7, 9, {"mood": "jack"}, "interpolate", num_frames=50)
    form.choices["mood"].setCurrentText("drawn")
    assert panel.values().choices == {}


def test_new_content_keeps_the_motion_and_shows_none_twice(panel):
    panel.set_description(NOISE)
    panel.form.videos.setValue(5)
    panel.form.new_content.click()
    assert (panel.values().content_seed, panel.values().motion_seed) == (5, 0)
    panel.form.new_motion.click()
    panel.form.new_motion.click()
    assert (panel.values().content_seed, panel.values().motion_seed) == (5, 10)


def test_the_way_between_contents_goes_on_where_it_ended(panel):
    panel.set_description(NOISE)
    panel.form.interpolation.setChecked(True)
    panel.form.new_content.click()
    assert panel.values().content_seed == 1


def test_what_is_locked_stays(panel):
    panel.set_description(NOISE)
    form = panel.form
    form.content.lock.click()
    assert not form.content.box.isEnabled()
    assert not form.new_content.isEnabled()
    form.new_videos.click()
    assert (panel.values().content_seed, panel.values().motion_seed) == (0, 8)
    form.motion.lock.click()
    assert not form.new_videos.isEnabled()
    form.content.lock.click()
    form.new_videos.click()
    assert (panel.values().content_seed, panel.values().motion_seed) == (8, 8)


def test_after_the_last_seed_comes_the_first(panel):
    panel.set_description(NOISE)
    panel.form.content.set_seed(LAST_SEED - 2)
    panel.form.new_content.click()
    assert panel.values().content_seed == 5


def test_a_model_that_draws_one_thing_has_one_seed(panel):
    panel.set_description(described(state=BEGUN))
    form = panel.form
    assert not form.content.isVisible()
    assert not form.new_content.isVisible()
    assert form.motion.box.accessibleName() == "Seed"
    form.motion.set_seed(6)
    assert (panel.values().content_seed, panel.values().motion_seed) == (6, 6)
    panel.set_description(described(content=FIXED))
    panel.form.content.set_seed(4)
    assert (panel.values().content_seed, panel.values().motion_seed) == (4, 4)
    assert panel.form.new_videos.isVisible()


def test_a_model_that_draws_nothing_has_no_seed_and_no_way_between(panel):
    panel.set_description(described(state=STILL))
    hidden = (
        panel.form.content,
        panel.form.motion,
        panel.form.new_videos,
        panel.form.interpolation,
    )
    assert not any(widget.isVisible() for widget in hidden)
    panel.form.interpolation.setChecked(True)
    assert panel.values().arrangement == "plain"


# ---- Clips --------------------------------------------------------------------------------------


def test_values_of_a_model_that_goes_on_with_a_clip(panel):
    panel.set_description(CLIP)
    form = panel.form
    assert panel.values() is None
    assert form.stride.value() == 3
    panel.set_clip("clips.h5")
    assert panel.values() == ClipValues("clips.h5", stride=3)
    form.start.setValue(5)
    form.stride.setValue(2)
    form.num_frames.setValue(9)
    form.layouts.setCurrentText("frame_folders")
    form.frame_size.setText("96x64")
    assert panel.values() == ClipValues(
        "clips.h5",
        reading=FRAMES,
        start=5,
        stride=2,
        size=(64, 96),
        num_frames=9,
    )
    assert not form.first.isVisible()


def test_label_maps_make_all_frames_unless_told_otherwise(panel):
    panel.set_description(MAPS)
    panel.set_clip("maps")
    assert panel.values() == ClipValues("maps", stride=2, num_frames=None)
    assert panel.form.num_frames.text() == "all"
    panel.form.first.set_path("first.png")
    panel.form.num_frames.setValue(3)
    assert panel.values() == ClipValues("maps", stride=2, first="first.png", num_frames=3)
    panel.set_description(described(maps=LABELS))
    assert not panel.form.first.isVisible()


def test_a_size_that_is_none_is_told(panel, emitted, qtbot):
    panel.set_description(CLIP)
    panel.set_clip("a")
    settle(qtbot)
    panel.form.frame_size.setText("12")
    panel.form.frame_size.editingFinished.emit()
    settle(qtbot)
    assert len(emitted) == 1
    assert "found '12'" in panel.form.problem.text()
    panel.form.frame_size.setText("12x8")
    assert panel.values().size == (8, 12)
    assert panel.form.problem.text() == ""


def test_the_placeholder_tells_the_size_that_frames_have_else(panel):
    panel.set_description(CLIP)
    assert panel.form.frame_size.placeholderText() == "the clip's own"
    trained = {"height": None, "width": None, "trained": [8, 16]}
    panel.set_description(described(frame=trained, past=HISTORY))
    assert panel.form.frame_size.placeholderText() == "16x8"
    panel.set_description(described(frame={"height": 8, "width": 8}, past=HISTORY))
    assert not panel.form.frame_size.isVisible()


VIDEOS = [("a", "train", 20), ("b", "test", None), ("c", "", 7)]


def test_videos_are_offered_where_there_are_several(panel):
    panel.set_description(CLIP)
    panel.set_clip("clips.h5")
    box = panel.form.video
    panel.set_videos(VIDEOS[:1])
    assert not box.isVisible()
    panel.set_videos(VIDEOS)
    assert box.isVisible()
    texts = [box.itemText(place) for place in range(box.count())]
    assert texts == ["default", "a (train, 20 frames)", "b (test)", "c (7 frames)"]
    box.setCurrentIndex(2)
    assert panel.values().video == "b"
    panel.set_videos(VIDEOS[1:])
    assert panel.values().video == "b"
    panel.set_clip("others")
    assert panel.values().video is None


def test_stepping_through_the_videos(panel):
    panel.set_description(CLIP)
    panel.set_clip("clips.h5")
    panel.step_video(1)
    assert panel.values().video is None
    panel.set_videos(VIDEOS)
    found = []
    for by in (1, 1, 1, 1, -1, -1):
        panel.step_video(by)
        found.append(panel.values().video)
    assert found == ["a", "b", "c", "a", "c", "b"]
    panel.form.video.setCurrentIndex(0)
    panel.step_video(-1)
    assert panel.values().video == "c"


def test_paths_are_browsed_for_and_dropped(panel, monkeypatch, emitted, qtbot):
    panel.set_description(MAPS)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/clips/x.mp4", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    panel.form.clip.file.click()
    panel.form.clip.folder.click()  # thought better of it
    assert panel.values().path == "/clips/x.mp4"
    panel.form.first.line.setText("file:///clips/a%20b.png")
    panel.form.first.line.editingFinished.emit()
    assert panel.values().first == "/clips/a b.png"
    qtbot.waitUntil(lambda: emitted == [panel.values()])


def test_a_path_counts_when_it_is_typed_to_its_end(panel, emitted, qtbot):
    panel.set_description(CLIP)
    QTest.keyClicks(panel.form.clip.line, "moving_shapes")
    settle(qtbot)
    assert emitted == []
    QTest.keyClick(panel.form.clip.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(emitted) == 1)
    assert emitted[0].path == "moving_shapes"


# ---- Signals ------------------------------------------------------------------------------------


def test_many_changes_emit_one_signal(panel, emitted, qtbot):
    panel.set_description(NOISE)
    for seed in range(1, 51):
        panel.form.content.set_seed(seed)
        QApplication.processEvents()
    assert emitted == []
    qtbot.waitUntil(lambda: bool(emitted))
    settle(qtbot)
    assert emitted == [NoiseValues(content_seed=50)]


def test_what_is_changed_back_emits_nothing(panel, emitted, qtbot):
    panel.set_description(NOISE)
    panel.form.videos.setValue(3)
    panel.form.videos.setValue(8)
    settle(qtbot)
    assert emitted == []


@pytest.mark.parametrize(
    ("description", "values"),
    [
        (NOISE, NoiseValues(2, 4, 5, {"mood": "wave"}, "interpolate", num_frames=3)),
        (
            CLIP,
            ClipValues("a", "b", Reading(layout="frame_folders"), 1, 2, None, (3, 4), num_frames=5),
        ),
        (MAPS, ClipValues("a", None, Reading(), 1, 2, "f.png", None, num_frames=None)),
    ],
)
def test_values_go_round_without_a_signal(panel, emitted, qtbot, description, values):
    panel.set_description(description)
    panel.set_values(values)
    settle(qtbot)
    assert panel.values() == values
    assert emitted == []


def test_values_of_another_kind_of_model_are_left_alone(panel):
    panel.set_description(NOISE)
    panel.set_values(ClipValues("a"))
    panel.set_clip("a")
    panel.set_videos(VIDEOS)
    panel.step_video(1)
    assert panel.values() == NoiseValues()


# ---- Other models -------------------------------------------------------------------------------


def test_the_next_model_goes_on_with_the_same_clip(panel, emitted, qtbot):
    panel.set_description(CLIP)
    panel.set_values(ClipValues("a", "v", start=4, stride=3, num_frames=10))
    panel.set_description(described(stride=1, past=HISTORY))
    assert panel.values() == ClipValues("a", "v", start=4, stride=1, num_frames=10)
    panel.set_description(NOISE)
    panel.set_values(NoiseValues(content_seed=3, choices={"mood": "bend"}))
    panel.set_description(MAPS)
    assert panel.values() == ClipValues("a", "v", start=4, stride=2, num_frames=None)
    panel.set_description(described(content=FIXED, noise=MOVING))
    assert panel.values() == NoiseValues(content_seed=3)
    settle(qtbot)
    assert emitted == []


def test_a_stride_that_was_chosen_is_kept(panel):
    panel.set_description(CLIP)
    panel.set_values(ClipValues("a", stride=5))
    panel.set_description(described(stride=1, past=HISTORY))
    assert panel.values().stride == 5


def test_without_a_form_the_reason_is_told(panel):
    sentence = lambda: panel.widget().findChild(QLabel) or panel.widget()  # noqa: E731
    assert sentence().text() == NO_MODEL
    panel.set_description(described(frames={"role": "condition", "frames": 2}))
    assert "follows frames" in sentence().text()
    assert panel.values() is None
    panel.set_description(NOISE)
    panel.set_description(None)
    assert sentence().text() == NO_MODEL


# ---- Access -------------------------------------------------------------------------------------


def fields(panel):
    return [
        widget
        for widget in panel.form.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and widget.focusProxy() is None
    ]


@pytest.mark.parametrize("description", [NOISE, CLIP, MAPS])
def test_narrow_named_and_in_order(panel, description, qtbot):
    panel.set_description(description)
    panel.set_videos(VIDEOS)
    QApplication.processEvents()
    found = fields(panel)
    assert len(found) >= 8
    assert all(field.accessibleName() for field in found)
    assert all(field.toolTip() or "browse" in field.accessibleName() for field in found)
    right = [field.mapTo(panel, field.rect().topRight()).x() for field in found]
    assert max(right) < 280
    places = {field: field.mapTo(panel, field.rect().topLeft()) for field in found}
    chain, at = [found[0]], found[0].nextInFocusChain()
    while at is not found[0]:
        if at in places:
            chain.append(at)
        at = at.nextInFocusChain()
    order = [(places[field].y() // 8, places[field].x()) for field in chain]
    assert order == sorted(order)


def test_looks_are_offered_class_by_class_where_there_are_several(qtbot):
    vectors = [[[0.0]], [[0.0], [0.5], [1.0]], []]
    own = {"features": 1, "names": ["road", "car", "sky"], "vectors": vectors}
    encoding = {"one_hot": 3}
    described = Description.model_validate(
        {
            "family": "fifth",
            "kvidgan_version": "0",
            "frame": {"height": None, "width": None, "channels": 3},
            "inputs": {
                "labels": {"role": "condition", "frames": 1, "encoding": encoding},
                "looks": {"role": "condition", "frames": 1, "looks": own},
            },
        }
    )
    panel = Panel(described)
    qtbot.addWidget(panel)
    panel.set_clip("x.h5")
    assert list(panel.form.looks) == ["car"], "of the others there is one look, or none"
    assert panel.values().looks == {}
    with qtbot.waitSignal(panel.changed) as emitted:
        panel.form.looks["car"].setValue(2)
        panel.form.seed.setValue(7)
    assert (emitted.args[0].looks, emitted.args[0].seed) == ({"car": 2}, 7)
    panel.set_values(ClipValues("x.h5", looks={"car": 1}, seed=3, num_frames=None))
    assert (panel.form.looks["car"].value(), panel.form.seed.value()) == (1, 3)
