import numpy as np
import pytest
from PIL import Image

from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.images import (
    LabelIds,
    inspect_labels,
    label_set,
    read_frames,
    read_labels,
)
from kvidgan.errors import UserError


@pytest.fixture
def maps(tmp_path):
    """Three label maps, the second with the highest id."""
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path, highest in zip(paths, (3, 9, 0), strict=True):
        values = np.zeros((4, 5), np.uint8)
        values[1, 2] = highest
        Image.fromarray(values).save(path)
    return paths


def test_a_look_at_label_maps(maps):
    assert inspect_labels(maps) == LabelIds(9, maps[1], mask=False)
    assert inspect_labels(maps[2:]) == LabelIds(0, maps[2], mask=True)
    assert len(label_set(inspect_labels(maps))) == 10
    assert label_set(inspect_labels(maps[2:])) == LabelSet("ids", ("0",)), "all 0 is no mask"


def test_looks_are_joined(maps):
    whole, parts = inspect_labels(maps), [inspect_labels([path]) for path in maps]
    joined = parts[0].merged(parts[1]).merged(parts[2])
    assert joined == whole
    assert LabelIds().merged(whole) == whole


def test_masks():
    mask = LabelIds(255, mask=True)
    assert label_set(mask).names == ("background", "foreground")
    assert len(label_set(mask, 256)) == 256
    with pytest.raises(UserError, match="expected class ids from 0 to 9, found 255: declare 256"):
        label_set(mask, 10)


def test_labels_and_frames_are_read(maps):
    labels = list(read_labels(maps, LabelSet("ids", tuple("0123456789"))))
    assert [int(one[1, 2]) for one in labels] == [3, 9, 0]
    masks = list(read_labels(maps, LabelSet("ids", ("background", "foreground"))))
    assert [int(one[1, 2]) for one in masks] == [1, 1, 0]
    assert [frame.shape for frame in read_frames(maps)] == [(4, 5, 3)] * 3


def test_a_label_map_beside_an_image_of_another_size(maps, tmp_path):
    Image.new("RGB", (5, 3)).save(tmp_path / "image.jpg")
    sentence = r"0\.png is 5x4, its image .*image\.jpg is 5x3: expected one size"
    with pytest.raises(UserError, match=sentence):
        inspect_labels(maps[:1], [tmp_path / "image.jpg"])
