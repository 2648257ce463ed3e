"""Who may import whom: the syntax trees are walked and a wrong arrow fails."""

import ast
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, run

PACKAGE = ROOT / "kvidgan"
VIEWER = ROOT / "viewer" / "kvidgan_viewer"

# What each room may import of ours besides itself. `errors` and `contract` are the ground floor:
# one exception, and what families say of themselves.
ARROWS = {
    "errors": set(),
    "files": {"errors"},
    "contract": set(),
    "adversarial": set(),
    "nn": {"errors"},
    "media": {"files", "errors"},
    "data": {"backends", "contract", "media", "files", "errors"},
    "rollout": {"contract", "media", "files", "errors"},
    "families": {"contract", "adversarial", "nn", "errors"},
    "config": {"contract", "families", "data", "files", "errors"},
    "training": {
        "config", "contract", "families", "data", "rollout", "adversarial", "media", "files",
        "errors", "runs",
    },
    "importers": {"config", "families", "training", "runs", "files", "errors"},
    "evaluation": {"rollout", "data", "media", "files", "errors"},
    "playback": {"contract", "rollout", "data", "media", "errors", "runs"},
    "runs": {"files", "errors"},
    "shipped": set(),
    "info": {"data", "rollout", "errors", "runs"},
    "cli": {
        "config", "training", "evaluation", "importers", "playback", "data", "rollout", "media",
        "info", "files", "errors", "runs", "backends", "shipped",
    },
    "backends": {"errors"},
    "__main__": {"cli"},
}  # fmt: skip
BACKENDS = {"tensorflow", "jax", "torch"}
# What names a backend: all that differs between them, and what reads files of one of them.
NAMES_ONE = {
    PACKAGE / "adversarial" / "grads.py",
    PACKAGE / "importers" / "tensorflow_checkpoint.py",
    PACKAGE / "data" / "layouts" / "tfrecords.py",
}

# What of kvidgan the viewer may import; and its rooms that never import each other, but for
# `playback`, which is without Qt.
BELOW_THE_VIEWER = {
    "backends", "contract", "data", "errors", "evaluation", "media", "playback", "rollout", "runs",
    "shipped",
}  # fmt: skip
APART = {"worker", "playback", "transport", "canvas", "plots", "export", "panel"}


def files(package):
    return sorted(package.rglob("*.py"))


def room(path, package=None):
    return path.relative_to(package or PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Yield (absolute module name, names imported from it) of every import in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield node.module, [alias.name for alias in node.names]


def rooms_imported(path, package="kvidgan"):
    for module, names in imported(path):
        first, *rest = module.split(".")
        if first == package:
            yield from [rest[0]] if rest else names


def check_arrows():
    for path in files(PACKAGE):
        own = room(path)
        allowed = set() if own == "__init__" else ARROWS[own] | {own, "__version__"}
        wrong = set(rooms_imported(path)) - allowed
        assert not wrong, f"{path} may not import {wrong}"


def test_arrows_point_down():
    check_arrows()


def test_few_name_a_backend_and_nobody_the_viewer():
    for path in files(PACKAGE):
        roots = {module.split(".")[0] for module, _ in imported(path)}
        if path not in NAMES_ONE:
            assert not roots & BACKENDS, path
        assert not roots & {"kvidgan_viewer", "PySide6"}, path


def test_the_viewer_imports_what_it_may():
    for path in files(VIEWER):
        roots = {module.split(".")[0] for module, _ in imported(path)}
        assert set(rooms_imported(path)) <= BELOW_THE_VIEWER, path
        assert not roots & BACKENDS, path
        assert "keras" not in roots or path.stem == "backend", "only the worker process loads it"
        own = room(path, VIEWER)
        if own in APART:
            seen = set(rooms_imported(path, "kvidgan_viewer"))
            assert not seen & (APART - {own, "playback"}), path


def test_the_viewer_has_no_circle_of_imports():
    names = {
        ".".join(path.relative_to(VIEWER.parent).with_suffix("").parts): path
        for path in files(VIEWER)
    }
    arrows = {name: {m for m, _ in imported(path)} & set(names) for name, path in names.items()}
    while arrows:
        leaves = {name for name, found in arrows.items() if not found & set(arrows)}
        assert leaves, f"each of these imports another of them: {sorted(arrows)}"
        arrows = {name: found for name, found in arrows.items() if name not in leaves}


def test_families_do_not_know_each_other():
    folder = PACKAGE / "families"
    members = [path for path in files(folder) if path.stem != "__init__" or path.parent != folder]
    names = {room(path, folder) for path in members}
    for path in members:
        for module, _ in imported(path):
            assert not any(
                module == f"kvidgan.families.{name}" for name in names - {room(path, folder)}
            ), path


def test_the_walk_finds_a_wrong_arrow(tmp_path, monkeypatch):
    wrong = tmp_path / "kvidgan" / "nn" / "bad.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def f():\n    from kvidgan.data import store\n    import kvidgan.cli\n")
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "kvidgan")
    assert sorted(rooms_imported(wrong)) == ["cli", "data"]
    with pytest.raises(AssertionError, match="may not import"):
        check_arrows()


@pytest.mark.parametrize(
    "module",
    [
        "kvidgan",
        "kvidgan.info",
        "kvidgan.runs",
        "kvidgan.evaluation.metrics",
        "kvidgan.rollout.label_maps",
        "kvidgan_viewer.main_window",
    ],
)
def test_what_must_be_cheap_loads_no_backend(module):
    code = f"import sys, {module}; print({{'keras', 'cv2', *{BACKENDS}}} & set(sys.modules))"
    assert run("-c", code).strip() == "set()"


def test_tests_mirror_the_package():
    rooms = {room(path) for path in files(PACKAGE) if path.parent != PACKAGE}
    assert {p.name for p in Path(__file__).parent.iterdir() if p.is_dir()} >= rooms
