import json
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from keras import layers

from kvidgan import config as configs
from kvidgan.adversarial import Pass, Player, VideoGAN
from kvidgan.errors import UserError
from kvidgan.training import fit, memory
from kvidgan.training.memory import GIB, MIB, Estimate, Need, estimate, kept_by, out_of_memory
from tests.conftest import TINY
from tests.conftest import run as run_python


def small(side=8, policy="float32"):
    frame = keras.Input((side, side, 3))
    x = layers.Conv2D(4, 3, padding="same", dtype=policy)(frame)
    x = layers.BatchNormalization(dtype=policy)(x)
    x = layers.ReLU(dtype=policy)(x)
    x = layers.MaxPooling2D(2)(x)
    return keras.Model(frame, layers.Dense(5)(layers.Flatten()(x)) if side else x)


MAP, HALF = 8 * 8 * 4, 4 * 4 * 4  # values that the layers put out
BY_HAND = 4 * (MAP + MAP + HALF + HALF + 5)  # convolution, ReLU, pooling, flattened, dense


def test_by_hand():
    assert kept_by(small()) == BY_HAND


def test_half_precision_keeps_half():
    kept = kept_by(small(policy="mixed_bfloat16"))
    assert kept == BY_HAND - 2 * (MAP + MAP)


def test_unknown_sizes_are_those_that_it_is_used_at():
    network = small(side=None)
    known = {size: kept_by(network, size) for size in ((8, 8), (8, 16), (16, 16))}
    assert known[8, 8] == 4 * (MAP + MAP + HALF)
    assert known[16, 16] == 2 * known[8, 16] == 4 * known[8, 8]


def test_a_network_in_a_network_and_a_sequential_one_count():
    inner = small()
    frame = keras.Input((8, 8, 3))
    assert kept_by(keras.Model(frame, layers.Dense(2)(inner(frame)))) == BY_HAND + 4 * 2
    assert kept_by(keras.Sequential([keras.Input((6,)), layers.Dense(7)])) == 4 * 7


class Two(VideoGAN):
    """Two players, and what they keep."""

    def __init__(self, passes=True):
        super().__init__()
        self.network, self.known = small(), passes
        adam = keras.optimizers.Adam()
        self.players = {"one": Player(adam, self.network.trainable_variables)}

    def passes(self):
        one = Pass(self.network)
        return [[one], [one, Pass(self.network, 2)]] if self.known else super().passes()


def test_the_heaviest_loss_counts_and_all_that_is_kept_of_weights(monkeypatch):
    monkeypatch.setattr(memory, "_KEPT", {keras.backend.backend(): 2.0})
    monkeypatch.setattr(memory, "_OWN", {keras.backend.backend(): 1000})
    gan = Two()
    gan.compile()
    trained = 3 * 3 * 3 * 4 + 4 + 4 + 4 + 64 * 5 + 5
    statistics = 4 + 4
    steps = gan.players["one"].optimizer.iterations
    adam = 2 * trained + 1 + (2 if steps.dtype == "int64" else 1)  # two moments, rate and steps
    found = estimate(gan)
    assert found.per_clip == 2 * 3 * BY_HAND
    # value and gradient of what is trained, and what is not trained
    assert found.fixed == 1000 + 4 * (2 * trained + statistics + adam)
    assert found.total(7) == found.fixed + 7 * found.per_clip


def test_nothing_is_said_of_a_family_that_does_not_tell():
    gan = Two(passes=False)
    gan.compile()
    assert estimate(gan) is None
    assert Need(4, None, 10 * GIB).sentences() == []


@pytest.mark.parametrize("name", ["lstm_wgan", "mocogan", "multiscale", "vid2vid"])
def test_larger_frames_and_longer_clips_cost_more(name):
    options = {
        "lstm_wgan": [{"size": 32}, {"size": 64}, {"size": 64, "frames": 40}],
        "mocogan": [{"size": 32}, {"size": 64}, {"size": 64, "frames": 32}],
        "multiscale": [{"patch": 32}, {"patch": 64}, {"patch": 64, "history": 8}],
        "vid2vid": [{"size": [64, 64]}, {"size": [64, 128]}, {"size": [128, 128]}],
    }[name]
    fixed = {"labels": ["road"], "down": 1, "blocks": 2} if name == "vid2vid" else {}
    costs = []
    for one in options:
        module = fit.families.load(name)
        widths = [n for n in module.Config.model_fields if n.endswith("width")]
        narrow = dict.fromkeys(widths, 0.125 if name == "multiscale" else 4)
        gan = module.Family(module.Config(**fixed, **narrow, **one))
        gan.compile()
        costs.append(estimate(gan).per_clip)
    assert costs[0] < costs[1] < costs[2]
    if name == "vid2vid":
        assert costs[1] == pytest.approx(2 * costs[0], rel=0.01)


# ---- What is said

OPTIONS = ("family.size", "family.generator_width")


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (
            Need(4, Estimate(GIB // 2, 650 * MIB), 21 * GIB, OPTIONS),
            ["about 3.0 GiB for a batch of 4 (21 GiB free; the largest that fits is about 28)"],
        ),
        (Need(4, Estimate(0, 10 * MIB), None), ["about 40 MiB for a batch of 4"]),
        (
            Need(64, Estimate(0, GIB), 21 * GIB, OPTIONS),
            [
                "about 64 GiB for a batch of 64 (21 GiB free; the largest that fits is about 18)",
                "lower data.batch (about 18 should fit), family.size or family.generator_width",
            ],
        ),
        (
            Need(1, Estimate(0, 80 * GIB), 40 * GIB, OPTIONS),
            [
                "about 80 GiB for a batch of 1 (40 GiB free; not even a batch of 1 seems to fit)",
                "lower family.size or family.generator_width",
            ],
        ),
        (
            Need(127, Estimate(0, MIB), 143 * MIB),  # 128 would fit
            ["about 127 MiB for a batch of 127 (143 MiB free; the largest that fits is about 120)"],
        ),
    ],
    ids=["fits", "unknown", "too much", "not even one", "just"],
)
def test_before_training(need, said):
    heads = ["Memory: ", "The run may end out of memory: "]
    assert need.sentences() == [f"{head}{one}." for head, one in zip(heads, said, strict=False)]


@pytest.mark.parametrize(
    ("need", "advice"),
    [
        (Need(64, Estimate(0, GIB), 21 * GIB), "data.batch (about 18 should fit)"),
        (Need(16, Estimate(0, GIB), 99 * GIB), "data.batch (about 8 should fit)"),
        (Need(16, None, None), "data.batch (about 8 should fit)"),
        (Need(1, None, None, ("family.size",)), "family.size"),
        (Need(1, None, None), "the sizes of the family's networks"),
    ],
)
def test_after_a_failure(need, advice):
    kept = Path("runs/step-9.npz")
    assert need.failed(12, kept) == (
        f"Out of memory in step 12 with data.batch={need.batch}; the last checkpoint is {kept}. "
        f"Lower {advice}."
    )
    assert "; no checkpoint was kept before. " in need.failed(12, None)


# ---- A step that runs out of memory


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
    data = {"path": str(folder / "clips.npy"), "batch": 2, "cache": str(folder)}
    (folder / "tiny.yaml").write_text(
        yaml.safe_dump({**TINY, "data": data, "run": {"folder": str(folder)}})
    )
    said = []
    config = configs.load(folder / "tiny.yaml", ["train.epochs=1", "train.steps_per_epoch=2"])
    run = fit.start(config, say=said.append).run
    assert any(line.startswith("Memory: about ") and "batch of 2" in line for line in said)
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
    assert f"the last checkpoint is {kept}. Lower data.batch (about 1 " in str(caught.value)
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


# ---- Against a measurement

# VmHWM, not getrusage: that begins with the peak of the process which started this one.
MEASURE = """
import json, re
import numpy as np
from kvidgan.families.multiscale import Config, Family
from kvidgan.training.memory import estimate

def told(name):
    return int(re.search(name + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

batch = 24
gan = Family(Config(preset="l1", width=0.25, patch=64))
gan.compile()
clip = np.random.default_rng(0).integers(0, 256, (batch, 5, 64, 64, 3), dtype=np.uint8)
before = told("VmRSS")
gan.fit({"generator": clip}, batch_size=batch, epochs=1, verbose=0)
peak = told("VmHWM")
print(json.dumps([estimate(gan).total(batch), peak - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory as Linux shows it")
def test_the_estimate_is_of_the_order_of_what_a_step_takes():
    guessed, measured = json.loads(run_python("-c", MEASURE).splitlines()[-1])
    assert measured > 300 * MIB, "else the program itself would be most of it"
    assert guessed / 3 < measured < 3 * guessed
