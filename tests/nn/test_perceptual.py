"""The perceptual loss, with random weights: what they are does not matter here."""

import hashlib
import socket
import time

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.adversarial import value_and_gradients
from kvidgan.errors import UserError
from kvidgan.nn import perceptual
from kvidgan.nn.perceptual import WEIGHTS, perceptual_loss, perceptual_network, preprocess


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file in the layout of the one to download: groups of layers, named in attributes."""
    path = tmp_path_factory.mktemp("vgg") / perceptual.FILE
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    with h5py.File(path, "w") as root:
        root.attrs["layer_names"] = [layer.name.encode() for layer in vgg.layers]
        for layer in vgg.layers:
            names = [f"{layer.name}_{part}_1:0" for part in ("W", "b")][: len(layer.weights)]
            group = root.create_group(layer.name)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value
    yield path
    path.unlink()  # 80 MB


@pytest.fixture(scope="module")
def network(file):
    return perceptual_network(file)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


def frames(seed, height=32, width=48):
    noise = np.random.default_rng(seed).uniform(-1, 1, (2, height, width, 3))
    return ops.convert_to_tensor(noise.astype("float32"))


@pytest.mark.every_backend
def test_preprocessing_is_that_of_keras_applications():
    image = frames(0)
    expected = keras.applications.vgg19.preprocess_input(
        (ops.convert_to_numpy(image).astype("float64") + 1) * 127.5
    )
    np.testing.assert_allclose(ops.convert_to_numpy(preprocess(image)), expected, atol=1e-4)


def test_features_are_those_of_keras_own_network(file, network):
    whole = keras.applications.VGG19(include_top=False, weights=str(file))
    kinds = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]
    assert list(WEIGHTS) == kinds
    own = keras.Model(whole.input, [whole.get_layer(name).output for name in kinds])
    image = frames(1)
    expected = own(keras.applications.vgg19.preprocess_input((image + 1) * 127.5))
    found = network(image)
    sizes = [(32, 48, 64), (16, 24, 128), (8, 12, 256), (4, 6, 512), (2, 3, 512)]
    assert [tuple(x.shape) for x in found] == [(2, *size) for size in sizes]
    for a, b in zip(found, expected, strict=True):
        a, b = ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        assert a.min() >= 0  # after the ReLU
        np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(b).max())


def test_equal_frames_lose_nothing_and_others_what_their_features_differ(network):
    truth, made = frames(1), frames(2)
    assert float(perceptual_loss(network, truth, truth)) == 0
    features = [[ops.convert_to_numpy(x) for x in network(image)] for image in (truth, made)]
    steps = [np.abs(a - b).mean() for a, b in zip(*features, strict=True)]
    expected = steps[0] / 32 + steps[1] / 16 + steps[2] / 8 + steps[3] / 4 + steps[4]
    assert float(perceptual_loss(network, truth, made)) == pytest.approx(expected, rel=1e-4)


def test_only_made_frames_have_a_gradient_and_the_network_nothing_to_train(network):
    images = [keras.Variable(frames(seed)) for seed in (1, 2)]

    def loss():
        return perceptual_loss(network, *[image.value for image in images])

    _, (truth, made) = value_and_gradients(loss, images)
    np.testing.assert_array_equal(ops.convert_to_numpy(truth), 0)
    assert np.abs(ops.convert_to_numpy(made)).max() > 0
    assert not network.trainable_variables


def test_keras_folder_is_looked_into_first(file, network, home, monkeypatch):
    home.mkdir(parents=True)
    (home / perceptual.FILE).symlink_to(file)
    with pytest.raises(UserError, match=f"{perceptual.FILE} is damaged"):
        perceptual_network()  # these are not ImageNet's
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    monkeypatch.setattr(perceptual, "_MD5", digest)
    for a, b in zip(perceptual_network().weights, network.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_a_download_that_fails_is_one_sentence_and_leaves_no_file(home, monkeypatch):
    def fails(url, target, report):
        assert url.endswith(perceptual.FILE)
        assert socket.getdefaulttimeout() == pytest.approx(15)
        target = home / perceptual.FILE
        target.write_bytes(b"a part")
        raise TimeoutError("timed out")

    monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", fails)
    before = socket.getdefaulttimeout()
    with pytest.raises(UserError) as caught:
        perceptual_network()
    message = str(caught.value)
    for part in (perceptual.FILE, str(home), "keras.io", "family.perceptual=none"):
        assert part in message
    assert "\n" not in message
    assert list(home.iterdir()) == []
    assert socket.getdefaulttimeout() == before


def test_a_download_of_something_else_is_not_kept(home, monkeypatch):
    def sends_a_page(url, target, report):
        (home / perceptual.FILE).write_bytes(b"<html>please log in</html>")

    monkeypatch.setattr(keras.src.utils.file_utils, "urlretrieve", sends_a_page)
    with pytest.raises(UserError, match="could not be downloaded"):
        perceptual_network()
    assert list(home.iterdir()) == []


def test_a_missing_and_a_wrong_file_are_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*none\.h5.*family.perceptual=none"):
        perceptual_network(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("not weights")
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights(other)
    started = time.perf_counter()
    for path in (text, other, tmp_path):
        with pytest.raises(UserError, match=f"{path.name}.*family.perceptual=none"):
            perceptual_network(path)
    assert time.perf_counter() - started < 20
