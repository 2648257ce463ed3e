"""`kvidgan predict` with a model that tells objects apart."""

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.open import prepare_path
from kvidgan.rollout import export_step
from tests.rollout.steps import dressed, following

LOOKS = [[[0, 0, 0]], [[1, -1, -1], [-1, -1, 1]]]  # b is red or blue
HEIGHT, WIDTH, LENGTH = 17, 22, 5


def save(folder, images):
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")


@pytest.fixture(params=["folders", "store"])
def data(request, tmp_path):
    """Two objects of class b, numbers 7 and 300, left and right on a ground of class a."""
    labels = np.zeros((LENGTH, HEIGHT, WIDTH), np.uint8)
    objects = np.zeros(labels.shape, np.uint16)
    labels[:, 5:9, 2:6], objects[:, 5:9, 2:6] = 1, 7
    labels[:, 5:9, 12:16], objects[:, 5:9, 12:16] = 1, 300
    folder = tmp_path / "set"
    save(folder / "test_A" / "s", labels)
    save(folder / "test_inst" / "s", objects)
    noise = np.random.default_rng(0).integers(0, 256, (*labels.shape, 3), dtype=np.uint8)
    save(folder / "test_B" / "s", noise)
    if request.param == "folders":
        return folder
    prepare_path(str(folder), tmp_path / "set.h5")
    return tmp_path / "set.h5"


def predicted(kvidgan, tmp_path, data, *options):
    out = tmp_path / "out"
    model = export_step(*dressed(LOOKS), tmp_path / "toy.keras")
    fixed = ("-o", out, "--overwrite", "--scale", 1)
    status, _, err = kvidgan("predict", model, data, *fixed, *options)
    assert status == 0, err
    return np.stack([np.asarray(Image.open(path)) for path in sorted(out.iterdir())])


def test_looks_are_chosen_by_class_and_object(data, tmp_path, kvidgan):
    made = predicted(kvidgan, tmp_path, data, "--look", "b=1", "--look", "b:300=0")
    assert len(made) == LENGTH
    assert (made[:, 5:9, 2:6] == [0, 0, 255]).all()
    assert (made[:, 5:9, 12:16] == [255, 0, 0]).all()
    assert (np.abs(made[:, 0].astype(int) - 128) <= 1).all()


def test_another_seed_draws_other_looks(data, tmp_path, kvidgan):
    pairs = set()
    for seed in range(6):
        made = predicted(kvidgan, tmp_path, data, "--seed", seed, "-n", 1)[0]
        pairs.add((*made[6, 4], *made[6, 14]))
    assert len(pairs) > 1


def test_compared_beside_the_class_numbers_alone(data, tmp_path, kvidgan):
    made = predicted(kvidgan, tmp_path, data, "--look", "b=1", "--compare")
    assert made.shape[0] == LENGTH
    assert made.shape[2] > 4 * WIDTH, "labels, truth, prediction, difference"


def test_what_is_refused(tmp_path, kvidgan):
    model = export_step(*dressed(LOOKS), tmp_path / "toy.keras")
    save(tmp_path / "maps", np.zeros((3, HEIGHT, WIDTH), np.uint8))
    for options, message in (
        ((), "label maps without instance maps: choose data that come with such"),
        (("--look", "b"), "--look: expected CLASS=N, as car=2 or car:7=0, found 'b'"),
    ):
        call = ("predict", model, tmp_path / "maps", "-o", tmp_path / "out", *options)
        status, _, err = kvidgan(*call)
        assert (status, message in err) == (1, True), err
    other = export_step(*following(past=0), tmp_path / "other.keras")
    call = ("predict", other, tmp_path / "maps", "-o", tmp_path / "out", "--look", "b=0")
    assert "gives objects no look" in kvidgan(*call)[2]
