import pytest

from kvidgan.data.reading import Reading, parse_reading, reading_text
from kvidgan.data.schema import DataConfig
from kvidgan.errors import UserError


def test_configs_have_every_option_of_reading():
    assert Reading.model_fields.keys() <= DataConfig.model_fields.keys()
    assert DataConfig(path="x", fps=5, seed=3).options() == {"fps": 5.0}


def test_options_as_text_and_back():
    reading = parse_reading("videos", "fps=10 classes=3")
    assert reading == Reading(layout="videos", fps=10.0, classes=3)
    assert parse_reading("videos", reading_text(reading)) == reading
    assert parse_reading("auto", "") == Reading()


@pytest.mark.parametrize(
    ("layout", "text", "sentence"),
    [
        ("auto", "fps", "Reading: expected NAME=VALUE of .*fps.*, found 'fps'"),
        ("auto", "speed=3", "Reading: expected NAME=VALUE of .*, found 'speed'"),
        ("auto", "layout=videos", "Reading: expected NAME=VALUE of .*, found 'layout'"),
        ("auto", "fps='3", "Reading: expected options such as fps=10"),
        ("auto", "fps=fast", "--fps: expected a valid number, .*, found 'fast'"),
        ("auto", "fps=0", "--fps: expected greater than 0, found '0'|--fps: expected greater"),
        ("reel", "", "--layout: expected 'auto', 'labelled_frames'.*, found 'reel'"),
    ],
)
def test_what_is_no_option(layout, text, sentence):
    with pytest.raises(UserError, match=sentence):
        parse_reading(layout, text)
