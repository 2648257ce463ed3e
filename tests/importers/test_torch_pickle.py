"""Files of PyTorch: their tensors are those that PyTorch loads, and nothing in them runs."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.importers import torch_pickle
from kvidgan.importers.read import read_weights
from tests.conftest import run

torch = pytest.importorskip("torch")
networks = pytest.importorskip("tests.importers.torch_networks")


def saved(path, what, form):
    torch.save(what, path, _use_new_zipfile_serialization=form == "zip")
    return path


@pytest.mark.parametrize("form", ["zip", "chain"])
def test_tensors_are_those_that_were_saved(tmp_path, form):
    base = torch.arange(24.0).reshape(4, 6)
    tensors = {
        "whole": base,
        "view": base[1:, 2:5].t(),  # shares its storage; its strides are turned
        "double": torch.tensor([1.5, -2.0], dtype=torch.float64),
        "half": torch.tensor([0.5, 3.0], dtype=torch.float16),
        "brain": torch.tensor([0.15625, -3.0], dtype=torch.bfloat16),
        "long": torch.tensor([1, -(2**40)]),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    found = torch_pickle.arrays(torch_pickle.read(saved(tmp_path / "a.pth", tensors, form)))
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        expected = tensor.detach()
        expected = (expected.float() if expected.is_floating_point() else expected).numpy()
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("form", ["zip", "chain", "python2"])
def test_a_whole_module_is_its_state_dict(tmp_path, form):
    network = networks.randomized(networks.VideoGenerator())
    (weights, *_) = read_weights(networks.save(network, tmp_path / "g.pytorch", form))
    state = network.state_dict()
    assert weights.arrays.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(weights.arrays[name], tensor.numpy())
    assert weights.kind == "VideoGenerator"
    assert weights.facts["dim_z_category"] == 3


def test_tensors_of_the_first_pytorch_are_read(tmp_path):
    """Made empty and filled afterwards; parameters kept them in their state."""

    class Old(pickle._Pickler):
        def reducer_override(self, value):
            if isinstance(value, torch.nn.Parameter):
                state = (value.data, None, None, True, False)
                return torch.nn.Parameter, (), state
            if isinstance(value, torch.Tensor):
                storage = value._typed_storage()
                view = value.storage_offset(), tuple(value.size()), value.stride()
                return torch.FloatTensor, (), (storage, *view)
            return NotImplemented

    network = torch.nn.Linear(3, 2)
    module = type("module", (), {"__name__": "pickle", "Pickler": Old, "dump": pickle.dump})
    path = tmp_path / "old.pth"
    torch.save(network, path, pickle_module=module, _use_new_zipfile_serialization=False)
    found = torch_pickle.arrays(torch_pickle.read(path))
    np.testing.assert_array_equal(found["weight"], network.weight.detach().numpy())
    np.testing.assert_array_equal(found["bias"], network.bias.detach().numpy())


def test_pytorch_is_not_needed(tmp_path):
    path = networks.save(networks.VideoGenerator(), tmp_path / "g.pytorch", "zip")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from kvidgan.importers.read import read_weights\n"
        "print(len(read_weights(sys.argv[1])[0].arrays))"
    )
    assert run("-c", code, path).strip() == str(len(networks.VideoGenerator().state_dict()))


# ---- Files that ask for code --------------------------------------------------------------------


class Touch:
    """Unpickled by anybody else, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("form", ["zip", "chain", "plain"])
def test_code_is_never_run(tmp_path, form):
    trap, path = tmp_path / "ran", tmp_path / "evil.pth"
    saved_object = OrderedDict(main=torch.ones(2), trap=Touch(trap))
    if form == "plain":
        path.write_bytes(pickle.dumps(saved_object["trap"], protocol=2))
    else:
        saved(path, saved_object, form)
    with pytest.raises(
        UserError, match=rf"asks to run {os.system.__module__}\.system.*nothing was"
    ):
        read_weights(path)
    assert not trap.exists()
    if form != "plain":  # the trap works
        torch.load(path, weights_only=False)
        assert trap.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cposix\nsystem\n(S'touch ran'\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
        b"\x80\x02cbuiltins\nexec\n(X\x01\x00\x00\x001tR.",
        b"\x80\x02(X\x09\x00\x00\x00touch rancposix\nsystem\no.",
        b"\x80\x02cwebbrowser\nopen\n)\x81}X\x01\x00\x00\x00aK\x01sb.",  # never called: a stand-in
    ],
)
def test_other_ways_to_ask_are_refused_too(tmp_path, code, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pkl"
    path.write_bytes(code if code.startswith(b"\x80") else b"\x80\x02" + code)
    with pytest.raises(UserError, match=r"evil\.pkl (asks to run|is no complete file)"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


# ---- Damaged files ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["zip", "chain"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_one_sentence(tmp_path, form, part):
    network = networks.VideoGenerator()
    path = networks.save(network, tmp_path / "g.pytorch", form)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(UserError, match=r"it was cut off or is something else; copy it again"):
        read_weights(path)


def test_a_tensor_beyond_its_storage_is_damage(tmp_path):
    path = saved(tmp_path / "a.pth", {"weight": torch.arange(6.0)}, "zip")
    short = tmp_path / "short.pth"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(short, "w") as copy:
        for name in archive.namelist():
            data = archive.read(name)
            copy.writestr(name, data[:8] if name.endswith("data/0") else data)
    with pytest.raises(UserError, match=r"\[6\] values in a storage of 2; copy it again"):
        read_weights(short)
