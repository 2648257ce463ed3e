"""Classes of some label maps in the numbers of a model."""

import numpy as np
import pytest

from kvidgan.contract import NO_CLASS, Encoding
from kvidgan.data.label_table import asked_labels, read_by, translated, translation
from kvidgan.data.labels import LabelSet
from kvidgan.errors import UserError

PLAIN = LabelSet("ids", tuple("0123"))
MASK = LabelSet(
    "ids", ("background", "foreground"), {"0": "background", "255": "foreground"}
)  # fmt: skip
OLD_MASK = LabelSet("ids", ("background", "foreground"))


def named(**values):
    names = tuple(dict.fromkeys(name for name in values.values() if name))
    return LabelSet("ids", names, values)


SPARSE = named(**{"0": "0", "100": "100", "200": "200"})
VOID = named(**{"0": "0", "1": "1", "2": "2", "255": None})
STREET = LabelSet("ids", ("sky", "road", "car"))


@pytest.mark.parametrize(
    ("own", "known", "expected"),
    [
        (PLAIN, PLAIN, None),
        (LabelSet("ids", tuple("012")), PLAIN, None),
        (VOID, PLAIN, None),  # of no class, and no class there either
        (VOID, named(**{"0": "0", "1": "1", "2": "2", "255": "255"}), [0, 1, 2, "void 3"]),
        (named(**{"0": "0", "200": "200"}), SPARSE, [0, 2]),
        (named(**{"200": "200"}), SPARSE, [2]),
        (OLD_MASK, MASK, None),
        (MASK, OLD_MASK, None),
        (STREET, named(**{"7": "road", "26": "car", "23": "sky"}), [2, 0, 1]),
        (LabelSet("ids", tuple("012")), STREET, None),  # by their numbers
        (named(**{"#ff0000": "car", "#00ff00": None}), STREET, [2, "void 255"]),
        (named(**{"2": "2"}), STREET, [2]),
    ],
)
def test_classes_that_are_the_same(own, known, expected):
    table = translation(own, known, "maps")
    if expected is None:
        assert table is None
        return
    for number, wanted in enumerate(expected):
        if isinstance(wanted, str):
            number, wanted = NO_CLASS, int(wanted.removeprefix("void "))
        assert table[number] == wanted
    maps = np.arange(len(own), dtype=np.uint8).reshape(1, -1)
    found = translated(maps, table, "maps")
    assert found.dtype == np.uint8
    assert found[0].tolist() == expected[: len(own)]
    objects = np.stack([maps, maps + np.uint8(9)], axis=-1)
    both = translated(objects, table, "maps", objects=True)
    np.testing.assert_array_equal(both, np.stack([found, maps + 9], axis=-1))


@pytest.mark.parametrize(
    ("own", "known", "value"),
    [
        (named(**{"0": "0", "50": "50"}), SPARSE, "50"),
        (MASK, LabelSet("ids", tuple("0123")), "255"),
        (named(**{"#ff0000": "#ff0000"}), PLAIN, "#ff0000"),
        (LabelSet("ids", tuple("0123")), SPARSE, "3"),
        (named(**{"#00ff00": "a", "#ffffff": None}), LabelSet("ids", tuple(map(str, range(256)))),
         "#00ff00"),
    ],
)  # fmt: skip
def test_a_class_that_is_unknown(own, known, value):
    with pytest.raises(UserError, match=rf"^maps: expected label maps of what .*, found {value};"):
        translation(own, known, "maps")


def test_a_number_that_no_map_needs_to_have():
    """Of ids 0 to 200 the model knows three: whether the maps show others, they tell."""
    table = translation(LabelSet("ids", tuple(map(str, range(201)))), SPARSE, "maps")
    assert translated(np.array([[0, 100, 200]]), table, "maps").tolist() == [[0, 1, 2]]
    with pytest.raises(UserError, match="maps: expected label maps of classes .*, found 7; use"):
        translated(np.array([[0, 7]]), table, "maps")


def test_what_is_asked_for_within_a_block():
    assert asked_labels() is None
    with read_by(SPARSE):
        assert asked_labels() == SPARSE
        with read_by(PLAIN):
            assert asked_labels() is None, "numbers that are classes: the maps tell what they are"
        assert asked_labels() == SPARSE
    assert asked_labels() is None


def test_what_a_model_knows():
    assert LabelSet.known_to(Encoding(one_hot=4)) == PLAIN
    encoding = Encoding(one_hot=3, names=["0", "1", "2"], values=VOID.values)
    assert LabelSet.known_to(encoding) == VOID


def test_facts_of_before_are_the_same():
    """So that what was prepared is found again."""
    assert PLAIN.facts() == {"kind": "ids", "names": ("0", "1", "2", "3")}
    for labels in (PLAIN, VOID):
        assert LabelSet.stored(labels.facts()) == labels
