"""Damaged videos: what is good is kept, what is not is told; nothing is shortened in silence."""

import shutil
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from kvidgan import media
from kvidgan.data.convert import prepare
from kvidgan.data.layouts.registry import open_source
from kvidgan.data.report import report
from kvidgan.data.store.reader import ClipStore
from kvidgan.errors import UserError
from kvidgan.media.converter import display_matrix
from tests.media.test_video import TURNS, expected, ffmpeg

LONG = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=4"]
CODERS = {
    "mp4": ["-c:v", "libx264", "-g", "25", "-movflags", "+faststart"],
    "mkv": ["-c:v", "libx264", "-g", "25"],
    "avi": ["-c:v", "mpeg4", "-q:v", "4"],
}
KINDS = ("cut", "flip", "zero", "drop")


def damage(data, kind, seed):
    """Cut off, change bits of, blank, or take out a part of a file's bytes."""
    rng, found, size = np.random.default_rng(seed), bytearray(data), len(data)
    if kind == "cut":
        return bytes(found[: rng.integers(size // 3, size * 49 // 50)])
    place = rng.integers(size // 5, size * 8 // 10)
    if kind == "flip":
        for one in rng.integers(size // 5, size * 9 // 10, 8):
            found[one] ^= 1 << rng.integers(8)
    elif kind == "zero":
        found[place : place + size // 20] = bytes(size // 20)
    else:
        del found[place : place + size // 20]
    return bytes(found)


def look(path):
    """Return frames as bytes, and sentences on damage."""
    told = []
    try:
        with media.tolerated(lambda error: told.append(str(error))):
            frames = [frame.tobytes() for frame in media.read_video(path)[0]]
    except UserError as error:
        return [], [str(error)]
    return frames, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    for suffix, coder in CODERS.items():
        ffmpeg(*LONG, *coder, folder / f"clip.{suffix}")
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", CODERS)
def test_no_damage_is_silent(whole, tmp_path, suffix, kind):
    path = tmp_path / f"clip.{suffix}"
    true, told = look(whole / path.name)
    assert (len(true), told) == (100, [])
    silent = good = kept = 0
    for seed in range(10):
        path.write_bytes(damage((whole / path.name).read_bytes(), kind, seed))
        frames, told = look(path)
        silent += frames != true and not told
        good, kept = good + sum(frame in true for frame in frames), kept + len(frames)
    assert silent <= (kind == "flip"), "a changed bit may decode to another picture, unnoticed"
    assert good >= 0.7 * kept, "what is kept is mostly good"
    if kind != "drop" or suffix != "mp4":  # whose table of contents points to other places then
        assert kept >= 300


def test_strict_and_tolerant_conversion(whole, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    shutil.copy(whole / "clip.mp4", folder / "good.mp4")
    data = (whole / "clip.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(data[: len(data) * 6 // 10])
    lines = report(open_source(folder))
    assert any(what == "damaged" and "cut.mp4: it ends after" in value for what, value in lines)
    done = prepare(open_source(folder), tmp_path / "s.h5")
    (skipped,) = done.skipped
    assert (skipped.name, skipped.rest_kept, skipped.damaged) == ("cut.mp4", True, True)
    assert "of 100 frames" in skipped.reason
    with ClipStore.open(done.path) as store:
        whole_frames = store.read(1, 0, 100)
        length = int(store.index["length"][0])
        assert 40 <= length <= 70
        np.testing.assert_array_equal(store.read(0, 0, length), whole_frames[:length])
    with pytest.raises(UserError, match=r"cut\.mp4 is a damaged video: it ends after"):
        prepare(open_source(folder), tmp_path / "t.h5", strict=True)


def test_without_tolerance_damage_is_an_error(whole, tmp_path):
    data = (whole / "clip.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"cut\.mkv is a damaged video: it ends after .* seconds"):
        list(media.read_video(tmp_path / "cut.mkv")[0])


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_animations_keep_what_comes_before_the_damage(tmp_path, suffix):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (12, 6, 8, 3), dtype=np.uint8)
    images = [Image.fromarray(frame.repeat(8, 0).repeat(8, 1)) for frame in small]
    path = tmp_path / f"clip.{suffix}"
    options = {"tiff": {"compression": "tiff_lzw"}, "webp": {"lossless": True}}.get(suffix, {})
    delays = {} if suffix == "tiff" else {"duration": 50}
    images[0].save(path, save_all=True, append_images=images[1:], **options, **delays)
    true, told = look(path)
    assert (len(true), told) == (12, [])
    data = bytearray(path.read_bytes())
    middle = len(data) * 6 // 10
    data[middle : middle + 40] = bytes(40)
    path.write_bytes(data)
    frames, told = look(path)
    assert len(told) == 1
    assert "is a damaged" in told[0]
    assert 1 <= len(frames) <= 8
    assert frames == true[: len(frames)], "nothing is repeated in place of what is lost"


def test_a_video_that_changes_its_size_keeps_the_first(tmp_path):
    parts = []
    for size in ("64x48", "96x64"):
        part = tmp_path / f"{size}.ts"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.4", "-c:v", "libx264", part)
        parts.append(part.read_bytes())
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    frames = np.stack(list(media.read_video(path)[0]))
    assert frames.shape == (20, 48, 64, 3)
    assert np.abs(frames - expected(path, frames.shape)).max() <= 1


class Unknown(dict):
    """What PyAV does where a frame has data of a kind that is newer than PyAV."""

    def get(self, kind):
        raise ValueError("31 is not a valid Type")


@pytest.mark.parametrize("turn", ["quarter", "half", "three quarters"])
def test_turns_beside_data_that_pyav_does_not_know(tmp_path, turn):
    straight, path = tmp_path / "straight.mp4", tmp_path / "turned.mp4"
    ffmpeg(*LONG, "-t", "0.2", "-c:v", "libx264", straight)
    ffmpeg(*TURNS[turn], "-i", straight, "-c", "copy", path)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    known = display_matrix(frame)
    unknown = SimpleNamespace(side_data=Unknown(), rotation=frame.rotation)
    np.testing.assert_array_equal(display_matrix(unknown), known)


def test_no_turn_beside_data_that_pyav_does_not_know():
    assert display_matrix(SimpleNamespace(side_data=Unknown(), rotation=0)) is None
