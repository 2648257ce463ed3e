from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.data import report as reports
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.open import find_source
from kvidgan.data.preview import preview
from kvidgan.data.reading import Reading
from kvidgan.data.report import report, skipped_lines
from kvidgan.errors import UserError
from kvidgan.media.sheet import PICTURE, SheetEntry, contact_sheet
from tests.data.conftest import damage, placed_source, save_frames, save_strip, source_of, video


def test_videos_are_looked_into(tmp_path):
    for name, count, fps in (("Train/walk/a.mp4", 12, 10), ("Test/run/b.mp4", 20, 25)):
        (tmp_path / name).parent.mkdir(parents=True)
        media.write_frames(tmp_path / name, np.full((count, 32, 48, 3), 90, np.uint8), fps)
    (tmp_path / "Train" / "walk" / "bad.mp4").write_bytes(b"nothing")
    lines = dict(report(open_source(tmp_path), size=(32, 32)))
    assert lines.pop("damaged").endswith("(Invalid data found when processing input).")
    assert lines == {
        "layout": "videos",
        "videos": "3",
        "splits": "test (1), train (2)",
        "classes": "run (1), walk (2)",
        "frames": "12 to 20, median 16 in a video",
        "sizes": "48x32 (2)",
        "fps": "25 (1), 10 (1)",
        "cropped": "to the shape of 32x32: 2 videos lose up to 33% of the picture at the sides",
    }


def test_resampling_is_told(tmp_path):
    media.write_frames(tmp_path / "a.mp4", np.full((12, 32, 48, 3), 90, np.uint8), 10)
    lines = dict(report(open_source(tmp_path, Reading(fps=5))))
    assert (lines["frames"], lines["fps"]) == ("6 in a video", "5 (1)")
    assert lines["converted"] == "brought to 5 fps (1)"


def test_only_some_of_many_files_are_looked_into(monkeypatch):
    monkeypatch.setattr(reports, "MAX_PROBED", 3)
    source, asked = source_of([video(n, 4) for n in range(10)]), []
    videos = [
        replace(v, probe=partial(lambda v: asked.append(v) or media.VideoFacts(9.0, 4, 8, 8), v))
        for v in source.videos
    ]
    lines = dict(report(replace(source, videos=videos)))
    assert len(asked) == 3
    assert lines["fps"] == "9 (3), of 3 looked into"
    assert lines["videos"] == "10"


def test_guesses_and_what_is_skipped(strips):
    (strips / "readme.txt").write_text("about")
    for number in range(30):
        (strips / f"{number}.png").write_bytes(b"no")
    source = replace(open_source(strips), guesses=["Axes are a guess: --axes says otherwise."])
    assert ("guess", "Axes are a guess: --axes says otherwise.") in report(source)
    lines = skipped_lines(source, most=20)
    assert len(lines) == 21
    assert lines[-1] == ("skipped", "and 11 more")
    assert len(skipped_lines(source)) == 31


# --- the sheet


def test_a_sheet_shows_first_middle_and_last_frame():
    greys = np.arange(9, dtype=np.uint8)[:, None, None, None] * 20
    source = source_of([np.broadcast_to(greys + 5, (9, 24, 24, 1))])
    shown = preview(source)[60, [16 + 10 + place * (PICTURE + 8) for place in range(3)], 0]
    assert shown.tolist() == [5, 85, 165], "frames 0, 4 and 8"


@pytest.mark.parametrize("length", [1, 2, 64, 65, 1000])
def test_the_middle_of_any_length(length):
    frames = np.zeros((length, 8, 8, 3), np.uint8)
    frames[..., 0] = (np.arange(length) // 4)[:, None, None]
    sheet = preview(source_of([frames]))
    tops = [sheet[60, 16 + 10 + place * (PICTURE + 8), 0] for place in range(3)]
    assert tops[0] == 0
    assert abs(int(tops[1]) - (length - 1) / 8) <= 4
    assert tops[2] == (length - 1) // 4


def test_eight_videos_spread_over_the_source():
    videos = [np.full((2, 8, 8, 3), 10 + n, np.uint8) for n in range(30)]
    found = set(np.unique(preview(source_of(videos))).tolist())
    assert {n for n in range(30) if 10 + n in found} >= {0, 4, 8, 12, 17, 21, 25, 29}


def test_label_maps_stand_below_their_frames():
    plain = preview(source_of([np.zeros((3, 24, 32, 3), np.uint8)]))
    labelled = preview(placed_source(3))
    assert labelled.shape[0] > plain.shape[0] + 100
    colours = media.colour_labels(np.arange(24))
    pixels = {tuple(pixel) for pixel in labelled.reshape(-1, 3).tolist()}
    assert {tuple(colour) for colour in colours.tolist()} <= pixels


def test_damage_is_told_on_the_sheet(tmp_path):
    save_frames(tmp_path / "v", video(0, 5))
    damage(tmp_path / "v" / "frame3.png")
    whole = preview(open_source(tmp_path))
    save_strip(tmp_path / "w" / "a.png", video(0, 9))
    damage(tmp_path / "w" / "a.png")
    broken = preview(open_source(tmp_path / "w"))
    assert whole.ndim == broken.ndim == 3
    assert broken.shape[0] < whole.shape[0], "a caption alone"


def test_captions_are_cut_at_the_front_and_know_other_letters():
    sheets = [
        contact_sheet([SheetEntry([text], [[np.zeros((8, 8, 1), np.uint8)]])])
        for text in ("Ж" * 300, "Ж" * 400, "спорт/видео.mp4")
    ]
    assert sheets[0].shape == sheets[2].shape
    np.testing.assert_array_equal(sheets[0], sheets[1])


def test_preview_on_the_command_line(strips, tmp_path, kvidgan):
    for arguments in (("info", strips), ("prepare", strips, tmp_path / "s.h5")):
        sheet = tmp_path / f"{arguments[0]}.png"
        status, out, err = kvidgan(*arguments, "--preview", sheet)
        assert status == 0, err
        assert f"{sheet} written." in out
    first, second = (np.array(Image.open(tmp_path / f"{n}.png")) for n in ("info", "prepare"))
    np.testing.assert_array_equal(first, second)
    status, _, err = kvidgan("info", strips, "--preview", tmp_path / "sheet.doc")
    assert (status, err.count("\n")) == (1, 1)
    assert "expected a name that ends in one of" in err


def test_a_store_is_shown_as_what_it_was_made_of(strips, tmp_path):
    source = open_source(strips)
    stored = find_source(str(prepare(source, tmp_path / "s.h5").path))
    np.testing.assert_array_equal(preview(stored), preview(source))
    with pytest.raises(UserError, match="is a clip store, .*: expected no --fps"):
        find_source(str(tmp_path / "s.h5"), Reading(fps=3))
