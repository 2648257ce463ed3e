"""`kvidgan predict` with a model that follows label maps."""

import gc
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.convert import prepare
from kvidgan.data.labels import LabelSet, find_labels
from kvidgan.data.open import prepare_path
from kvidgan.media import colour_labels, fit_frames, fit_maps, write_frames
from kvidgan.playback import ClipPlan
from kvidgan.playback.playback import play
from kvidgan.rollout import Rollout, export_step
from tests.data.conftest import source_of
from tests.rollout.steps import counting, following, predicting
from tests.textures import moving_square

HEIGHT, WIDTH, LENGTH = 17, 22, 9
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, (LENGTH, HEIGHT, WIDTH), dtype=np.uint8)
LABELS[0, 0, 0] = 2
FRAMES = RNG.integers(0, 256, (LENGTH, HEIGHT, WIDTH, 3), dtype=np.uint8)


def save(folder, images):
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


def read(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])


def expected(labels, last=None):
    """Return what the toy models make: half way from the last frame, if any, to the labels."""
    made = []
    for number in labels:
        raw = np.repeat(number[..., None] * 127.5, 3, axis=-1)
        last = raw if last is None else (raw + last) / 2
        made.append(last)
    return np.stack(made)


def close(found, wanted):
    return found.shape == wanted.shape and np.abs(found - wanted).max() < 0.6


@pytest.fixture
def toy(tmp_path, kvidgan):
    """Data, models, and a call of predict that returns the frames written and what was said."""
    save(tmp_path / "set" / "test_A" / "s", LABELS)
    save(tmp_path / "set" / "test_B" / "s", FRAMES)
    save(tmp_path / "maps", LABELS)

    def export(name, step):
        return export_step(*step, tmp_path / f"{name}.keras")

    def predict(model, data, *options):
        out = tmp_path / "out"
        fixed = ("-o", out, "--overwrite", "--scale", 1)
        status, said, err = kvidgan("predict", model, data, *fixed, *options)
        assert status == 0, err
        return read(out), said

    return SimpleNamespace(
        folder=tmp_path, set=tmp_path / "set", maps=tmp_path / "maps", export=export,
        predict=predict, model=export("toy", following()),
        single=export("single", following(past=0)),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_real_frames_are_the_first_history(toy, kind):
    data = toy.set
    if kind == "store":
        data = toy.folder / "set.h5"
        prepare_path(str(toy.set), data)
    made, said = toy.predict(toy.model, data)
    assert close(made, expected(LABELS[2:], FRAMES[1].astype(float)))
    assert "frames 0 to 1 given.\n" in said
    assert "7 frames made of label maps, without those given, at 12.5 fps." in said


def test_start_stride_and_number(toy):
    made, said = toy.predict(toy.model, toy.set, "--start", 1, "--stride", 3, "-n", 5)
    assert close(made, expected(LABELS[7:8], FRAMES[4].astype(float)))
    assert "frames 1 to 4 given, 3 apart.\n" in said
    assert "1 frames made" in said
    assert len(toy.predict(toy.model, toy.set, "-n", 3)[0]) == 3


def test_label_maps_alone(toy):
    made, said = toy.predict(toy.single, toy.maps)
    assert close(made, expected(LABELS)[:1].repeat(LENGTH, 0) * 0 + LABELS[..., None] * 127.5)
    assert f"maps, 9 frames of {WIDTH}x{HEIGHT}.\n" in said
    begins = toy.export("begins", following(empty=True))
    made, _ = toy.predict(begins, toy.maps)
    assert close(made, expected(LABELS, np.full((HEIGHT, WIDTH, 3), 127.5)))
    made, _ = toy.predict(begins, toy.set)
    assert len(made) == LENGTH, "it begins by itself where there are frames too"


def test_first_frames_of_an_image(toy):
    image = toy.set / "test_B" / "s" / "4.png"
    for data in (toy.maps, toy.set):
        made, said = toy.predict(toy.model, data, "--first", image)
        assert close(made, expected(LABELS[1:], FRAMES[4].astype(float)))
        assert f": begun with {image}.\n" in said


def test_first_frames_of_a_clip_of_another_size(toy):
    larger = RNG.integers(0, 256, (4, 2 * HEIGHT, 2 * WIDTH, 3), dtype=np.uint8)
    save(toy.folder / "larger", larger)
    made, said = toy.predict(toy.model, toy.maps, "--first", toy.folder / "larger")
    first = fit_frames(larger[1:2], HEIGHT, WIDTH, 3)[0].astype(float)
    assert close(made, expected(LABELS[2:], first))
    assert "begun with the first 2 frames of" in said


def test_first_frames_by_another_model(toy):
    made, said = toy.predict(toy.model, toy.maps, "--first", toy.single, "--outputs", "mask")
    drawn = LABELS[:2, ..., None].repeat(3, -1) * 127.5
    assert close(made, np.concatenate([drawn, expected(LABELS[2:], np.rint(drawn[1]))]))
    assert f"the first 2 frames drawn by {toy.single}" in said
    assert len(read(toy.folder / "out-mask")) == 7, "the other model has no mask"


def test_frames_and_maps_are_brought_to_the_trained_size(toy):
    trained = toy.export("trained", following(trained=[12, 20]))
    for options, size in (((), (12, 20)), (("--size", "11x9"), (9, 11))):
        made, _ = toy.predict(trained, toy.set, *options)
        first = fit_frames(FRAMES[1:2], *size, 3)[0].astype(float)
        assert close(made, expected(fit_maps(LABELS, *size)[2:], first))


def test_compare_shows_labels_truth_prediction_and_difference(toy):
    pictures, _ = toy.predict(toy.model, toy.set, "--compare", "--outputs", "raw,flow")
    assert len(pictures) == LENGTH
    panes = np.stack(np.split(np.pad(pictures, ((0, 0), (0, 0), (0, 2), (0, 0))), 4, axis=2))
    labels, truth, made, difference = panes[:, :, 2:-2, 2:-4].astype(int)
    np.testing.assert_array_equal(labels, colour_labels(LABELS))
    np.testing.assert_array_equal(truth, FRAMES)
    np.testing.assert_array_equal(made[:2], FRAMES[:2])
    assert close(made[2:], expected(LABELS[2:], FRAMES[1].astype(float)))
    np.testing.assert_array_equal(difference, abs(truth - made))
    raw = read(toy.folder / "out-raw")
    assert close(raw, LABELS[2:, ..., None].repeat(3, -1) * 127.5)
    flow = read(toy.folder / "out-flow")
    assert (flow[LABELS[2:] == 1] == 255).all(), "no motion is white"
    assert (flow[LABELS[2:] == 2] == (255, 0, 0)).all(), "to the right"


def test_compare_without_truth(toy):
    pictures, _ = toy.predict(toy.single, toy.maps, "--compare")
    assert pictures.shape == (LENGTH, HEIGHT + 4, 2 * (WIDTH + 4) + 2, 3)
    np.testing.assert_array_equal(pictures[:, 2:-2, 2 : 2 + WIDTH], colour_labels(LABELS))


def test_masks_are_written_as_they_come(toy):
    toy.predict(toy.model, toy.set, "--outputs", "mask")
    mask = read(toy.folder / "out-mask")[..., 0]
    np.testing.assert_array_equal(mask, np.array([0, 128, 255])[LABELS[2:]])


@pytest.mark.parametrize("video", ["square.mp4", "frames"])
def test_labels_are_found_in_any_video(toy, video):
    frames = moving_square(12)[0]
    path = toy.folder / video
    write_frames(path, frames, 25)
    if video == "square.mp4":
        from kvidgan.media import read_video

        frames = list(read_video(path)[0])
    edges = toy.export("edges", following(past=1, classes=2, found="edges"))
    made, said = toy.predict(edges, path)
    found = 2 * np.stack(list(find_labels("edges", frames)))[1:]
    assert close(made, expected(found, np.asarray(frames[0]).astype(float)))
    assert f"at {25 if video == 'square.mp4' else 12.5:g} fps" in said


def test_extra_outputs_of_any_model(toy):
    model = toy.export("mean", predicting())
    toy.predict(model, toy.set, "-n", 2, "--outputs", "twice")
    assert len(read(toy.folder / "out-twice")) == 2


# --- by the model's own table

SPARSE = {"0": "0", "100": "100", "200": "200"}
COLOURS = {"#000000": "road", "#ff0000": "car", "#0000ff": "sky", "#ffffff": None}


def brightness(values, shades):
    """What a model without a past makes: a grey for each value, 127.5 where there is no class."""
    made = np.zeros((*values.shape, 3))
    for value, shade in shades.items():
        made[values == value] = shade
    return made


@pytest.mark.parametrize("kind", ["maps", "set", "store"])
@pytest.mark.parametrize("ids", [(0, 200), (200,), (100, 200), (0, 100, 200)])
def test_ids_mean_what_they_meant_in_training(toy, kind, ids):
    model = toy.export("sparse", following(past=0, values=SPARSE))
    values = np.array(ids, np.uint8)[LABELS % len(ids)]
    save(toy.folder / "new" / "train_A" / "s", values)
    save(toy.folder / "new" / "train_B" / "s", FRAMES)
    data = {"maps": toy.folder / "new" / "train_A" / "s", "set": toy.folder / "new"}.get(kind)
    if data is None:  # it is prepared without the model, and has a table of its own
        data = toy.folder / "new.h5"
        prepare_path(str(toy.folder / "new"), data)
    made, _ = toy.predict(model, data)
    assert close(made, brightness(values, {0: 0, 100: 127.5, 200: 255}))


def test_a_value_that_the_model_does_not_know(toy, kvidgan):
    model = toy.export("sparse", following(past=0, values=SPARSE))
    assert "values 0 is 0, 100 is 100, 200 is 200" in kvidgan("info", model)[1]
    save(toy.folder / "new" / "train_A" / "s", LABELS * np.uint8(50))
    save(toy.folder / "new" / "train_B" / "s", FRAMES)
    prepare_path(str(toy.folder / "new"), toy.folder / "new.h5")
    for data, where in (
        (toy.folder / "new" / "train_A" / "s", "0.png: expected what stands for the classes that"),
        (toy.folder / "new", "0.png: expected what stands for the classes that the model was"),
        (toy.folder / "new.h5", "new.h5: expected label maps of what the model was trained on, 0,"),
    ):
        status, _, err = kvidgan("predict", model, data, "-o", toy.folder / "x.gif")
        assert (status, len(err.strip().splitlines())) == (1, 1)
        assert where in err
        assert "found 50;" in err


def test_colours_mean_what_they_meant_in_training(toy, kvidgan):
    model = toy.export("colours", following(past=0, values=COLOURS))
    colours = np.array([(0, 0, 255), (255, 255, 255), (0, 0, 255)], np.uint8)[LABELS]
    made, _ = toy.predict(model, save(toy.folder / "new", colours))
    assert close(made, brightness(LABELS, {0: 255, 1: 127.5, 2: 255})), "neither road nor car"
    (toy.folder / "p.txt").write_text("9 9 9 car\n0 0 7 sky\n1 1 1 road\n")
    colours = np.array([(1, 1, 1), (9, 9, 9), (0, 0, 7)], np.uint8)[LABELS]
    other = save(toy.folder / "other", colours)
    made, _ = toy.predict(model, other, "--palette", toy.folder / "p.txt")
    assert close(made, brightness(LABELS, {0: 0, 1: 127.5, 2: 255})), "by name"
    _, _, err = kvidgan("predict", model, other, "-o", toy.folder / "x.gif")
    assert "found the colour #" in err


def test_of_no_class_all_channels_are_zero(toy):
    model = toy.export(
        "void", following(past=0, values={"0": "a", "1": "b", "2": "c", "255": None})
    )
    values = LABELS.copy()
    values[:, 3:9] = 255
    save(toy.folder / "new" / "train_A" / "s", values)
    save(toy.folder / "new" / "train_B" / "s", FRAMES)
    shades = {0: 0, 1: 127.5, 2: 255, 255: 127.5}
    for data in (toy.folder / "new" / "train_A" / "s", toy.folder / "new"):
        made, _ = toy.predict(model, data)
        assert close(made, brightness(values, shades))
    pictures, _ = toy.predict(model, toy.folder / "new", "--compare")
    np.testing.assert_array_equal(pictures[:, 2 : 2 + HEIGHT, 2 : 2 + WIDTH], colour_labels(values))
    made, _ = toy.predict(toy.single, toy.folder / "new", "--start", 1)
    assert close(made, brightness(values, shades)[1:]), "a model that never saw any"


def test_a_jpeg_mask_for_a_model_of_masks(toy):
    model = toy.export("mask", following(past=0, classes=2, values={"0": "back", "255": "front"}))
    mask = np.zeros((3, 32, 48), np.uint8)
    mask[1:, 8:24, 9:30] = 255
    folder = save(toy.folder / "new", mask)
    for number, one in enumerate(mask):
        (folder / f"{number}.png").unlink()
        Image.fromarray(one).save(folder / f"{number}.jpg", quality=60)
    made, _ = toy.predict(model, folder)
    assert close(made, brightness(mask, {0: 0, 255: 255}))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{model}", "{maps}"], "maps holds label maps alone, and this toy model goes on with 2 "),
        (["{few}", "{set}"], "at most the 2 classes that this toy model was trained on (0, 1), fo"),
        (["{edges}", "{set}"], "this toy model follows edges found in frames, expected plain fr"),
        (["{model}", "{set}", "--outputs", "mask,depth"], "found 'depth'"),
        (["{model}", "{set}", "--size", "large"], "--size: expected WIDTHxHEIGHT in pixels"),
        (["{model}", "{set}", "--start", "7"], "s has 9 label maps: expected at least 10, 2 of t"),
        (["{single}", "{maps}", "--start", "9"], "maps has 9 label maps: expected at least 10;"),
        (["{single}", "{maps}", "--first", "{set}"], "looks at no frames: expected no --first"),
        (["{mean}", "{set}", "--first", "{set}"], "goes on with a clip: expected no --first"),
        (["{model}", "{maps}", "--first", "{model}"], "from label maps alone, found a toy model"),
        (["{model}", "{maps}", "--first", "nowhere"], "nowhere does not exist"),
        (["{objects}", "{set}"], "has label maps without instance maps"),
        (["{single}", "{set}/test_B/s"], "Label maps have 3366 colours, the last found in"),
        (["{noise}", "{set}"], "make videos with kvidgan generate"),
    ],
)
def test_a_mistake_is_one_sentence(toy, kvidgan, arguments, sentence):
    paths = {"set": toy.set, "maps": toy.maps, "model": toy.model, "single": toy.single}
    made = {
        "few": lambda: following(classes=2),
        "edges": lambda: following(classes=2, found="edges"),
        "mean": predicting,
        "objects": lambda: following(edges=True),
        "noise": counting,
    }
    paths |= {n: toy.export(n, step()) for n, step in made.items() if f"{{{n}}}" in arguments}
    given = [argument.format(**paths) for argument in arguments]
    status, _, err = kvidgan("predict", *given, "-o", toy.folder / "x.gif")
    assert status == 1
    assert err.startswith("error: ")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not list(toy.folder.glob("*x*.gif*"))


def test_memory_does_not_grow_with_the_number_of_labels(toy):
    data = toy.folder / "long.h5"
    maps = [{"labels": np.resize(LABELS, (250, 48, 64))}]
    frames = [np.resize(FRAMES, (250, 48, 64, 3))]
    prepare(source_of(frames, maps=maps, labels=LabelSet("ids", ("0", "1", "2"))), data)
    rollout = Rollout.open(toy.model)
    playback, sizes = play(rollout, ClipPlan(str(data))), []
    for number, _ in enumerate(playback.frames):
        if number == 30:
            tracemalloc.start()
        if number in (90, 240):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert number == 249, "two context frames and 248 predicted ones"
    assert sizes[1] - sizes[0] < 48 * 64 * 24, "150 frames leave nothing"
