"""A step that runs out of memory ends in one sentence and leaves the checkpoint."""

import numpy as np
import pytest
import yaml

from kvidgan import config as configs
from kvidgan.adversarial import VideoGAN
from kvidgan.errors import UserError
from kvidgan.training import fit
from kvidgan.training.out_of_memory import out_of_memory
from tests.conftest import TINY

pytestmark = pytest.mark.slow


def kind(name, base=Exception):
    return type(name, (base,), {})


KINDS = {
    "tensorflow": kind("ResourceExhaustedError")("OOM when allocating tensor with shape[1,2]"),
    "jax": kind("JaxRuntimeError", RuntimeError)(
        "RESOURCE_EXHAUSTED: Out of memory allocating 9 b"
    ),
    "torch, gpu": kind("OutOfMemoryError", RuntimeError)("CUDA out of memory."),
    "torch, cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 9 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "numpy": kind("_ArrayMemoryError", MemoryError)("Unable to allocate 9. PiB for an array"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run with one epoch of two steps."""
    folder = tmp_path_factory.mktemp("memory")
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 32, 32, 3), dtype=np.uint8)
    np.save(folder / "clips.npy", noise)
    data = {"path": str(folder / "clips.npy"), "axes": "NTHWC", "batch": 2, "cache": str(folder)}
    (folder / "tiny.yaml").write_text(
        yaml.safe_dump({**TINY, "data": data, "run": {"folder": str(folder)}})
    )
    config = configs.load(folder / "tiny.yaml", ["train.epochs=1", "train.steps_per_epoch=2"])
    run = fit.start(config, say=lambda text: None).run
    return run


@pytest.mark.parametrize("error", KINDS.values(), ids=KINDS.keys())
def test_a_step_without_memory_is_one_sentence_and_leaves_the_checkpoint(
    trained, monkeypatch, error
):
    def fail(*args):
        raise error

    monkeypatch.setattr(VideoGAN, "train_step", fail)
    (kept,) = trained.checkpoint_paths()
    config = configs.load(trained.config_path, ["train.epochs=2"])
    with pytest.raises(UserError, match="Out of memory in step 3 with data.batch=2; ") as caught:
        fit.resume(trained, config, say=lambda text: None)
    assert f"the last checkpoint is {kept}. Lower data.batch (to 1, say) or " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert trained.checkpoint_paths() == [kept]


def chained(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("out of memory of the old days"), False),
        (RuntimeError("shapes differ"), False),
        (OSError(28, "No space left on device"), False),
        (OSError(12, "Cannot allocate memory"), True),
        (UserError("The loss 'x' became nan."), False),
        (chained(UserError("Cannot write x: the disk is full."), MemoryError()), False),
        (chained(ValueError("a layer failed"), MemoryError()), True),
    ],
)
def test_other_errors_stay_what_they_are(error, expected):
    assert out_of_memory(error) == expected
