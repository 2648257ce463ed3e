"""Label maps of every kind, written by Pillow, read through `prepare` and a clip store."""

import numpy as np
import pytest
from PIL import Image

from kvidgan.data.convert import prepare
from kvidgan.data.label_table import read_by
from kvidgan.data.labels import LabelSet
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.reading import Reading
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError

HIGH, WIDE = 32, 48
RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def blocks(*values, seed=0, dtype=np.uint8):
    """A map in blocks of 8x8 pixels, all values among them."""
    rng = np.random.default_rng(seed)
    many = np.concatenate([np.arange(len(values)), rng.integers(0, len(values), 24)])[:24]
    places = rng.permutation(many).reshape(4, 6).repeat(8, 0).repeat(8, 1)
    return np.array(values, dtype)[places]


def stripes(values, dtype=np.uint8):
    """A map in which many values come, a row or less for each."""
    return np.resize(np.repeat(np.array(values, dtype), 4), (HIGH, WIDE))


def coloured(places, colours):
    return np.array(colours, np.uint8)[places]


def indexed(places, colours):
    """A palette image."""
    image = Image.fromarray(places.astype(np.uint8), "P")
    image.putpalette([part for colour in colours for part in colour])
    return image


def save(root, *sequences, form="png", room="A", **options):
    """Write label maps, arrays or images, one list a sequence, and frames for them."""
    for number, maps in enumerate(sequences):
        for time, one in enumerate(maps):
            image = one if isinstance(one, Image.Image) else Image.fromarray(one)
            path = root / f"train_{room}" / f"s{number}" / f"{time}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, **options)
            frame = root / "train_B" / f"s{number}" / f"{time}.png"
            frame.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", image.size, (10 * number, time, 0)).save(frame)
    return root


def through(root, **reading):
    """Return the source, and the label maps of all videos, as a clip store gives them."""
    source = open_source(root, Reading(**reading))
    path = root.parent / "s.h5"
    with ClipStore.open(prepare(source, path, overwrite=True).path) as store:
        assert store.labels == source.labels, "kept"
        lengths = store.index["length"].tolist()
        maps = [store.read_map("labels", n, 0, length) for n, length in enumerate(lengths)]
    return source, np.concatenate(maps)


def refused(root, **reading):
    with pytest.raises(UserError) as error:
        open_source(root, Reading(**reading))
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
    return str(error.value).replace(f"{root}/", "")


# --- numbers


@pytest.mark.parametrize(
    ("ids", "classes", "names", "expected"),
    [
        (range(12), None, 12, range(12)),
        ([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11], None, 12, None),  # 7 is a class all the same
        ([0, 3], None, 4, None),  # half of 0 to 3
        ([*range(19), 255], None, 19, [*range(19), 255]),  # ignored
        ([*range(0, 19, 2), 255], None, 19, None),
        ([*range(19), 255], 19, 19, None),
        ([0, 9, 255], 10, 10, None),
        ([*range(19), 255], 256, 256, None),  # a class, if somebody says so
        ([0, 1, 255], None, 2, None),
        (range(256), None, 256, None),  # the highest of all in a row is a class
        ([0, 200], None, ("0", "200"), [0, 1]),
        ([0, 128], None, ("0", "128"), [0, 1]),
        ([0, 200], 201, 201, None),
        ([0, 200], 2, ("0", "200"), [0, 1]),
        ([7, 255], None, ("7", "255"), [0, 1]),
        ([3], None, ("3",), [0]),
        ([0, 255], None, ("background", "foreground"), [0, 1]),
        ([0, 255], 2, ("background", "foreground"), [0, 1]),
        ([0, 255], 256, 256, None),
        ([0, 255], 10, 10, [0, 255]),
        ([0], None, 1, None),
    ],
)
def test_ids_of_8_bit(tmp_path, ids, classes, names, expected):
    ids = list(ids)
    maps = [stripes(ids), stripes(ids[::-1])]
    source, found = through(save(tmp_path / "set", maps), classes=classes)
    named = tuple(map(str, range(names))) if isinstance(names, int) else names
    assert source.labels.names == named
    table = dict(zip(ids, expected or ids, strict=True))
    np.testing.assert_array_equal(found, np.vectorize(table.get)(np.stack(maps)))


@pytest.mark.parametrize(
    ("ids", "names", "expected"),
    [
        ([0, 1, 2], ("0", "1", "2"), [0, 1, 2]),
        ([24001, 7, 26000], ("7", "24001", "26000"), [1, 0, 2]),
        ([0, 65535], ("background", "foreground"), [0, 1]),
        ([0, 1, 2, 65535], ("0", "1", "2"), [0, 1, 2, 255]),
        ([0, 1, 2, 255], ("0", "1", "2"), [0, 1, 2, 255]),
        (range(0, 290, 2), tuple(map(str, range(0, 290, 2))), range(145)),
        (range(300, 556), tuple(map(str, range(300, 556))), range(256)),
    ],
)
def test_ids_of_16_bit(tmp_path, ids, names, expected):
    maps = [stripes(list(ids), np.uint16)]
    source, found = through(save(tmp_path / "set", maps))
    assert source.labels.names == names
    table = dict(zip(ids, expected, strict=True))
    np.testing.assert_array_equal(found[0], np.vectorize(table.get)(maps[0]))


def test_ids_are_those_of_all_maps(tmp_path):
    maps = [[blocks(0, 200), blocks(0)], [blocks(200, 100)]]
    source, found = through(save(tmp_path / "set", *maps))
    assert source.labels == LabelSet(
        "ids", ("0", "100", "200"), {x: x for x in ("0", "100", "200")}
    )
    np.testing.assert_array_equal(found, np.concatenate(maps) // 100)


def test_one_bit(tmp_path):
    mask = blocks(0, 255)
    for number, maps in enumerate(([mask > 0], [mask > 0, mask])):
        source, found = through(save(tmp_path / f"set{number}", maps))
        assert source.labels.names == ("background", "foreground")
        np.testing.assert_array_equal(found, np.stack([mask > 0] * len(maps)))


def test_numbers_in_grey_rgb(tmp_path):
    values = blocks(0, 1, 2, 5)
    rgb = np.repeat(values[..., None], 3, axis=-1)
    source, found = through(save(tmp_path / "set", [rgb, values]))
    assert (len(source.labels), source.guesses) == (6, [])
    np.testing.assert_array_equal(found, [values, values])


def test_what_is_guessed_of_numbers(tmp_path):
    for number, (ids, sentence) in enumerate(
        [
            ([0, 1, 255], "that 255 in the label maps is of no class, and not learned from, is a "
             "guess: --classes 256 makes it one"),
            ([0, 200], "that the ids of the label maps are 2 classes and those between are none is "
             "a guess: --classes 201 keeps all from 0 to 200"),
        ]
    ):  # fmt: skip
        source = open_source(save(tmp_path / str(number), [blocks(*ids)]))
        assert source.guesses == [sentence]
        assert open_source(tmp_path / str(number), Reading(classes=256)).guesses == []


@pytest.mark.parametrize(
    ("ids", "classes", "said"),
    [
        (
            [0, 12],
            12,
            "train_A/s0/0.png: expected class ids from 0 to 11, found 12: declare 13 wit",
        ),
        (
            [0, 12, 255],
            12,
            "train_A/s0/0.png: expected class ids from 0 to 11, found 12: declare 13 ",
        ),
        (
            [0, 999],
            12,
            "train_A/s0/0.png: expected class ids from 0 to 11, found 999: leave out --",
        ),
        (range(300), None, "Label maps have 300 ids, the highest, 299, in train_A/s0/0.png: expec"),
    ],
)
def test_too_many_ids(tmp_path, ids, classes, said):
    maps = [stripes(list(ids), np.uint16)]
    assert refused(save(tmp_path / "set", maps), classes=classes).startswith(said)


# --- colours


def test_colours_are_found_in_all_maps(tmp_path):
    colours = [(128, 64, 128), BLACK, (70, 70, 70), (0, 0, 142)]
    maps = [[blocks(0, 1)], [blocks(1, 2, 3), blocks(3)]]
    made = [[coloured(one, colours) for one in some] for some in maps]
    source, found = through(save(tmp_path / "set", *made))
    names = ("#000000", "#00008e", "#464646", "#804080")
    assert source.labels == LabelSet("ids", names, {name: name for name in names})
    np.testing.assert_array_equal(found, np.array([3, 0, 2, 1])[np.concatenate(maps)])
    assert source.note == "4 colours found"
    assert source.guesses == [
        "that each of the 4 colours of the label maps (#000000, #00008e, #464646, #804080) is a"
        " class, in this order, is a guess: --palette FILE names them"
    ]
    assert "4 colours found" in source.describe()


def test_opaque_and_lossless_colours(tmp_path):
    places = blocks(0, 1, 2)
    colours = coloured(places, [RED, BLACK, BLUE])
    opaque = np.dstack([colours, np.full((HIGH, WIDE), 255, np.uint8)])
    root = save(tmp_path / "set", [opaque])
    save(root, [colours], [colours], form="webp", lossless=True)
    (root / "train_A" / "s0" / "0.webp").unlink()
    _, found = through(root)
    np.testing.assert_array_equal(found, [np.array([2, 0, 1])[places]] * 2)


def test_256_colours_and_no_more(tmp_path):
    places = np.resize(np.arange(256), (HIGH, WIDE))
    colours = np.stack([places, places * 7 % 256, places * 0], -1).astype(np.uint8)
    source, found = through(save(tmp_path / "set", [colours]))
    assert len(source.labels) == 256
    np.testing.assert_array_equal(found[0], places)
    colours[0, 0] = (9, 9, 9)
    said = refused(save(tmp_path / "more", [colours]))
    assert said.startswith(
        "Label maps have 257 colours, the last found in train_A/s0/0.png: expect"
    )


PALETTE = "255 0 0 car\n0,0,0,road\n#0000ff sky\n9 9 9 ignored\n"


@pytest.mark.parametrize("kind", ["rgb", "palette", "grey"])
def test_a_palette_names_colours(tmp_path, kind):
    (tmp_path / "p.txt").write_text(PALETTE)
    colours = [BLACK, (9, 9, 9)] if kind == "grey" else [BLUE, BLACK, (9, 9, 9)]
    places = blocks(*range(len(colours)))
    made = {
        "rgb": lambda: coloured(places, colours),
        "palette": lambda: indexed(places, colours),
        "grey": lambda: coloured(places, colours)[..., 0],
    }[kind]()
    source, found = through(save(tmp_path / "set", [made]), palette=str(tmp_path / "p.txt"))
    assert source.labels.names == ("car", "road", "sky"), "all that it names"
    assert (source.guesses, source.note) == ([], "")
    table = {BLUE: 2, BLACK: 1, (9, 9, 9): 255}
    expected = np.array([table[colour] for colour in colours])[places]
    np.testing.assert_array_equal(found[0], expected)


def test_a_colour_that_is_not_in_the_palette(tmp_path):
    palette = tmp_path / "p.txt"
    palette.write_text(PALETTE)
    maps = [coloured(blocks(0), [RED]), coloured(blocks(0, 1), [RED, (1, 2, 3)])]
    assert refused(save(tmp_path / "set", maps), palette=str(palette)) == (
        "train_A/s0/1.png: expected what stands for the classes in the palette"
        f" {palette}, #ff0000, #000000, #0000ff, #090909, found the colour #010203; add it there,"
        " or mend the label map."
    )
    said = refused(tmp_path / "set", palette=str(palette), classes=7)
    assert "found the colour #010203" in said
    fitting = save(tmp_path / "fitting", maps[:1])
    said = refused(fitting, palette=str(palette), classes=7)
    assert said.startswith("classes: expected the 3 in the palette")


# --- palettes of images


def test_palettes_that_agree_are_read_by_index(tmp_path):
    colours = [BLACK, (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    places = [blocks(0, 1), blocks(0, 2, 3)]
    second = indexed(places[1], [*colours[:1], (7, 7, 7), *colours[2:]])  # not used there
    source, found = through(save(tmp_path / "set", [indexed(places[0], colours)], [second]))
    assert (len(source.labels), source.labels.values) == (4, None)
    assert source.guesses == [
        "that classes are the numbers of the label maps' palettes, not their colours, is a guess:"
        " --palette FILE goes by colour"
    ]
    np.testing.assert_array_equal(found, places)


def test_palettes_with_255_at_borders(tmp_path):
    places = blocks(0, 1, 2, 255)
    colours = [BLACK, RED, GREEN, *[BLUE] * 253]
    source, found = through(save(tmp_path / "set", [indexed(places, colours)]))
    assert source.labels.values == {"0": "0", "1": "1", "2": "2", "255": None}
    np.testing.assert_array_equal(found[0], places)


def test_palettes_in_other_orders_are_read_by_colour(tmp_path):
    places = blocks(0, 1, 2)
    orders = [[BLACK, RED, GREEN], [GREEN, BLACK, RED], [BLACK, RED, BLUE]]
    maps = [indexed(places, order) for order in orders]
    source, found = through(save(tmp_path / "set", maps))
    assert source.labels.names == ("#000000", "#0000ff", "#00ff00", "#ff0000")
    table = {BLACK: 0, BLUE: 1, GREEN: 2, RED: 3}
    expected = [np.array([table[one] for one in order])[places] for order in orders]
    np.testing.assert_array_equal(found, expected)


def test_adaptive_palettes_are_read_by_colour(tmp_path):
    """As Pillow and GIF make them: each picture has its own."""
    places = [blocks(0, 1, 2, seed=n) for n in range(3)]
    colours = [coloured(one, [RED, GREEN, BLUE]) for one in places]
    colours[1][colours[1][..., 0] == 255] = GREEN
    maps = [Image.fromarray(one).quantize(8) for one in colours]
    _, found = through(save(tmp_path / "set", maps))
    keys = {BLUE: 0, GREEN: 1, RED: 2}
    expected = [[[keys[tuple(c)] for c in row] for row in one] for one in colours]
    np.testing.assert_array_equal(found, expected)


def test_palettes_beside_colours_are_read_by_colour(tmp_path):
    places = blocks(0, 1, 2)
    colours = [BLACK, RED, GREEN]
    _, found = through(
        save(tmp_path / "set", [indexed(places, colours), coloured(places, colours)])
    )
    np.testing.assert_array_equal(found, [np.array([0, 2, 1])[places]] * 2)


def test_palettes_beside_numbers_that_they_show_as_they_are(tmp_path):
    greys = [(n, n, n) for n in range(256)]
    places = blocks(0, 1, 2)
    _, found = through(save(tmp_path / "set", [indexed(places, greys), places]))
    np.testing.assert_array_equal(found, [places, places])
    empty = blocks(0)
    _, found = through(save(tmp_path / "b", [indexed(places, [BLACK, RED, GREEN]), empty]))
    np.testing.assert_array_equal(found, [places, empty], "0 is black in both")


# --- two meanings


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (
            [indexed(blocks(0, 1), [BLACK, RED]), indexed(blocks(0, 1), [BLACK, GREEN])],
            "Label maps have two meanings: number 1 is #ff0000 in the palette of train_A/s0/0.png"
            " and #00ff00 in that of train_A/s0/1.png: expected palettes that agree; --palette FIL",
        ),
        (
            [blocks(0, 1), coloured(blocks(0, 1), [BLACK, RED])],
            "Label maps have two meanings: train_A/s0/0.png holds numbers such as 0,"
            " train_A/s0/1.png colours such as #ff0000: expected one kind in a data set; save all",
        ),
        (
            [indexed(blocks(0, 1), [BLACK, (255, 255, 255)]), blocks(0, 255)],
            "Label maps have two meanings: train_A/s0/1.png holds numbers such as 255, which the"
            " palette of train_A/s0/0.png shows in another colour: expected one kind in a data se",
        ),
    ],
)
def test_two_meanings_are_refused(tmp_path, maps, said):
    one = save(tmp_path / "set", maps)
    assert refused(one).startswith(said)
    apart = save(tmp_path / "apart", maps[:1], maps[1:])
    assert refused(apart).startswith(said.replace("s0/1.png", "s1/0.png")[:80])


def test_a_palette_decides_between_two_meanings(tmp_path):
    (tmp_path / "p.txt").write_text("0 0 0 ground\n255 0 0 thing\n0 255 0 thing\n")
    places = blocks(0, 1)
    maps = [indexed(places, [BLACK, RED]), indexed(places, [BLACK, GREEN]), blocks(0)]
    source, found = through(save(tmp_path / "set", maps), palette=str(tmp_path / "p.txt"))
    assert source.labels.names == ("ground", "thing")
    np.testing.assert_array_equal(found, [places, places, blocks(0)])


# --- JPEG and lossy WebP


@pytest.mark.parametrize(("form", "quality"), [("jpg", 30), ("jpg", 75), ("jpg", 95), ("webp", 80)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_masks_are_cleaned(tmp_path, form, quality, mode):
    y, x = np.mgrid[:HIGH, :WIDE]
    mask = np.where((y - 15) ** 2 + (x - 20) ** 2 < 100, 255, 0).astype(np.uint8)
    maps = [Image.fromarray(one).convert(mode) for one in (mask, mask * 0)]
    source, found = through(save(tmp_path / "set", maps, form=form, quality=quality))
    assert source.labels.names == ("background", "foreground")
    assert source.note == "masks in JPEG or lossy WebP cleaned at half"
    np.testing.assert_array_equal(found, np.stack([mask > 0, mask < 0]))


@pytest.mark.parametrize("form", ["jpg", "webp"])
@pytest.mark.parametrize(
    "ids", [range(12), [0, 1, 255], [0, 5, 9, 255], [0, 128, 255], [3, 4], [3], [1]]
)
def test_other_numbers_in_jpeg_are_refused(tmp_path, form, ids):
    said = refused(save(tmp_path / "set", [blocks(*ids)], form=form, quality=85))
    assert said.startswith(
        f"train_A/s0/0.{form} is a JPEG or lossy WebP, which changes class numbers and colours:"
        " expected a mask of black and white there; save label maps as PNG"
    )


def test_fine_numbers_in_jpeg_are_refused(tmp_path):
    fine = (
        np.random.default_rng(0).integers(0, 10, (HIGH // 2, WIDE // 2)).repeat(2, 0).repeat(2, 1)
    )
    said = refused(save(tmp_path / "set", [fine.astype(np.uint8)], form="jpg", quality=95))
    assert "expected a mask of black and white" in said


def test_a_jpeg_mask_beside_numbers_is_refused(tmp_path):
    root = save(tmp_path / "set", [blocks(0, 255)], form="jpg", quality=95)
    save(root, [], [blocks(0, 1, 2, 3)])
    assert refused(root).startswith("train_A/s0/0.jpg is a JPEG or lossy WebP, which changes class")


def test_colours_in_jpeg_are_the_nearest_of_a_palette(tmp_path):
    colours = [(128, 64, 128), BLACK, (0, 0, 142), (220, 220, 0)]
    lines = [" ".join(map(str, colour)) for colour in colours]
    (tmp_path / "p.txt").write_text("\n".join(f"{line} c{n}" for n, line in enumerate(lines)))
    places = blocks(0, 1, 2, 3)
    maps = [coloured(places, colours)]
    root = save(tmp_path / "set", maps, form="jpg", quality=95, subsampling=0)
    assert "is a JPEG" in refused(root)
    source, found = through(root, palette=str(tmp_path / "p.txt"))
    assert source.note.startswith("colours in JPEG or lossy WebP taken for the nearest")
    np.testing.assert_array_equal(found[0], places)
    other = save(tmp_path / "other", [coloured(places, [*colours[:3], (90, 200, 200)])], form="jpg")
    said = refused(other, palette=str(tmp_path / "p.txt"))
    assert "expected nearly all of its pixels to be clearly one of the palette, found" in said


def test_a_palette_of_colours_too_alike_for_jpeg(tmp_path):
    (tmp_path / "p.txt").write_text("10 10 10 a\n14 10 10 b\n")
    root = save(tmp_path / "set", [coloured(blocks(0), [(12, 10, 10)])], form="jpg", quality=95)
    assert "found 0%; save" in refused(root, palette=str(tmp_path / "p.txt"))


# --- instance maps


def with_instances(root, maps):
    save(root, [blocks(0, 1)] * len(maps))
    return save(root, maps, room="inst")


def objects(root):
    source = open_source(root)
    with ClipStore.open(prepare(source, root.parent / "i.h5", overwrite=True).path) as store:
        return store.read_map("instances", 0, 0, int(store.index["length"][0]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_of_objects(tmp_path, dtype):
    maps = [blocks(0, 7, 200, dtype=dtype), blocks(0, 3, dtype=dtype) * dtype(80)]
    np.testing.assert_array_equal(objects(with_instances(tmp_path / "set", maps)), maps)


def test_objects_by_colour(tmp_path):
    places = [blocks(0, 1, 2), blocks(0, 2, 3)]
    colours = [BLACK, RED, (0, 9, 0), BLUE]
    root = with_instances(tmp_path / "set", [coloured(one, colours) for one in places])
    np.testing.assert_array_equal(objects(root), np.array([0, 3, 2, 1])[np.stack(places)])


def test_objects_in_palettes(tmp_path):
    places = blocks(0, 1, 2)
    alike = [indexed(places, [BLACK, RED, GREEN])] * 2
    root = with_instances(tmp_path / "set", alike)
    np.testing.assert_array_equal(objects(root), [places, places])
    moved = [alike[0], indexed(places, [GREEN, BLACK, RED])]
    found = objects(with_instances(tmp_path / "moved", moved))
    np.testing.assert_array_equal(found, [np.array([0, 2, 1])[places], np.array([1, 0, 2])[places]])


def test_objects_of_two_meanings(tmp_path):
    maps = [blocks(0, 7), coloured(blocks(0, 1), [BLACK, RED])]
    said = refused(with_instances(tmp_path / "set", maps))
    assert said.startswith("Instance maps have two meanings: train_inst/s0/0.png holds numbers")
    assert "--palette" not in said


# --- read by a model's table


def known(**values):
    names = tuple(dict.fromkeys(name for name in values.values() if name))
    return LabelSet("ids", names, values)


@pytest.mark.parametrize(
    ("maps", "values", "expected"),
    [
        ([blocks(0)], {"0": "0", "200": "200"}, [0]),
        ([blocks(200)], {"0": "0", "200": "200"}, [1]),
        ([blocks(0, 255)], {"0": "road", "1": "car", "255": None}, [0, 255]),
        ([coloured(blocks(0, 1), [GREEN, RED])],
         {"#000000": "a", "#00ff00": "b", "#ff0000": "c"}, [1, 2]),
        ([indexed(blocks(0, 1), [GREEN, RED])],
         {"#000000": "a", "#00ff00": "b", "#ff0000": "c"}, [1, 2]),
        ([indexed(blocks(0, 1), [GREEN, RED])], {"0": "0", "1": "1", "255": None}, [0, 1]),
        ([blocks(0)], {"0": "background", "255": "foreground"}, [0]),
    ],
)  # fmt: skip
def test_maps_are_read_by_the_models_table(tmp_path, maps, values, expected):
    root = save(tmp_path / "set", maps)
    with read_by(known(**values)):
        source, found = through(root)
    assert source.labels == known(**values)
    places = blocks(*range(len(expected)))
    np.testing.assert_array_equal(found[0], np.array(expected)[places])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (blocks(0, 7), "found 7;"),
        (coloured(blocks(0, 1), [BLACK, RED]), "found the colour #ff0000;"),
    ],
)
def test_what_the_model_does_not_know(tmp_path, made, said):
    root = save(tmp_path / "set", [made])
    with read_by(known(**{"0": "0", "200": "200"})):
        found = refused(root)
    assert found.startswith(
        "train_A/s0/0.png: expected what stands for the classes that the model was trained on, 0,"
        f" 200, {said} use label maps of those."
    )


def test_too_few_classes_below_pixels_of_none(tmp_path):
    for room, top in (("A", 5), ("B", 200)):
        (tmp_path / f"train_{room}" / "s").mkdir(parents=True)
        values = np.arange(64, dtype=np.uint8).reshape(8, 8) % (top + 1)
        values[0] = 255 if room == "A" else 0
        Image.fromarray(values).save(tmp_path / f"train_{room}" / "s" / "1.png")
    with pytest.raises(UserError, match="from 0 to 2, found 5: declare 6 with --classes"):
        open_source(tmp_path, Reading(classes=3))
    assert len(open_source(tmp_path, Reading(classes=6)).labels) == 6
