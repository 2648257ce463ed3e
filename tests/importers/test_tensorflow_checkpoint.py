"""Checkpoints of TensorFlow 1 in both formats: what is read, and what is damaged."""

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.importers import tensorflow_checkpoint
from tests.importers.tensorflow_graphs import Graph


@pytest.fixture(params=["V1", "V2"])
def saved(request, tmp_path):
    made = Graph()
    with made.graph.as_default():
        variables = [made.variable("a", (3, 2)), made.variable("b", (4,))]
    values = made.run(variables, {}, tmp_path / "model.ckpt", request.param)
    return tmp_path / "model.ckpt-7", dict(zip("ab", values, strict=True)), request.param


def test_values_come_back(saved):
    path, values, _ = saved
    assert tensorflow_checkpoint.prefix(path) == path
    found = tensorflow_checkpoint.read(path)
    assert found.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_damaged_checkpoint_is_one_sentence(saved):
    path, _, version = saved
    table = path if version == "V1" else path.with_name("model.ckpt-7.index")
    data = table.read_bytes()
    table.write_bytes(data[:10] + b"\xff" * 20 + data[30:])
    with pytest.raises(UserError, match=r"is no complete TensorFlow checkpoint .*copy all of its"):
        tensorflow_checkpoint.read(path)


def test_a_missing_part_is_one_sentence(saved):
    path, _, version = saved
    if version == "V2":
        path.with_name("model.ckpt-7.data-00000-of-00001").unlink()
        with pytest.raises(UserError, match="is no complete TensorFlow checkpoint"):
            tensorflow_checkpoint.read(path)


def test_other_files_are_none(tmp_path):
    (tmp_path / "a.index").write_bytes(b"nothing of the kind")
    assert tensorflow_checkpoint.prefix(tmp_path / "a.index") is None
    assert tensorflow_checkpoint.prefix(tmp_path / "missing") is None
