import numpy as np
import pytest

from kvidgan.data.palette import colour_text, packed, read_palette
from kvidgan.errors import UserError

TEXT = """# CamVid, some of it
128 64 128 road

64,0,128 , car
#00FF10 tree and bush
192\t128\t128 ignored
0 0 192 road
#c0c0c0
# the end
"""


def test_lines_of_all_kinds(tmp_path):
    (tmp_path / "p.txt").write_text(TEXT, encoding="utf-8-sig")
    found = read_palette(tmp_path / "p.txt")
    assert (found.kind, found.names) == ("ids", ("road", "car", "tree and bush", "#c0c0c0"))
    assert found.values == {
        "#804080": "road",
        "#400080": "car",
        "#00ff10": "tree and bush",
        "#c08080": None,
        "#0000c0": "road",
        "#c0c0c0": "#c0c0c0",
    }
    assert found.by_colour


def test_packed_colours():
    colours = np.array([[[128, 64, 1]], [[0, 0, 255]]], np.uint8)
    assert [colour_text(number) for number in packed(colours).ravel()] == ["#804001", "#0000ff"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2 road", r"line 1: expected R G B NAME, such as 128 64 128 road, or"),
        ("0 0 0 sky\n1 2 300 road", r"line 2: expected R G B NAME.*found '1 2 300 road'; mend the"),
        ("road 1 2 3", "line 1: expected R G B NAME"),
        ("-1 2 3 road", "line 1: expected R G B NAME"),
        ("1 2 3 a\n#010203 b", "line 2: expected each colour once, found #010203 again; remove"),
        ("", "expected the colours of 1 to 256 classes, found 0"),
        ("1 2 3 ignored", "expected the colours of 1 to 256 classes, found 0"),
        ("\n".join(f"{n // 2} {n % 2} 0 c{n}" for n in range(257)), "classes, found 257"),
    ],
)  # fmt: skip
def test_what_is_no_palette(tmp_path, text, said):
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(UserError, match=said) as error:
        read_palette(tmp_path / "p.txt")
    assert str(error.value).startswith(f"{tmp_path}/p.txt")
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "p.png").write_bytes(b"\x89PNG\xff\xfe")
    for path in (tmp_path / "none.txt", tmp_path / "p.png", tmp_path):
        with pytest.raises(UserError, match="palette: expected a text file of lines R G B NAME"):
            read_palette(path)
