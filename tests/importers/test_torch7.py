"""Files of Torch 7: what is read is what was written, and what another reader finds."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.importers import torch7
from tests.importers.torch7_file import Function, Object, write

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(4, 3, 2, 2)).astype("float32")
TURNED = np.asfortranarray(RNG.normal(size=(3, 5)))  # its strides are turned


def example():
    shared = {"lr": 0.5}
    layer = Object("cudnn.SpatialConvolution", weight=KERNEL, kW=2, again=shared, train=False)
    layer.fields["self"] = layer
    modules = [layer, Object("nn.ReLU", closure=Function(), inplace=True)]
    return {"model": Object("nn.gModule", modules=modules), "opt": shared, "turned": TURNED,
            "counts": np.arange(3), "nothing": None}  # fmt: skip


def test_values_come_back(tmp_path):
    found = torch7.read(write(tmp_path / "a.t7", example()))
    layer, relu = found["model"]["modules"].values()
    assert found["model"].kind == "nn.gModule"
    assert (layer.kind, layer["kW"], layer["train"]) == ("cudnn.SpatialConvolution", 2, False)
    np.testing.assert_array_equal(layer["weight"], KERNEL)
    np.testing.assert_array_equal(found["turned"], TURNED)
    np.testing.assert_array_equal(found["counts"], [0, 1, 2])
    assert layer["again"] is found["opt"]
    assert layer["self"] is layer
    assert (relu["inplace"], relu["closure"], found["opt"]) == (True, None, {"lr": 0.5})


def test_another_reader_finds_the_same(tmp_path):
    torchfile = pytest.importorskip("torchfile")
    found = torchfile.load(str(write(tmp_path / "a.t7", example())))
    layer = found[b"model"][b"modules"][0]
    assert layer.torch_typename() == b"cudnn.SpatialConvolution"
    np.testing.assert_array_equal(layer[b"weight"], KERNEL)
    np.testing.assert_array_equal(found[b"turned"], TURNED)
    assert found[b"opt"][b"lr"] == 0.5


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_truncated_file_is_one_sentence(tmp_path, part):
    path = write(tmp_path / "a.t7", example())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(UserError, match=r"it was cut off or is something else; copy it again"):
        torch7.read(path)


def test_a_tensor_beyond_its_storage_is_damage(tmp_path):
    path = write(tmp_path / "a.t7", {"weight": np.arange(6.0)})
    wrong = path.read_bytes().replace(b"\x06\0\0\0\0\0\0\0\x01", b"\x07\0\0\0\0\0\0\0\x01", 1)
    path.write_bytes(wrong)
    with pytest.raises(UserError, match=r"\[7\] values in a storage of 6"):
        torch7.read(path)
