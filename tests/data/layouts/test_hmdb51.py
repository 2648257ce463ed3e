import pytest

from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.errors import UserError
from tests.data.layouts.trees import prepared, save_text, save_video, skipped

LISTS = "testTrainMulti_7030_splits"
NAMES = ("April_09_u_nm_np1_ba_goo_0", "(same) name_1", "unused_2")


@pytest.fixture
def root(tmp_path):
    """Two classes whose files have the same names; codes 1, 2, 0, and 2, 1, 0 in split 2."""
    for place, label in enumerate(("brush_hair", "wave")):
        for number, name in enumerate(NAMES):
            save_video(tmp_path / "d" / label / f"{name}.avi", 100 * place + 10 * number, 2)
        for split, codes in ((1, "120"), (2, "210")):
            rows = (f"{name}.avi {code} " for name, code in zip(NAMES, codes, strict=True))
            save_text(tmp_path / "d" / LISTS / f"{label}_test_split{split}.txt", *rows)
    return tmp_path / "d"


@pytest.mark.parametrize("split", [1, 2])
def test_classes_and_splits_by_the_lists(root, tmp_path, split):
    first, second = ("train", "test") if split == 1 else ("test", "train")
    assert prepared(root, tmp_path / "a.h5", official_split=split) == {
        "brush_hair/(same) name_1.avi": ("brush_hair", second, [10, 11]),
        "brush_hair/April_09_u_nm_np1_ba_goo_0.avi": ("brush_hair", first, [0, 1]),
        "wave/(same) name_1.avi": ("wave", second, [110, 111]),
        "wave/April_09_u_nm_np1_ba_goo_0.avi": ("wave", first, [100, 101]),
    }


def test_what_is_said(root):
    source = open_source(root)
    assert (source.layout, source.classes) == ("hmdb51", ["brush_hair", "wave"])
    assert source.guesses == ["split 1 of 2 is taken: --split says otherwise"]
    assert skipped(root) == {"brush_hair/unused_2.avi": "in no list of the split, as are 1 more"}


def test_lists_beside_the_classes(root, tmp_path):
    (root / LISTS).rename(tmp_path / LISTS)
    assert len(prepared(root, tmp_path / "a.h5")) == 4


def test_a_list_that_is_broken(root):
    save_text(root / LISTS / "wave_test_split1.txt", "a.avi 3")
    with pytest.raises(UserError, match=r"expected lines of a name and 0, 1 or 2, found 'a\.avi 3"):
        open_source(root)
    with pytest.raises(UserError, match=r"lists of the splits 1, 2"):
        open_source(root, Reading(official_split=4))
