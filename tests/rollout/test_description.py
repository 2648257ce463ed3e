"""Files that cannot be played: one clear sentence each, before any backend is loaded."""

import json
import zipfile

import numpy as np
import pytest

from kvidgan.errors import UserError
from kvidgan.rollout import read_description
from kvidgan.rollout.description import ENTRY
from tests.conftest import run
from tests.rollout import steps

GOOD = {
    "format": 1,
    "family": "toy",
    "kvidgan_version": "0",
    "frame": {"height": 2, "width": 2, "channels": 1},
    "inputs": {"z": {"role": "latent", "shape": [2], "per": "video"}},
}


STATE = {"role": "state", "shape": [2], "next": "n"}


def written(path, description):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}" * 1000)
        if description is not None:
            text = description if isinstance(description, str) else json.dumps(description)
            archive.writestr(ENTRY, text)
    return path


def test_a_good_description_is_read(tmp_path):
    description = read_description(written(tmp_path / "good.keras", GOOD))
    assert description.frame.range == (-1, 1)
    assert description.inputs["z"].draw == "normal"


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        (None, "holds no kvidgan description"),
        ({**GOOD, "format": 2}, "description format 2, this kvidgan reads up to 1; upgrade"),
        ({**GOOD, "inputs": {"z": {"role": "magic"}}}, r"invalid kvidgan description \(inputs.z"),
        (
            {**GOOD, "inputs": {"h": {**STATE, "same_as": "z"}, "z": {**STATE, "shape": [3]}}},
            "h is the same as z, which is no such state",
        ),
        ("[1", "invalid kvidgan description"),
        ("[1]", "invalid kvidgan description"),
    ],
)
def test_a_bad_description_is_refused(tmp_path, description, sentence):
    path = written(tmp_path / "bad.keras", description)
    with pytest.raises(UserError, match=sentence):
        read_description(path)


def test_a_truncated_or_foreign_or_missing_file_is_refused(tmp_path):
    path = written(tmp_path / "cut.keras", GOOD)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="not a complete .keras file"):
        read_description(path)
    path.write_text("no zip at all")
    with pytest.raises(UserError, match="not a complete .keras file"):
        read_description(path)
    with pytest.raises(UserError, match="found nothing at"):
        read_description(tmp_path / "missing.keras")


def test_describing_a_file_loads_no_backend(tmp_path):
    path = written(tmp_path / "good.keras", GOOD)
    code = (
        "import sys; from kvidgan.rollout import read_description;"
        f"read_description({str(path)!r});"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch', 'cv2') if m in sys.modules])"
    )
    assert run("-c", code).strip() == "[]"


def test_what_a_description_is_asked():
    noise, clip = steps.counting()[1], steps.predicting()[1]
    assert (noise.kind, noise.context_frames, noise.choices) == (
        "noise", 0, {"category": ["a", "b", "c"]},
    )  # fmt: skip
    assert noise.noise == (["content", "category"], ["noise"], ["content"])
    assert (clip.kind, clip.context_frames, clip.most_context_frames) == ("clip", 2, 2)
    assert (clip.size, clip.any_size, clip.stride) == (None, True, 1)
    with pytest.raises(UserError, match="Expected a model that goes on with a clip or follows"):
        noise.expect_clip_or_labels()
    with pytest.raises(UserError, match="goes on with a clip instead of beginning from noise"):
        clip.expect_noise()


def test_frames_are_made_to_fit():
    description = steps.predicting()[1]
    frames = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
    assert description.fit(frames) is frames
    grey = frames[..., :1]
    np.testing.assert_array_equal(description.fit(grey), grey.repeat(3, axis=-1))
    fixed = description.model_copy(
        update={"frame": description.frame.model_copy(update={"height": 2, "width": 4})}
    )
    assert fixed.fit(frames).shape == (6, 2, 4, 3)
    assert fixed.fit_maps(frames[..., 0]).shape == (6, 2, 4)
