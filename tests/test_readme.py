"""The README's words are kept: its GAN trains on every backend, its tree lists every module."""

import re

import keras
import numpy as np
import pytest

from tests.conftest import BACKENDS, ROOT, run

EXAMPLES = [("DCGAN", 40, "discriminator"), ("WGANGP", 50, "critic")]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "lines", "side"), EXAMPLES)
def test_the_examples_train(tmp_path, backend, name, lines, side):
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", README, re.S) if f"class {name}" in c)
    assert len(code.splitlines()) < lines
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.uniform(-1, 1, (64, 28, 28, 1)).astype("float32"))
    (tmp_path / "example.py").write_text(code + "\nprint(gan.history.history)\n")
    out = run("example.py", backend=backend, cwd=tmp_path)
    history = eval(out.strip().splitlines()[-1])
    assert len(history[side]) == 10
    assert history[side][-1] < history[side][0]
    assert all(np.isfinite(history["generator"]))
    if name == "DCGAN":
        made = keras.models.load_model(tmp_path / "generator.keras", compile=False)
        assert made.output_shape == (None, 28, 28, 1)


def test_the_two_commands_are_those_that_ci_runs():
    ci = (ROOT / ".ci" / "run").read_text()
    for command in (
        "pip install -e . && kvidgan fit configs/mocogan.yaml",
        "pip install -e '.[test]' && pytest",
    ):
        assert command in README
        assert f'"{command}"' in ci


def test_the_tree_lists_every_module():
    tree = README.split("## The tree")[1].split("### Add a family")[0]
    for path in [*(ROOT / "kvidgan").rglob("*.py"), *(ROOT / "viewer").rglob("*.py")]:
        if not path.name.startswith("__"):
            assert path.name in tree, path
