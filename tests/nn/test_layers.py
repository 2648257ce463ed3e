import keras
import numpy as np
import pytest
from keras import ops

from kvidgan.nn.layers import instance_edges, one_hot_labels, to_signal

pytestmark = pytest.mark.every_backend


def test_frames_become_signals():
    frames = ops.convert_to_tensor(np.array([0, 255], "uint8"))
    np.testing.assert_allclose(ops.convert_to_numpy(to_signal(frames)), [-1, 1])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels_become_channels_and_unknown_ones_none(dtype):
    labels = np.array([[[0, 2], [1, 3]], [[2, 100], [0, 0]]], dtype)
    channels = one_hot_labels(ops.convert_to_tensor(labels), 3)
    assert keras.backend.standardize_dtype(channels.dtype) == "float32"
    expected = np.concatenate([np.eye(3), np.zeros((98, 3))])[labels]
    np.testing.assert_array_equal(ops.convert_to_numpy(channels), expected)


def edges_by_hand(instances):
    _, height, width = instances.shape
    edges = np.zeros((*instances.shape, 1))
    for item, row, column in np.ndindex(instances.shape):
        for y, x in [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]:
            if 0 <= y < height and 0 <= x < width:
                edges[item, row, column] += instances[item, y, x] != instances[item, row, column]
    return edges > 0


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_edges_lie_on_both_sides_of_where_instances_meet(dtype):
    instances = np.zeros((2, 8, 9), dtype)
    instances[0, 2:5, 3:7] = 255  # its inside, rows 3 and columns 4 and 5, is no edge
    instances[1] = np.random.default_rng(0).integers(0, 2, (8, 9))
    edges = ops.convert_to_numpy(instance_edges(ops.convert_to_tensor(instances)))
    np.testing.assert_array_equal(edges, edges_by_hand(instances))
    assert edges[0].sum() == 3 * 4 - 2 + 2 * (3 + 4)
    assert edges.dtype == "float32"


def test_a_model_that_reads_label_maps_is_saved_and_runs_at_any_size(tmp_path):
    labels = keras.Input((None, None), dtype="int32", name="labels")
    channels = [one_hot_labels(labels, 4), instance_edges(labels)]
    keras.Model(labels, ops.concatenate(channels, axis=-1)).save(tmp_path / "labels.keras")
    model = keras.models.load_model(tmp_path / "labels.keras", safe_mode=True)
    for shape in [(1, 3, 4), (2, 8, 6)]:
        labels = np.random.default_rng(0).integers(0, 4, shape).astype("int32")
        out = ops.convert_to_numpy(model(labels))
        np.testing.assert_array_equal(out[..., :4], np.eye(4)[labels])
        np.testing.assert_array_equal(out[..., 4:], edges_by_hand(labels))
