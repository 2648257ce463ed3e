"""`kvidgan predict` as a user meets it: any clip, any size, and one sentence for each mistake."""

import wave as wavfile

import av
import numpy as np
import pytest
from PIL import Image

from kvidgan.data.open import prepare_path
from kvidgan.media import Sound, read_video, write_frames
from kvidgan.rollout import export_step
from tests.rollout.steps import counting, predicting

FRAMES = np.random.default_rng(0).integers(0, 256, (9, 13, 21, 3), dtype=np.uint8)


@pytest.fixture
def model(tmp_path):
    """A predictor: the next frame is the mean of the last two."""
    return export_step(*predicting(), tmp_path / "mean.keras")


@pytest.fixture
def clip(tmp_path):
    """A folder of nine frames of 21x13."""
    write_frames(tmp_path / "clip", iter(FRAMES), 10)
    return tmp_path / "clip"


def written(folder):
    return [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]


def test_the_frames_after_the_first_ones(kvidgan, tmp_path, model, clip):
    out = tmp_path / "out"
    status, said, err = kvidgan("predict", model, clip, "-n", 3, "-o", out, "--scale", 1)
    assert status == 0, err
    assert "clip, 9 frames of 21x13: frames 0 to 1 given." in said
    assert "3 frames predicted" in said
    made = written(out)
    assert [frame.shape for frame in made] == [(13, 21, 3)] * 3
    assert np.abs(made[0] - FRAMES[:2].mean(axis=0)).max() <= 0.6


def test_start_moves_the_history(kvidgan, tmp_path, model, clip):
    kvidgan("predict", model, clip, "-n", 1, "--start", 4, "-o", tmp_path / "out", "--scale", 1)
    (made,) = written(tmp_path / "out")
    assert np.abs(made - FRAMES[4:6].mean(axis=0)).max() <= 0.6


@pytest.mark.parametrize("options", [[], ["--stride", 3]])
def test_the_stride_is_the_trained_one_unless_told(kvidgan, tmp_path, clip, options):
    step, description = predicting()
    known = description.model_copy(update={"config": {"data": {"stride": 3}}})
    trained = export_step(step, known if not options else description, tmp_path / "mean.keras")
    path = tmp_path / "out.gif"
    status, said, err = kvidgan(
        "predict", trained, clip, "-n", 2, "--start", 1, "-o", path, "--compare", *options,
        "--scale", 1,
    )  # fmt: skip
    assert status == 0, err
    assert "frames 1 to 4 given, 3 apart." in said
    frames = [frame[2:15] for frame in read_video(path)[0]]
    assert len(frames) == 4
    for shown, number in zip(frames, (1, 4, 7), strict=False):
        assert np.abs(shown[:, 2:23].astype(int) - FRAMES[number]).mean() < 12, "GIF colours"


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_compare_shows_given_and_predicted_frames(kvidgan, tmp_path, model, clip, suffix):
    path = tmp_path / f"out{suffix}"
    command = ["predict", model, clip, "-n", 20, "--compare", "-o", path, "--fps", 20]
    status, said, err = kvidgan(*command)
    assert status == 0, err
    assert "at 20 fps" in said
    frames, fps = read_video(path)
    frames = list(frames)
    assert len(frames) == 2 + 20
    assert fps == pytest.approx(20)
    scale = 512 // 21
    assert frames[0].shape[0] == (13 * scale + 4) + (13 * scale + 4) % 2 * (suffix == ".mp4")
    edges = [
        frame[13 * scale // 2, 21 * scale + 4 + 2 : 21 * scale + 4 + 4].mean(axis=0)
        for frame in frames
    ]
    assert all(edge[1] > 150 > edge[0] for edge in edges[:2]), "green"
    assert all(edge[0] > 150 > edge[1] for edge in edges[2:]), "red"


def test_grey_frames_and_stores(kvidgan, tmp_path, model):
    np.save(tmp_path / "grey.npy", FRAMES[None, ..., :1])
    store = tmp_path / "grey.h5"
    prepare_path(str(tmp_path / "grey.npy"), store)
    status, said, err = kvidgan(
        "predict", model, store, "-n", 2, "-o", tmp_path / "out", "--scale", 1
    )
    assert status == 0, err
    assert "21x13 grey converted to the model's 21x13 RGB" in said
    made = written(tmp_path / "out")
    grey = FRAMES[:2, ..., :1].repeat(3, axis=-1).mean(axis=0)
    assert np.abs(made[0] - grey).max() <= 0.6


def test_real_videos_of_any_size(kvidgan, tmp_path, real_data, model):
    for path in sorted((real_data / "clips").iterdir()):
        out = tmp_path / path.stem
        status, said, err = kvidgan("predict", model, path, "-n", 1, "-o", out, "--scale", 1)
        assert status == 0, err
        (made,) = written(out)
        first = next(read_video(path)[0])
        assert made.shape == first.shape
        assert "frames 0 to 1 given" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["{clip}", "--start", "8"], "clip has 9 frames: expected at least 10, 2 of history"),
        (["{clip}", "--video", "7"], "has no video '7'"),
        (["nowhere"], "nowhere does not exist"),
        (["{nan}"], "NaN"),
    ],
)
def test_a_mistake_is_one_sentence(kvidgan, tmp_path, model, clip, options, sentence):
    frames = np.full((4, 16, 16, 3), np.nan, "float32")
    np.save(tmp_path / "nan.npy", frames)
    given = [option.format(clip=clip, nan=tmp_path / "nan.npy") for option in options]
    status, _, err = kvidgan("predict", model, *given, "-o", tmp_path / "x.gif")
    assert status == 1
    assert err.startswith("error: ")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "x.gif").exists()


def test_models_that_begin_from_noise_and_models_that_do_not(kvidgan, tmp_path, model, clip):
    noise = export_step(*counting(), tmp_path / "noise.keras")
    status, _, err = kvidgan("predict", noise, clip, "-o", tmp_path / "x.gif")
    assert (status, "make videos with kvidgan generate" in err) == (1, True)
    status, _, err = kvidgan("generate", model, "-o", tmp_path / "x.gif")
    assert (status, "kvidgan predict MODEL CLIP" in err) == (1, True)


# --- rate and sound


def with_tones(path, frames, fps):
    """Write a video whose sound is 1000 Hz in its first second, 2000 Hz in the next, and so on."""
    seconds = np.arange(round(48000 * len(frames) / fps)) / 48000
    tones = np.sin(2 * np.pi * 1000 * (1 + seconds.astype(int)) * seconds)
    wave = path.with_suffix(".wav")
    with wavfile.open(str(wave), "wb") as file:
        file.setparams((1, 2, 48000, len(tones), "NONE", ""))
        file.writeframes((20000 * tones).astype("<i2").tobytes())
    write_frames(path, frames, fps, sound=Sound(wave, 0.0))


def heard(path):
    """Return the loudest frequency, Hz, of each tenth of a second; 0 where it is silent."""
    with av.open(str(path)) as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    sound = np.concatenate(blocks)
    tenths = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800)
    loudest = np.abs(np.fft.rfft(tenths)).argmax(-1) * 10
    return np.where(np.abs(tenths).max(-1) > 0.05, loudest, 0)


@pytest.fixture
def sounding(tmp_path):
    """Three seconds of video at 20 fps, with sound."""
    frames = np.repeat(np.arange(60, dtype=np.uint8), 16 * 16 * 3).reshape(60, 16, 16, 3)
    with_tones(tmp_path / "tones.mp4", frames, 20)
    return tmp_path / "tones.mp4"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--start", 18], {2: 2000, 9: 2000}),  # predicted frames begin at the second second
        (["--start", 18, "--compare"], {0: 1000, 3: 2000}),
        (["--start", 10, "--stride", 5], {0: 2000, 9: 2000, 12: 3000, 17: 3000}),
        (["--start", 48, "-n", 40], {1: 3000, 15: 0}),
    ],
)
def test_the_clips_sound_goes_along(kvidgan, tmp_path, model, sounding, options, expected):
    out = tmp_path / "out.mp4"
    count = [] if "-n" in options else ["-n", 22 if "--stride" not in options else 8]
    status, _, err = kvidgan("predict", model, sounding, "--audio", "-o", out, *count, *options)
    assert status == 0, err
    tones = heard(out)
    assert {tenth: round(int(tones[tenth]), -2) for tenth in expected} == expected
    frames, fps = read_video(out)
    assert fps == pytest.approx(20 / (5 if "--stride" in options else 1)), "the clip's own"
    assert len(list(frames)) / fps == pytest.approx(len(tones) / 10, abs=0.15)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "out.gif"], "Cannot write sound into out.gif: expected a name that ends in .mp4"),
        (["-o", "out.mp4", "--fps", 5], "--audio: expected the clip's own rate, 20 fps, found --f"),
    ],
)
def test_sound_that_cannot_be(kvidgan, model, sounding, options, sentence):
    status, _, err = kvidgan("predict", model, sounding, "-n", 3, "--audio", *options)
    assert (status, err.count("\n")) == (1, 1)
    assert sentence in err


def test_a_clip_without_sound(kvidgan, tmp_path, model, clip):
    write_frames(tmp_path / "silent.mp4", iter(FRAMES), 10)
    for silent in (clip, tmp_path / "silent.mp4"):
        status, _, err = kvidgan("predict", model, silent, "--audio", "-o", tmp_path / "o.mp4")
        assert status == 1
        assert f"--audio: expected a video file with sound, found none in {silent}." in err


def test_a_store_keeps_the_rate_of_its_videos(kvidgan, tmp_path, model):
    for fps in (10, 24):
        write_frames(tmp_path / "set" / f"{fps}.mp4", iter(FRAMES), fps)
    assert kvidgan("prepare", tmp_path / "set", tmp_path / "s.h5")[0] == 0
    for fps in (10, 24):
        out = tmp_path / f"out{fps}.mp4"
        arguments = ["predict", model, tmp_path / "s.h5", "--video", f"{fps}.mp4", "-n", 3]
        assert f"at {fps} fps" in kvidgan(*arguments, "-o", out)[1]
        assert read_video(out)[1] == pytest.approx(fps)


def test_a_damaged_clip_is_told_and_played(kvidgan, tmp_path, model):
    pixels = np.random.default_rng(1).integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    write_frames(tmp_path / "clip.mp4", pixels, 20)
    data = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    out = tmp_path / "out"
    status, said, err = kvidgan("predict", model, tmp_path / "cut.mp4", "--compare", "-o", out)
    assert status == 0, err
    assert err.count("\n") == 1
    assert err.startswith(f"warning: {tmp_path / 'cut.mp4'} is a damaged video: it ends after")
    assert "64 frames predicted" in said
