"""Who may import whom: the syntax trees are walked and a wrong arrow fails."""

import ast
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, run

PACKAGE = ROOT / "kvidgan"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each room may import of ours besides itself. `errors` is one class, and everyone's but the
# rooms that others should be able to take away.
ARROWS = {
    "errors": set(),
    "adversarial": set(),
    "nn": {"errors"},
    "media": {"errors"},
    "data": {"media", "errors"},
    "rollout": {"media", "errors"},
    "families": {"adversarial", "nn", "errors"},
    "config": {"families", "data", "errors"},
    "training": {
        "config", "families", "data", "rollout", "evaluation", "adversarial", "media", "errors",
    },
    "evaluation": {"rollout", "data", "media", "errors"},
    "playback": {"rollout", "data", "media", "training", "errors"},
    "info": {"data", "rollout", "training", "errors"},
    "cli": {
        "config", "training", "evaluation", "playback", "data", "rollout", "media", "info",
        "errors",
    },
    "__main__": {"cli"},
}  # fmt: skip
BACKENDS = {"tensorflow", "jax", "torch"}

VIEWER = sorted((ROOT / "viewer").rglob("*.py"))
# What of kvidgan the viewer may import; and the rooms in it that never import each other, but for
# the clock, which is without Qt.
BELOW_THE_VIEWER = {"rollout", "playback", "data", "evaluation", "media", "training", "errors"}
APART = {"engine", "playing", "transport", "canvas", "plots", "exporting", "panel"}


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Yield (absolute module name, names imported from it) of every import in a file."""
    package = (path.parent.relative_to(ROOT)).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module, [alias.name for alias in node.names]


def ours(path):
    for module, names in imported(path):
        parts = module.split(".")
        if parts[0] == "kvidgan":
            yield from [parts[1]] if len(parts) > 1 else names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_down(path):
    own = room(path)
    if own == "__init__":
        assert not list(ours(path))
        return
    allowed = ARROWS[own] | {own, "__version__"}
    wrong = {found for found in ours(path) if found not in allowed}
    assert not wrong, f"{own} may not import {wrong}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_grads_names_a_backend_and_nobody_the_viewer(path):
    roots = {module.split(".")[0] for module, _ in imported(path)}
    if path != PACKAGE / "adversarial" / "grads.py":
        assert not roots & BACKENDS
    assert not roots & {"viewer", "PySide6"}


@pytest.mark.parametrize("path", VIEWER, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_viewer_imports_what_it_may(path):
    for module, _ in imported(path):
        parts = module.split(".")
        if parts[0] == "kvidgan":
            assert parts[1] in BELOW_THE_VIEWER
            assert parts[1] != "training" or parts[2] == "runs"
        assert parts[0] not in BACKENDS
        assert parts[0] != "keras" or path.stem == "loading", "only the worker process loads it"
    own = path.relative_to(ROOT).with_suffix("").parts[1]
    if own in APART:
        seen = {module.split(".")[1] for module, _ in imported(path) if module[:7] == "viewer."}
        assert not seen & (APART - {own, "playing"})


def test_families_do_not_know_each_other():
    files = [p for p in FILES if room(p) == "families" and p.stem != "__init__"]
    names = {path.relative_to(PACKAGE / "families").with_suffix("").parts[0] for path in files}
    for path in files:
        own = path.relative_to(PACKAGE / "families").with_suffix("").parts[0]
        for module, _ in imported(path):
            assert not any(module == f"kvidgan.families.{n}" for n in names - {own})


def test_the_walk_finds_a_wrong_arrow(tmp_path, monkeypatch):
    wrong = tmp_path / "kvidgan" / "nn" / "bad.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def f():\n    from ..data import store\n    import kvidgan.cli\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert sorted(ours(wrong)) == ["cli", "data"]


@pytest.mark.parametrize(
    "module",
    [
        "kvidgan",
        "kvidgan.info",
        "kvidgan.training.runs",
        "kvidgan.evaluation.frames",
        "kvidgan.rollout.following",
        "viewer.window",
    ],
)
def test_what_must_be_cheap_loads_no_backend(module):
    code = f"import sys, {module}; print({{'keras', 'cv2', *{BACKENDS}}} & set(sys.modules))"
    assert run("-c", code).strip() == "set()"


def test_tests_mirror_the_package():
    rooms = {room(path) for path in FILES if path.parent != PACKAGE}
    assert {p.name for p in Path(__file__).parent.iterdir() if p.is_dir()} >= rooms
